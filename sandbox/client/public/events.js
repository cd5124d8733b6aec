// What each gateway event does to the page's memory. One entry per event; no network, no drawing.

import { compareIds } from './format.js'
import { isThread, state, timelineOf, touchNames, update } from './store.js'

/** @import { Channel, Guild, Member, Message, Pending, User } from './types.d.ts' */

const MESSAGES_KEPT = 400
const TYPING_MS = 10_000
const EPHEMERAL = 64

/**
 * @param {string} event
 * @param {any} data
 */
export function dispatch(event, data) {
  const handler = HANDLERS[event]
  if (handler) update(() => handler(data))
}

/** @type {Record<string, (data: any) => void>} */
const HANDLERS = {
  READY(data) {
    state.me = data.user
    state.sessionId = data.session_id
    state.status = 'ready'
    remember(data.user)
    for (const user of data.users ?? []) remember(user)
    for (const channel of data.private_channels ?? []) addChannel(channel)
    for (const guild of data.guilds ?? []) if (guild.unavailable !== true && (guild.name ?? guild.properties)) addGuild(guild)
  },
  RESUMED() {
    state.status = 'ready'
  },

  GUILD_CREATE: (data) => addGuild(data),
  GUILD_UPDATE(data) {
    const guild = state.guilds.get(data.id)
    if (!guild) return
    const { roles, emojis, ...rest } = data
    Object.assign(guild, rest)
    if (roles) guild.roles = byId(roles)
    if (emojis) guild.emojis = emojis
    touchNames()
  },
  GUILD_DELETE(data) {
    if (data.unavailable) return
    state.guilds.delete(data.id)
    for (const channel of state.channels.values()) if (channel.guild_id === data.id) state.channels.delete(channel.id)
    if (state.guildId === data.id) {
      state.guildId = null
      state.channelId = null
    }
  },
  GUILD_ROLE_CREATE: (data) => setRole(data),
  GUILD_ROLE_UPDATE: (data) => setRole(data),
  GUILD_ROLE_DELETE(data) {
    state.guilds.get(data.guild_id)?.roles.delete(data.role_id)
    touchNames()
  },
  GUILD_MEMBER_ADD(data) {
    const guild = state.guilds.get(data.guild_id)
    if (!guild) return
    if (!guild.members.has(data.user.id)) guild.member_count += 1
    addMember(guild, data)
  },
  GUILD_MEMBER_UPDATE(data) {
    const guild = state.guilds.get(data.guild_id)
    if (guild) addMember(guild, { ...guild.members.get(data.user.id), ...data })
  },
  GUILD_MEMBER_REMOVE(data) {
    const guild = state.guilds.get(data.guild_id)
    if (guild?.members.delete(data.user.id)) guild.member_count -= 1
    touchNames()
  },
  GUILD_MEMBERS_CHUNK(data) {
    const guild = state.guilds.get(data.guild_id)
    if (!guild) return
    for (const member of data.members) addMember(guild, member)
    guild.member_count = Math.max(guild.member_count, guild.members.size)
  },
  GUILD_EMOJIS_UPDATE(data) {
    const guild = state.guilds.get(data.guild_id)
    if (guild) guild.emojis = data.emojis
  },
  GUILD_SCHEDULED_EVENT_CREATE: (data) => state.guilds.get(data.guild_id)?.scheduledEvents.set(data.id, data),
  GUILD_SCHEDULED_EVENT_UPDATE(data) {
    const events = state.guilds.get(data.guild_id)?.scheduledEvents
    events?.set(data.id, { ...events.get(data.id), ...data })
  },
  GUILD_SCHEDULED_EVENT_USER_ADD: (data) => interest(data, 1),
  GUILD_SCHEDULED_EVENT_USER_REMOVE: (data) => interest(data, -1),
  GUILD_SCHEDULED_EVENT_DELETE: (data) => state.guilds.get(data.guild_id)?.scheduledEvents.delete(data.id),
  GUILD_APPLICATION_COMMAND_INDEX_UPDATE: (data) => state.commands.delete(data.guild_id),
  PRESENCE_UPDATE: (data) => state.guilds.get(data.guild_id)?.presences.set(data.user.id, data.status),
  USER_UPDATE(data) {
    remember(data)
    if (data.id === state.me?.id) state.me = { ...state.me, ...data }
    touchNames()
  },

  CHANNEL_CREATE: (data) => addChannel(data),
  CHANNEL_UPDATE: (data) => addChannel({ ...state.channels.get(data.id), ...data }),
  CHANNEL_DELETE: (data) => dropChannel(data.id),
  THREAD_CREATE: (data) => addChannel(data),
  THREAD_UPDATE: (data) => addChannel({ ...state.channels.get(data.id), ...data }),
  THREAD_DELETE: (data) => dropChannel(data.id),
  THREAD_LIST_SYNC(data) {
    for (const thread of data.threads)
      addChannel({ ...thread, guild_id: data.guild_id, member: data.members?.find((/** @type {any} */ m) => m.id === thread.id) })
  },
  THREAD_MEMBER_UPDATE(data) {
    const thread = state.channels.get(data.id)
    if (thread) state.channels.set(data.id, { ...thread, member: data })
  },
  THREAD_MEMBERS_UPDATE(data) {
    const thread = state.channels.get(data.id)
    if (!thread) return
    const mine = data.added_members?.find((/** @type {any} */ member) => member.user_id === state.me?.id)
    if (mine) state.channels.set(data.id, { ...thread, member: mine, member_count: data.member_count })
    if (data.removed_member_ids?.includes(state.me?.id)) {
      if (thread.type === 12) dropChannel(data.id)
      else state.channels.set(data.id, { ...thread, member: undefined })
    }
  },

  MESSAGE_CREATE: (data) => receiveMessage(data),
  MESSAGE_UPDATE(data) {
    changeMessage(data.channel_id, data.id, (message) => ({ ...message, ...data }))
  },
  MESSAGE_DELETE(data) {
    removeMessages(data.channel_id, [data.id])
  },
  MESSAGE_DELETE_BULK(data) {
    removeMessages(data.channel_id, data.ids)
  },
  MESSAGE_REACTION_ADD: (data) => react(data, 1),
  MESSAGE_REACTION_REMOVE: (data) => react(data, -1),
  MESSAGE_REACTION_REMOVE_ALL(data) {
    changeMessage(data.channel_id, data.message_id, (message) => ({ ...message, reactions: [] }))
  },
  MESSAGE_REACTION_REMOVE_EMOJI(data) {
    changeMessage(data.channel_id, data.message_id, (message) => ({
      ...message,
      reactions: (message.reactions ?? []).filter((reaction) => !sameEmoji(reaction.emoji, data.emoji)),
    }))
  },
  MESSAGE_POLL_VOTE_ADD: (data) => vote(data, 1),
  MESSAGE_POLL_VOTE_REMOVE: (data) => vote(data, -1),
  TYPING_START(data) {
    if (data.user_id === state.me?.id) return
    if (data.member?.user) remember(data.member.user)
    const typists = state.typing.get(data.channel_id) ?? new Map()
    typists.set(data.user_id, Date.now() + TYPING_MS)
    state.typing.set(data.channel_id, typists)
    setTimeout(() => update(() => typists.get(data.user_id) <= Date.now() && typists.delete(data.user_id)), TYPING_MS + 50)
  },

  INTERACTION_CREATE(data) {
    const pending = state.pending.get(data.nonce)
    if (pending) state.pending.set(data.nonce, { ...pending, id: data.id })
  },
  INTERACTION_SUCCESS(data) {
    const pending = settle(data)
    if (pending?.kind === 'modal') state.modal = null
  },
  INTERACTION_FAILURE(data) {
    const pending = findPending(data)
    if (!pending) return
    if (pending.kind === 'command') failLocal(pending)
    if (pending.kind === 'component') {
      for (const other of state.pending.values())
        if (other.messageId === pending.messageId && other.state === 'failed') state.pending.delete(other.nonce)
      state.pending.set(pending.nonce, { ...pending, state: 'failed' })
    } else state.pending.delete(pending.nonce)
    if (pending.kind === 'modal' && state.modal)
      state.modal = { ...state.modal, submitting: undefined, error: 'Something went wrong. Try again.' }
  },
  INTERACTION_MODAL_CREATE(data) {
    const pending = settle(data)
    dropLocal(data.nonce)
    const application = data.application ?? { id: data.application_id }
    state.modal = {
      ...data,
      application,
      application_id: application.id,
      channel_id: data.channel_id ?? pending?.channelId ?? state.channelId ?? '',
      guild_id: data.guild_id ?? state.guildId ?? undefined,
    }
  },
  APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE(data) {
    state.autocomplete = { nonce: data.nonce, choices: data.choices ?? [] }
    state.pending.delete(data.nonce)
  },
}

