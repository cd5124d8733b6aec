// What a person does beyond writing and pressing: editing, pinning, threads, posts, polls, events, invites, roles. Talks to the wire; what it changes comes back as events.

import { dispatch } from './events.js'
import { attempt, toast } from './notices.js'
import { rest } from './rest.js'
import { openChannel, openGuild } from './session.js'
import { state, updateNow } from './store.js'

/** @import { Channel, Message, Panel, ScheduledEvent, User } from './types.d.ts' */

/** A member's flag: the server's questions were answered. */
const COMPLETED_ONBOARDING = 2

/** Opens a panel above the page, or closes the one that is open. @param {Panel | null} panel */
export function showPanel(panel) {
  updateNow((s) => {
    s.panel = panel
    s.menu = null
    s.profile = null
  })
}

// ---- messages ----

/**
 * @param {Message} message
 * @param {string} content
 */
export async function editMessage(message, content) {
  await attempt(async () => {
    const edited = await rest('PATCH', `/channels/${message.channel_id}/messages/${message.id}`, { content })
    dispatch('MESSAGE_UPDATE', edited)
  })
}

/** @param {Message} message */
export const togglePin = (message) =>
  attempt(() => rest(message.pinned ? 'DELETE' : 'PUT', `/channels/${message.channel_id}/messages/pins/${message.id}`))

/** @param {Message} message */
export const publish = (message) => attempt(() => rest('POST', `/channels/${message.channel_id}/messages/${message.id}/crosspost`))

/** The pinned messages of a channel, newest first. @param {string} channelId @returns {Promise<Message[]>} */
export async function pinsOf(channelId) {
  const { items } = await rest('GET', `/channels/${channelId}/messages/pins`)
  return items.map((/** @type {{ message: Message }} */ item) => item.message)
}

/**
 * Who reacted with an emoji.
 * @param {Message} message
 * @param {{ id?: string | null, name?: string | null }} emoji
 * @returns {Promise<User[]>}
 */
export function reactorsOf(message, emoji) {
  const key = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : (emoji.name ?? ''))
  return rest('GET', `/channels/${message.channel_id}/messages/${message.id}/reactions/${key}?limit=100`)
}

/**
 * @param {Channel} channel
 * @param {{ question: string, answers: string[], hours: number, several: boolean }} poll
 */
export const sendPoll = (channel, { question, answers, hours, several }) =>
  attempt(() =>
    rest('POST', `/channels/${channel.id}/messages`, {
      poll: {
        question: { text: question },
        answers: answers.map((text) => ({ poll_media: { text } })),
        duration: hours,
        allow_multiselect: several,
      },
    }),
  )

/** @param {Message} message */
export const endPoll = (message) => attempt(() => rest('POST', `/channels/${message.channel_id}/polls/${message.id}/expire`))

/** Who voted for an answer. @param {Message} message @param {number} answer @returns {Promise<User[]>} */
export async function votersOf(message, answer) {
  const { users } = await rest('GET', `/channels/${message.channel_id}/polls/${message.id}/answers/${answer}?limit=100`)
  return users
}

// ---- threads and posts ----

/** Brings the archived threads of a channel into memory: the public ones, and the private ones that the person is in. @param {Channel} channel */
export async function loadArchived(channel) {
  const paths = channel.type === 0 ? ['threads/archived/public', 'users/@me/threads/archived/private'] : ['threads/archived/public']
  for (const path of paths) {
    const { threads } = await rest('GET', `/channels/${channel.id}/${path}?limit=50`)
    for (const thread of threads) dispatch('THREAD_CREATE', { ...thread, guild_id: channel.guild_id })
  }
}

/**
 * Starts a thread, on a message when one is given, and opens it.
 * @param {Channel} channel
 * @param {{ name: string, isPrivate: boolean }} thread
 * @param {Message} [message]
 */
export const startThread = (channel, { name, isPrivate }, message) =>
  attempt(async () => {
    const made = message
      ? await rest('POST', `/channels/${channel.id}/messages/${message.id}/threads`, { name })
      : await rest('POST', `/channels/${channel.id}/threads`, { name, type: isPrivate ? 12 : channel.type === 5 ? 10 : 11 })
    dispatch('THREAD_CREATE', made)
    openChannel(made.id)
  })

/**
 * Writes a new post in a forum and opens it.
 * @param {Channel} forum
 * @param {{ name: string, content: string, tags: string[] }} post
 */
export const startPost = (forum, { name, content, tags }) =>
  attempt(async () => {
    const made = await rest('POST', `/channels/${forum.id}/threads`, { name, applied_tags: tags, message: { content } })
    dispatch('THREAD_CREATE', made)
    openChannel(made.id)
  })

