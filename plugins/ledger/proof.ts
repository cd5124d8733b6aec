// The proof of the books: every check is one query that returns what disagrees. Reads only, in one snapshot.
import { type SQL, sql } from 'drizzle-orm'
import type { Reader, Tx } from '../kit/index.ts'
import type { Checkpoint, Projection, Proof, ProofFinding } from './public.ts'
import { inSnapshot } from './read.ts'

/** Findings kept per check: the first few name the trouble, thousands would only hide it. */
const findingsPerCheck = 20
const chainStart = '0'.repeat(64)

/** What a check looks at: one program, and of its transfers those since the checkpoint, or all. */
interface Scope {
  readonly programId: string
  readonly since: Checkpoint | undefined
}

interface Check {
  readonly name: string
  /** Yields rows with one text column, `detail`; none when all is well. */
  readonly query: (scope: Scope) => SQL
}

/** Transfers that the checkpoint does not cover: sealed after it, or waiting to be. */
const freshIn = ({ programId, since }: Scope): SQL => sql`
  select s.transfer_id from ledger_seals s where s.program_id = ${programId}::uuid and s.sequence > ${since?.sequence ?? 0}
  union all
  select u.transfer_id from ledger_unsealed u where u.program_id = ${programId}::uuid`

/** The condition on a transfer `t` to be looked at. */
const lookedAt = (scope: Scope): SQL =>
  scope.since
    ? sql`t.program_id = ${scope.programId}::uuid and t.id in (${freshIn(scope)})`
    : sql`t.program_id = ${scope.programId}::uuid`

/** The bodies `b` of the transfers `t`: made one by one for a few, all at once for all. */
const bodies = ({ since }: Scope): SQL =>
  since
    ? sql`cross join lateral (select body from ledger_bodies one where one.transfer_id = t.id offset 0) b`
    : sql`join ledger_bodies b on b.transfer_id = t.id`

