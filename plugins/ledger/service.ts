// Posts transfers, reads balances, seals the chain. The guarantees themselves are in the database (db/migrations/0030_ledger.sql).
import { createHash } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { amongIds, type Clock, type Db, newId, type Reader, sum, UserError } from '../kit/index.ts'
import { prove } from './proof.ts'
import type { AccountRef, Balance, Ledger, Projection, Transfer } from './public.ts'
import { postedWithin, transfersWhere } from './read.ts'

export interface LedgerService extends Ledger {
  /** Gives every committed transfer its place in the hash chain, program by program; returns how many were sealed. */
  seal(db: Db): Promise<number>
}

const sealBatch = 500

/** `projections` is read at each proof, when every plugin has contributed. */
export function createLedgerService(options: { clock: Clock; projections: () => readonly Projection[] }): LedgerService {
  const { clock, projections } = options

  const postAll: Ledger['postAll'] = async (tx, transfers) => {
    if (transfers.length === 0) return []
    const now = clock.now()
    const { programId } = transfers[0]!
    const bodies = transfers.map((transfer) => {
      const entries = canonicalEntries(transfer)
      return { transfer, entries, hash: bodyHash(transfer, entries) }
    })
    const rows = await tx.execute<{ key: string; transfer_id: string; body_hash: string; fresh: boolean }>(sql`
      select * from ledger_post_all(${programId}::uuid, ${now.toISOString()}::timestamptz, ${JSON.stringify(
        bodies.map(({ transfer: { key, reason, subject, corrects }, entries, hash }) => ({
          id: newId(now),
          key,
          body_hash: hash,
          reason,
          subject_type: subject.type,
          subject_id: subject.id,
          corrects: corrects ?? null,
          entries,
        })),
      )}::text::jsonb)`)
    const posted = new Map(rows.map((row) => [row.key, row]))
    return bodies.map(({ transfer, hash }) => {
      const { transfer_id: transferId, body_hash: known, fresh } = posted.get(transfer.key)!
      if (transfer.programId !== programId) throw new Error('transfers that are posted together are of one program')
      if (known !== hash)
        throw new UserError(
          'idempotency_conflict',
          `The key “${transfer.key}” was used before for another transfer. Use a new key for a new transfer.`,
          { status: 409 },
        )
      return { transferId, replayed: !fresh }
    })
  }

  async function balances(reader: Reader, programId: string, partnerId?: string): Promise<Balance[]> {
    const rows = await reader.execute<{
      kind: AccountRef['kind']
      partner_id: string | null
      currency: string
      amount: string
    }>(sql`
      select a.kind, a.partner_id, a.currency, sum(b.amount) as amount
      from ledger_accounts a join ledger_balances b on b.account_id = a.id
      where a.program_id = ${programId}::uuid and ${partnerId === undefined ? sql`true` : sql`a.owner_id = ${partnerId}::uuid`}
      group by a.id order by a.owner_id, a.currency, a.kind`)
    return rows.map((row) => ({
      kind: row.kind,
      partnerId: row.partner_id,
      currency: row.currency,
      amount: BigInt(row.amount),
    }))
  }

  const differing: Ledger['differing'] = async (reader, programId, { kind, subjectType }, said) => {
    const rows = await reader.execute<{ subject_id: string; currency: string; said: string; booked: string }>(sql`
      select subject_id, currency, coalesce(said.amount, 0) as said, coalesce(booked.amount, 0) as booked
      from (${said}) said
      full join (
        select t.subject_id, a.currency, sum(case when a.debit_normal then e.amount else -e.amount end) as amount
        from ledger_transfers t join ledger_entries e on e.transfer_id = t.id join ledger_accounts a on a.id = e.account_id
        where t.program_id = ${programId}::uuid and t.subject_type = ${subjectType} and a.kind = ${kind}
        group by t.subject_id, a.currency
      ) booked using (subject_id, currency)
      where coalesce(said.amount, 0) <> coalesce(booked.amount, 0) order by subject_id, currency`)
    return rows.map((row) => ({
      subjectId: row.subject_id,
      currency: row.currency,
      said: BigInt(row.said),
      booked: BigInt(row.booked),
    }))
  }

  const readTransfers: Ledger['transfers'] = (reader, programId, filter) =>
    'subject' in filter
      ? transfersWhere(
          reader,
          sql`t.program_id = ${programId}::uuid and t.subject_type = ${filter.subject.type} and t.subject_id = ${filter.subject.id}`,
        )
      : transfersWhere(reader, sql`t.id in (${idsOfPartner(programId, filter.partnerId)}) and ${postedWithin(filter)}`)

  const balancesBefore: Ledger['balancesBefore'] = async (reader, programId, partnerId, before) => {
    const rows = await reader.execute<{ kind: AccountRef['kind']; currency: string; amount: string }>(sql`
      select a.kind, a.currency, sum(case when a.debit_normal then e.amount else -e.amount end) as amount
      from ledger_accounts a join ledger_entries e on e.account_id = a.id join ledger_transfers t on t.id = e.transfer_id
      where a.program_id = ${programId}::uuid and a.owner_id = ${partnerId}::uuid and t.posted_at < ${before.toISOString()}::timestamptz
      group by a.currency, a.kind having sum(e.amount) <> 0 order by a.currency, a.kind`)
    return rows.map(({ kind, currency, amount }) => ({ kind, partnerId, currency, amount: BigInt(amount) }))
  }

  const partnersWithTransfers: Ledger['partnersWithTransfers'] = async (reader, programId, range) => {
    const rows = await reader.execute<{ partner_id: string }>(sql`
      select distinct a.partner_id
      from ledger_transfers t join ledger_entries e on e.transfer_id = t.id join ledger_accounts a on a.id = e.account_id
      where t.program_id = ${programId}::uuid and ${postedWithin(range)} and a.partner_id is not null
      order by a.partner_id`)
    return rows.map((row) => row.partner_id)
  }

  async function seal(db: Db): Promise<number> {
    const waiting = await db.execute<{ program_id: string }>(sql`select distinct program_id from ledger_unsealed`)
    let total = 0
    for (const { program_id: programId } of waiting)
      for (;;) {
        const [row] = await db.execute<{ sealed: number }>(sql`select ledger_seal(${programId}::uuid, ${sealBatch}) as sealed`)
        total += row!.sealed
        if (row!.sealed < sealBatch) break
      }
    return total
  }

  const debtsOf: Ledger['debtsOf'] = async (reader, programId, partnerIds) => {
    if (partnerIds.length === 0) return []
    const rows = await reader.execute<{ partner_id: string; currency: string; amount: string }>(sql`
      select a.partner_id, a.currency, b.amount
      from ledger_accounts a join ledger_balances b on b.account_id = a.id
      where a.program_id = ${programId}::uuid and ${amongIds(sql`a.owner_id`, partnerIds)} and a.kind = 'clawback_debt' and b.amount <> 0`)
    return rows.map((row) => ({
      kind: 'clawback_debt',
      partnerId: row.partner_id,
      currency: row.currency,
      amount: BigInt(row.amount),
    }))
  }

  return {
    post: async (tx, transfer) => (await postAll(tx, [transfer]))[0]!,
    postAll,
    debtsOf,
    balances,
    differing,
    transfers: readTransfers,
    balancesBefore,
    partnersWithTransfers,
    seal,
    prove: (reader, programId, since) => prove(reader, programId, projections(), since),
  }
}

