// The program in the past: its real plugins, database and vendors' wires, with a clock that is set to then. People act through its commands, forms and
// pages; background work runs when the past says so. The program's own process starts afterwards, on the same database.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { buildApp } from '../../../api/app.ts'
import { listen } from '../../../api/server.ts'
import { type Acting, createActing } from '../../../app/acting.ts'
import { openHouse } from '../../../app/boot.ts'
import { startEmbedded } from '../../../db/embedded.ts'
import { createOutbox } from '../../../db/outbox.ts'
import { programStore } from '../../../db/programs.ts'
import { plugins } from '../../../plugins/index.ts'
import { type Clock, memberJoined, memberLeft } from '../../../plugins/kit/index.ts'
import type { Identity } from '../person.ts'
import { until } from '../steps.ts'
import { html } from '../text.ts'
import type { Character } from './cast.ts'
import { addressOf, browserOf, refererOf } from './visitors.ts'

/** A clock that can be set forward and goes on by itself: limits and deadlines that are counted in seconds still pass. */
export interface PastClock extends Clock {
  /** Where it began. */
  readonly start: number
  /** Goes to this moment, unless it has passed already. */
  forwardTo(moment: number): void
  /** The past is over: from now on it is the machine's time. */
  release(): void
}

export function pastClock(start: number): PastClock {
  let base = start
  let setAt = performance.now()
  let released = false
  const now = () => (released ? Date.now() : base + (performance.now() - setAt))
  return {
    start,
    now: () => new Date(now()),
    forwardTo: (moment) => {
      base = Math.max(moment, now())
      setAt = performance.now()
    },
    release: () => {
      released = true
    },
  }
}

/** Somebody of the cast, once they are in the server. */
export interface Actor extends Character {
  readonly identity: Identity
}

/** One of the cast, or an admin. */
export type Who = Actor | 'owner' | 'deputy'

/** What the past needs to know of the world around it. */
export interface Stage {
  readonly clock: PastClock
  readonly guildId: string
  readonly owner: Identity
  /** Another admin, who looks at what the owner starts. */
  readonly deputy: Identity
  readonly environment: Readonly<Record<string, string>>
  readonly urls: { readonly stripe: string; readonly sendgrid: string; readonly shop: string }
  /** How many webhooks are on their way. */
  undelivered(): number
  /** A call to the sandbox's own endpoints. */
  control<T>(method: string, url: string, body?: unknown): Promise<T>
}

export interface Buyer {
  readonly email: string
  readonly name: string
  readonly country: string
  readonly promotion_code?: string
}

export interface Past extends Pick<Acting, 'tick'> {
  readonly stage: Stage
  /** Somebody who has joined. */
  actor(username: string): Actor
  /** The person joins the server, as in Discord. */
  join(character: Character): Promise<Actor>
  leave(actor: Actor): Promise<void>
  /** Runs a command. Returns the answer as JSON text. */
  run(who: Who, path: string, options?: Record<string, unknown>): Promise<string>
  /** Fills the form that the command opens, and hands it in. Returns the answer as JSON text. */
  fill(who: Who, path: string, fields: Record<string, string>, options?: Record<string, unknown>): Promise<string>
  /** A request to the program's pages from a browser of this visitor's own. */
  visit(url: string, visitor: string, form?: Record<string, string>): Promise<{ status: number; location: string; text: string }>
  /** Opens a vendor's page and presses its button. */
  submitPage(url: string): Promise<void>
  /** The link with this path in the newest mail to the address. */
  linkInMail(address: string, path: string): Promise<string>
  /** Buys in the shop with the cookie of a click and pays. Returns Stripe's Checkout session. */
  buy(product: string, buyer: Buyer, click?: string): Promise<string>
  /** The company's programs write to the public API. */
  report(key: string, path: string, body: object): Promise<void>
  /** Somebody writes in a channel. */
  say(who: Who, channel: string, text: string): Promise<void>
  /** The company's own call to Stripe's API. */
  company(path: string, parameters: Record<string, string>): Promise<void>
  /** Presses the control with this custom id prefix in an answer; a form's prefix hands it in with the fields. */
  press(who: Who, answer: string, prefix: string, fields?: Record<string, string>): Promise<string>
  stripe(path: string, body?: Record<string, unknown>): Promise<unknown>
  /** Waits until the vendors' webhooks have arrived and all work is done. */
  settle(): Promise<void>
  /** Reads figures for the summary. */
  figure(query: string): Promise<string>
  close(): Promise<void>
}

