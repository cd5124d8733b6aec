// Invites: the card that asks someone to join a server, and the link that was made.

import { useEffect, useState } from 'preact/hooks'
import { acceptInvite, copy, readInvite } from '../actions.js'
import { nameIn } from '../format.js'
import { GuildIcon } from './avatar.js'
import { Dialog } from './dialog.js'
import { html } from './html.js'

/** @param {{ code: string, onClose: () => void }} props */
export function InvitePanel({ code, onClose }) {
  const [invite, setInvite] = useState(/** @type {any} */ (null))
  const [error, setError] = useState('')
  useEffect(() => void readInvite(code).then(setInvite, (/** @type {Error} */ problem) => setError(problem.message)), [code])
  const title = invite ? `Join ${invite.guild.name}` : 'Invite'
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${() => void acceptInvite(code)} submit="Accept Invite" ready=${invite !== null} testid="invite">
    ${error !== '' && html`<p role="alert">This invite is invalid or has expired. <span class="muted">(${error})</span></p>`}
    ${
      invite &&
      html`<div class="invite-line"><${GuildIcon} guild=${{ ...invite.guild, icon: null }} size=${56} /><div>
        <strong>${invite.guild.name}</strong>
        <p class="hint">${invite.inviter ? `${nameIn(invite.inviter, null)} invited you` : 'You have been invited'} to #${invite.channel?.name}.</p>
        ${invite.roles?.length > 0 && html`<p class="hint">It comes with ${invite.roles.map((/** @type {{ name: string }} */ role) => role.name).join(', ')}.</p>`}
      </div></div>`
    }
  <//>`
}

/** @param {{ title: string, url: string, onClose: () => void }} props */
export function LinkPanel({ title, url, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose} onSubmit=${() => copy(url)} submit="Copy" testid="link">
    <p class="hint">Whoever opens this link may join.</p>
    <input class="text-input" readonly value=${url} aria-label="Link" data-testid="link-url" onFocus=${(/** @type {any} */ event) => event.target.select()} />
  <//>`
}
