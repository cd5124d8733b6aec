// Every word that the PayPal plugin says in Discord.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { type Batch, senderBatchIdOf } from './batches.ts'

export function unclaimedMessage(email: string): Message {
  return card({
    title: 'Your payout waits for you at PayPal',
    body: [
      `PayPal knows no confirmed account with **${literal(email)}**. Open one with that address, or confirm the address in your account, and the money is yours.`,
      'PayPal keeps it for 30 days; after that it comes back to us and is paid out again.',
    ],
    tone: 'warn',
    footer: 'Another address? Give it with /payout setup.',
  })
}

export function statusCard(setup: {
  webhook: boolean
  webhookUrl: string
  /** How many events. */
  parked: number
  unclear: readonly Batch[]
}): Message {
  const { webhook, webhookUrl, parked, unclear } = setup
  return card({
    title: 'PayPal is set up',
    body: webhook
      ? 'PayPal tells us what becomes of each payout.'
      : 'PAYPAL_WEBHOOK_ID is not set, so PayPal is asked every quarter of an hour what became of each payout. To be told at once, add the endpoint below with the events “Payments & Payouts”.',
    fields: [
      { name: 'Endpoint', value: `\`\`\`\n${webhookUrl}\n\`\`\`` },
      ...(unclear.length > 0
        ? [
            {
              name: 'Unclear: look for these in PayPal’s activity, then run /admin paypal found',
              value: unclear
                .map((batch) => `• \`${senderBatchIdOf(batch.payoutId)}\` · tried ${time(batch.firstTriedAt)}`)
                .join('\n'),
            },
          ]
        : []),
      ...(parked > 0
        ? [{ name: `Parked events: ${parked}`, value: 'They could not be handled: see why with `/admin paypal parked`.' }]
        : []),
    ],
    tone: parked + unclear.length > 0 ? 'warn' : 'good',
  })
}

export function foundCard(batchId: string | undefined): Message {
  return card({
    title: 'Thank you',
    body: batchId
      ? `The payout was sent in PayPal’s batch \`${batchId}\`; it is recorded with the next try, within minutes.`
      : 'The payout is sent again with the next try, within minutes.',
    tone: 'good',
  })
}
