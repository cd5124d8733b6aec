// What programs of the company are told of payouts.
import { z } from 'zod'
import { publish } from '../developer/public.ts'
import { payoutPaid, payoutReturned, payoutSent } from './events.ts'

const what = { payout_id: z.uuid(), partner_id: z.uuid(), currency: z.string(), amount: z.int().describe('Minor units.') }
const example = {
  payout_id: '01a19b7c-a680-7285-be84-412d4e70b37e',
  partner_id: '01a19b7c-a680-7e68-91c8-bfdddc82883b',
  currency: 'USD',
  amount: 12_500,
}
const whatOf = (of: { payoutId: string; partnerId: string; currency: string; amount: bigint }) => ({
  payout_id: of.payoutId,
  partner_id: of.partnerId,
  currency: of.currency,
  amount: Number(of.amount),
})

export const publicEvents = [
  publish(payoutSent, {
    type: 'payout.sent',
    version: 1,
    describes: 'A payout was handed to the payment provider.',
    schema: z.object(what),
    example,
    map: whatOf,
  }),
  publish(payoutPaid, {
    type: 'payout.paid',
    version: 1,
    describes: 'A payout arrived.',
    schema: z.object(what),
    example,
    map: whatOf,
  }),
  publish(payoutReturned, {
    type: 'payout.returned',
    version: 1,
    describes: 'A payout came back; the amount is payable again.',
    schema: z.object({ ...what, reason: z.string() }),
    example: { ...example, reason: 'The account does not exist.' },
    map: (of) => ({ ...whatOf(of), reason: of.reason }),
  }),
]
