// The commands of fraud: admins review and decide, partners appeal.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { type Db, type Reader, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import {
  allowedCard,
  allowedList,
  appealModal,
  decidedCard,
  disallowedCard,
  evidenceCard,
  nothingToAppeal,
  ownSuggestionOf,
  pageSize,
  queueCard,
  suggestionOf,
} from './messages.ts'
import type { FraudService } from './service.ts'

export interface Parts {
  readonly db: Db
  readonly service: FraudService
  readonly partners: Partners
}

export async function showQueue(parts: Parts, ctx: Ctx, page: number): Promise<Message> {
  const open = await parts.service.queue(parts.db, ctx.program.id, { limit: pageSize, offset: page * pageSize })
  const last = Math.max(0, Math.ceil(open.total / pageSize) - 1)
  // What was decided meanwhile may have taken the page away.
  return page > last ? showQueue(parts, ctx, last) : queueCard(open, page)
}

export async function showCase({ db, service }: Parts, ctx: Ctx, id: string): Promise<Message> {
  const found = await service.get(db, ctx.program.id, id)
  return evidenceCard(found, service.wordsOf(found))
}

const reason = { type: 'string', description: 'Why; kept with your name', required: true, min: 3, max: 500 } as const

export function fraudCommands(parts: Parts): Command[] {
  const { db, service, partners } = parts
  const anyCase = {
    type: 'string',
    description: 'The case; open ones are suggested, and a commission’s id finds its case, too',
    required: true,
    max: 100,
    suggest: async (ctx: Ctx, typed: string) =>
      (await service.queue(db, ctx.program.id, { limit: 100, offset: 0 })).cases
        .map((found) => ({ name: suggestionOf(found), value: found.id }))
        .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase())),
  } as const
  const partnerOf = async (reader: Reader, ctx: Ctx, userId: string): Promise<string> => {
    const partner = await partners.byUser(reader, ctx.program.id, userId)
    if (!partner) throw new UserError('no_partner', `<@${userId}> is not a partner of this program.`)
    return partner.id
  }
  const decision = (path: 'clear' | 'reject', description: string) =>
    defineCommand({
      path: `admin fraud ${path}`,
      description,
      options: { case: anyCase, reason },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) =>
        decidedCard(
          await db.transaction((tx) =>
            service.decide(tx, ctx.program.id, options.case, path === 'clear' ? 'cleared' : 'rejected', {
              id: ctx.user.id,
              reason: options.reason,
            }),
          ),
        ),
    })
  const pair = {
    partner: { type: 'user', description: 'The partner, e.g. an agency', required: true },
    reason,
    with: { type: 'user', description: 'Only what connects the partner with this other partner' },
  } as const

  return [
    defineCommand({
      path: 'appeal',
      description: 'Tell your side of a commission that is being checked',
      options: {
        commission: {
          type: 'string',
          description: 'Which one, when several are being checked; left out, the oldest',
          max: 100,
          suggest: async (ctx: Ctx, typed: string) => {
            const partner = await partners.byUser(db, ctx.program.id, ctx.user.id)
            return (partner ? await service.openOf(db, ctx.program.id, partner.id) : [])
              .map((found) => ({ name: ownSuggestionOf(found), value: found.id }))
              .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase()))
          },
        },
      },
      access: partners.registered,
      reply: 'modal',
      run: async (ctx, { commission }) => {
        const { id } = await partners.require(db, ctx)
        const open = await service.openOf(db, ctx.program.id, id)
        const chosen = commission === undefined ? undefined : await service.get(db, ctx.program.id, commission, id)
        const found = open.find((one) => one.appeal === null && (chosen === undefined || one.id === chosen.id))
        return found ? appealModal(found) : nothingToAppeal(chosen ? open.filter((one) => one.id === chosen.id) : open)
      },
    }),
    defineCommand({
      path: 'admin fraud queue',
      description: 'Commissions on hold that need your decision',
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx) => showQueue(parts, ctx, 0),
    }),
    defineCommand({
      path: 'admin fraud show',
      description: 'One case with all its evidence',
      options: { case: anyCase },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) => showCase(parts, ctx, options.case),
    }),
    decision('clear', 'Let a held commission go on'),
    decision('reject', 'Decide that a held commission is not paid; the partner reads the reason'),
    defineCommand({
      path: 'admin fraud allow',
      description: 'Put an agency on the allow-list, or allow that two partners are connected',
      options: pair,
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) =>
        db.transaction(async (tx) => {
          const partnerId = await partnerOf(tx, ctx, options.partner.id)
          const otherId = options.with && (await partnerOf(tx, ctx, options.with.id))
          const { open } = await service.allow(tx, ctx.program.id, partnerId, otherId, { id: ctx.user.id, reason: options.reason })
          return allowedCard(options.partner.id, options.with?.id, open)
        }),
    }),
    defineCommand({
      path: 'admin fraud disallow',
      description: 'Take a partner, or a connection of two, off the allow-list',
      options: pair,
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) =>
        db.transaction(async (tx) => {
          const partnerId = await partnerOf(tx, ctx, options.partner.id)
          const otherId = options.with && (await partnerOf(tx, ctx, options.with.id))
          await service.disallow(tx, ctx.program.id, partnerId, otherId, { id: ctx.user.id, reason: options.reason })
          return disallowedCard(options.partner.id, options.with?.id)
        }),
    }),
    defineCommand({
      path: 'admin fraud allowed',
      description: 'The allow-list: who, since when, by whom and why',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await service.allowed(db, ctx.program.id)
        const people = new Map<string, string>()
        for (const id of new Set(rows.flatMap((row) => [row.partnerId, ...(row.otherId ? [row.otherId] : [])]))) {
          const partner = await partners.byId(db, ctx.program.id, id)
          if (partner) people.set(id, partner.userId)
        }
        return allowedList(rows, people)
      },
    }),
  ]
}