/** @param {User | undefined} user */
function remember(user) {
  if (!user) return
  state.users.set(user.id, { ...state.users.get(user.id), ...user })
}

/** @template {{ id: string }} T @param {T[]} list @returns {Map<string, T>} */
const byId = (list) => new Map(list.map((item) => [item.id, item]))

/**
 * GUILD_CREATE, and the guilds of a person's READY, which may carry the guild's own fields under `properties`.
 * @param {any} raw
 */
function addGuild(raw) {
  const data = { ...raw, ...raw.properties }
  const known = state.guilds.get(data.id)
  /** @type {Guild} */
  const guild = {
    id: data.id,
    name: data.name,
    icon: data.icon ?? null,
    owner_id: data.owner_id,
    description: data.description ?? null,
    roles: byId(data.roles ?? []),
    members: known?.members ?? new Map(),
    emojis: data.emojis ?? [],
    presences: new Map((data.presences ?? []).map((/** @type {any} */ presence) => [presence.user.id, presence.status])),
    member_count: data.member_count ?? data.members?.length ?? 0,
    scheduledEvents: byId(data.guild_scheduled_events ?? []),
  }
  state.guilds.set(guild.id, guild)
  for (const member of data.members ?? []) addMember(guild, member)
  for (const channel of data.channels ?? []) addChannel({ ...channel, guild_id: guild.id })
  for (const thread of data.threads ?? []) addChannel({ ...thread, guild_id: guild.id })
  state.joinable = state.joinable.filter((offer) => offer.id !== guild.id)
  touchNames()
}

