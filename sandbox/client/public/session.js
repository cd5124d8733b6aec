// Everything a person does: becoming someone, opening channels, sending, pressing, submitting. Talks to the wire and writes the outcome into the state.

import { changeMessage, dispatch, insert, removeMessages } from './events.js'
import { compareIds, displayName, freshId } from './format.js'
import { openGateway } from './gateway.js'
import { Permission, permissionsOf } from './permissions.js'
import { control, RestError, rest } from './rest.js'
import { encode } from './slash.js'
import {
  currentChannel,
  currentGuild,
  forgetPerson,
  isForum,
  isThread,
  state,
  timelineOf,
  update,
  updateNow,
  visibleChannels,
} from './store.js'

/** @import { Channel, Member, Message, Person, Runnable, User } from './types.d.ts' */

const PAGE = 50
const GUIDE_EVERY_MS = 2_000
const MAIL_EVERY_MS = 5_000

/** @type {ReturnType<typeof openGateway> | undefined} */
let gateway

/** Reads the configuration and signs in as the person of `?token=`, else the last one, else the first one. @param {string} prefix */
export async function start(prefix) {
  const config = await (await fetch(`${prefix}/config.json`)).json()
  update((s) => {
    s.prefix = prefix
    s.config = config
  })
  const { features } = config
  if (features.people) await loadPeople()
  if (features.links) loadLinks()
  if (features.guide) pollGuide()
  if (features.mail) pollMail()
  window.addEventListener('hashchange', () => followHash())
  document.addEventListener('visibilitychange', markRead)

  const asked = new URL(location.href).searchParams.get('token')
  const remembered = sessionStorage.getItem('token') ?? localStorage.getItem('token')
  const known = state.people.some((person) => person.token === remembered)
  const token = asked ?? (known || !features.people ? remembered : null) ?? state.people[0]?.token
  if (token) await become(token)
}

/** Disconnects whoever was signed in and connects as the owner of `token`. @param {string} token */
export async function become(token) {
  gateway?.close()
  const isFirst = state.token === null
  update((s) => {
    forgetPerson()
    s.token = token
    s.status = 'connecting'
  })
  sessionStorage.setItem('token', token)
  localStorage.setItem('token', token)
  if (!isFirst) history.replaceState(null, '', location.pathname)
  try {
    const { url } = await rest('GET', '/gateway')
    if (state.token !== token) return
    gateway = openGateway({
      url,
      token,
      onDispatch(event, data) {
        dispatch(event, data)
        afterDispatch(event, data)
      },
      onStatus: (status) => update((s) => (s.status = status)),
    })
  } catch (error) {
    update((s) => (s.status = error instanceof RestError && error.status === 401 ? 'refused' : 'lost'))
  }
}

/**
 * @param {string} event
 * @param {any} data
 */
function afterDispatch(event, data) {
  if (event === 'READY') {
    restoreRead()
    followHash()
    if (state.config.features.guilds) void loadJoinable()
  }
  if (event === 'GUILD_CREATE' || event === 'READY') {
    if (state.channelId === null || state.guildId === null) followHash()
    for (const guild of state.guilds.values()) if (guild.members.size < guild.member_count) gateway?.requestMembers(guild.id)
  }
  const lostPlace = state.channelId === null && state.guildId !== null
  if (lostPlace && (event === 'CHANNEL_DELETE' || event === 'THREAD_DELETE' || event === 'CHANNEL_CREATE'))
    openGuild(state.guildId ?? '')
  if (event === 'MESSAGE_CREATE' && data.channel_id === state.channelId) saveRead()
  if (event === 'MESSAGE_CREATE' && !state.channels.has(data.channel_id) && data.guild_id === undefined)
    void findChannel(data.channel_id)
}

// ---- places ----

