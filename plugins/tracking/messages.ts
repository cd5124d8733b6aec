// Every word that tracking says to people.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import type { RefundRow } from './payments.ts'

export function parkedRefunds(refunds: readonly RefundRow[], more: boolean): Message {
  if (refunds.length === 0)
    return card({
      title: 'No refund is parked',
      body: 'Every refund that was reported through the API found its sale.',
      tone: 'good',
    })
  return card({
    title: 'Parked refunds',
    body: [
      refunds.map(refundLine).join('\n'),
      'A refund that waits is applied by itself when its sale is reported. Waiting long, it was probably reported under another payment id than the sale.',
    ],
    tone: 'warn',
    ...(more && { footer: 'Only the latest are shown. GET /v1/refunds?state=parked lists them all.' }),
  })
}

function refundLine(refund: RefundRow): string {
  const amount = refund.currency === null ? `${refund.amount} (minor units)` : formatMoney(refund.amount, refund.currency)
  const what = refund.refundId === null ? `${amount} in all` : `${amount} (${literal(refund.refundId)})`
  return `• payment ${literal(refund.paymentId)} · ${what} · ${time(refund.recordedAt)} · ${refund.problem ? literal(refund.problem) : 'waits for its sale'}`
}
