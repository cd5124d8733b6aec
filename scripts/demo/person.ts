// A person at their Discord client: the same REST API and gateway that Discord's own client uses, with a user token. Knows nothing of the bot's code.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type APIActionRowComponent,
  type APIApplicationCommand,
  type APIApplicationCommandOption,
  type APIChannel,
  type APIMessage,
  type APIMessageTopLevelComponent,
  ApplicationCommandOptionType,
  ComponentType,
} from 'discord-api-types/v10'

export interface Identity {
  id: string
  username: string
  token: string
}

/** A form that the bot opened. */
export interface OpenForm {
  id: string
  custom_id: string
  title: string
  components: FormLabel[]
  /** The message whose button opened it: the answer may be an edit of that message. */
  messageId?: string
}
export interface FormLabel {
  type: number
  label?: string
  component?: { type: number; custom_id: string; value?: string; options?: { label: string; value: string }[] }
}

/** What came of an interaction: a message (new or edited), or a form. */
export type Outcome = { message: APIMessage; form?: undefined } | { form: OpenForm; message?: undefined }

export interface Person extends Identity {
  /** Runs a slash command of the guild as typed: `run('link create', { code: 'ADA' })`. */
  run(path: string, options?: Record<string, string | number | boolean>): Promise<Outcome>
  /** Presses the button with this label, or the first control whose custom id contains it. */
  press(message: APIMessage, label: string): Promise<Outcome>
  /** Fills the form by field labels (or custom ids) and submits it. */
  submit(form: OpenForm, values: Record<string, string>): Promise<Outcome>
  /** Channels of the guild that this person can see now, as their client was told. */
  channels(): APIChannel[]
  categories(): APIChannel[]
  /** The message as this person's client shows it now, after every edit it was told of. */
  latest(message: APIMessage): APIMessage
  /** Messages of a channel, newest first. */
  messages(channelId: string): Promise<APIMessage[]>
  /** Messages of the direct conversation with the bot, newest first. */
  directMessages(): Promise<APIMessage[]>
  /** The names of the person's roles. */
  roles(): Promise<string[]>
  get<T>(path: string): Promise<T>
  leave(): void
}

interface Options {
  identity: Identity
  api: string
  guildId: string
  /** Where commands are typed; default: #general, before that #faq, where newcomers may write. */
  channelId?: string
  timeoutMs?: number
  /** Hears every event of the person's gateway. */
  onEvent?: (name: string, data: Record<string, unknown>) => void
}

const loading = 1 << 7

