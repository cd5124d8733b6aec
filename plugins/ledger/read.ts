// Reads transfers with their entries as they were posted, and all of them in one snapshot. Reads only.
import { type SQL, sql } from 'drizzle-orm'
import type { Db, Reader, Tx } from '../kit/index.ts'
import type { AccountRef, PostedTransfer } from './public.ts'

/** The transfers `t` for which `where` holds, in the order in which they were posted. */
export async function transfersWhere(reader: Reader, where: SQL): Promise<PostedTransfer[]> {
  const rows = await reader.execute<{
    id: string
    program_id: string
    key: string
    reason: string
    subject_type: string
    subject_id: string
    corrects: string | null
    posted_at: string
    entries: { kind: AccountRef['kind']; partner: string | null; currency: string; amount: string }[]
  }>(sql`
    select t.id, t.program_id, t.key, t.reason, t.subject_type, t.subject_id, t.corrects, t.posted_at,
      (select jsonb_agg(jsonb_build_object('kind', a.kind, 'partner', a.partner_id, 'currency', a.currency, 'amount', e.amount::text) order by e.position)
        from ledger_entries e join ledger_accounts a on a.id = e.account_id where e.transfer_id = t.id) as entries
    from ledger_transfers t where ${where} order by t.posted_at, t.number`)
  return rows.map((row) => ({
    id: row.id,
    programId: row.program_id,
    key: row.key,
    reason: row.reason,
    subject: { type: row.subject_type, id: row.subject_id },
    corrects: row.corrects,
    postedAt: new Date(row.posted_at),
    entries: row.entries.map(({ kind, partner, currency, amount }) => ({
      account: { kind, partnerId: partner, currency },
      amount: BigInt(amount),
    })),
  }))
}

/** Transfers posted within [from, to). Their ids begin with that time (UUIDv7), so the primary key finds them. */
export function postedWithin({ from, to }: { from: Date; to: Date }): SQL {
  return sql`t.id >= ${firstIdAt(from)}::uuid and t.id < ${firstIdAt(to)}::uuid`
}

/** The least id that a row of this millisecond can have. */
function firstIdAt(at: Date): string {
  const time = Math.max(0, at.getTime()).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`
}

/** One view of all tables, so that work going on meanwhile is no disagreement. Within a caller's transaction, that one's view. */
export function inSnapshot<T>(reader: Reader, read: (tx: Tx) => Promise<T>): Promise<T> {
  return 'rollback' in reader
    ? read(reader as Tx)
    : (reader as Db).transaction(read, { isolationLevel: 'repeatable read', accessMode: 'read only' })
}
