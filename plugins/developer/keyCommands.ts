// The admins' commands for API keys. A key is shown once, to the admin who made it.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, days, type Tx } from '../kit/index.ts'
import type { KeyService } from './keys.ts'
import { keyCreated, keyList, keyRevoked, keyState } from './messages.ts'
import { wordCompletions } from './words.ts'

export function keyCommands({ db, keys }: { db: Db; keys: KeyService }): Command[] {
  const note = (tx: Tx, ctx: Ctx, action: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action, detail, at: ctx.now })
  return [
    defineCommand({
      path: 'admin-api keys create',
      description: 'Make an API key; it is shown once',
      options: {
        name: { type: 'string', description: 'What uses it, e.g. Webshop', required: true, max: 60 },
        scopes: {
          type: 'string',
          description: 'What it may do: scopes with a space between them',
          required: true,
          max: 1000,
          suggest: async (_ctx: Ctx, typed: string) =>
            wordCompletions(
              keys.scopes().map(({ name }) => name),
              typed,
            ),
        },
        expires_days: { type: 'integer', description: 'After how many days it expires; left out, never', min: 1, max: 3650 },
        per_minute: { type: 'integer', description: 'Requests a minute; left out, as the settings say', min: 1, max: 100_000 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { name, scopes, expires_days: lifetime, per_minute: requestsPerMinute }) =>
        db.transaction(async (tx) => {
          const made = await keys.create(tx, {
            programId: ctx.program.id,
            name: name.trim() || 'API key',
            scopes: scopes.split(/[\s,]+/).filter(Boolean),
            lifetimeMs: lifetime === undefined ? undefined : days(lifetime),
            requestsPerMinute,
            createdBy: ctx.user.id,
          })
          await note(tx, ctx, 'developer.key_created', { key: made.key.id, name: made.key.name, scopes: made.key.scopes })
          return keyCreated(made.key, made.secret)
        }),
    }),
    defineCommand({
      path: 'admin-api keys list',
      description: 'API keys, what they may do, and when they were used',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => keyList(await keys.list(db, ctx.program.id), keys.scopes(), ctx.now),
    }),
    defineCommand({
      path: 'admin-api keys revoke',
      description: 'Refuse an API key from now on',
      options: {
        key: {
          type: 'string',
          description: 'The key',
          required: true,
          suggest: async (ctx: Ctx, typed: string) =>
            (await keys.list(db, ctx.program.id))
              .filter((key) => !key.revokedAt)
              .map((key) => ({ name: `${key.name} · ${key.beginning}… · ${keyState(key, ctx.now)}`.slice(0, 100), value: key.id }))
              .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase()))
              .slice(0, 25),
        },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { key: id }) =>
        db.transaction(async (tx) => {
          const { key, changed } = await keys.revoke(tx, ctx.program.id, id.trim())
          if (changed) await note(tx, ctx, 'developer.key_revoked', { key: key.id, name: key.name })
          return keyRevoked(key, changed)
        }),
    }),
  ]
}