/** Goes where the address bar says, else to the first server's first channel. */
function followHash() {
  const code = /^#\/invite\/(\w+)/.exec(location.hash)?.[1]
  if (code !== undefined) {
    update((s) => (s.panel = { kind: 'invite', code }))
    history.replaceState(null, '', location.pathname)
  }
  const [, guildPart, channelId] = /^#\/([^/]+)(?:\/(\d+))?/.exec(location.hash) ?? []
  if (guildPart === '@me') return openHome(channelId)
  const guildId = guildPart !== undefined && state.guilds.has(guildPart) ? guildPart : [...state.guilds.keys()][0]
  if (guildId === undefined) return openHome()
  const channel = channelId === undefined ? undefined : state.channels.get(channelId)
  if (channel?.guild_id === guildId) openChannel(channel.id)
  else openGuild(guildId)
}

/** @param {string} guildId */
export function openGuild(guildId) {
  const last = state.channels.get(state.lastChannel.get(guildId) ?? '')
  const visible = visibleChannels(guildId)
  const first = sortedTextChannels(visible)[0]
  const target = last && visible.includes(last) ? last : first
  if (target) openChannel(target.id)
  else
    update((s) => {
      s.guildId = guildId
      s.channelId = null
    })
}

/** Text channels in the order of the list: without category first, then by category. @param {Channel[]} channels */
function sortedTextChannels(channels) {
  const place = (/** @type {Channel} */ channel) => {
    const parent = channel.parent_id ? state.channels.get(channel.parent_id) : undefined
    return (parent ? ((parent.position ?? 0) + 1) * 1000 : 0) + (channel.position ?? 0)
  }
  return channels.filter((channel) => [0, 5].includes(channel.type)).sort((a, b) => place(a) - place(b))
}

/** The place without a server: direct messages. @param {string} [channelId] */
export function openHome(channelId) {
  if (channelId !== undefined && state.channels.has(channelId)) return openChannel(channelId)
  update((s) => {
    s.guildId = null
    s.channelId = null
  })
}

/** Opens a channel, thread or direct message; loads its newest messages the first time. @param {string} channelId */
export function openChannel(channelId) {
  const channel = state.channels.get(channelId)
  if (!channel) return
  const hash = `#/${channel.guild_id ?? '@me'}/${channelId}`
  if (location.hash !== hash) history.pushState(null, '', hash)
  updateNow((s) => {
    s.guildId = channel.guild_id ?? null
    s.channelId = channelId
    s.drawer = 'none'
    s.newAfter = isUnread(channel) ? (s.read.get(channelId) ?? null) : null
    s.menu = null
    s.replyTo = null
    s.editing = null
    if (channel.guild_id) s.lastChannel.set(channel.guild_id, channelId)
  })
  markRead()
  if (isForum(channel)) return
  if (!timelineOf(channelId).loaded) void loadMessages(channelId)
  void loadCommands(channel)
}

/** Loads the newest page, or the page before the oldest known message. @param {string} channelId */
export async function loadMessages(channelId) {
  const timeline = timelineOf(channelId)
  if (timeline.loading) return
  const oldest = timeline.loaded ? timeline.messages.find((message) => !message.local)?.id : undefined
  update(() => {
    timeline.loading = true
    timeline.error = undefined
  })
  try {
    /** @type {Message[]} */
    const page = await rest('GET', `/channels/${channelId}/messages?limit=${PAGE}${oldest ? `&before=${oldest}` : ''}`)
    update((s) => {
      for (const message of page) s.users.set(message.author.id, { ...s.users.get(message.author.id), ...message.author })
      const kept = timeline.messages.filter((message) => !page.some((loaded) => loaded.id === message.id))
      timeline.messages = [...page, ...kept].sort((a, b) => compareIds(a.id, b.id))
      timeline.loaded = true
      timeline.hasMore = page.length === PAGE
    })
    markRead()
  } catch (error) {
    update(() => (timeline.error = reason(error)))
  } finally {
    update(() => (timeline.loading = false))
  }
}

/** @param {string} channelId */
async function findChannel(channelId) {
  const channel = await rest('GET', `/channels/${channelId}`)
  dispatch('CHANNEL_CREATE', channel)
}

