// One person of the crowd: a gateway session and interactions over the client wire, with the times of their answers. Keeps nothing else, so that hundreds fit into a process.
import { performance } from 'node:perf_hooks'
import { WebSocket } from 'ws'

/** What an interaction asks for: a message, an edit of a message, a form, suggestions. */
export type Kind = 'command' | 'button' | 'form' | 'submission' | 'suggestions'

/** One interaction; times are ms after it was sent. */
export interface Sample {
  kind: Kind
  first?: number
  answered?: number
  wrong?: string
}

export interface Member {
  readonly samples: Sample[]
  /** Interactions that are not answered yet. */
  readonly waiting: number
  run(path: string, options?: Record<string, string>): Promise<void>
  suggest(path: string, option: string, typed: string): Promise<void>
  /** Presses a button of the last message that had one; lists links when there is none, or one was just pressed. */
  press(): Promise<void>
  /** Submits the form or takes the suggestion that lies open, else does `otherwise`. */
  followUp(otherwise: () => Promise<void>): Promise<void>
  leave(): void
}

interface Asked extends Sample {
  sentAt: number
  messageId?: string
}
interface Wire {
  [key: string]: unknown
}
interface CommandEntry extends Wire {
  id: string
  version: string
  name: string
  options?: OptionEntry[]
}
interface OptionEntry {
  name: string
  type: number
  options?: OptionEntry[]
}
interface Control {
  type: number
  custom_id?: string
  disabled?: boolean
  components?: Control[]
  component?: Control
  accessory?: Control
  value?: string
  required?: boolean
  options?: { value: string; default?: boolean }[]
}
interface Shown {
  id: string
  buttons: Control[]
}

const loading = 1 << 7

export interface MemberOptions {
  api: string
  guildId: string
  applicationId: string
  channelId: string
  id: string
  token: string
  index: readonly CommandEntry[]
  /** Tells what this person types apart from what others type. */
  serial: number
}

/** Connects the person and resolves when their client is ready. */
export async function connectMember(options: MemberOptions): Promise<Member> {
  const { api, guildId, applicationId, channelId, token, index } = options
  const samples: Sample[] = []
  const byNonce = new Map<string, Asked>()
  const byId = new Map<string, Asked>()
  let shown: Shown | undefined
  let form: Wire | undefined
  let suggested: string | undefined
  let sent = 0

  const url = ((await (await fetch(`${api}/v9/gateway`)).json()) as { url: string }).url
  const gateway = await connectGateway(url, token, receive)

  async function interact(kind: Kind, body: Wire, messageId?: string): Promise<void> {
    const nonce = `${options.serial}n${++sent}`
    const asked: Asked = { kind, sentAt: performance.now(), ...(messageId !== undefined && { messageId }) }
    samples.push(asked)
    byNonce.set(nonce, asked)
    const place = { guild_id: guildId, channel_id: channelId, application_id: applicationId, session_id: gateway.sessionId, nonce }
    const response = await fetch(`${api}/v9/interactions`, {
      method: 'POST',
      headers: { authorization: token, 'content-type': 'application/json' },
      body: JSON.stringify({ ...place, ...body }),
    })
    if (response.ok) await response.arrayBuffer()
    else fail(nonce, asked, `Discord answered ${response.status}: ${await response.text()}`)
  }

  function fail(nonce: string, asked: Asked, wrong: string): void {
    asked.wrong = wrong
    byNonce.delete(nonce)
  }

  function receive(event: string, data: Wire): void {
    if (event === 'MESSAGE_CREATE' || event === 'MESSAGE_UPDATE') receiveMessage(data)
    const nonce = String(data.nonce)
    const asked = byNonce.get(nonce)
    if (!asked) return
    const now = performance.now() - asked.sentAt
    if (event === 'INTERACTION_CREATE') byId.set(String(data.id), asked)
    if (event === 'INTERACTION_FAILURE') fail(nonce, asked, 'no response within three seconds')
    if (event === 'INTERACTION_SUCCESS') asked.first ??= now
    if (event === 'INTERACTION_MODAL_CREATE') {
      form = { ...data, messageId: asked.messageId }
      done(asked, now)
    }
    if (event === 'APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE') {
      suggested = (data.choices as { value: string }[])[0]?.value
      done(asked, now)
    }
  }

  function receiveMessage(data: Wire): void {
    if ((Number(data.flags ?? 0) & loading) !== 0) return
    const interactionId = String((data.interaction_metadata as Wire | undefined)?.id)
    const asked =
      byId.get(interactionId) ?? [...byNonce.values()].find((one) => one.messageId === data.id && one.first !== undefined)
    if (!asked) return
    const components = data.components as Control[]
    const words = JSON.stringify(components)
    if (/went wrong on our side|That did not work/.test(words)) asked.wrong = words.slice(0, 300)
    const buttons = flatten(components).filter(({ type, custom_id, disabled }) => type === 2 && custom_id && !disabled)
    if (buttons.length > 0 || shown?.id === data.id) shown = { id: String(data.id), buttons }
    done(asked, performance.now() - asked.sentAt)
  }

  function done(asked: Asked, now: number): void {
    asked.first ??= now
    asked.answered ??= now
    for (const [nonce, one] of byNonce) if (one === asked) byNonce.delete(nonce)
    for (const [id, one] of byId) if (one === asked) byId.delete(id)
  }

  const command = (path: string, type: number, kind: Kind, leaf: (option: OptionEntry) => Wire) => {
    const [name, ...words] = path.split(' ')
    const entry = index.find((one) => one.name === name)
    if (!entry) throw new Error(`there is no command /${name}`)
    const data = { id: entry.id, version: entry.version, name, type: 1, options: typed(entry.options ?? [], words, leaf) }
    return interact(kind, { type, data })
  }

  const submit = (open: Wire): Promise<void> => {
    const fill = (field: Control): Control & { values?: string[] } => {
      const { type, custom_id } = field
      if (type !== 4) return { type, custom_id: custom_id!, values: [chosen(field)] }
      return {
        type,
        custom_id: custom_id!,
        value: field.value ?? (field.required === false ? '' : written(custom_id!, `${options.serial}-${sent}`)),
      }
    }
    const components = (open.components as Control[]).map(({ type, component }) => ({
      type,
      component: component && fill(component),
    }))
    const data = { id: open.id, custom_id: open.custom_id, components }
    return interact('submission', { type: 5, data }, open.messageId as string | undefined)
  }

  const member: Member = {
    samples,
    get waiting() {
      return byNonce.size
    },
    run: (path, values = {}) => {
      const kind = path === 'profile edit' || path === 'deal submit' ? 'form' : 'command'
      return command(path, 2, kind, ({ name }) => ({ value: values[name] }))
    },
    suggest: (path, option, text) =>
      command(path, 4, 'suggestions', ({ name }) => (name === option ? { value: text, focused: true } : { value: undefined })),
    press: () => {
      const button = shown?.buttons[Math.floor(Math.random() * shown.buttons.length)]
      const isPressed = [...byNonce.values()].some(({ messageId }) => messageId === shown?.id)
      if (!shown || !button || isPressed) return member.run('link list')
      const { id } = shown
      const data = { component_type: 2, custom_id: button.custom_id }
      return interact('button', { type: 3, message_id: id, message_flags: 0, data }, id)
    },
    followUp: (otherwise) => {
      const open = form
      const choice = suggested
      form = undefined
      suggested = undefined
      if (open) return submit(open)
      return choice === undefined ? otherwise() : member.run('deal show', { deal: choice })
    },
    leave: gateway.close,
  }
  return member
}