/**
 * @param {Guild} guild
 * @param {Member} member
 */
function addMember(guild, member) {
  const user = member.user ?? state.users.get(/** @type {any} */ (member).user_id)
  if (!user) return
  remember(user)
  guild.members.set(user.id, { ...member, user })
  touchNames()
}

/**
 * @param {{ guild_id: string, guild_scheduled_event_id: string, user_id: string }} data
 * @param {1 | -1} step
 */
function interest(data, step) {
  const events = state.guilds.get(data.guild_id)?.scheduledEvents
  const event = events?.get(data.guild_scheduled_event_id)
  if (!events || !event) return
  const interested = data.user_id === state.me?.id ? step === 1 : event.interested
  events.set(event.id, { ...event, interested, user_count: Math.max(0, (event.user_count ?? 0) + step) })
}

/** @param {{ guild_id: string, role: import('./types.d.ts').Role }} data */
function setRole(data) {
  state.guilds.get(data.guild_id)?.roles.set(data.role.id, data.role)
  touchNames()
}

/** @param {Channel} channel */
function addChannel(channel) {
  for (const user of channel.recipients ?? []) remember(user)
  const recipients = channel.recipients ?? channel.recipient_ids?.flatMap((id) => state.users.get(id) ?? [])
  const known = state.channels.get(channel.id)
  state.channels.set(channel.id, { ...channel, ...(recipients ? { recipients } : {}), member: channel.member ?? known?.member })
  if (!state.read.has(channel.id)) state.read.set(channel.id, channel.last_message_id ?? '0')
  touchNames()
}

/** @param {string} id */
function dropChannel(id) {
  const channel = state.channels.get(id)
  state.channels.delete(id)
  state.timelines.delete(id)
  for (const child of state.channels.values()) if (isThread(child) && child.parent_id === id) dropChannel(child.id)
  if (state.channelId === id) state.channelId = channel && isThread(channel) ? (channel.parent_id ?? null) : null
  touchNames()
}

/** @param {Message} message */
function receiveMessage(message) {
  remember(message.author)
  const guild = state.guilds.get(message.guild_id ?? '')
  if (guild && message.member && !guild.members.has(message.author.id)) {
    addMember(guild, /** @type {Member} */ ({ ...message.member, user: message.author }))
  }
  if (message.nonce) dropLocal(String(message.nonce))
  const interactionId = message.interaction_metadata?.id ?? message.interaction?.id
  for (const pending of state.pending.values())
    if (interactionId !== undefined && pending.id === interactionId) dropLocal(pending.nonce)
  state.typing.get(message.channel_id)?.delete(message.author.id)

  const timeline = timelineOf(message.channel_id)
  if (timeline.loaded || ((message.flags ?? 0) & EPHEMERAL) !== 0) insert(message)
  const channel = state.channels.get(message.channel_id)
  if (!channel || ((message.flags ?? 0) & EPHEMERAL) !== 0) return
  state.channels.set(channel.id, { ...channel, last_message_id: message.id })
  const isOpen = state.channelId === channel.id && document.visibilityState === 'visible'
  if (message.author.id === state.me?.id || isOpen) state.read.set(channel.id, message.id)
  else if (mentionsMe(message, channel)) state.mentions.set(channel.id, (state.mentions.get(channel.id) ?? 0) + 1)
}

