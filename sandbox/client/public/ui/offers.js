// What is offered for an option of a command while it is filled: its closed list, the bot's answer, people, roles, channels.

import { findChannels, findPeople } from '../finding.js'
import { channelName, colourIn, nameIn } from '../format.js'
import { OptionType } from '../slash.js'
import { currentGuild, state } from '../store.js'
import { Avatar } from './avatar.js'
import { html } from './html.js'
import { Icon } from './icons.js'

/** @import { Choice } from '../types.d.ts' */

/** The closed list of an option, if it has one. @param {any} option @returns {Choice[]} */
export function choicesOf(option) {
  if (option.type !== OptionType.Boolean) return option.choices ?? []
  return [
    { name: 'True', value: 'true' },
    { name: 'False', value: 'false' },
  ]
}

/**
 * @param {any} option
 * @param {string} text
 * @param {string} nonce the autocomplete request whose answer counts
 * @returns {(Choice & { icon?: any, detail?: string, colour?: string | undefined })[]}
 */
export function suggest(option, text, nonce) {
  const query = text.trim().toLowerCase()
  const guild = currentGuild()
  if (option.autocomplete)
    return state.autocomplete !== null && state.autocomplete.nonce === nonce ? state.autocomplete.choices : []
  const listed = choicesOf(option)
  if (listed.length > 0) return listed.filter((choice) => choice.name.toLowerCase().includes(query))
  const people = () =>
    findPeople(query.replace(/^@/, ''))
      .slice(0, 25)
      .map((user) => ({
        name: nameIn(user, guild),
        value: user.id,
        detail: user.username,
        colour: colourIn(user.id, guild),
        icon: html`<${Avatar} user=${user} size=${24} />`,
      }))
  const roles = () =>
    [...(guild?.roles.values() ?? [])]
      .filter((role) => role.name.toLowerCase().includes(query.replace(/^@/, '')))
      .sort((a, b) => b.position - a.position)
      .slice(0, 25)
      .map((role) => ({ name: role.name, value: role.id, detail: 'Role', icon: html`<${Icon} name="at" />` }))
  switch (option.type) {
    case OptionType.User:
      return people()
    case OptionType.Role:
      return roles()
    case OptionType.Mentionable:
      return [...people(), ...roles()]
    case OptionType.Channel:
      return findChannels(query, option.channel_types)
        .slice(0, 25)
        .map((channel) => ({ name: channelName(channel), value: channel.id, icon: html`<${Icon} name="hash" />` }))
    default:
      return []
  }
}
