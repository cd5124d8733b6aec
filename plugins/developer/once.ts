// Runs a write once per Idempotency-Key: the effect and the answer are committed together, and the same request again is answered from what was kept.
import { createHash } from 'node:crypto'
import { and, eq, lt, sql } from 'drizzle-orm'
import { type Clock, callerOf, type Db, days, UserError } from '../kit/index.ts'
import type { Developer } from './public.ts'
import { answers } from './tables.ts'

/** How long answers are kept. A key that is used again after that counts as new. */
export const answersKeptDays = 30

export function createOnce({ db, clock }: { db: Db; clock: Clock }): Developer['once'] {
  return async (request, reply, write) => {
    const caller = callerOf(request)
    const idempotencyKey = request.headers['idempotency-key']
    if (typeof idempotencyKey !== 'string') throw new Error(`${request.routeOptions.url} does not check idempotencyHeaders`)
    const requestHash = hashOf([request.method, request.routeOptions.url, request.params, request.body])
    const { programId, keyId } = caller
    const one = and(eq(answers.programId, programId), eq(answers.keyId, keyId), eq(answers.idempotencyKey, idempotencyKey))
    const { status, answer, replayed } = await db.transaction(async (tx) => {
      // Of requests at the same moment the first inserts; the others wait here until it has committed, or take its place when it failed.
      const first = await tx
        .insert(answers)
        .values({ programId, keyId, idempotencyKey, requestHash, createdAt: clock.now() })
        .onConflictDoNothing()
        .returning({ key: answers.idempotencyKey })
      if (first.length === 0) {
        const [kept] = await tx.select().from(answers).where(one)
        if (!kept!.requestHash.equals(requestHash)) throw usedForAnother(idempotencyKey)
        return { status: kept!.status!, answer: kept!.answer!, replayed: true }
      }
      const result = await write(tx, caller)
      const answer = JSON.stringify(result.body)
      await tx.update(answers).set({ status: result.status, answer }).where(one)
      return { status: result.status, answer, replayed: false }
    })
    if (replayed) reply.header('idempotent-replayed', 'true')
    reply.status(status)
    return JSON.parse(answer)
  }
}

/** Forgets answers that are past their time. */
export async function pruneAnswers(db: Db, now: Date): Promise<void> {
  await db
    .delete(answers)
    .where(lt(answers.createdAt, sql`${new Date(now.getTime() - days(answersKeptDays)).toISOString()}::timestamptz`))
}

function usedForAnother(key: string): UserError {
  return new UserError(
    'idempotency_key_reused',
    `The Idempotency-Key “${key}” was used for another request already. Use a new key for each request, and the same key only to repeat one.`,
    { status: 409 },
  )
}

/** The order of an object's keys makes no difference. */
function hashOf(value: unknown): Buffer {
  const text = JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
  return createHash('sha256').update(text).digest()
}
