// The admins' commands for webhooks.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, newId, readDay, type Tx, UserError } from '../kit/index.ts'
import type { EndpointService } from './endpoints.ts'
import { signedHeaders } from './secrets.ts'
import type { Send } from './sender.ts'
import {
  endpointAdded,
  endpointList,
  endpointRemoved,
  replayAsked,
  secretRotated,
  testResult,
  unreadableSecret,
} from './webhookMessages.ts'
import { wordCompletions } from './words.ts'

interface Parts {
  db: Db
  endpoints: EndpointService
  send: Send
}

export function webhookCommands({ db, endpoints, send }: Parts): Command[] {
  const note = (tx: Tx, ctx: Ctx, action: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action: `developer.${action}`, detail, at: ctx.now })
  const webhook = {
    type: 'string',
    description: 'The webhook',
    required: true,
    suggest: async (ctx: Ctx, typed: string) =>
      (await endpoints.list(db, ctx.program.id))
        .filter(({ url }) => url.toLowerCase().includes(typed.trim().toLowerCase()))
        .map(({ id, url }) => ({ name: url.slice(0, 100), value: id })),
  } as const
  const common = { access: 'admin', reply: 'ephemeral' } as const

  return [
    defineCommand({
      ...common,
      path: 'admin-api webhooks add',
      description: 'Send events to a server of yours',
      options: {
        url: { type: 'string', description: 'Where to, beginning with https://', required: true, max: 500 },
        events: {
          type: 'string',
          description: 'Which events, with a space between them; left out, all',
          max: 1000,
          suggest: async (_ctx: Ctx, typed: string) => wordCompletions(endpoints.types(), typed),
        },
      },
      run: (ctx, { url, events = '' }) =>
        db.transaction(async (tx) => {
          const types = events.split(/[\s,]+/).filter(Boolean)
          const { endpoint, secret } = await endpoints.add(tx, { programId: ctx.program.id, url, types, createdBy: ctx.user.id })
          await note(tx, ctx, 'webhook_added', { webhook: endpoint.id, url: endpoint.url })
          return endpointAdded(endpoint, secret)
        }),
    }),
    defineCommand({
      ...common,
      path: 'admin-api webhooks list',
      description: 'Webhooks and how they are doing',
      run: async (ctx) => endpointList(await endpoints.list(db, ctx.program.id), endpoints.types()),
    }),
    defineCommand({
      ...common,
      path: 'admin-api webhooks test',
      description: 'Send a test message now',
      options: { webhook },
      run: async (ctx, { webhook: id }) => {
        const endpoint = await endpoints.find(db, ctx.program.id, id)
        const message = { id: newId(ctx.now), type: 'webhook.test', version: 1, timestamp: ctx.now.toISOString(), data: {} }
        const body = JSON.stringify(message)
        const secrets = endpoints.secretsOf(endpoint)
        if (secrets.length === 0) throw new UserError('unreadable_secret', `Nothing was sent: ${unreadableSecret}.`)
        const headers = signedHeaders({ id: message.id, at: ctx.now, body }, secrets)
        return testResult(endpoint, await send(endpoint.url, headers, body))
      },
    }),
    defineCommand({
      ...common,
      path: 'admin-api webhooks replay',
      description: 'Send everything since a day again, and switch the webhook on',
      options: { webhook, since: { type: 'string', description: 'From this day on, e.g. 2026-11-30', required: true, max: 20 } },
      run: (ctx, { webhook: id, since }) =>
        db.transaction(async (tx) => {
          const from = readDay(since, ctx.program.timeZone, 0)
          const { endpoint, events } = await endpoints.replay(tx, ctx.program.id, id, from)
          await note(tx, ctx, 'webhook_replayed', { webhook: endpoint.id, since: from.toISOString(), events })
          return replayAsked(endpoint, events, from)
        }),
    }),
    defineCommand({
      ...common,
      path: 'admin-api webhooks rotate',
      description: 'Make a new signing secret; the old one works for another day',
      options: { webhook },
      run: (ctx, { webhook: id }) =>
        db.transaction(async (tx) => {
          const { endpoint, secret } = await endpoints.rotate(tx, ctx.program.id, id)
          await note(tx, ctx, 'webhook_rotated', { webhook: endpoint.id })
          return secretRotated(endpoint, secret)
        }),
    }),
    defineCommand({
      ...common,
      path: 'admin-api webhooks remove',
      description: 'Send nothing there any more',
      options: { webhook },
      run: (ctx, { webhook: id }) =>
        db.transaction(async (tx) => {
          const endpoint = await endpoints.remove(tx, ctx.program.id, id)
          await note(tx, ctx, 'webhook_removed', { webhook: endpoint.id, url: endpoint.url })
          return endpointRemoved(endpoint)
        }),
    }),
  ]
}
