// What operators watch of the books: how the last proof ended and how old it is, and what is not sealed yet.
import { sql } from 'drizzle-orm'
import type { Clock, Db, Gauge } from '../kit/index.ts'
import type { Proof } from './public.ts'
import { proofs } from './tables.ts'

/** Keeps how a proof ended. */
export async function keepProof(db: Db, programId: string, { ok, findings, transfers }: Proof, at: Date): Promise<void> {
  const row = { ok, findings: findings.length, transfers, provenAt: at }
  await db
    .insert(proofs)
    .values({ programId, ...row })
    .onConflictDoUpdate({ target: proofs.programId, set: row })
}

export function ledgerGauges(db: Db, clock: Clock): Gauge[] {
  return [
    {
      name: 'siso_ledger_proof_ok',
      help: 'Whether the last proof of a program’s books held: 1, or 0. At 0 stop payouts and run npm run proof.',
      labels: ['program'],
      read: async () =>
        (await db.select().from(proofs)).map(({ programId, ok }) => ({ labels: { program: programId }, value: ok ? 1 : 0 })),
    },
    {
      name: 'siso_ledger_proof_age_seconds',
      help: 'How long ago a program’s books were last proven. They are every night: above 100,000 the schedule does not run.',
      labels: ['program'],
      read: async () =>
        (await db.select().from(proofs)).map(({ programId, provenAt }) => ({
          labels: { program: programId },
          value: (clock.now().getTime() - provenAt.getTime()) / 1000,
        })),
    },
    {
      name: 'siso_ledger_unsealed',
      help: 'Transfers that have no place in the hash chain yet. They get one within seconds.',
      read: async () => {
        const [row] = await db.execute<{ n: number }>(sql`select count(*)::int as n from ledger_unsealed`)
        return [{ value: row!.n }]
      },
    },
  ]
}