/** @param {Channel} thread */
export const joinThread = (thread) => attempt(() => rest('PUT', `/channels/${thread.id}/thread-members/@me`))
/** @param {Channel} thread */
export const leaveThread = (thread) => attempt(() => rest('DELETE', `/channels/${thread.id}/thread-members/@me`))
/**
 * @param {Channel} thread
 * @param {{ archived?: boolean, locked?: boolean }} change
 */
export const changeThread = (thread, change) => attempt(() => rest('PATCH', `/channels/${thread.id}`, change))

// ---- events ----

/** Reads a server's events with how many are interested, and whether the person is. @param {string} guildId */
export async function loadEvents(guildId) {
  /** @type {ScheduledEvent[]} */
  const events = await rest('GET', `/guilds/${guildId}/scheduled-events?with_user_count=true`)
  for (const event of events) {
    const users = await rest('GET', `/guilds/${guildId}/scheduled-events/${event.id}/users?limit=100`)
    const interested = users.some((/** @type {{ user: User }} */ one) => one.user.id === state.me?.id)
    dispatch('GUILD_SCHEDULED_EVENT_UPDATE', { ...event, interested })
  }
}

/**
 * @param {string} guildId
 * @param {ScheduledEvent} event
 */
export const toggleInterest = (guildId, event) =>
  attempt(() => rest(event.interested ? 'DELETE' : 'PUT', `/guilds/${guildId}/scheduled-events/${event.id}/users/@me`))

// ---- invites ----

/** @param {string} code @returns {Promise<any>} */
export const readInvite = (code) => rest('GET', `/invites/${code}`)

/** Joins the invite's server and goes there. @param {string} code */
export const acceptInvite = (code) =>
  attempt(async () => {
    const { guild } = await rest('POST', `/invites/${code}`, {})
    showPanel(null)
    if (state.guilds.has(guild.id)) openGuild(guild.id)
  })

/** Makes an invite to a channel and shows its link. @param {Channel} channel */
export const invite = (channel) =>
  attempt(async () => {
    const { code } = await rest('POST', `/channels/${channel.id}/invites`, { unique: true })
    showPanel({ kind: 'link', title: `Invite to #${channel.name}`, url: `${location.origin}${state.prefix}/#/invite/${code}` })
  })

// ---- onboarding ----

/** The questions that a server asks new members; none when it asks nothing. @param {string} guildId @returns {Promise<import('./ui/onboarding.js').Prompt[]>} */
export async function readOnboarding(guildId) {
  const { enabled, prompts } = await rest('GET', `/guilds/${guildId}/onboarding`)
  return enabled ? prompts.filter((/** @type {{ in_onboarding: boolean }} */ prompt) => prompt.in_onboarding) : []
}

/**
 * @param {string} guildId
 * @param {string[]} options
 */
export const answerOnboarding = (guildId, options) =>
  attempt(() => rest('POST', `/guilds/${guildId}/onboarding-responses`, { onboarding_responses: options }))

/** Asks whoever has not answered yet. @param {string} guildId */
export async function greet(guildId) {
  const member = state.guilds.get(guildId)?.members.get(state.me?.id ?? '')
  if (!member || ((member.flags ?? 0) & COMPLETED_ONBOARDING) !== 0 || state.panel !== null) return
  const prompts = await readOnboarding(guildId).catch(() => [])
  if (prompts.length > 0 && state.panel === null) showPanel({ kind: 'onboarding', guildId })
}

// ---- people ----

/**
 * @param {string} guildId
 * @param {string} userId
 * @param {string} roleId
 * @param {boolean} gives
 */
export const changeRole = (guildId, userId, roleId, gives) =>
  attempt(() => rest(gives ? 'PUT' : 'DELETE', `/guilds/${guildId}/members/${userId}/roles/${roleId}`))

/**
 * Keeps someone from writing for ten minutes, or lets them write again.
 * @param {string} guildId
 * @param {string} userId
 * @param {boolean} on
 */
export const timeOut = (guildId, userId, on) =>
  attempt(() => {
    const until = on ? new Date(Date.now() + 600_000).toISOString() : null
    return rest('PATCH', `/guilds/${guildId}/members/${userId}`, { communication_disabled_until: until })
  })

/**
 * @param {string} guildId
 * @param {string} userId
 */
export const kick = (guildId, userId) => attempt(() => rest('DELETE', `/guilds/${guildId}/members/${userId}`))

/** @param {string} text */
export function copy(text) {
  navigator.clipboard?.writeText(text).then(
    () => toast('Copied'),
    () => toast('Copying is not allowed here', 'error'),
  )
}
