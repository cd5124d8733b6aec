// The whole page: title bar, rail, channels, chat, members, and what lies beside and above them.

import { channelName } from '../format.js'
import { become, joinGuild, showSide } from '../session.js'
import { currentChannel, currentGuild, state, update } from '../store.js'
import { GuildIcon } from './avatar.js'
import { Sidebar } from './channels.js'
import { Chat } from './chat.js'
import { classes, html, useChanges } from './html.js'
import { Icon } from './icons.js'
import { Members } from './members.js'
import { Modal } from './modal.js'
import { Overlays } from './overlays.js'
import { Panels } from './panels.js'
import { OwnPanel, PeopleList } from './people.js'
import { Rail } from './rail.js'
import { Resetting, Side } from './side.js'

export function App() {
  useChanges()
  const channel = currentChannel()
  const unread = [...state.mentions.values()].reduce((sum, count) => sum + count, 0)
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${channel ? `${state.guildId ? '#' : '@'}${channelName(channel)}` : (currentGuild()?.name ?? 'Sandbox')}`
  const hasMembers = state.guildId !== null && (state.membersShown || state.drawer === 'members')
  return html`
    <div class=${classes('app', `drawer-${state.drawer}`)} data-status=${state.status} data-testid="app" inert=${state.modal !== null || state.picture !== null || state.panel !== null || state.demo !== null}>
      <${TitleBar} />
      <div class="columns">
        <div class="left" id="left">
          <div class="left-columns"><${Rail} /><${Sidebar} /></div>
          <${OwnPanel} />
        </div>
        ${state.drawer !== 'none' && html`<button type="button" class="scrim" aria-label="Close panel" onClick=${() => update((s) => (s.drawer = 'none'))}></button>`}
        <${Middle} />
        ${hasMembers && html`<${Members} />`}
        <${Side} />
      </div>
    </div>
    <${Panels} />
    <${Modal} />
    <${Overlays} />
    <${Resetting} />
  `
}

/** The bar on top: where one is, and the doors to what stands beside Discord. */
function TitleBar() {
  const guild = currentGuild()
  const { links, config, guide, mail } = state
  const toggle = (/** @type {'guide' | 'mail'} */ side) => showSide(state.side === side ? 'none' : side)
  const seenAt = mail.findIndex((letter) => letter.id === state.mailSeen)
  const unseen = state.mailSeen === null ? 0 : seenAt === -1 ? mail.length : seenAt
  const done = guide.filter((step) => step.done).length
  return html`<header class="titlebar">
    <span class="titlebar-place">${guild ? html`<${GuildIcon} guild=${guild} size=${18} />${guild.name}` : 'Direct Messages'}</span>
    <nav class="doors" aria-label="Beside Discord">
      ${
        config.features.mail
          ? html`<button type="button" class=${classes('door', state.side === 'mail' && 'on')} aria-pressed=${state.side === 'mail'} data-testid="open-mail" onClick=${() => toggle('mail')}><${Icon} name="mail" size=${16} /><span>Mail</span>${unseen > 0 && html`<span class="count new">${unseen} new</span>`}</button>`
          : html`<${Door} href=${links.mail} icon="mail" label="Mail" />`
      }
      <${Door} href=${links.shop} icon="shop" label="Shop" />
      <${Door} href=${links.stripe} icon="card" label="Stripe" />
      <${Door} href=${links.paypal} icon="wallet" label="PayPal" />
      ${guide.length > 0 && html`<button type="button" class=${classes('door', state.side === 'guide' && 'on')} aria-pressed=${state.side === 'guide'} data-testid="open-guide" onClick=${() => toggle('guide')}><${Icon} name="guide" size=${16} /><span>Guide</span><span class="count">${done}/${guide.length}</span></button>`}
    </nav>
  </header>`
}

/** @param {{ href: string | undefined, icon: import('./icons.js').IconName, label: string }} props */
function Door({ href, icon, label }) {
  if (!href) return null
  return html`<a class="door" href=${href} target=${`sandbox-${label.toLowerCase()}`} data-testid=${`open-${label.toLowerCase()}`}><${Icon} name=${icon} size=${16} /><span>${label}</span></a>`
}

/** The chat, or what keeps someone from it. */
function Middle() {
  if (state.status === 'choosing' || state.status === 'refused')
    return html`<main class="chat"><div class="welcome">
      <h1>${state.status === 'refused' ? 'This person is no longer known here.' : 'Who do you want to be?'}</h1>
      <p>${state.status === 'refused' ? 'The sandbox was started anew, or the token is wrong.' : 'This is a Discord on your own machine. Nothing leaves it.'}</p>
      <div class="people inline"><${PeopleList} onDone=${() => undefined} /></div>
    </div></main>`
  if (state.status === 'ready' && state.guildId === null && state.channelId === null && state.joinable.length > 0)
    return html`<main class="chat"><div class="welcome">
      ${state.joinable.map(
        (guild) => html`<div class="invite">
          <small>You have been invited to join a server</small>
          <div class="invite-line"><${GuildIcon} guild=${{ ...guild, icon: null }} size=${56} /><strong>${guild.name}</strong></div>
          <button type="button" class="button button-success wide" data-testid="join" onClick=${() => joinGuild(guild.id)}>Join Server</button>
        </div>`,
      )}
    </div></main>`
  return html`<div class="middle">
    ${state.status === 'lost' && html`<div class="banner" role="alert">The connection was lost. Trying again… <button type="button" class="link" onClick=${() => state.token && become(state.token)}>Reconnect now</button></div>`}
    <${Chat} />
  </div>`
}
