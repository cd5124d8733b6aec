// For the nightly proof: payouts, counted anew, against the balances of the ledger and against their own items. Reads only.
import { sql } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'
import type { Ledger, Projection } from '../ledger/public.ts'

export function payoutProjection(ledger: Ledger): Projection {
  return {
    id: 'payouts',
    disagreements: async (reader, programId) => [
      ...(await accountsThatDisagree(reader, programId, ledger)),
      ...(await itemsThatDisagree(reader, programId)),
    ],
  }
}

async function accountsThatDisagree(reader: Reader, programId: string, ledger: Ledger): Promise<string[]> {
  const rows = await reader.execute<{ key: string; amount: string }>(sql`
    select format('%s of %s in %s', account, partner_id, currency) as key, sum(amount) as amount
    from (
      select case when state = 'paid' then 'paid' else 'in_flight' end as account, partner_id, currency, amount
      from payouts_payouts where program_id = ${programId}::uuid and state in ('awaiting_approval', 'queued', 'sent', 'paid')
    ) live
    group by account, partner_id, currency`)
  const expected = new Map(rows.map(({ key, amount }) => [key, BigInt(amount)]))
  const booked = new Map(
    (await ledger.balances(reader, programId))
      .filter(({ kind }) => kind === 'in_flight' || kind === 'paid')
      .map(({ kind, partnerId, currency, amount }) => [`${kind} of ${partnerId} in ${currency}`, amount]),
  )
  return [...new Set([...expected.keys(), ...booked.keys()])]
    .filter((key) => (expected.get(key) ?? 0n) !== (booked.get(key) ?? 0n))
    .map((key) => `${key}: payouts say ${expected.get(key) ?? 0n}, the ledger says ${booked.get(key) ?? 0n}`)
}

async function itemsThatDisagree(reader: Reader, programId: string): Promise<string[]> {
  const rows = await reader.execute<{ detail: string }>(sql`
    select format('payout %s is over %s, its items over %s', p.id, p.amount, coalesce(sum(i.amount), 0)) as detail
    from payouts_payouts p left join payouts_items i on i.payout_id = p.id
    where p.program_id = ${programId}::uuid
    group by p.id having p.amount <> coalesce(sum(i.amount), 0)
      or bool_or((i.released_at is null) <> (p.state in ('awaiting_approval', 'queued', 'sent', 'paid')))`)
  return rows.map(({ detail }) => detail)
}
