// Single-use links: a random token is given out once, only its hash is stored, and using it is one atomic update.
import { createHash, randomBytes } from 'node:crypto'
import { and, eq, isNull, ne } from 'drizzle-orm'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Reader, Tx } from './connect.ts'
import { tokens } from './tables.ts'

export type TokenState = { state: 'good' | 'used' | 'expired'; programId: string; subject: string } | { state: 'unknown' }

export interface Tokens {
  /** Makes a token for the subject and voids its earlier ones of the same purpose. Returns the secret (43 characters of base64url). */
  issue(tx: Tx, options: { programId: string; purpose: string; subject: string; lifetimeMs: number }): Promise<string>
  /** What the token is, without using it. */
  inspect(reader: Reader, purpose: string, secret: string): Promise<TokenState>
  /** Uses the token; of two concurrent uses one sees `good` and the other `used`. */
  redeem(tx: Tx, purpose: string, secret: string): Promise<TokenState>
}

export function createTokens(clock: Clock): Tokens {
  const inspect: Tokens['inspect'] = async (reader, purpose, secret) => {
    const [row] = await reader
      .select()
      .from(tokens)
      .where(and(eq(tokens.hash, hashOf(secret)), eq(tokens.purpose, purpose)))
    if (!row) return { state: 'unknown' }
    return {
      state: row.usedAt ? 'used' : row.expiresAt <= clock.now() ? 'expired' : 'good',
      programId: row.programId,
      subject: row.subject,
    }
  }
  return {
    inspect,
    issue: async (tx, { programId, purpose, subject, lifetimeMs }) => {
      const secret = randomBytes(32).toString('base64url')
      const now = clock.now()
      await tx.insert(tokens).values({
        hash: hashOf(secret),
        programId,
        purpose,
        subject,
        expiresAt: new Date(now.getTime() + lifetimeMs),
        createdAt: now,
      })
      await tx
        .update(tokens)
        .set({ expiresAt: now })
        .where(
          and(
            eq(tokens.programId, programId),
            eq(tokens.purpose, purpose),
            eq(tokens.subject, subject),
            isNull(tokens.usedAt),
            ne(tokens.hash, hashOf(secret)),
          ),
        )
      return secret
    },
    redeem: async (tx, purpose, secret) => {
      const before = await inspect(tx, purpose, secret)
      if (before.state !== 'good') return before
      const used = await tx
        .update(tokens)
        .set({ usedAt: clock.now() })
        .where(and(eq(tokens.hash, hashOf(secret)), isNull(tokens.usedAt)))
        .returning({ hash: tokens.hash })
      return used.length > 0 ? before : { ...before, state: 'used' }
    },
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