/** Opens the direct message with someone, creating it if needed. @param {string} userId */
export async function openDirect(userId) {
  try {
    const channel = await rest('POST', '/users/@me/channels', { recipients: [userId], recipient_id: userId })
    dispatch('CHANNEL_CREATE', channel)
    openChannel(channel.id)
  } catch (error) {
    toast(reason(error), 'error')
  }
}

// ---- what was read ----

/** Counts everything in the open channel as seen. */
export function markRead() {
  const channel = currentChannel()
  if (!channel || document.visibilityState !== 'visible') return
  const newest = state.timelines.get(channel.id)?.messages.findLast((message) => !message.local)?.id ?? channel.last_message_id
  update((s) => {
    if (newest && compareIds(newest, s.read.get(channel.id) ?? '0') > 0) s.read.set(channel.id, newest)
    s.mentions.delete(channel.id)
  })
  saveRead()
}

/** @param {Channel} channel */
export function markChannelRead(channel) {
  update((s) => {
    if (channel.last_message_id) s.read.set(channel.id, channel.last_message_id)
    s.mentions.delete(channel.id)
  })
  saveRead()
}

const readKey = () => `read:${state.me?.id}`

function saveRead() {
  localStorage.setItem(readKey(), JSON.stringify([...state.read]))
}

function restoreRead() {
  const saved = localStorage.getItem(readKey())
  if (saved === null) return
  update((s) => {
    for (const [id, last] of JSON.parse(saved)) s.read.set(id, last)
  })
}

/** Whether a channel has something newer than what was seen. @param {Channel} channel */
export function isUnread(channel) {
  return Boolean(channel.last_message_id) && compareIds(channel.last_message_id ?? '0', state.read.get(channel.id) ?? '0') > 0
}

// ---- messages ----

/**
 * Sends a message to the open channel; it is shown at once, greyed until Discord confirms it.
 * @param {string} content
 * @param {File[]} [files]
 */
export async function sendMessage(content, files = []) {
  const channel = currentChannel()
  const { me, replyTo } = state
  if (!channel || !me) return
  const nonce = freshId()
  /** @type {Message} */
  const local = localMessage(channel, me, nonce, { content, type: replyTo ? 19 : 0 })
  update((s) => {
    insert(local)
    s.replyTo = null
  })
  try {
    const reference = replyTo ? { message_reference: { message_id: replyTo.id, channel_id: channel.id } } : {}
    const attachments = files.length > 0 ? { attachments: files.map((file, id) => ({ id: String(id), filename: file.name })) } : {}
    const message = await rest('POST', `/channels/${channel.id}/messages`, { content, nonce, ...reference, ...attachments }, files)
    update(() => {
      removeMessages(channel.id, [local.id])
      insert({ guild_id: channel.guild_id, ...message })
    })
  } catch (error) {
    update(() =>
      changeMessage(channel.id, local.id, (message) => ({ ...message, local: { state: 'failed', text: reason(error) } })),
    )
  }
}

/**
 * @param {Channel} channel
 * @param {User} author
 * @param {string} nonce
 * @param {Partial<Message>} rest
 * @returns {Message}
 */
function localMessage(channel, author, nonce, rest) {
  return {
    id: nonce,
    nonce,
    channel_id: channel.id,
    guild_id: channel.guild_id,
    author,
    content: '',
    timestamp: new Date().toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    pinned: false,
    type: 0,
    local: { state: 'sending' },
    ...rest,
  }
}

/** @param {Message} message */
export async function deleteMessage(message) {
  await attempt(() => rest('DELETE', `/channels/${message.channel_id}/messages/${message.id}`))
}

/** Hides an ephemeral or local message: Discord forgets these on the person's side alone. @param {Message} message */
export function dismiss(message) {
  update(() => removeMessages(message.channel_id, [message.id]))
}

/**
 * Adds the person's reaction, or takes it back.
 * @param {Message} message
 * @param {{ id?: string | null, name?: string | null }} emoji
 */