const idsOfPartner = (programId: string, partnerId: string) => sql`
  select e.transfer_id from ledger_accounts a join ledger_entries e on e.account_id = a.id
  where a.program_id = ${programId}::uuid and a.owner_id = ${partnerId}::uuid`

interface CanonicalEntry {
  kind: AccountRef['kind']
  partner: string | null
  currency: string
  amount: string
}

/** The entries sorted by account and amount. @throws Error when they are no transfer: fewer than two, an amount of zero, a sum that is not */
function canonicalEntries(transfer: Transfer): CanonicalEntry[] {
  const byCurrency = Map.groupBy(transfer.entries, ({ account }) => account.currency)
  const problem =
    transfer.entries.length < 2
      ? 'fewer than two entries'
      : transfer.entries.some(({ amount }) => amount === 0n)
        ? 'an entry of zero'
        : [...byCurrency.values()].some((group) => sum(group.map(({ amount }) => amount)) !== 0n)
          ? 'entries that do not sum to zero'
          : undefined
  if (problem) throw new Error(`The transfer ${transfer.key} (${transfer.reason}) has ${problem}`)
  return transfer.entries
    .map(({ account, amount }) => ({
      kind: account.kind,
      partner: account.partnerId,
      currency: account.currency,
      amount: amount.toString(),
    }))
    .sort((a, b) => (lineOf(a) < lineOf(b) ? -1 : 1))
}

const lineOf = (entry: CanonicalEntry): string => `${entry.kind}|${entry.partner ?? ''}|${entry.currency}|${entry.amount}`

/** SHA-256 over the same text as the view ledger_bodies, which the proof reads from the stored rows. */
function bodyHash(transfer: Transfer, entries: readonly CanonicalEntry[]): string {
  const body = [transfer.reason, transfer.subject.type, transfer.subject.id, transfer.corrects ?? '', ...entries.map(lineOf)]
  return createHash('sha256').update(body.join('\n')).digest('hex')
}
