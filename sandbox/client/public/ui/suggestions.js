// What the composer offers above itself: commands after a slash, people, roles, channels and emoji after their marks.

import { useEffect } from 'preact/hooks'
import { findEmoji } from '../emoji.js'
import { findChannels, findPeople } from '../finding.js'
import { channelName, displayName, nameIn } from '../format.js'
import { currentCommands } from '../interactions.js'
import { currentGuild, state } from '../store.js'
import { Avatar } from './avatar.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'

/** @import { Runnable } from '../types.d.ts' */

/** @param {{ found: Runnable[], active: number, query: string, onPick: (index: number) => void, onPoint: (index: number) => void }} props */
export function CommandList({ found, active, query, onPick, onPoint }) {
  const applications = currentCommands()?.applications
  useEffect(() => document.getElementById(`composer-option-${active}`)?.scrollIntoView({ block: 'nearest' }), [active])
  return html`<div class="suggestions" data-testid="slash-picker">
    <div class="suggestions-head">${query === '' ? 'Commands' : html`Commands matching <strong>/${query}</strong>`}</div>
    <div id="composer-list" role="listbox" aria-label="Commands" class="scroller">
      ${found.map((runnable, index) => {
        const application = applications?.get(runnable.command.application_id)
        return html`<div
          key=${runnable.name}
          id=${`composer-option-${index}`}
          role="option"
          aria-selected=${index === active}
          class=${classes('suggestion', index === active && 'active')}
          data-command=${runnable.name}
          onPointerMove=${() => index !== active && onPoint(index)}
          onClick=${() => onPick(index)}
        >
          ${application ? html`<${Avatar} user=${application.bot ?? { id: application.id, username: application.name, bot: true }} size=${32} />` : html`<span class="suggestion-slash"><${Icon} name="slash" /></span>`}
          <span class="suggestion-main">
            <span class="suggestion-name">/${runnable.name} ${runnable.options.map((option) => html`<span class=${classes('suggestion-option', option.required && 'required')}>${option.name}</span>`)}</span>
            <small>${runnable.description}</small>
          </span>
          <span class="suggestion-app">${application?.name}</span>
        </div>`
      })}
    </div>
  </div>`
}

/**
 * @param {string} mark `@`, `#` or `:`
 * @param {string} query
 * @returns {{ written: string, mention: string, label: string, detail: string, icon: any }[]}
 */
export function suggestNames(mark, query) {
  if (mark === ':')
    return findEmoji(query)
      .slice(0, 8)
      .map(({ name, text }) => ({
        written: text,
        mention: text,
        label: `:${name}:`,
        detail: '',
        icon: html`<span class="emoji">${text}</span>`,
      }))
  if (mark === '#')
    return query === '' && state.guildId === null
      ? []
      : findChannels(query, [0, 5, 15])
          .slice(0, 8)
          .map((channel) => ({
            written: `#${channelName(channel)}`,
            mention: `<#${channel.id}>`,
            label: channelName(channel),
            detail: '',
            icon: html`<${Icon} name="hash" />`,
          }))
  const guild = currentGuild()
  const people = findPeople(query)
    .slice(0, 8)
    .map((user) => ({
      written: `@${displayName(user)}`,
      mention: `<@${user.id}>`,
      label: nameIn(user, guild),
      detail: user.username,
      icon: html`<${Avatar} user=${user} size=${24} />`,
    }))
  const roles = [...(guild?.roles.values() ?? [])]
    .filter((role) => role.mentionable && role.id !== guild?.id && role.name.toLowerCase().includes(query.toLowerCase()))
    .slice(0, 4)
    .map((role) => ({
      written: `@${role.name}`,
      mention: `<@&${role.id}>`,
      label: `@${role.name}`,
      detail: 'Role',
      icon: html`<${Icon} name="at" />`,
    }))
  return [...people, ...roles]
}

/** @param {{ people: ReturnType<typeof suggestNames>, active: number, onPick: (index: number) => void, onPoint: (index: number) => void }} props */
export function NameList({ people, active, onPick, onPoint }) {
  return html`<div class="suggestions" data-testid="name-picker">
    <div id="composer-list" role="listbox" aria-label="Names" class="scroller">
      ${people.map(
        (
          person,
          index,
        ) => html`<div id=${`composer-option-${index}`} role="option" aria-selected=${index === active} class=${classes('suggestion compact', index === active && 'active')} onPointerMove=${() => index !== active && onPoint(index)} onClick=${() => onPick(index)}>
          ${person.icon}<span class="suggestion-main"><span class="suggestion-name">${person.label}</span></span><span class="suggestion-app">${person.detail}</span>
        </div>`,
      )}
    </div>
  </div>`
}
