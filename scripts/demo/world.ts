// One whole world on this machine: the sandbox outside, the program inside, and how both are brought back to their start.
import { rm } from 'node:fs/promises'
import path from 'node:path'
import Stripe from 'stripe'
import { removeEmbedded } from '../../db/embedded.ts'
import { freePort } from '../../db/ports.ts'
import { ConfigurationError } from '../../plugins/kit/environment.ts'
import type { Route } from '../../sandbox/discord/http.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import type { Size } from './history/story.ts'
import { clockBefore, type Summary, writeHistory } from './history/write.ts'
import { type Identity, openClient, type Person } from './person.ts'
import { addDeputy, furnish, type Place, stripeKey } from './place.ts'
import { type RunningProgram, startProgram } from './program.ts'

export interface World {
  readonly sandbox: Sandbox
  readonly guildId: string
  readonly publicUrl: string
  /** Stripe's API as the company itself would use it. */
  readonly stripe: Stripe
  readonly admin: Person
  readonly logFile: string
  /** How long it took until the program was ready, in ms. */
  readonly bootMs: number
  /** What the recorded past comes to, when the world was started with one. */
  readonly history: Summary | undefined
  /** Makes a person, and lets them join the server. */
  newPerson(username: string): Promise<Identity>
  join(identity: Identity): Promise<Person>
  openClient(identity: Identity): Promise<Person>
  /** A call to the sandbox's own endpoints. */
  control<T>(method: string, url: string, body?: unknown): Promise<T>
  program: {
    pid(): number
    kill(): Promise<void>
    stop(): Promise<void>
    /** Starts it again on the same data, after `kill` or `stop`. */
    start(): Promise<void>
  }
  /** Everything as it was at the start: an empty sandbox, a fresh database, the program anew. Whoever was here is gone. */
  reset(): Promise<void>
  close(): Promise<void>
}

export interface WorldOptions {
  /** Port of the sandbox; 0 for any free one. */
  port?: number
  dataDirectory: string
  /** More environment for the program, e.g. DATABASE_URL and REDIS_URL. */
  environment?: Readonly<Record<string, string>>
  onProgress?: (what: string) => void
  /** Lets the world begin in the past and live until today. */
  history?: Size
  /** Further endpoints of the sandbox, and whether the client shows what they are for. */
  routes?: readonly Route[]
  features?: readonly ('guide' | 'reset')[]
}

/** Starts everything. `dataDirectory` is emptied first. On failure nothing is left running. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const onProgress = options.onProgress ?? (() => {})
  const started = performance.now()
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    onProgress('starting the sandbox')
    // The sandbox keeps one clock for its life; a world with a past sets it back each time it begins.
    let clock = options.history && clockBefore(options.history)
    const now = () => (clock ? clock.now().getTime() : Date.now())
    const sandbox = await startSandbox({
      port: options.port ?? 0,
      clock: now,
      stripe: { funds, ...(options.history && { payoutDelayMs: 50 }) },
      ...(options.history && { paypal: { processDelayMs: 50 } }),
      ...(options.routes && { routes: options.routes }),
      ...(options.features && { features: options.features }),
    }).catch(explainPort(options.port))
    closers.push(() => sandbox.close())
    const control = <T>(method: string, url: string, body?: unknown) =>
      request<T>(method, new URL(url, sandbox.discord.url).href, body)
    const port = await freePort()
    const dataDirectory = path.join(options.dataDirectory, 'data')
    const logFile = path.join(options.dataDirectory, 'program.log')
    const stripe = stripeClient(sandbox.urls.stripe)

    let place: Place
    let program: RunningProgram | undefined
    let people: Person[] = []
    let admin: Person
    let bootMs = 0
    let history: Summary | undefined
    const open = async (identity: Identity) => {
      const person = await openClient({ identity, api: sandbox.urls.discord.api, guildId: place.guildId })
      people.push(person)
      return person
    }
    const run = () => startProgram({ environment: place.environment, logFile, onProgress })
    const begin = async (started: number) => {
      // First the database, which is refused while another run owns the directory: that run keeps its log.
      await removeEmbedded(path.join(dataDirectory, 'postgres'))
      await rm(logFile, { force: true })
      place = await furnish({ sandbox, control, stripe, port, dataDirectory, environment: options.environment ?? {} })
      if (options.history && clock) {
        const deputy = await addDeputy(place, sandbox.urls.discord.api, control)
        const stage = { ...place, deputy, clock, control, urls: sandbox.urls, undelivered: () => undelivered(sandbox) }
        history = await writeHistory(stage, options.history, onProgress)
        clock.release()
      }
      program = await run()
      bootMs = Math.round(performance.now() - started)
      admin = await open(place.owner)
      // Where links lead is the operator's to say; here it is the shop beside the server.
      await admin.run('admin settings set', { setting: 'links landingPage', value: sandbox.urls.shop })
      // Partners and their customers sit at one machine here, and in one browser: that they do says nothing about them.
      await admin.run('admin settings set', { setting: 'fraud weights', value: JSON.stringify({ same_ip: 0, same_device: 0 }) })
    }
    const end = async () => {
      for (const person of people) person.leave()
      people = []
      await program?.stop()
    }
    closers.push(end)
    await begin(started)
    return {
      sandbox,
      publicUrl: `http://127.0.0.1:${port}`,
      stripe,
      logFile,
      control,
      get guildId() {
        return place.guildId
      },
      get admin() {
        return admin
      },
      get bootMs() {
        return bootMs
      },
      get history() {
        return history
      },
      newPerson: (username) => control('POST', '/sandbox/people', { username }),
      join: async (identity) => {
        await control('PUT', `/sandbox/guilds/${place.guildId}/members/${identity.id}`, {})
        return open(identity)
      },
      openClient: open,
      program: {
        pid: () => program!.pid,
        kill: async () => program?.kill(),
        stop: async () => program?.stop(),
        start: async () => {
          program = await run()
        },
      },
      reset: async () => {
        if (options.environment?.DATABASE_URL)
          throw new ConfigurationError(
            'The demo runs on a database of your own (DATABASE_URL), which is not emptied from here. Stop the demo, empty it, and start again.',
          )
        const restarted = performance.now()
        onProgress('stopping the program')
        await end()
        onProgress('emptying the sandbox')
        clock = options.history && clockBefore(options.history)
        await control('POST', '/sandbox/reset')
        await begin(restarted)
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Webhooks that have not arrived, and may still. */
function undelivered({ stripe, paypal }: Sandbox): number {
  return [...stripe.webhooks.deliveries(), ...paypal.deliveries].filter(({ state }) => state === 'pending').length
}

/** What the company has in its Stripe balance from earlier business, in minor units. */
const funds = { usd: 1_000_000 }

/** The Stripe SDK pointed at `url`. */
export function stripeClient(url: string): Stripe {
  const { hostname, port, protocol } = new URL(url)
  return new Stripe(stripeKey, {
    host: hostname,
    port: Number(port),
    protocol: protocol === 'https:' ? 'https' : 'http',
    maxNetworkRetries: 0,
  })
}

/** @throws ConfigurationError with a sentence when the sandbox's port is taken, else the error itself */
function explainPort(port: number | undefined): (error: unknown) => never {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new ConfigurationError(
        `Port ${port} is in use by another program. Stop that program, or choose another port with --port.`,
      )
    throw error
  }
}

async function request<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${text}`)
  return (text ? JSON.parse(text) : undefined) as T
}
