// What moving a payout means for the ledger and for the commissions in it. Every change of a payout that moves money goes through here.
import { and, eq, isNull } from 'drizzle-orm'
import type { Commissions } from '../commissions/public.ts'
import type { Clock, Tx } from '../kit/index.ts'
import type { Ledger, PartnerAccount, ProgramAccount } from '../ledger/public.ts'
import type { PayoutRow } from './model.ts'
import { items, payouts } from './tables.ts'

export interface Books {
  /** payable → in_flight, and the commissions are in the payout. They are locked already, since whoever prepares has taken them. */
  bookPrepared(tx: Tx, payout: PayoutRow, commissionIds: readonly string[]): Promise<void>
  /** in_flight → paid; it counts as paid at that time. Returns how many commissions that pays. */
  bookPaid(tx: Tx, payout: PayoutRow, paidAt: Date): Promise<number>
  /** Money that did not go out, or came back, is payable again; the row gets the state and the reason. */
  takeBack(tx: Tx, payout: PayoutRow, state: 'returned' | 'refused' | 'cancelled', note: string): Promise<void>
}

/** Debited accounts are named with 1, credited ones with −1; each over the payout's whole amount. */
type Sides = readonly (readonly [PartnerAccount | ProgramAccount, 1n | -1n])[]

export function createBooks({ clock, ledger, commissions }: { clock: Clock; ledger: Ledger; commissions: Commissions }): Books {
  async function post(tx: Tx, payout: PayoutRow, reason: string, sides: Sides): Promise<void> {
    await ledger.post(tx, {
      programId: payout.programId,
      key: `payout:${payout.id}:${reason}`,
      reason,
      subject: { type: 'payout', id: payout.id },
      entries: sides.map(([kind, side]) => ({
        account: { kind, partnerId: kind === 'cash' || kind === 'settled' ? null : payout.partnerId, currency: payout.currency },
        amount: side * payout.amount,
      })),
    })
  }

  return {
    bookPrepared: async (tx, payout, commissionIds) => {
      await Promise.all([
        post(tx, payout, 'payout_prepared', intoFlight),
        commissions.setState(tx, payout, commissionIds, 'in_payout', null),
      ])
    },
    bookPaid: async (tx, payout, paidAt) => {
      await commissions.lock(tx, payout)
      await tx.update(payouts).set({ state: 'paid', paidAt, settledAt: paidAt }).where(eq(payouts.id, payout.id))
      await post(tx, payout, 'payout_confirmed', [
        ['in_flight', 1n],
        ['paid', -1n],
        ['settled', 1n],
        ['cash', -1n],
      ])
      const covered = await itemsOf(tx, payout)
      await commissions.setState(tx, payout, covered, 'paid', null)
      return covered.length
    },
    takeBack: async (tx, payout, state, note) => {
      await commissions.lock(tx, payout)
      const now = clock.now()
      await tx.update(payouts).set({ state, settledAt: now, note }).where(eq(payouts.id, payout.id))
      const covered = await itemsOf(tx, payout)
      await tx.update(items).set({ releasedAt: now }).where(eq(items.payoutId, payout.id))
      await post(tx, payout, `payout_${state}`, payout.state === 'paid' ? outOfPaid : outOfFlight)
      await commissions.setState(tx, payout, covered, 'payable', `payout_${state}`)
    },
  }
}

const intoFlight: Sides = [
  ['payable', 1n],
  ['in_flight', -1n],
]
const outOfFlight: Sides = [
  ['in_flight', 1n],
  ['payable', -1n],
]
const outOfPaid: Sides = [
  ['paid', 1n],
  ['payable', -1n],
  ['cash', 1n],
  ['settled', -1n],
]

/** The commissions in a live payout. */
export const itemsOf = async (tx: Tx, payout: PayoutRow): Promise<string[]> =>
  (
    await tx
      .select({ id: items.commissionId })
      .from(items)
      .where(and(eq(items.payoutId, payout.id), isNull(items.releasedAt)))
  ).map(({ id }) => id)