export async function toggleReaction(message, emoji) {
  const key = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : (emoji.name ?? ''))
  const mine = message.reactions?.find((reaction) =>
    emoji.id ? reaction.emoji.id === emoji.id : reaction.emoji.name === emoji.name,
  )?.me
  await attempt(() => rest(mine ? 'DELETE' : 'PUT', `/channels/${message.channel_id}/messages/${message.id}/reactions/${key}/@me`))
}

/**
 * @param {Message} message
 * @param {number[]} answers
 */
export async function votePoll(message, answers) {
  await attempt(() =>
    rest('PUT', `/channels/${message.channel_id}/polls/${message.id}/answers/@me`, { answer_ids: answers.map(String) }),
  )
}

let lastTyping = 0
/** Tells the others, at most every eight seconds, that the person is typing. */
export function sendTyping() {
  const channel = currentChannel()
  if (!channel || Date.now() - lastTyping < 8000) return
  lastTyping = Date.now()
  void rest('POST', `/channels/${channel.id}/typing`).catch(() => undefined)
}

// ---- interactions ----

/** Fetches the commands that may be used in a channel's server, unless they are known. @param {Channel} channel */
export async function loadCommands(channel) {
  const key = channel.guild_id ?? '@me'
  const bot = channel.guild_id === undefined ? channel.recipients?.find((user) => user.bot) : undefined
  if (state.commands.has(key) || (channel.guild_id === undefined && !bot)) return
  const path = channel.guild_id
    ? `/guilds/${channel.guild_id}/application-command-index`
    : `/channels/${channel.id}/application-command-index`
  try {
    const index = await rest('GET', path)
    update((s) =>
      s.commands.set(key, {
        applications: new Map((index.applications ?? []).map((/** @type {any} */ app) => [app.id, app])),
        commands: index.application_commands ?? [],
      }),
    )
  } catch {
    update((s) => s.commands.set(key, { applications: new Map(), commands: [] }))
  }
}

/** Asks for the commands again: a bot may have registered new ones. */
export function refreshCommands() {
  const channel = currentChannel()
  if (!channel) return
  const key = channel.guild_id ?? '@me'
  const old = state.commands.get(key)
  state.commands.delete(key)
  void loadCommands(channel)
  if (old && !state.commands.has(key)) state.commands.set(key, old)
}

/** The commands offered in the open channel: those whose default permissions the person has. */
export function currentCommands() {
  const index = state.commands.get(state.guildId ?? '@me')
  const guild = currentGuild()
  const channel = currentChannel()
  if (!index || !guild || !channel || !state.me) return index
  const parent = isThread(channel) ? state.channels.get(channel.parent_id ?? '') : undefined
  const held = permissionsOf(guild, state.me.id, channel, parent)
  const offered = index.commands.filter(({ default_member_permissions: wanted }) => {
    if (wanted === null || wanted === undefined) return true
    const needed = BigInt(wanted) || Permission.Administrator
    return (held & needed) === needed
  })
  return { applications: index.applications, commands: offered }
}

/**
 * Runs a slash command in the open channel.
 * @param {Runnable} runnable
 * @param {Map<string, import('./slash.js').Field>} fields
 */
export async function runCommand(runnable, fields) {
  const { data, files } = encode(runnable, fields)
  await invoke(runnable.command, data, runnable.name, files)
}

/**
 * Runs a context-menu command on a user or a message.
 * @param {any} command
 * @param {string} targetId
 */
export async function runOn(command, targetId) {
  const { id, version, name, type, guild_id } = command
  await invoke(
    command,
    { id, version, name, type, ...(guild_id ? { guild_id } : {}), target_id: targetId, options: [], attachments: [] },
    name,
    [],
  )
}

/**
 * @param {any} command
 * @param {unknown} data
 * @param {string} name
 * @param {File[]} files
 */