/** Logs the person in and waits until the client is ready. */
export async function openClient({ identity, api, guildId, timeoutMs = 10_000, ...options }: Options): Promise<Person> {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${api}/v9${path}`, {
      method,
      headers: { authorization: identity.token, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
    return (text ? JSON.parse(text) : undefined) as T
  }

  const { url } = await call<{ url: string }>('GET', '/gateway')
  const events: { name: string; data: Record<string, unknown> }[] = []
  const visible = new Map<string, APIChannel>()
  const watchers = new Set<() => void>()
  const connection = await connectGateway(`${url}/?v=9&encoding=json`, identity.token, timeoutMs, (name, data) => {
    events.push({ name, data })
    keepVisible(visible, guildId, name, data)
    options.onEvent?.(name, data)
    for (const watcher of watchers) watcher()
  })

  let nonces = 0
  /** Sends an interaction and waits for what becomes of it. */
  const interact = async (body: Record<string, unknown>, messageId?: string): Promise<Outcome> => {
    const nonce = `${Date.now()}${++nonces}`
    const from = events.length
    await call('POST', '/interactions', { guild_id: guildId, session_id: connection.sessionId, nonce, ...body })
    return waitFor(
      watchers,
      timeoutMs,
      () => `no answer to the interaction within ${timeoutMs} ms`,
      () => outcomeOf(events.slice(from), nonce, messageId),
    )
  }

  const typedIn = (): string => {
    const rooms = [...visible.values()].filter((candidate) => candidate.type === 0)
    const channel =
      visible.get(options.channelId ?? '') ??
      rooms.find(({ name }) => name === 'general') ??
      rooms.find(({ name }) => name === 'faq') ??
      rooms[0]
    if (!channel) throw new Error(`${identity.username} sees no channel to type in`)
    return channel.id
  }
  return {
    ...identity,
    run: async (path, values = {}) => {
      const channelId = typedIn()
      const index = await call<{ application_commands: APIApplicationCommand[] }>(
        'GET',
        `/guilds/${guildId}/application-command-index`,
      )
      const words = path.split(' ')
      const command = index.application_commands.find((candidate) => candidate.name === words[0])
      if (!command) throw new Error(`${identity.username} sees no command /${words[0]}`)
      const data = {
        id: command.id,
        version: command.version,
        name: command.name,
        type: 1,
        options: typed(command.options ?? [], words.slice(1), values),
        application_command: command,
        attachments: [],
      }
      return interact({ type: 2, application_id: command.application_id, channel_id: channelId, data })
    },
    press: async (message, label) => {
      const control = controls(message.components ?? []).find(
        (candidate) => candidate.label === label || candidate.custom_id?.includes(label),
      )
      if (!control?.custom_id)
        throw new Error(
          `the message has no control “${label}”, only ${controls(message.components ?? [])
            .map((candidate) => candidate.label ?? candidate.custom_id)
            .join(', ')}`,
        )
      const outcome = await interact(
        {
          type: 3,
          application_id: message.application_id ?? message.author.id,
          channel_id: message.channel_id,
          message_id: message.id,
          message_flags: message.flags ?? 0,
          data: { component_type: control.type, custom_id: control.custom_id },
        },
        message.id,
      )
      return outcome.form ? { form: { ...outcome.form, messageId: message.id } } : outcome
    },
    submit: async (form, values) => {
      const components = form.components.flatMap((label) => {
        const field = label.component
        if (!field) return []
        const value = values[label.label ?? ''] ?? values[field.custom_id] ?? field.value ?? ''
        const filled =
          field.type === ComponentType.TextInput
            ? { type: field.type, custom_id: field.custom_id, value }
            : { type: field.type, custom_id: field.custom_id, values: value ? [value] : [] }
        return [{ type: label.type, component: filled }]
      })
      const { application_id, channel_id } = form as OpenForm & { application_id: string; channel_id?: string }
      return interact(
        {
          type: 5,
          application_id,
          channel_id: channel_id ?? typedIn(),
          data: { id: form.id, custom_id: form.custom_id, components },
        },
        form.messageId,
      )
    },
    channels: () => [...visible.values()].filter((channel) => channel.type !== 4),
    categories: () => [...visible.values()].filter((channel) => channel.type === 4),
    latest: (message) =>
      (events.findLast((event) => event.name === 'MESSAGE_UPDATE' && event.data.id === message.id)
        ?.data as unknown as APIMessage) ?? message,
    messages: (channelId) => call('GET', `/channels/${channelId}/messages?limit=50`),
    directMessages: async () => {
      const [channel] = await call<{ id: string }[]>('GET', '/users/@me/channels')
      return channel ? call('GET', `/channels/${channel.id}/messages?limit=50`) : []
    },
    roles: async () => {
      const member = await call<{ roles: string[] }>('GET', `/guilds/${guildId}/members/${identity.id}`)
      const all = await call<{ id: string; name: string }[]>('GET', `/guilds/${guildId}/roles`)
      return all.filter((role) => member.roles.includes(role.id)).map((role) => role.name)
    },
    get: (path) => call('GET', path),
    leave: connection.close,
  }
}

/** What the client shows in its channel list: told at the start, and whenever something appears or disappears. */
function keepVisible(visible: Map<string, APIChannel>, guildId: string, name: string, data: Record<string, unknown>): void {
  const guilds = name === 'READY' ? (data.guilds as Record<string, unknown>[]) : name === 'GUILD_CREATE' ? [data] : []
  for (const guild of guilds)
    if (guild.id === guildId)
      for (const channel of (guild.channels as APIChannel[] | undefined) ?? []) visible.set(channel.id, channel)
  if ((name === 'CHANNEL_CREATE' || name === 'CHANNEL_UPDATE') && data.guild_id === guildId)
    visible.set(data.id as string, data as unknown as APIChannel)
  if (name === 'CHANNEL_DELETE') visible.delete(data.id as string)
}

function outcomeOf(
  events: readonly { name: string; data: Record<string, unknown> }[],
  nonce: string,
  messageId: string | undefined,
): Outcome | undefined {
  const created = events.find((event) => event.name === 'INTERACTION_CREATE' && event.data.nonce === nonce)
  const failed = events.find((event) => event.name === 'INTERACTION_FAILURE' && event.data.nonce === nonce)
  if (failed) throw new Error('Discord says “This interaction failed”: the bot did not answer within 3 seconds')
  const modal = events.find((event) => event.name === 'INTERACTION_MODAL_CREATE' && event.data.nonce === nonce)
  if (modal)
    return { form: { ...modal.data, application_id: (modal.data.application as { id: string }).id } as unknown as OpenForm }
  if (!created) return undefined
  const answers = events
    .filter((event) => event.name === 'MESSAGE_CREATE' || event.name === 'MESSAGE_UPDATE')
    .map((event) => event.data as unknown as APIMessage)
    .filter(
      (message) => message.interaction_metadata?.id === created.data.id || (messageId !== undefined && message.id === messageId),
    )
  const last = answers.at(-1)
  return last && ((last.flags ?? 0) & loading) === 0 ? { message: last } : undefined
}

function typed(
  declared: readonly APIApplicationCommandOption[],
  words: readonly string[],
  values: Record<string, string | number | boolean>,
): unknown[] {
  const [word, ...rest] = words
  if (word !== undefined) {
    const found = declared.find((option) => option.name === word)
    if (!found) throw new Error(`the command has no subcommand “${word}”`)
    return [{ type: found.type, name: word, options: typed(('options' in found ? found.options : undefined) ?? [], rest, values) }]
  }
  return Object.entries(values).map(([name, value]) => {
    const option = declared.find((candidate) => candidate.name === name)
    if (!option) throw new Error(`the command has no option “${name}”`)
    return { type: option.type, name, value: option.type === ApplicationCommandOptionType.String ? String(value) : value }
  })
}

interface Control {
  type: number
  label?: string
  custom_id?: string
  url?: string
}

/** Buttons and selects of a message, in order, however deep they stand. */
export function controls(components: readonly APIMessageTopLevelComponent[]): Control[] {
  const walk = (component: unknown): Control[] => {
    const node = component as Control & { components?: unknown[]; accessory?: unknown } & Partial<APIActionRowComponent<never>>
    const own = node.custom_id !== undefined || node.url !== undefined ? [node] : []
    return [...own, ...(node.components ?? []).flatMap(walk), ...(node.accessory ? walk(node.accessory) : [])]
  }
  return components.flatMap(walk)
}

/** Everything a person reads in the message, joined by line breaks; escaped signs as Discord shows them. */
export function textOf(message: Pick<APIMessage, 'content' | 'components'>): string {
  const walk = (component: unknown): string[] => {
    const node = component as { content?: string; label?: string; components?: unknown[]; accessory?: unknown }
    return [
      ...(node.content ? [node.content] : []),
      ...(node.components ?? []).flatMap(walk),
      ...(node.accessory ? walk(node.accessory) : []),
    ]
  }
  return [message.content, ...(message.components ?? []).flatMap(walk)]
    .filter(Boolean)
    .join('\n')
    .replace(/\\([^\w\s])/g, '$1')
}

async function waitFor<T>(
  watchers: Set<() => void>,
  timeoutMs: number,
  otherwise: () => string,
  look: () => T | undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    const left = deadline - Date.now()
    if (left <= 0) throw new Error(otherwise())
    let watcher = () => {}
    await Promise.race([
      new Promise<void>((resolve) => {
        watcher = resolve
        watchers.add(watcher)
      }),
      sleep(left, undefined, { ref: false }),
    ])
    watchers.delete(watcher)
  }
}

/** The gateway as a user's client speaks it: hello, identify, heartbeats. */
async function connectGateway(
  url: string,
  token: string,
  timeoutMs: number,
  onEvent: (name: string, data: Record<string, unknown>) => void,
): Promise<{ sessionId: string; close(): void }> {
  const socket = new WebSocket(url)
  let heartbeat: NodeJS.Timeout | undefined
  let sequence: number | null = null
  const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }))
  const sessionId = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the gateway did not answer within ${timeoutMs} ms`)), timeoutMs)
    socket.addEventListener('error', () => reject(new Error(`the gateway at ${url} cannot be reached`)))
    socket.addEventListener('close', ({ code, reason }) => {
      clearInterval(heartbeat)
      reject(new Error(`the gateway closed the connection: ${code} ${reason}`))
    })
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { op: number; d: Record<string, unknown>; s: number | null; t: string | null }
      sequence = frame.s ?? sequence
      if (frame.op === 10) {
        heartbeat = setInterval(() => send(1, sequence), frame.d.heartbeat_interval as number)
        send(2, { token, properties: { os: 'linux', browser: 'siso-tour', device: '' }, capabilities: 0 })
      }
      if (frame.op === 1) send(1, sequence)
      if (frame.op !== 0 || !frame.t) return
      if (frame.t === 'READY') {
        clearTimeout(timer)
        resolve(frame.d.session_id as string)
      }
      onEvent(frame.t, frame.d)
    })
  })
  return {
    sessionId,
    close: () => {
      clearInterval(heartbeat)
      socket.close()
    },
  }
}