/** The options as a client sends them; those without a value are left out. */
function typed(declared: readonly OptionEntry[], words: readonly string[], leaf: (option: OptionEntry) => Wire): Wire[] {
  const [word, ...rest] = words
  if (word !== undefined)
    return declared
      .filter(({ name }) => name === word)
      .map(({ type, name, options = [] }) => ({ type, name, options: typed(options, rest, leaf) }))
  return declared
    .map((option): Wire => ({ type: option.type, name: option.name, ...leaf(option) }))
    .filter(({ value }) => value !== undefined)
}

const chosen = (field: Control): string => (field.options?.find((option) => option.default) ?? field.options?.[0])?.value ?? ''

function written(field: string, mark: string): string {
  if (field === 'company') return `Company ${mark}`
  if (field === 'email') return `buyer@company-${mark}.example`
  return field === 'value' ? '5000' : 'as agreed on the phone'
}

const flatten = (components: readonly Control[]): Control[] =>
  components.flatMap((one) => [one, ...flatten(one.components ?? []), ...(one.accessory ? [one.accessory] : [])])

/** Hello, identify, heartbeats; events are parsed only when they can concern an interaction. */
async function connectGateway(
  url: string,
  token: string,
  onEvent: (name: string, data: Wire) => void,
): Promise<{ sessionId: string; close: () => void }> {
  const socket = new WebSocket(`${url}/?v=9&encoding=json`, { maxPayload: 64 * 1024 * 1024 })
  let heartbeat: NodeJS.Timeout | undefined
  let sequence: number | null = null
  const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }))
  const sessionId = await new Promise<string>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code) => {
      clearInterval(heartbeat)
      reject(new Error(`the gateway closed a connection: ${code}`))
    })
    socket.on('message', (raw) => {
      const frame = JSON.parse(String(raw)) as { op: number; d: Wire; s: number | null; t: string | null }
      sequence = frame.s ?? sequence
      if (frame.op === 10) {
        heartbeat = setInterval(() => send(1, sequence), frame.d.heartbeat_interval as number)
        send(2, { token, properties: { os: 'linux', browser: 'crowd', device: '' }, capabilities: 0 })
      }
      if (frame.op === 1) send(1, sequence)
      if (frame.t === 'READY') resolve(frame.d.session_id as string)
      if (frame.op === 0 && frame.t) onEvent(frame.t, frame.d)
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
