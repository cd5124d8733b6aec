// Every word that the Stripe plugin says to admins. What they read of parked events is the house's.
import { card, literal, type Message } from '../../commands/messages.ts'
import { connectEvents, platformEvents } from './facts.ts'

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
