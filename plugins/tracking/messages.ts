// Every word that tracking says to people.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import type { RefundRow } from './payments.ts'

/** What goes into every page of the company's. */
export function scriptTag(src: string, programId: string, origins: readonly string[]): Message {
  return card({
    title: 'The script for your pages',
    body: [
      `Put this on every page of your site:\n\`\`\`html\n<script src="${src}" data-program="${programId}" async></script>\n\`\`\``,
      'Once a visitor has agreed to cookies, call `siso.consent(true)`; until then nothing is kept.',
      origins.length > 0
        ? `Visitors are remembered for: ${origins.map(literal).join(', ')}`
        : 'No site may remember visitors yet. Allow yours with `/admin settings set setting:tracking origins value:["https://www.example.com"]`.',
    ],
    ...(origins.length === 0 && { tone: 'warn' as const }),
    footer: 'How to build it in, step by step: docs/integrate.md. The reference is at /docs.',
  })
}

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
