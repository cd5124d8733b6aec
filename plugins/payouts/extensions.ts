// What payouts contributes to other plugins: its view of the books, and what programs of the company are told.
import { type Extension, extend } from '../kit/index.ts'
import { type Ledger, projection } from '../ledger/public.ts'
import { payoutProjection } from './projection.ts'
import { publicEvents } from './publicEvents.ts'

export function payoutExtensions(ledger: Ledger): Extension[] {
  return [...publicEvents, extend(projection, payoutProjection(ledger))]
}
