// How a move of one commission becomes a transfer of the ledger.
import type { Transfer } from '../ledger/public.ts'
import type { Move } from './decide.ts'
import type { commissions } from './tables.ts'

type Row = typeof commissions.$inferSelect

/** The transfer of the commission's move with that number, from 1: the number makes its key. */
export function transferOf(part: Row, number: number, move: Move): Transfer {
  return {
    programId: part.programId,
    key: `commission:${part.id}:${number}`,
    reason: move.reason,
    subject: { type: 'commission', id: part.id },
    entries: move.entries.map(({ account, amount }) => ({
      account: { kind: account, partnerId: account === 'commission_expense' ? null : part.partnerId, currency: part.currency },
      amount,
    })),
  }
}
