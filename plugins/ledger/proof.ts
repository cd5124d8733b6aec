// The proof of the books: every check is one query that returns what disagrees. Reads only, in one snapshot.
import { type SQL, sql } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'
import type { Projection, Proof, ProofFinding } from './public.ts'
import { inSnapshot } from './read.ts'

/** Findings kept per check: the first few name the trouble, thousands would only hide it. */
const findingsPerCheck = 20

interface Check {
  readonly name: string
  /** Yields rows with one text column, `detail`; none when all is well. */
  readonly query: (programId: string) => SQL
}

const checks: readonly Check[] = [
  {
    name: 'transfers balance',
    query: (programId) => sql`
      select format('transfer %s (%s) is off by %s %s', t.id, t.key, sum(e.amount), a.currency) as detail
      from ledger_transfers t join ledger_entries e on e.transfer_id = t.id join ledger_accounts a on a.id = e.account_id
      where t.program_id = ${programId}::uuid group by t.id, t.key, a.currency having sum(e.amount) <> 0`,
  },
  {
    name: 'transfers are whole',
    query: (programId) => sql`
      select format('transfer %s (%s) has %s entries, %s of them on accounts of another program', t.id, t.key, count(e.transfer_id),
        count(*) filter (where a.program_id <> t.program_id)) as detail
      from ledger_transfers t left join ledger_entries e on e.transfer_id = t.id left join ledger_accounts a on a.id = e.account_id
      where t.program_id = ${programId}::uuid
      group by t.id, t.key having count(e.transfer_id) < 2 or count(*) filter (where a.program_id <> t.program_id) > 0`,
  },
  {
    name: 'balances are the sums of their entries',
    query: (programId) => sql`
      select format('account %s of %s in %s says %s, its entries say %s', a.kind, coalesce('partner ' || a.partner_id, 'the program'), a.currency,
        coalesce(b.amount, 0), coalesce(e.amount, 0)) as detail
      from ledger_accounts a
      left join (select account_id, sum(amount) as amount from ledger_balances group by account_id) b on b.account_id = a.id
      left join (select account_id, sum(amount) as amount from ledger_entries group by account_id) e on e.account_id = a.id
      where a.program_id = ${programId}::uuid
        and coalesce(b.amount, 0) <> coalesce(e.amount, 0) * case when a.debit_normal then 1 else -1 end`,
  },
  {
    name: 'no partner is below zero',
    query: (programId) => sql`
      select format('account %s of partner %s in %s is at %s', a.kind, a.partner_id, a.currency, b.amount) as detail
      from ledger_accounts a join ledger_balances b on b.account_id = a.id
      where a.program_id = ${programId}::uuid and a.partner_id is not null and b.amount < 0`,
  },
  {
    name: 'idempotency bodies match',
    query: (programId) => sql`
      select format('transfer %s (%s) is not what was posted under its key', t.id, t.key) as detail
      from ledger_transfers t join ledger_bodies b on b.transfer_id = t.id
      where t.program_id = ${programId}::uuid and t.body_hash <> ledger_digest(b.body)`,
  },
  {
    name: 'the chain holds',
    query: (programId) => sql`
      select format('link %s (transfer %s): %s', s.sequence, s.transfer_id, case
          when s.sequence <> s.place then 'the chain has a gap before it'
          when s.previous_hash <> s.expected_previous then 'it does not follow the link before it'
          else 'the transfer is not what was sealed' end) as detail
      from (
        select s.*, row_number() over (order by s.sequence) as place,
          coalesce(lag(s.hash) over (order by s.sequence), repeat('0', 64)) as expected_previous
        from ledger_seals s where s.program_id = ${programId}::uuid
      ) s
      left join ledger_transfers t on t.id = s.transfer_id
      where s.sequence <> s.place or s.previous_hash <> s.expected_previous or t.id is null
        or s.hash <> ledger_link(s.previous_hash, s.sequence, t)
      order by s.sequence`,
  },
  {
    name: 'the chain is complete',
    query: (programId) => sql`
      select format('the chain ends at link %s, but %s links were sealed', coalesce(last.sequence, 0), h.sequence) as detail
      from ledger_heads h
      left join lateral (
        select s.sequence, s.hash from ledger_seals s where s.program_id = h.program_id order by s.sequence desc limit 1
      ) last on true
      where h.program_id = ${programId}::uuid
        and (h.sequence <> coalesce(last.sequence, 0) or h.hash <> coalesce(last.hash, repeat('0', 64)))
      union all
      select format('transfer %s (%s) is neither sealed nor waiting to be', t.id, t.key)
      from ledger_transfers t
      where t.program_id = ${programId}::uuid
        and not exists (select from ledger_seals s where s.transfer_id = t.id)
        and not exists (select from ledger_unsealed u where u.transfer_id = t.id)`,
  },
]

/** Runs every check over one program; see `Ledger.prove`. */
export async function prove(reader: Reader, programId: string, projections: readonly Projection[]): Promise<Proof> {
  return inSnapshot(reader, async (tx) => {
    const findings: ProofFinding[] = []
    for (const check of checks) {
      const rows = await tx.execute<{ detail: string }>(sql`${check.query(programId)} limit ${findingsPerCheck}`)
      findings.push(...rows.map(({ detail }) => ({ check: check.name, detail })))
    }
    for (const { id, disagreements } of projections)
      for (const detail of (await disagreements(tx, programId)).slice(0, findingsPerCheck))
        findings.push({ check: `${id} agrees`, detail })
    const [counts] = await tx.execute<{ transfers: string; sealed: string; accounts: string }>(sql`
      select (select count(*) from ledger_transfers where program_id = ${programId}::uuid) as transfers,
        (select count(*) from ledger_seals where program_id = ${programId}::uuid) as sealed,
        (select count(*) from ledger_accounts where program_id = ${programId}::uuid) as accounts`)
    return {
      ok: findings.length === 0,
      transfers: Number(counts!.transfers),
      sealed: Number(counts!.sealed),
      accounts: Number(counts!.accounts),
      findings,
    }
  })
}
