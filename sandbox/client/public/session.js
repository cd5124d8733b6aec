// Being someone: signing in, going to places, loading what is there, and what was read. Talks to the wire and writes the outcome into the state.

import { dispatch } from './events.js'
import { compareIds } from './format.js'
import { openGateway } from './gateway.js'
import { loadCommands } from './interactions.js'
import { attempt, reason, toast } from './notices.js'
import { control, RestError, rest } from './rest.js'
import { currentChannel, forgetPerson, isForum, state, timelineOf, update, updateNow, visibleChannels } from './store.js'

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
  if (features.reset) void joinReset()
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

/** That the guide was closed outlives a reload; who has never closed it finds it open where there is room. */
const GUIDE_KEY = 'guide'
const wantsGuide = () => state.guide.length > 0 && innerWidth >= 1200 && localStorage.getItem(GUIDE_KEY) !== 'closed'

async function pollGuide() {
  const steps = await control('GET', '/guide').catch(() => state.guide)
  if (JSON.stringify(steps) !== JSON.stringify(state.guide)) {
    const isFirst = state.guide.length === 0
    update((s) => (s.guide = steps))
    if (isFirst && state.side === 'none' && wantsGuide()) showSide('guide')
  }
  setTimeout(pollGuide, GUIDE_EVERY_MS)
}

/** Opens or closes what stands beside the chat. What covered the guide gives way to it again. @param {'guide' | 'mail' | 'none'} side */
export function showSide(side) {
  const before = state.side
  if (side === 'guide') localStorage.setItem(GUIDE_KEY, 'open')
  if (side === 'none' && before === 'guide') localStorage.setItem(GUIDE_KEY, 'closed')
  update((s) => {
    s.side = side === 'none' && before === 'mail' && wantsGuide() ? 'guide' : side
    s.membersShown = s.side === 'none' || innerWidth >= 1600
  })
}

/** Becomes the person whom the guide's step names, who is made when there is none yet. @param {{ id?: string, username: string }} who */
export async function becomeFor(who) {
  if (who.id === undefined) return addPerson(who.username)
  await loadPeople()
  const person = state.people.find((candidate) => candidate.id === who.id)
  if (person) await become(person.token)
}

// ---- back to the start ----

const RESET_EVERY_MS = 700

/** Brings the whole demo back to its start; the page is loaded anew when it is done. */
export async function resetDemo() {
  await attempt(async () => {
    await control('POST', '/demo/reset')
    gateway?.close()
    update((s) => (s.demo = { state: 'resetting', progress: 'stopping the program' }))
    await watchReset()
  })
}

async function watchReset() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, RESET_EVERY_MS))
    const demo = await control('GET', '/demo').catch(() => state.demo)
    update((s) => (s.demo = demo))
    if (demo?.state === 'resetting') continue
    if (demo?.state === 'running') {
      // Whoever the page was is gone, and so is what it remembers of them.
      localStorage.clear()
      sessionStorage.clear()
      location.assign(location.pathname)
    }
    return
  }
}

/** Takes part in a reset that another page has asked for. */
async function joinReset() {
  const demo = await control('GET', '/demo').catch(() => null)
  if (demo?.state !== 'resetting') return
  update((s) => (s.demo = demo))
  void watchReset()
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
