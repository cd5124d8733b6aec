// Every word that the Stripe plugin says to admins.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import type { StoredWebhook } from '../kit/index.ts'
import { connectEvents, platformEvents } from './facts.ts'

const shown = 15

export function connected(
  account: { id: string; name: string },
  setup: { webhookUrl: string; secrets: number; version: string },
): Message {
  return card({
    title: 'Stripe is connected',
    body: [
      `Payments on **${literal(account.name)}** (\`${account.id}\`) now count for this program.`,
      setup.secrets === 0
        ? '⚠️ No webhook secret is set, so nothing can arrive yet. Make the two endpoints below, then set STRIPE_WEBHOOK_SECRET to both signing secrets, separated by a comma.'
        : setup.secrets === 1
          ? 'One webhook secret is set. Payouts need a second endpoint, for connected accounts: add its signing secret to STRIPE_WEBHOOK_SECRET after a comma.'
          : 'Webhook secrets are set.',
    ],
    fields: [
      { name: 'Endpoint', value: `\`\`\`\n${setup.webhookUrl}\n\`\`\`` },
      { name: 'API version of both endpoints', value: `\`${setup.version}\`` },
      { name: 'Events of your account', value: platformEvents.map((name) => `\`${name}\``).join(' ') },
      { name: 'Events of connected accounts', value: connectEvents.map((name) => `\`${name}\``).join(' ') },
    ],
    tone: setup.secrets === 0 ? 'warn' : 'good',
  })
}

export function parkedList(events: readonly StoredWebhook[]): Message {
  if (events.length === 0)
    return card({ title: 'Nothing is parked', body: 'Every event that Stripe sent was handled.', tone: 'good' })
  const more = events.length > shown ? [`… and ${events.length - shown} more.`] : []
  return card({
    title: events.length === 1 ? '1 event is parked' : `${events.length} events are parked`,
    body: [
      ...events
        .slice(0, shown)
        .map(
          (event) => `• \`${event.type}\` · ${time(event.parkedAt!)} · \`${event.eventId}\`\n  ${literal(event.parkReason ?? '')}`,
        ),
      ...more,
    ],
    tone: 'warn',
    footer: 'Mend the cause, then run /admin stripe replay to hand them in again.',
  })
}

export function replayed(count: number): Message {
  if (count === 0) return card({ title: 'Nothing to replay', body: 'No event is parked.', tone: 'good' })
  return card({
    title: count === 1 ? '1 event is handed in again' : `${count} events are handed in again`,
    body: 'What still cannot be handled is parked again, with its reason: see /admin stripe parked in a moment.',
  })
}
