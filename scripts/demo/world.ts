// One whole world on this machine: the sandbox outside, the program inside, and what an operator would set up between the two (a server, a bot, webhooks).
import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import Stripe from 'stripe'
import { removeEmbedded } from '../../db/embedded.ts'
import { plugins } from '../../plugins/index.ts'
import { ConfigurationError } from '../../plugins/kit/environment.ts'
import { permissionsOf } from '../../plugins/kit/permissions.ts'
import { type Sandbox, startSandbox } from '../../sandbox/server.ts'
import { type Identity, openClient, type Person } from './person.ts'
import { type RunningProgram, startProgram } from './program.ts'

export interface World {
  readonly sandbox: Sandbox
  readonly guildId: string
  readonly publicUrl: string
  /** Stripe's API as the company itself would use it. */
  readonly stripe: Stripe
  readonly admin: Person
  readonly logFile: string
  /** How long the program took to be ready, in ms. */
  readonly bootMs: number
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
  close(): Promise<void>
}

export interface WorldOptions {
  /** Port of the sandbox; 0 for any free one. */
  port?: number
  dataDirectory: string
  /** More environment for the program, e.g. DATABASE_URL and REDIS_URL. */
  environment?: Readonly<Record<string, string>>
  onProgress?: (what: string) => void
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
    const sandbox = await startSandbox({ port: options.port ?? 0, stripe: { funds } }).catch(explainPort(options.port))
    closers.push(() => sandbox.close())
    const control = <T>(method: string, url: string, body?: unknown) =>
      request<T>(method, new URL(url, sandbox.discord.url).href, body)

    const owner = await control<Identity>('POST', '/sandbox/people', { username: 'mira' })
    const guild = await control<{ id: string }>('POST', '/sandbox/guilds', {
      name: 'SISO Partners',
      owner_id: owner.id,
      channels: [{ name: 'general', type: 0 }],
    })
    const application = await control<{ id: string; token: string }>('POST', '/sandbox/applications', { name: 'SISO' })
    await control('PUT', `/sandbox/guilds/${guild.id}/applications/${application.id}`, {
      permissions: permissionsOf(plugins).toString(),
    })

    const port = await freePort()
    const publicUrl = `http://127.0.0.1:${port}`
    const stripe = stripeClient(sandbox.urls.stripe)
    const secrets = await webhookSecrets(stripe, publicUrl)
    const environment = {
      DISCORD_TOKEN: application.token,
      DISCORD_API_URL: sandbox.urls.discord.api,
      STRIPE_SECRET_KEY: stripeKey,
      STRIPE_API_URL: sandbox.urls.stripe,
      STRIPE_WEBHOOK_SECRET: secrets.join(','),
      SENDGRID_API_KEY: 'SG.sandbox.key',
      SENDGRID_API_URL: sandbox.urls.sendgrid,
      MAIL_FROM: 'partners@siso.example',
      PUBLIC_URL: publicUrl,
      PORT: String(port),
      SECRET_KEY: randomBytes(36).toString('base64'),
      DATA_DIR: path.join(options.dataDirectory, 'data'),
      ...options.environment,
    }
    const logFile = path.join(options.dataDirectory, 'program.log')
    const run = () => startProgram({ environment, logFile, onProgress })
    // First the database, which is refused while another run owns the directory: that run keeps its log.
    await removeEmbedded(path.join(environment.DATA_DIR, 'postgres'))
    await rm(logFile, { force: true })
    let program: RunningProgram = await run()
    const bootMs = Math.round(performance.now() - started)
    closers.push(() => program.stop())

    const people: Person[] = []
    closers.push(async () => {
      for (const person of people) person.leave()
    })
    const open = async (identity: Identity) => {
      const person = await openClient({ identity, api: sandbox.urls.discord.api, guildId: guild.id })
      people.push(person)
      return person
    }
    const admin = await open(owner)
    // Where links lead is the operator's to say; here it is the shop beside the server.
    await admin.run('admin settings set', { setting: 'links landingPage', value: sandbox.urls.shop })
    return {
      sandbox,
      guildId: guild.id,
      publicUrl,
      stripe,
      admin,
      logFile,
      bootMs,
      control,
      newPerson: (username) => control('POST', '/sandbox/people', { username }),
      join: async (identity) => {
        await control('PUT', `/sandbox/guilds/${guild.id}/members/${identity.id}`, {})
        return open(identity)
      },
      openClient: open,
      program: {
        pid: () => program.pid,
        kill: () => program.kill(),
        stop: () => program.stop(),
        start: async () => {
          program = await run()
        },
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the company has in its Stripe balance from earlier business, in minor units. */
const funds = { usd: 1_000_000 }

const stripeKey = 'sk_test_sandbox'

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

/** What an operator does in Stripe's dashboard: one endpoint for the platform's own events and one for those of connected accounts. */
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

async function webhookSecrets(stripe: Stripe, publicUrl: string): Promise<string[]> {
  const url = `${publicUrl}/webhooks/stripe`
  const endpoints = [
    await stripe.webhookEndpoints.create({ url, enabled_events: ['*'] }),
    await stripe.webhookEndpoints.create({ url, enabled_events: ['*'], connect: true }),
  ]
  return endpoints.map((endpoint) => endpoint.secret!)
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
