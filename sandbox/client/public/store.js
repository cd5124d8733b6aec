// The page's memory and its one way of changing: `update`. Drawing listens here; nothing here draws or calls the network.

import { Permission, permissionsOf } from './permissions.js'

/** @import { Channel, Guild, State, Timeline } from './types.d.ts' */

/** @returns {State} */
const empty = () => ({
  prefix: '/client',
  config: { api: '/api/v9', control: '/sandbox', features: {} },
  people: [],
  token: null,
  status: 'choosing',
  sessionId: '',
  me: null,
  guilds: new Map(),
  channels: new Map(),
  users: new Map(),
  timelines: new Map(),
  read: new Map(),
  mentions: new Map(),
  guildId: null,
  channelId: null,
  newAfter: null,
  lastChannel: new Map(),
  commands: new Map(),
  pending: new Map(),
  autocomplete: null,
  modal: null,
  panel: null,
  editing: null,
  menu: null,
  typing: new Map(),
  replyTo: null,
  profile: null,
  picture: null,
  drawer: 'none',
  membersShown: true,
  side: 'none',
  links: {},
  guide: [],
  demo: null,
  mail: [],
  mailSeen: null,
  joinable: [],
  toasts: [],
})

/** The one state of the page. Read it anywhere; change it inside `update` only. */
export const state = empty()

/** Counts changes of names, roles and channels: what a drawn message depends on besides itself. */
export let revision = 0

/** @type {Set<() => void>} */
const listeners = new Set()
let scheduled = false

function redraw() {
  scheduled = false
  for (const listener of listeners) listener()
}

/**
 * Changes the state and redraws once before the next frame.
 * @param {(state: State) => void} change
 */
export function update(change) {
  change(state)
  if (scheduled) return
  scheduled = true
  const run = () => scheduled && redraw()
  if (document.visibilityState === 'visible') requestAnimationFrame(run)
  else setTimeout(run, 16)
}

/**
 * Changes the state and redraws before the next key or click is handled: for a change of place, so that what is typed right after it lands there.
 * @param {(state: State) => void} change
 */
export function updateNow(change) {
  change(state)
  redraw()
}

/** Says that names, roles or channels changed, so drawn messages must be drawn again. */
export function touchNames() {
  revision += 1
}

/** @param {() => void} listener @returns {() => void} stops listening */
export function subscribe(listener) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Forgets everything that belonged to the person who was signed in. */
export function forgetPerson() {
  const fresh = empty()
  const { prefix, config, people, links, guide, demo, mail, mailSeen, side, membersShown } = state
  Object.assign(state, fresh, { prefix, config, people, links, guide, demo, mail, mailSeen, side, membersShown })
  touchNames()
}

export const isThread = (/** @type {Channel} */ channel) => channel.type >= 10 && channel.type <= 12
export const isDirect = (/** @type {Channel} */ channel) => channel.type === 1 || channel.type === 3
export const isForum = (/** @type {Channel} */ channel) => channel.type === 15 || channel.type === 16

/** The guild on screen, or null among direct messages. @returns {Guild | null} */
export const currentGuild = () => (state.guildId === null ? null : (state.guilds.get(state.guildId) ?? null))

/** @returns {Channel | null} */
export const currentChannel = () => (state.channelId === null ? null : (state.channels.get(state.channelId) ?? null))

/** @param {Channel} channel */
export function may(channel, permission = Permission.ViewChannel) {
  if (isDirect(channel)) return true
  const guild = state.guilds.get(channel.guild_id ?? '')
  if (!guild || !state.me) return false
  const parent = isThread(channel) ? state.channels.get(channel.parent_id ?? '') : undefined
  return (permissionsOf(guild, state.me.id, channel, parent) & permission) !== 0n
}

/** Whether messages may be sent there (threads have a permission of their own; a locked thread refuses). @param {Channel} channel */
export function maySend(channel) {
  if (isDirect(channel)) return true
  if (!isThread(channel)) return may(channel, Permission.SendMessages)
  if (channel.thread_metadata?.locked && !may(channel, Permission.ManageThreads)) return false
  return may(channel, Permission.SendMessagesInThreads)
}

/** The channels of a guild that the person may see, in Discord's order. @param {string} guildId */
export function visibleChannels(guildId) {
  return [...state.channels.values()]
    .filter((channel) => channel.guild_id === guildId && may(channel))
    .sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || (a.id < b.id ? -1 : 1))
}

/** @param {string} channelId @returns {Timeline} */
export function timelineOf(channelId) {
  let timeline = state.timelines.get(channelId)
  if (!timeline) {
    timeline = { messages: [], loaded: false, loading: false, hasMore: false }
    state.timelines.set(channelId, timeline)
  }
  return timeline
}
