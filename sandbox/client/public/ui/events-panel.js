// A server's scheduled events: when, where, what, how many are interested, and whether oneself is.

import { useEffect } from 'preact/hooks'
import { loadEvents, toggleInterest } from '../actions.js'
import { channelName, nameIn, relativeTime } from '../format.js'
import { toast } from '../notices.js'
import { state } from '../store.js'
import { Avatar } from './avatar.js'
import { Dialog } from './dialog.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { Markdown } from './markup.js'

/** @import { ScheduledEvent } from '../types.d.ts' */

/** `Tue, Nov 3 · 4:00 PM`. @param {string} time */
export const eventTime = (time) => {
  const date = new Date(time)
  const day = date.toLocaleDateString('en-US', { weekday: 'short', month: 'short', day: 'numeric' })
  return `${day} · ${date.toLocaleTimeString('en-US', { hour: 'numeric', minute: '2-digit' })}`
}

/** @param {{ guildId: string, onClose: () => void }} props */
export function EventsPanel({ guildId, onClose }) {
  useEffect(() => void loadEvents(guildId).catch((error) => toast(error.message, 'error')), [guildId])
  const events = [...(state.guilds.get(guildId)?.scheduledEvents.values() ?? [])]
    .filter((event) => event.status <= 2)
    .sort((a, b) => Date.parse(a.scheduled_start_time) - Date.parse(b.scheduled_start_time))
  return html`<${Dialog} title=${events.length === 1 ? '1 Event' : `${events.length} Events`} onClose=${onClose} wide=${true} testid="events">
    ${events.length === 0 && html`<p class="hint">There are no upcoming events.</p>`}
    <ul class="cards">${events.map((event) => html`<${EventCard} key=${event.id} guildId=${guildId} event=${event} />`)}</ul>
  <//>`
}

/** @param {{ guildId: string, event: ScheduledEvent }} props */
function EventCard({ guildId, event }) {
  const live = event.status === 2
  const channel = state.channels.get(event.channel_id ?? '')
  const creator = state.users.get(event.creator_id ?? '')
  return html`<li class="event-card" data-testid="event-card">
    <div class=${classes('event-when', live && 'live')}>
      <${Icon} name="calendar" size=${18} />${live ? 'Happening now' : `${eventTime(event.scheduled_start_time)} (${relativeTime(Date.parse(event.scheduled_start_time))})`}
      <span class="grow"></span>
      ${creator && html`<span title=${`Created by ${nameIn(creator, state.guilds.get(guildId))}`}><${Avatar} user=${creator} size=${20} /></span>`}
      <span class="event-count" aria-label=${`${event.user_count ?? 0} interested`}><${Icon} name="members" size=${16} />${event.user_count ?? 0}</span>
    </div>
    <h3>${event.name}</h3>
    ${event.description && html`<div class="markup"><${Markdown} text=${event.description} /></div>`}
    <div class="event-foot">
      <span class="muted">${channel ? html`<${Icon} name="voice" size=${16} class="icon muted" /> ${channelName(channel)}` : (event.entity_metadata?.location ?? '')}</span>
      <button type="button" class=${classes('button', event.interested ? 'button-success' : 'button-secondary')} aria-pressed=${event.interested ?? false} onClick=${() => void toggleInterest(guildId, event)}>
        ${event.interested && html`<${Icon} name="check" size=${16} />`}<span>Interested</span>
      </button>
    </div>
  </li>`
}