async function invoke(command, data, name, files) {
  const channel = currentChannel()
  const { me } = state
  if (!channel || !me) return
  const nonce = freshId()
  const application = currentCommands()?.applications.get(command.application_id)
  const author =
    application?.bot ??
    /** @type {any} */ ({ id: application?.id ?? me.id, username: application?.name ?? 'Application', bot: true })
  const interaction = { id: nonce, name, user: me, type: 2, command_type: command.type }
  update((s) => {
    s.pending.set(nonce, { nonce, kind: 'command', channelId: channel.id, state: 'waiting' })
    insert(
      localMessage(channel, author, nonce, {
        type: command.type > 1 ? 23 : 20,
        interaction,
        local: { state: 'sending', text: 'Sending command…' },
      }),
    )
  })
  const error = await interact({ type: 2, application_id: command.application_id, data, nonce }, channel, files)
  if (error !== undefined)
    update(() => {
      changeMessage(channel.id, nonce, (message) => ({ ...message, local: { state: 'failed', text: error } }))
    })
}

/**
 * Asks the bot for choices; the answer arrives in `state.autocomplete` under the nonce that is returned.
 * @param {Runnable} runnable
 * @param {Map<string, import('./slash.js').Field>} fields
 * @param {string} focused
 */
export function autocomplete(runnable, fields, focused) {
  const channel = currentChannel()
  if (!channel) return undefined
  const nonce = freshId()
  const { data } = encode(runnable, fields, focused)
  state.pending.set(nonce, { nonce, kind: 'autocomplete', channelId: channel.id, state: 'waiting' })
  void interact({ type: 4, application_id: runnable.command.application_id, data, nonce }, channel)
  return nonce
}

/**
 * Presses a button or hands in a select of a message.
 * @param {Message} message
 * @param {{ type: number, custom_id: string, values?: string[] }} component
 */
export async function press(message, component) {
  const channel = state.channels.get(message.channel_id) ?? currentChannel()
  if (!channel || !component.custom_id) return
  const nonce = freshId()
  update((s) => {
    for (const pending of s.pending.values())
      if (pending.messageId === message.id && pending.state === 'failed') s.pending.delete(pending.nonce)
    s.pending.set(nonce, {
      nonce,
      kind: 'component',
      channelId: channel.id,
      messageId: message.id,
      customId: component.custom_id,
      state: 'waiting',
    })
  })
  const { type, custom_id, values } = component
  const data = { component_type: type, custom_id, ...(values === undefined ? {} : { type, values }) }
  const application_id = message.application_id ?? message.author.id
  const error = await interact(
    { type: 3, application_id, data, nonce, message_id: message.id, message_flags: message.flags ?? 0 },
    channel,
  )
  if (error !== undefined)
    update((s) => {
      const pending = s.pending.get(nonce)
      if (pending) s.pending.set(nonce, { ...pending, state: 'failed' })
    })
}

/**
 * Sends the open modal's values.
 * @param {unknown[]} components
 * @param {File[]} files
 */
export async function submitModal(components, files) {
  const { modal } = state
  if (!modal) return
  const nonce = freshId()
  const channel = state.channels.get(modal.channel_id) ?? currentChannel()
  if (!channel) return
  update((s) => {
    s.pending.set(nonce, { nonce, kind: 'modal', channelId: channel.id, state: 'waiting' })
    s.modal = { ...modal, submitting: nonce, error: undefined }
  })
  const attachments = files.map((file, id) => ({ id: String(id), filename: file.name }))
  const data = { id: modal.id, custom_id: modal.custom_id, components, ...(files.length > 0 ? { attachments } : {}) }
  const error = await interact({ type: 5, application_id: modal.application_id, data, nonce }, channel, files)
  if (error !== undefined)
    update((s) => {
      s.pending.delete(nonce)
      if (s.modal) s.modal = { ...s.modal, submitting: undefined, error }
    })
}

export function closeModal() {
  update((s) => (s.modal = null))
}

/**
 * @param {Record<string, unknown>} interaction
 * @param {Channel} channel
 * @param {File[]} [files]
 * @returns {Promise<string | undefined>} what went wrong, if anything did
 */
