// Faces: a person's picture, or one that follows from the id.

import { faceColour, initials } from '../format.js'
import { html } from './html.js'

/** @import { Guild, User } from '../types.d.ts' */

/**
 * @param {{ user: Pick<User, 'id' | 'username'> & Partial<User>, size?: number, status?: string | undefined }} props
 */
export function Avatar({ user, size = 40, status }) {
  const url = pictureUrl(user.avatar)
  const letter = [...(user.global_name || user.username)][0]?.toUpperCase() ?? '?'
  return html`<span class="avatar" style=${{ width: `${size}px`, height: `${size}px` }}>
    ${
      url
        ? html`<img src=${url} alt="" width=${size} height=${size} loading="lazy" />`
        : html`<span class="face" aria-hidden="true" style=${{ background: faceColour(user.id), fontSize: `${Math.round(size * 0.44)}px` }}>${user.bot ? botFace : letter}</span>`
    }
    ${status && html`<span class=${`status status-${status}`}></span>`}
  </span>`
}

const botFace = html`<svg viewBox="0 0 24 24" width="62%" height="62%" fill="#fff" aria-hidden="true">
  <path d="M12 3a1.500 1.500 0 0 1 1 2.600V7h4a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3v-6a3 3 0 0 1 3-3h4V5.600A1.500 1.500 0 0 1 12 3ZM9 11a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3Zm6 0a1.500 1.500 0 1 0 0 3 1.500 1.500 0 0 0 0-3Z" />
</svg>`

/** Only whole urls and data are pictures here: a bare hash would be fetched from a CDN that this page may not use. @param {string | null | undefined} value */
const pictureUrl = (value) => (value && /^(data:image\/|https?:\/\/|\/)/.test(value) ? value : undefined)

/** @param {{ guild: Pick<Guild, 'id' | 'name' | 'icon'>, size?: number }} props */
export function GuildIcon({ guild, size = 40 }) {
  const url = pictureUrl(guild.icon)
  return html`<span class="guild-icon" aria-hidden="true" data-initials=${url ? '' : initials(guild.name)} style=${{ width: `${size}px`, height: `${size}px`, fontSize: `${Math.round(size * 0.38)}px` }}>
    ${url && html`<img src=${url} alt="" width=${size} height=${size} />`}
  </span>`
}