/** Rows of work that are done side by side. */
const atOnce = 8

/** Opens the program's database in the past and answers its address, so that webhooks find it. */
export async function openPast(stage: Stage, onProgress: (what: string) => void): Promise<Past> {
  const { clock, environment, control, guildId, urls } = stage
  const log = pino({ level: 'silent' })
  const database = environment.DATABASE_URL ? undefined : await openFast(`${environment.DATA_DIR}/postgres`, onProgress)
  const house = await openHouse({
    plugins,
    environment: { ...environment, ...(database && { DATABASE_URL: database.url }) },
    log,
    clock,
    onProgress,
    // What is told at Discord's pace in months is told here in seconds.
    rest: { globalRequestsPerSecond: 1_000_000 },
  }).catch(async (error: unknown) => {
    await database?.stop()
    throw error
  })
  const close = async () => {
    await house.stop()
    await database?.stop()
  }
  try {
    const { connection, loaded } = house
    const { db } = connection
    const { emit } = createOutbox(clock)
    const app = await buildApp({ loaded, log, readiness: async () => ({}) })
    house.onStop(() => app.close())
    await listen(app, { host: '127.0.0.1', port: Number(environment.PORT) })
    const program = await db.transaction((tx) => programStore.ensure(tx, { guildId, name: 'SISO Partners' }))
    const acting = createActing({ db, clock, log, loaded, program, atOnce })
    const actors = new Map<string, Actor>()
    const discord = async <T>(method: string, path: string, token: string, body?: object): Promise<T> => {
      const answer = await fetch(`${environment.DISCORD_API_URL}/v10${path}`, {
        method,
        headers: { authorization: token, 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      })
      if (!answer.ok) throw new Error(`Discord answered ${answer.status} to ${path}: ${await answer.text()}`)
      return (await answer.json()) as T
    }
    const as = (who: Who) =>
      typeof who === 'string'
        ? { userId: stage[who].id, username: stage[who].username, isAdmin: true }
        : { userId: who.identity.id, username: who.username }

    return {
      stage,
      tick: acting.tick,
      actor: (username) => {
        const found = actors.get(username)
        if (!found) throw new Error(`${username} has not joined yet`)
        return found
      },
      join: async (character) => {
        const identity = await control<Identity>('POST', '/sandbox/people', {
          username: character.username,
          global_name: character.name,
        })
        await control('PUT', `/sandbox/guilds/${guildId}/members/${identity.id}`, {})
        const actor = { ...character, identity }
        actors.set(character.username, actor)
        const joined = { programId: program.id, userId: identity.id, username: identity.username }
        await db.transaction((tx) => emit(tx, memberJoined, joined))
        return actor
      },
      leave: async ({ identity }) => {
        await control('DELETE', `/sandbox/guilds/${guildId}/members/${identity.id}`)
        await db.transaction((tx) => emit(tx, memberLeft, { programId: program.id, userId: identity.id }))
      },
      run: async (who, path, options = {}) => JSON.stringify(await acting.run(path, options, as(who))),
      fill: async (who, path, fields, options = {}) => {
        const form = await acting.run(path, options, as(who))
        if (!('custom_id' in form)) throw new Error(`/${path} opened no form: ${JSON.stringify(form)}`)
        return JSON.stringify(await acting.press(form.custom_id, { fields }, as(who)))
      },
      press: async (who, answer, prefix, fields) => {
        const id = new RegExp(`"custom_id":"(${prefix}[^"]*)"`).exec(answer)?.[1]
        if (!id) throw new Error(`there is no control ${prefix} in ${answer}`)
        return JSON.stringify(await acting.press(id, fields ? { fields } : {}, as(who)))
      },
      visit: async (url, visitor, form) => {
        const answer = await app.inject({
          method: form ? 'POST' : 'GET',
          url: new URL(url, environment.PUBLIC_URL).href.slice(new URL(environment.PUBLIC_URL!).origin.length),
          headers: {
            'user-agent': browserOf(visitor),
            ...(!form && refererOf(visitor)),
            ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
          },
          ...(form && { payload: new URLSearchParams(form).toString() }),
          remoteAddress: addressOf(visitor),
        })
        return {
          status: answer.statusCode,
          location: String(answer.headers.location ?? ''),
          text: answer.body,
        }
      },
      submitPage: async (url) => {
        const page = await fetch(url)
        const action = /<form[^>]*action="([^"]*)"/.exec(await page.text())?.[1] ?? ''
        const answer = await fetch(new URL(html(action), page.url), { method: 'POST', body: new URLSearchParams() })
        if (answer.status >= 400) throw new Error(`${url} answered ${answer.status}`)
      },
      linkInMail: (address, path) =>
        until(`a mail to ${address} with ${path}`, async () => {
          const mails = await control<{ text: string }[]>('GET', `${urls.sendgrid}/sandbox/mail?to=${encodeURIComponent(address)}`)
          return mails.map(({ text }) => new RegExp(`https?://[^\\s"<>]+${path}[\\w-]+`).exec(text)?.[0]).find(Boolean)
        }),
      buy: async (product, buyer, click) => {
        const answer = await fetch(`${urls.shop}/buy/${product}`, {
          method: 'POST',
          redirect: 'manual',
          headers: { ...(click && { cookie: `siso_cid=${click}` }) },
        })
        const session = /cs_[a-zA-Z0-9_]+/.exec(answer.headers.get('location') ?? '')?.[0]
        if (!session) throw new Error(`the shop sold no ${product}: ${answer.status}`)
        await control('POST', `${urls.stripe}/sandbox/stripe/checkout/${session}/pay`, buyer)
        return session
      },
      report: async (key, path, body) => {
        const answer = await app.inject({
          method: 'POST',
          url: path,
          headers: { authorization: `Bearer ${key}`, 'idempotency-key': randomUUID() },
          payload: body,
        })
        if (answer.statusCode >= 300) throw new Error(`${path} answered ${answer.statusCode}: ${answer.body}`)
      },
      say: async (who, channelName, text) => {
        const { id, token } = typeof who === 'string' ? stage[who] : who.identity
        const channels = await discord<{ id: string; name: string }[]>('GET', `/guilds/${guildId}/channels`, stage.owner.token)
        const channel = channels.find(({ name }) => name === channelName)
        if (!channel) throw new Error(`${id} finds no channel ${channelName}`)
        await discord('POST', `/channels/${channel.id}/messages`, token, { content: text })
      },
      company: async (path, parameters) => {
        const answer = await fetch(`${urls.stripe}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${environment.STRIPE_SECRET_KEY}` },
          body: new URLSearchParams(parameters),
        })
        if (!answer.ok) throw new Error(`Stripe answered ${answer.status} to ${path}: ${await answer.text()}`)
      },
      stripe: (path, body = {}) => control('POST', `${urls.stripe}/sandbox/stripe/${path}`, body),
      settle: async () => {
        for (;;) {
          await acting.drain()
          if (stage.undelivered() === 0) break
          await sleep(3)
        }
        await acting.drain()
      },
      figure: async (query) => String(Object.values((await connection.sql.unsafe(query))[0] ?? {})[0] ?? ''),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The program's own embedded database. While the past is written a power cut would cost nothing but the time to write it again. */
const openFast = (directory: string, onProgress: (what: string) => void) => {
  onProgress('starting the embedded database')
  return startEmbedded({ directory, unsafeFast: true, onProgress })
}
