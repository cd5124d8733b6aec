// Finding people and channels of the open place by name, for lists, options and selects. Changes nothing.

import { displayName } from './format.js'
import { currentChannel, currentGuild, state, visibleChannels } from './store.js'

/** @import { Member, User } from './types.d.ts' */

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