/** Puts a message at its place by age, replacing one with the same id. @param {Message} message */
export function insert(message) {
  const timeline = timelineOf(message.channel_id)
  const others = timeline.messages.filter((other) => other.id !== message.id)
  const at = others.findLastIndex((other) => compareIds(other.id, message.id) < 0) + 1
  others.splice(at, 0, message)
  timeline.messages = others.length > MESSAGES_KEPT ? others.slice(-MESSAGES_KEPT) : others
}

/**
 * @param {Message} message
 * @param {Channel} channel
 */
function mentionsMe(message, channel) {
  if (channel.type === 1 || channel.type === 3) return true
  const roles = state.guilds.get(channel.guild_id ?? '')?.members.get(state.me?.id ?? '')?.roles ?? []
  return (
    message.mention_everyone ||
    message.mentions?.some((user) => user.id === state.me?.id) ||
    message.mention_roles?.some((id) => roles.includes(id))
  )
}

/**
 * @param {string} channelId
 * @param {string} id
 * @param {(message: Message) => Message} change
 */
export function changeMessage(channelId, id, change) {
  const timeline = state.timelines.get(channelId)
  if (timeline) timeline.messages = timeline.messages.map((message) => (message.id === id ? change(message) : message))
}

/**
 * @param {string} channelId
 * @param {string[]} ids
 */
export function removeMessages(channelId, ids) {
  const timeline = state.timelines.get(channelId)
  if (timeline) timeline.messages = timeline.messages.filter((message) => !ids.includes(message.id))
}

/**
 * @param {{ id?: string | null, name?: string | null }} a
 * @param {{ id?: string | null, name?: string | null }} b
 */
const sameEmoji = (a, b) => (a.id || b.id ? a.id === b.id : a.name === b.name)

/**
 * @param {any} data
 * @param {1 | -1} step
 */
function react(data, step) {
  const isMine = data.user_id === state.me?.id
  changeMessage(data.channel_id, data.message_id, (message) => {
    const reactions = [...(message.reactions ?? [])]
    const at = reactions.findIndex((reaction) => sameEmoji(reaction.emoji, data.emoji))
    const old = reactions[at]
    if (old) reactions[at] = { ...old, count: old.count + step, me: isMine ? step === 1 : old.me }
    else if (step === 1)
      reactions.push({
        emoji: data.emoji,
        count: 1,
        me: isMine,
        me_burst: false,
        burst_colors: [],
        count_details: { normal: 1, burst: 0 },
      })
    return { ...message, reactions: reactions.filter((reaction) => reaction.count > 0) }
  })
}

/**
 * @param {any} data
 * @param {1 | -1} step
 */
function vote(data, step) {
  const isMine = data.user_id === state.me?.id
  changeMessage(data.channel_id, data.message_id, (message) => {
    if (!message.poll) return message
    const counts = [...(message.poll.results?.answer_counts ?? [])]
    const at = counts.findIndex((count) => count.id === data.answer_id)
    const old = counts[at] ?? { id: data.answer_id, count: 0, me_voted: false }
    const next = { ...old, count: Math.max(0, old.count + step), me_voted: isMine ? step === 1 : old.me_voted }
    if (at === -1) counts.push(next)
    else counts[at] = next
    return {
      ...message,
      poll: { ...message.poll, results: { is_finalized: false, ...message.poll.results, answer_counts: counts } },
    }
  })
}

/** @param {{ nonce?: string, id?: string }} data */
function findPending(data) {
  return (
    state.pending.get(data.nonce ?? '') ??
    [...state.pending.values()].find((pending) => pending.id !== undefined && pending.id === data.id)
  )
}

/** @param {{ nonce?: string, id?: string }} data */
function settle(data) {
  const pending = findPending(data)
  if (!pending) return undefined
  state.pending.delete(pending.nonce)
  dropLocal(pending.nonce)
  return pending
}

/** Removes the page's own stand-in for a message or command that has arrived. @param {string} nonce */
function dropLocal(nonce) {
  for (const timeline of state.timelines.values()) {
    if (timeline.messages.some((message) => message.local && message.nonce === nonce))
      timeline.messages = timeline.messages.filter((message) => !(message.local && message.nonce === nonce))
  }
}

/** @param {Pending} pending */
function failLocal(pending) {
  const timeline = state.timelines.get(pending.channelId)
  if (!timeline) return
  timeline.messages = timeline.messages.map((message) =>
    message.local && message.nonce === pending.nonce
      ? { ...message, local: { state: 'failed', text: 'The application did not respond' } }
      : message,
  )
}
