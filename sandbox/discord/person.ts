// A person's client for tests and the tour: Discord's own client wire, REST with a user token and a gateway session.
// Only speaks; knows nothing of how the sandbox is built.

import { WebSocket } from 'ws'

// biome-ignore lint/suspicious/noExplicitAny: payloads are read freely in tests
export type Payload = any

export interface Person {
  id: string
  username: string
  token: string
  sessionId: string
  /** All dispatches so far, oldest first. */
  events: { t: string; d: Payload }[]
  /** Calls the REST API; returns status and body. */
  rest: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<{ status: number; body: Payload; headers: Headers }>
  /** The next (or an already received, not yet taken) dispatch of that name that fits. Rejects after `ms`. */
  next: (event: string, fits?: (data: Payload) => boolean, ms?: number) => Promise<Payload>
  /** Runs a slash command by name, as the picker does: index first, then POST /interactions. */
  run: (
    guildId: string,
    channelId: string,
    name: string,
    options?: unknown[],
    type?: number,
  ) => Promise<{ status: number; body: Payload; nonce: string }>
  press: (message: Payload, customId: string, values?: string[]) => Promise<{ status: number; body: Payload; nonce: string }>
  submit: (modal: Payload, guildId: string, components: unknown[]) => Promise<{ status: number; body: Payload; nonce: string }>
  close: () => void
}

/** Makes a person in the sandbox and connects their client. */
export async function connectPerson(url: string, username: string): Promise<Person> {
  const made = await call(url, 'POST', '/sandbox/people', undefined, { username })
  return attach(url, made.body)
}

async function attach(url: string, { id, username, token }: { id: string; username: string; token: string }): Promise<Person> {
  const events: { t: string; d: Payload }[] = []
  const taken = new Set<unknown>()
  const waiting = new Set<() => void>()
  const { body: gateway } = await call(url, 'GET', '/api/v9/gateway', undefined)
  const socket = new WebSocket(`${gateway.url}/?v=9&encoding=json`)
  let seq: number | null = null
  socket.on('message', (raw) => {
    const packet = JSON.parse(raw.toString())
    if (packet.op === 10)
      socket.send(JSON.stringify({ op: 2, d: { token, capabilities: 0, properties: { os: 'Linux', browser: 'Chrome' } } }))
    if (packet.op === 1) socket.send(JSON.stringify({ op: 1, d: seq }))
    if (packet.op !== 0) return
    seq = packet.s
    events.push({ t: packet.t, d: packet.d })
    for (const wake of [...waiting]) wake()
  })
  let nonces = 0
  const nextNonce = () => `${Date.now()}${nonces++}`

  const person: Person = {
    id,
    username,
    token,
    sessionId: '',
    events,
    rest: (method, path, body, headers) => call(url, method, `/api/v9${path}`, token, body, headers),
    next: (event, fits = () => true, ms = 5000) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = events.find((entry) => entry.t === event && !taken.has(entry) && fits(entry.d))
          if (!found) return
          taken.add(found)
          waiting.delete(look)
          clearTimeout(timer)
          resolve(found.d)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`${username} saw no ${event} within ${ms} ms; last: ${events.slice(-5).map((entry) => entry.t)}`))
        }, ms)
        waiting.add(look)
        look()
      }),
    run: async (guildId, channelId, name, options = [], type = 2) => {
      const index = await person.rest('GET', `/guilds/${guildId}/application-command-index`)
      const command = index.body.application_commands.find((one: Payload) => one.name === name)
      if (!command) throw new Error(`no command /${name} in the index`)
      const nonce = nextNonce()
      const data = { version: command.version, id: command.id, name, type: command.type, options }
      const sent = {
        type,
        application_id: command.application_id,
        guild_id: guildId,
        channel_id: channelId,
        session_id: person.sessionId,
        data,
        nonce,
      }
      return { ...(await person.rest('POST', '/interactions', sent)), nonce }
    },
    press: async (message, customId, values) => {
      const all = (nodes: Payload[]): Payload[] =>
        nodes.flatMap((node) => [node, ...all(node.components ?? []), ...(node.accessory ? all([node.accessory]) : [])])
      const component = all(message.components).find((one) => one.custom_id === customId)
      const nonce = nextNonce()
      const sent = {
        type: 3,
        application_id: message.application_id ?? message.author.id,
        guild_id: message.guild_id ?? null,
        channel_id: message.channel_id,
        message_id: message.id,
        message_flags: message.flags,
        session_id: person.sessionId,
        nonce,
        data: { component_type: component?.type ?? 2, custom_id: customId, ...(values ? { type: component?.type, values } : {}) },
      }
      return { ...(await person.rest('POST', '/interactions', sent)), nonce }
    },
    submit: async (modal, guildId, components) => {
      const nonce = nextNonce()
      const sent = {
        type: 5,
        application_id: modal.application.id,
        guild_id: guildId,
        channel_id: modal.channel_id,
        session_id: person.sessionId,
        nonce,
        data: { id: modal.id, custom_id: modal.custom_id, components },
      }
      return { ...(await person.rest('POST', '/interactions', sent)), nonce }
    },
    close: () => socket.terminate(),
  }
  const ready = await person.next('READY')
  person.sessionId = ready.session_id
  return person
}

/** One HTTP call with JSON in and out. */
export async function call(
  url: string,
  method: string,
  path: string,
  token?: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Payload; headers: Headers }> {
  const isForm = body instanceof FormData
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token ? { authorization: token } : {}),
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
}
