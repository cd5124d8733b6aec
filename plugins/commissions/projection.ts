// For the nightly proof: commissions, counted anew, against the balances of the ledger. Reads only.
import { eq, sql } from 'drizzle-orm'
import type { Reader } from '../kit/index.ts'
import type { Ledger, Projection } from '../ledger/public.ts'
import { accountIn } from './decide.ts'
import type { CommissionState } from './public.ts'
import { commissions } from './tables.ts'

export function commissionProjection(ledger: Ledger): Projection {
  return {
    id: 'commissions',
    disagreements: async (reader, programId) => [
      ...(await accountsThatDisagree(reader, programId, ledger)),
      ...(await worthsThatDisagree(reader, programId, ledger)),
    ],
  }
}

/** By partner, currency and account: what commissions say is there, against what the ledger says. */
async function accountsThatDisagree(reader: Reader, programId: string, ledger: Ledger): Promise<string[]> {
  const rows = await reader
    .select({
      partnerId: commissions.partnerId,
      currency: commissions.currency,
      state: commissions.state,
      due: sql<string>`sum(${commissions.due})`,
      debt: sql<string>`sum(${commissions.clawed} - ${commissions.repaid})`,
    })
    .from(commissions)
    .where(eq(commissions.programId, programId))
    .groupBy(commissions.partnerId, commissions.currency, commissions.state)
  const expected = new Map<string, bigint>()
  const add = (key: string, amount: bigint) => expected.set(key, (expected.get(key) ?? 0n) + amount)
  for (const row of rows) {
    const account = accountIn(row.state as CommissionState)
    if (account) add(`${account} of ${row.partnerId} in ${row.currency}`, BigInt(row.due))
    add(`clawback_debt of ${row.partnerId} in ${row.currency}`, BigInt(row.debt))
  }
  const booked = new Map(
    (await ledger.balances(reader, programId))
      .filter(({ partnerId }) => partnerId !== null)
      .map(({ kind, partnerId, currency, amount }) => [`${kind} of ${partnerId} in ${currency}`, amount]),
  )
  return [...new Set([...expected.keys(), ...booked.keys()])]
    .filter((key) => (expected.get(key) ?? 0n) !== (booked.get(key) ?? 0n))
    .map((key) => `${key}: commissions say ${expected.get(key) ?? 0n}, the ledger says ${booked.get(key) ?? 0n}`)
}

/** Commission by commission: its worth against what was booked as its expense. */
async function worthsThatDisagree(reader: Reader, programId: string, ledger: Ledger): Promise<string[]> {
  const worths = sql`select id::text as subject_id, currency, amount from commissions_commissions where program_id = ${programId}::uuid`
  const found = await ledger.differing(reader, programId, { kind: 'commission_expense', subjectType: 'commission' }, worths)
  return found.map(
    ({ subjectId, currency, said, booked }) =>
      `commission ${subjectId} in ${currency} is worth ${said}, the ledger booked ${booked}`,
  )
}
