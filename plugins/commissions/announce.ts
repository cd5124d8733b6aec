// Says what partners earned: to the other plugins, and to the partners themselves.
import type { Tx } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { commissionAccrued } from './events.ts'
import { accruedMessage } from './messages.ts'
import type { Needs } from './needs.ts'
import type { commissions } from './tables.ts'

type Row = typeof commissions.$inferSelect

/** What events say of a commission. */
export const payloadOf = ({ programId, id: commissionId, partnerId, saleId, currency, amount }: Row) => ({
  programId,
  commissionId,
  partnerId,
  saleId,
  currency,
  amount,
})

/** Makes the function that announces commissions that are new. Nothing is said of those that are worth nothing. */
export function createAnnounceAccrued({ clock, emit, notifications }: Pick<Needs, 'clock' | 'emit' | 'notifications'>) {
  return async (tx: Tx, accrued: readonly { readonly part: Row; readonly partner: Partner }[]): Promise<void> => {
    const worth = accrued.filter(({ part }) => part.amount !== 0n)
    await emit(tx, commissionAccrued, ...worth.map(({ part }) => payloadOf(part)))
    await notifications.tell(
      tx,
      ...worth.map(({ part, partner }) => ({
        programId: part.programId,
        key: `commissions.accrued:${part.id}`,
        userId: partner.userId,
        message: accruedMessage(part, clock.now()),
      })),
    )
  }
}