const checks: readonly Check[] = [
  {
    name: 'transfers balance',
    query: (scope) => sql`
      select format('transfer %s (%s) is off by %s %s', t.id, t.key, sum(e.amount), a.currency) as detail
      from ledger_transfers t join ledger_entries e on e.transfer_id = t.id join ledger_accounts a on a.id = e.account_id
      where ${lookedAt(scope)} group by t.id, t.key, a.currency having sum(e.amount) <> 0`,
  },
  {
    name: 'transfers are whole',
    query: (scope) => sql`
      select format('transfer %s (%s) has %s entries, %s of them on accounts of another program', t.id, t.key, count(e.transfer_id),
        count(*) filter (where a.program_id <> t.program_id)) as detail
      from ledger_transfers t left join ledger_entries e on e.transfer_id = t.id left join ledger_accounts a on a.id = e.account_id
      where ${lookedAt(scope)}
      group by t.id, t.key having count(e.transfer_id) < 2 or count(*) filter (where a.program_id <> t.program_id) > 0`,
  },
  {
    name: 'balances are the sums of their entries',
    query: ({ programId }) => sql`
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
    query: ({ programId }) => sql`
      select format('account %s of partner %s in %s is at %s', a.kind, a.partner_id, a.currency, b.amount) as detail
      from ledger_accounts a join ledger_balances b on b.account_id = a.id
      where a.program_id = ${programId}::uuid and a.partner_id is not null and b.amount < 0`,
  },
  {
    name: 'partners’ balances alone are kept from going below zero',
    query: ({ programId }) => sql`
      select format('a balance of account %s of %s in %s %s go below zero', a.kind, coalesce('partner ' || a.partner_id, 'the program'), a.currency,
        case when b.limited then 'cannot' else 'can' end) as detail
      from ledger_accounts a join ledger_balances b on b.account_id = a.id
      where a.program_id = ${programId}::uuid and b.limited <> (a.partner_id is not null)`,
  },
  {
    name: 'idempotency bodies match',
    query: (scope) => sql`
      select format('transfer %s (%s) is not what was posted under its key', t.id, t.key) as detail
      from ledger_transfers t ${bodies(scope)}
      where ${lookedAt(scope)} and t.body_hash <> ledger_digest(b.body)`,
  },
  {
    name: 'the chain holds',
    query: ({ programId, since }) => sql`
      select format('link %s (transfer %s): %s', s.sequence, s.transfer_id, case
          when s.sequence <> s.place then 'the chain has a gap before it'
          when s.previous_hash <> s.expected_previous then 'it does not follow the link before it'
          else 'the transfer is not what was sealed' end) as detail
      from (
        select s.*, ${since?.sequence ?? 0}::bigint + row_number() over (order by s.sequence) as place,
          coalesce(lag(s.hash) over (order by s.sequence), ${since?.hash ?? chainStart}) as expected_previous
        from ledger_seals s where s.program_id = ${programId}::uuid and s.sequence > ${since?.sequence ?? 0}
      ) s
      left join ledger_transfers t on t.id = s.transfer_id
      where s.sequence <> s.place or s.previous_hash <> s.expected_previous or t.id is null
        or s.hash <> ledger_link(s.previous_hash, s.sequence, t)
      order by s.sequence`,
  },
  {
    name: 'the chain is complete',
    query: (scope) => sql`
      select format('the chain ends at link %s, but %s links were sealed', coalesce(last.sequence, 0), coalesce(h.sequence::text, 'no')) as detail
      from core_programs p
      left join ledger_heads h on h.program_id = p.id
      left join lateral (
        select s.sequence, s.hash from ledger_seals s where s.program_id = p.id order by s.sequence desc limit 1
      ) last on true
      where p.id = ${scope.programId}::uuid
        and (coalesce(h.sequence, 0) <> coalesce(last.sequence, 0) or coalesce(h.hash, ${chainStart}) <> coalesce(last.hash, ${chainStart}))
      union all
      select format('transfer %s (%s) is %s', t.id, t.key, case when s.transfer_id is null then 'neither sealed nor waiting to be' else 'sealed and waits to be' end)
      from ledger_transfers t
      left join ledger_seals s on s.transfer_id = t.id and s.program_id = t.program_id
      left join ledger_unsealed u on u.transfer_id = t.id and u.program_id = t.program_id
      where ${lookedAt(scope)} and (s.transfer_id is null) = (u.transfer_id is null)`,
  },
]

/** Runs every check over one program; see `Ledger.prove`. */
export async function prove(
  reader: Reader,
  programId: string,
  projections: readonly Projection[],
  since?: Checkpoint,
): Promise<Proof> {
  return inSnapshot(reader, async (tx) => {
    const scope = { programId, since }
    // None of the questions waits for the answer to another, so they are all asked at once.
    const [checked, prints, projected, counts] = await Promise.all([
      Promise.all(checks.map(({ query }) => tx.execute<{ detail: string }>(sql`${query(scope)} limit ${findingsPerCheck}`))),
      printsOf(tx, scope),
      Promise.all(projections.map(({ disagreements }) => disagreements(tx, programId))),
      countsOf(tx, programId),
    ])
    const findings: ProofFinding[] = checks.flatMap(({ name }, i) => checked[i]!.map(({ detail }) => ({ check: name, detail })))
    if (since && prints.proven !== since.print)
      findings.push({
        check: 'what was proven is unchanged',
        detail: `Rows up to link ${since.sequence} of the chain are not what they were at the last proof. A proof of everything names them.`,
      })
    for (const [i, { id }] of projections.entries())
      for (const detail of projected[i]!.slice(0, findingsPerCheck)) findings.push({ check: `${id} agrees`, detail })
    const { transfers, sealed, accounts, sequence, hash } = counts
    return {
      ok: findings.length === 0,
      transfers: Number(transfers),
      sealed: Number(sealed),
      accounts: Number(accounts),
      findings,
      checkpoint: { sequence: Number(sequence), hash, print: prints.sealed },
    }
  })
}

/** How much there is, and where the chain ends. */
async function countsOf(tx: Tx, programId: string) {
  const [row] = await tx.execute<{ transfers: string; sealed: string; accounts: string; sequence: string; hash: string }>(sql`
    select (select count(*) from ledger_transfers where program_id = ${programId}::uuid) as transfers,
      (select count(*) from ledger_seals where program_id = ${programId}::uuid) as sealed,
      (select count(*) from ledger_accounts where program_id = ${programId}::uuid) as accounts,
      coalesce((select sequence from ledger_heads where program_id = ${programId}::uuid), 0) as sequence,
      coalesce((select hash from ledger_heads where program_id = ${programId}::uuid), ${chainStart}) as hash`)
  return row!
}

/**
 * Fingerprints of every transfer, entry and link of the program: of those that the checkpoint covers, and of all that are sealed by now. The prints of rows
 * are put together by exclusive or, so that what is new is taken out of the whole without naming what is old: a row that was changed, deleted or slipped
 * in under what was proven shows. They find accidents and careless hands at the price of reading each row once; the chain of SHA-256, which a proof of
 * everything recomputes, also finds those who know how the prints are made.
 */
async function printsOf(tx: Tx, scope: Scope): Promise<{ proven: string; sealed: string }> {
  const { programId } = scope
  const printOver = (transfers: SQL, entries: SQL, links: SQL) => sql`
    coalesce((select bit_xor(hash_record_extended(t, 0)) from ledger_transfers t where t.program_id = ${programId}::uuid and ${transfers}), 0)
    # coalesce((select bit_xor(hash_record_extended(e, 1)) from ledger_entries e where ${entries}), 0)
    # coalesce((select bit_xor(hash_record_extended(s, 2)) from ledger_seals s where s.program_id = ${programId}::uuid and ${links}), 0)`
  const unsealed = sql`select u.transfer_id from ledger_unsealed u where u.program_id = ${programId}::uuid`
  const of = (transfers: SQL, links: SQL) => printOver(sql`t.id in (${transfers})`, sql`e.transfer_id in (${transfers})`, links)
  const [row] = await tx.execute<{ proven: string; sealed: string }>(sql`
    with prints as materialized (
      select ${printOver(sql`true`, sql`e.account_id in (select a.id from ledger_accounts a where a.program_id = ${programId}::uuid)`, sql`true`)} as whole,
        ${of(freshIn(scope), sql`s.sequence > ${scope.since?.sequence ?? 0}`)} as fresh, ${of(unsealed, sql`false`)} as waiting
    )
    select (whole # fresh)::text as proven, (whole # waiting)::text as sealed from prints`)
  return row!
}
