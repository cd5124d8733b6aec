// API keys: making, listing, revoking, and telling whose key a request brings. The key is shown once; what is stored is its hash.
import { createHash, randomBytes } from 'node:crypto'
import { and, desc, eq, isNull } from 'drizzle-orm'
import { type Caller, type Clock, type Db, minutes, newId, type Reader, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Config } from './config.ts'
import type { ApiScope } from './public.ts'
import { keys } from './tables.ts'

export type ApiKey = Omit<typeof keys.$inferSelect, 'hash'>

export interface NewKey {
  readonly programId: string
  readonly name: string
  readonly scopes: readonly string[]
  /** Undefined: until it is revoked. */
  readonly lifetimeMs: number | undefined
  /** Undefined: as the program's settings say. */
  readonly requestsPerMinute: number | undefined
  readonly createdBy: string
}

export interface KeyService {
  /** Makes a key and returns its secret, which cannot be had again. @throws UserError for a scope that does not exist, none at all, or too many keys */
  create(tx: Tx, wanted: NewKey): Promise<{ key: ApiKey; secret: string }>
  /** The program's keys, newest first. */
  list(reader: Reader, programId: string): Promise<ApiKey[]>
  /** From the commit on the key is refused; `changed` is false when it was revoked before. @throws UserError for an id that is no key of the program */
  revoke(tx: Tx, programId: string, id: string): Promise<{ key: ApiKey; changed: boolean }>
  /** Whose key the header `Authorization: Bearer …` brings, or why it is refused. */
  identify(authorization: string | undefined): Promise<Caller | UserError>
  scopes(): readonly ApiScope[]
}

const mostKeys = 100
const keyPattern = /^siso_key_[\w-]{43}$/

export function createKeyService({
  db,
  clock,
  settings,
  scopes,
}: {
  db: Db
  clock: Clock
  settings: Settings<Config>
  scopes: () => readonly ApiScope[]
}): KeyService {
  async function noteUse({ id, programId, lastUsedAt }: ApiKey): Promise<void> {
    const now = clock.now()
    if (lastUsedAt && now.getTime() - lastUsedAt.getTime() < minutes(1)) return
    await db
      .update(keys)
      .set({ lastUsedAt: now })
      .where(and(eq(keys.programId, programId), eq(keys.id, id)))
  }

  return {
    scopes,
    create: async (tx, wanted) => {
      const unknown = wanted.scopes.filter((name) => !scopes().some((scope) => scope.name === name))
      if (unknown.length > 0 || wanted.scopes.length === 0) throw unknownScope(unknown, scopes())
      const { requestsPerMinute } = await settings.of(tx, wanted.programId)
      const present = await tx
        .select({ id: keys.id })
        .from(keys)
        .where(and(eq(keys.programId, wanted.programId), isNull(keys.revokedAt)))
      if (present.length >= mostKeys)
        throw new UserError(
          'too_many_keys',
          `There are ${mostKeys} API keys already. Revoke one that is not used any more; \`/admin-api keys list\` shows when each was used.`,
        )
      const secret = `siso_key_${randomBytes(32).toString('base64url')}`
      const now = clock.now()
      const row = {
        id: newId(now),
        programId: wanted.programId,
        name: wanted.name,
        hash: hashOf(secret),
        beginning: secret.slice(0, 14),
        scopes: [...new Set(wanted.scopes)].sort(),
        requestsPerMinute: wanted.requestsPerMinute ?? requestsPerMinute,
        createdBy: wanted.createdBy,
        createdAt: now,
        expiresAt: wanted.lifetimeMs === undefined ? null : new Date(now.getTime() + wanted.lifetimeMs),
        revokedAt: null,
        lastUsedAt: null,
      }
      await tx.insert(keys).values(row)
      return { key: row, secret }
    },
    list: (reader, programId) =>
      reader.select().from(keys).where(eq(keys.programId, programId)).orderBy(desc(keys.createdAt), desc(keys.id)),
    revoke: async (tx, programId, id) => {
      const one = and(eq(keys.programId, programId), eq(keys.id, id))
      const [key] = isId(id) ? await tx.select().from(keys).where(one).for('update') : []
      if (!key)
        throw new UserError('unknown_key', 'There is no such API key here. Choose one from the list that appears while you type.')
      if (key.revokedAt) return { key, changed: false }
      const revokedAt = clock.now()
      await tx.update(keys).set({ revokedAt }).where(one)
      return { key: { ...key, revokedAt }, changed: true }
    },
    identify: async (authorization) => {
      const secret = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
      if (secret === undefined)
        return refusal(
          'missing_key',
          'Send an API key in the header “Authorization: Bearer siso_key_…”. An admin makes one with /admin-api keys create.',
        )
      const [key] = keyPattern.test(secret)
        ? await db
            .select()
            .from(keys)
            .where(eq(keys.hash, hashOf(secret)))
        : []
      if (!key) return refusal('unknown_key', 'This API key does not exist. Check that it was copied whole.')
      if (key.revokedAt) return refusal('revoked_key', 'This API key was revoked. Ask an admin of the program for a new one.')
      if (key.expiresAt && key.expiresAt <= clock.now())
        return refusal('expired_key', 'This API key has expired. Ask an admin of the program for a new one.')
      await noteUse(key)
      return { programId: key.programId, keyId: key.id, scopes: key.scopes, requestsPerMinute: key.requestsPerMinute }
    },
  }
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text)
}

const refusal = (code: string, message: string): UserError => new UserError(code, message, { status: 401 })

function unknownScope(unknown: readonly string[], scopes: readonly ApiScope[]): UserError {
  const what =
    unknown.length > 0 ? `There is no scope ${unknown.map((name) => `“${name}”`).join(', ')}.` : 'Name at least one scope.'
  return new UserError('unknown_scope', `${what} The scopes are: ${scopes.map(({ name }) => name).join(', ')}.`)
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