async function interact(interaction, channel, files = []) {
  const place = channel.guild_id === undefined ? {} : { guild_id: channel.guild_id }
  try {
    await rest('POST', '/interactions', { ...interaction, ...place, channel_id: channel.id, session_id: state.sessionId }, files)
    return undefined
  } catch (error) {
    return reason(error)
  }
}

// ---- people, servers, and what stands beside Discord ----

export async function loadPeople() {
  const people = await control('GET', '/people')
  update((s) => (s.people = people))
}

/** Creates someone new and becomes them. @param {string} username */
export async function addPerson(username) {
  await attempt(async () => {
    /** @type {Person} */
    const person = await control('POST', '/people', { username })
    update((s) => {
      s.people = [...s.people.filter((other) => other.id !== person.id), person]
      s.drawer = 'none'
    })
    await become(person.token)
  })
}

async function loadJoinable() {
  const answer = await control('GET', '/guilds')
  update((s) => (s.joinable = answer.filter((/** @type {{ id: string }} */ guild) => !s.guilds.has(guild.id))))
}

/** @param {string} guildId */
export async function joinGuild(guildId) {
  await attempt(() => control('PUT', `/guilds/${guildId}/members/${state.me?.id}`, {}))
}

async function loadLinks() {
  const links = await control('GET', '/links').catch(() => ({}))
  update((s) => (s.links = links))
}

async function pollGuide() {
  const steps = await control('GET', '/guide').catch(() => [])
  if (JSON.stringify(steps) !== JSON.stringify(state.guide)) {
    update((s) => {
      if (s.guide.length === 0 && steps.length > 0 && s.side === 'none' && innerWidth >= 1200) {
        s.side = 'guide'
        s.membersShown = innerWidth >= 1600
      }
      s.guide = steps
    })
  }
  setTimeout(pollGuide, GUIDE_EVERY_MS)
}

/** Newest first. What lay in the inbox when the page was opened counts as seen. */
async function pollMail() {
  const mail = await control('GET', '/mail').catch(() => [])
  const isFirst = state.mailSeen === null
  if (isFirst || mail[0]?.id !== state.mail[0]?.id || mail.length !== state.mail.length) {
    update((s) => {
      s.mail = mail
      if (isFirst) s.mailSeen = mail[0]?.id ?? ''
    })
  }
  setTimeout(pollMail, state.side === 'mail' ? GUIDE_EVERY_MS : MAIL_EVERY_MS)
}

// ---- small talk ----

let toasts = 0
/**
 * @param {string} text
 * @param {'info' | 'error'} [kind]
 */
export function toast(text, kind = 'info') {
  toasts += 1
  const id = toasts
  update((s) => s.toasts.push({ id, text, kind }))
  setTimeout(() => update((s) => (s.toasts = s.toasts.filter((item) => item.id !== id))), 5000)
}

/** Does it; what went wrong is told in a short notice. @param {() => Promise<unknown>} action */
export async function attempt(action) {
  try {
    await action()
  } catch (error) {
    toast(reason(error), 'error')
  }
}

/** @param {unknown} error */
const reason = (error) => (error instanceof Error ? error.message : String(error))

/** Everyone of the open guild (or conversation) whose name contains `query`, best first. @param {string} query @returns {User[]} */
export function findPeople(query) {
  const wanted = query.toLowerCase()
  const guild = currentGuild()
  const users = guild
    ? [...guild.members.values()].map((/** @type {Member} */ member) => member.user)
    : (currentChannel()?.recipients ?? []).concat(state.me ?? [])
  return users
    .filter((user) =>
      `${guild?.members.get(user.id)?.nick ?? ''} ${displayName(user)} ${user.username}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => displayName(a).localeCompare(displayName(b)))
}

/** Channels and threads of the open guild by name, for options and selects. @param {string} query @param {number[]} [types] */
export function findChannels(query, types) {
  const wanted = query.toLowerCase().replace(/^#/, '')
  return visibleChannels(state.guildId ?? '').filter(
    (channel) =>
      (types && types.length > 0 ? types.includes(channel.type) : true) && (channel.name ?? '').toLowerCase().includes(wanted),
  )
}
