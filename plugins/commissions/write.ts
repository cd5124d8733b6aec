// Writes what was decided of commissions: rows with their history, and transfers of the ledger. The same two statements, however many there are.
import { sql } from 'drizzle-orm'
import type { Tx } from '../kit/index.ts'
import type { Transfer } from '../ledger/public.ts'
import type { Move, Part } from './decide.ts'
import type { Needs } from './needs.ts'
import type { By } from './public.ts'
import type { commissions } from './tables.ts'
import { transferOf } from './transfers.ts'

type Row = typeof commissions.$inferSelect

/**
 * Makes the function that stores the parts that changed, each with its history, and posts their moves: part by part, in the order given. All are of one program;
 * a part that is not among `before` is new. `by` is who did it, when people did.
 */
export function createWrite({ clock, ledger }: Pick<Needs, 'clock' | 'ledger'>) {
  return async function write(
    tx: Tx,
    before: readonly Row[],
    { parts, moves }: { parts: readonly Row[]; moves: readonly Move[] },
    by?: By,
  ): Promise<void> {
    const updatedAt = clock.now()
    const olds = new Map(before.map((row) => [row.id, row]))
    const movesOf = Map.groupBy(moves, ({ partId }) => partId)
    const rows: (Row & { change: bigint })[] = []
    const transfers: Transfer[] = []
    for (const part of parts) {
      const old = olds.get(part.id)
      const own = movesOf.get(part.id) ?? []
      if (old && own.length === 0 && sameBooks(old, part)) continue
      rows.push({ ...part, revision: part.revision + own.length, updatedAt, change: part.amount - (old?.amount ?? 0n) })
      for (const [i, move] of own.entries())
        transfers.push({ ...transferOf(part, part.revision + i + 1, move), ...(await correctionOf(tx, part, move)) })
    }
    if (rows.length > 0) await Promise.all([store(tx, rows, by), ledger.postAll(tx, transfers)])
  }

  /** What a correction points at: the first transfer of this commission, if it has one yet. */
  async function correctionOf(tx: Tx, part: Row, { reason }: Move): Promise<{ corrects?: string }> {
    if (reason !== 'adjust' && reason !== 'void') return {}
    const [first] = await ledger.transfers(tx, part.programId, { subject: { type: 'commission', id: part.id } })
    return first ? { corrects: first.id } : {}
  }
}

/** Of a part that is there already only how it stands in the books is changed; the stamp stays. */
async function store(tx: Tx, rows: readonly (Row & { change: bigint })[], by?: By): Promise<void> {
  await tx.execute(sql`
    with given as (
      select * from jsonb_to_recordset(${asJson(rows)}::text::jsonb) as c ("id" uuid, "programId" uuid, "saleId" uuid, "part" smallint, "partnerId" uuid, "currency" text,
        "ruleId" uuid, "ruleVersion" integer, "ratePpm" bigint, "basis" bigint, "holdUntil" timestamptz, "earnedAt" timestamptz, "amount" bigint, "due" bigint,
        "clawed" bigint, "repaid" bigint, "state" text, "reason" text, "revision" integer, "createdAt" timestamptz, "updatedAt" timestamptz, "flat" bigint,
        "limitAmount" bigint, "limitReason" text, "fullAmount" bigint, "cappedBy" text, "grown" bigint, "origin" jsonb, "change" bigint)),
    stored as (
      insert into commissions_commissions (id, program_id, sale_id, part, partner_id, currency, rule_id, rule_version, rate_ppm, basis, hold_until, earned_at,
        amount, due, clawed, repaid, state, reason, revision, created_at, updated_at, flat, limit_amount, limit_reason, full_amount, capped_by, grown, origin)
      select "id", "programId", "saleId", "part", "partnerId", "currency", "ruleId", "ruleVersion", "ratePpm", "basis", "holdUntil", "earnedAt",
        "amount", "due", "clawed", "repaid", "state", "reason", "revision", "createdAt", "updatedAt", "flat", "limitAmount", "limitReason", "fullAmount", "cappedBy", "grown", "origin"
      from given
      on conflict (id) do update set amount = excluded.amount, due = excluded.due, clawed = excluded.clawed, repaid = excluded.repaid, state = excluded.state,
        reason = excluded.reason, revision = excluded.revision, updated_at = excluded.updated_at)
    insert into commissions_changes (program_id, commission_id, at, state, reason, change, hold_until, actor, note)
    select "programId", "id", "updatedAt", "state", "reason", "change", "holdUntil", ${by?.actor ?? null}::text, ${by?.note ?? null}::text from given`)
}

function sameBooks(a: Part, b: Part): boolean {
  return (
    a.amount === b.amount &&
    a.due === b.due &&
    a.clawed === b.clawed &&
    a.repaid === b.repaid &&
    a.state === b.state &&
    a.reason === b.reason
  )
}

const asJson = (rows: readonly object[]): string =>
  JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
