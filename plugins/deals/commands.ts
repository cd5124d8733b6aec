// The commands of deals: partners register and keep theirs; admins review, and say what became of them.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { audit } from '../../db/tables.ts'
import { type Db, refuseOwn, type Tx } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import {
  adminDealCard,
  dealCard,
  dealForm,
  dealList,
  decidedCard,
  pageSize,
  rejectModal,
  reviewList,
  sameMoneyCard,
  statusChoices,
  suggestionOf,
  updateForm,
  wonCard,
} from './messages.ts'
import type { DealPayments } from './payments.ts'
import { type Money, readMoney } from './prospect.ts'
import type { DealFilter, DealService } from './service.ts'
import type { Deal, DealStatus } from './tables.ts'

export interface Parts {
  readonly db: Db
  readonly service: DealService
  readonly partners: Partners
  readonly payments: DealPayments
}

export const dealCommands = (parts: Parts): Command[] => [...partnerCommands(parts), ...adminCommands(parts)]

/** A page of the partner's own deals. */
export async function showPage({ db, service, partners }: Parts, ctx: Ctx, page: number): Promise<Message> {
  const { id: partnerId } = await partners.require(db, ctx)
  return dealList(await service.list(db, ctx.program.id, { partnerId }, { limit: pageSize, offset: page * pageSize }), page)
}

/** A page of the program's deals, for admins. */
export async function showReview({ db, service }: Parts, ctx: Ctx, status: DealStatus | undefined, page: number): Promise<Message> {
  const filter: DealFilter = status === undefined ? {} : { status }
  return reviewList(await service.list(db, ctx.program.id, filter, { limit: pageSize, offset: page * pageSize }), status, page)
}

/**
 * Records the deal's money as a sale. More than `seen` payments that may be the same money are asked about first; as many as were seen are other money, says
 * whoever records it.
 */
export async function win(parts: Parts, ctx: Ctx, dealId: string, money: Money, seen = 0): Promise<Message> {
  const { db, service, payments } = parts
  const programId = ctx.program.id
  const deal = await service.get(db, programId, dealId)
  refuseOwn('deal', deal.userId, ctx.user.id)
  const isAccepted = deal.status === 'accepted'
  const ofContact = isAccepted ? await payments.open(db, programId, deal.id) : []
  const reported = isAccepted ? [...ofContact, ...(await payments.alike(db, deal, money))] : []
  if (reported.length > seen) return sameMoneyCard(deal, reported, money)
  const done = await decide(parts, ctx, 'won', async (tx) => {
    for (const { saleId } of ofContact) await payments.other(tx, programId, deal.id, saleId, ctx.user.id)
    return service.win(tx, programId, deal.id, money, ctx.user.id)
  })
  return wonCard(done.deal, done.credited === done.deal.partnerId)
}

/** Does what an admin decided and notes who did it, in one transaction. */
export function decide<T extends { deal: Deal }>(
  { db }: Parts,
  ctx: Ctx,
  action: string,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const done = await work(tx)
    const { id, reason } = done.deal
    const detail = { dealId: id, ...(reason !== null && { reason }) }
    await tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action: `deals.${action}`, detail, at: ctx.now })
    return done
  })
}

/** Suggests deals by company; the newest 100 that the filter leaves. */
const suggestDeals =
  ({ db, service }: Parts, filterFor: (ctx: Ctx) => Promise<DealFilter | undefined>) =>
  async (ctx: Ctx, typed: string) => {
    const filter = await filterFor(ctx)
    if (!filter) return []
    const { deals } = await service.list(db, ctx.program.id, filter, { limit: 100, offset: 0 })
    return deals
      .map((deal) => ({ name: suggestionOf(deal), value: deal.id }))
      .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase()))
  }

const dealOption = { type: 'string', description: 'The deal; type the company’s name', required: true } as const

function partnerCommands(parts: Parts): Command[] {
  const { db, service, partners } = parts
  const own = async (ctx: Ctx): Promise<DealFilter | undefined> => {
    const partner = await partners.byUser(db, ctx.program.id, ctx.user.id)
    return partner && { partnerId: partner.id }
  }
  const deal = { ...dealOption, suggest: suggestDeals(parts, own) }
  return [
    defineCommand({
      path: 'deal submit',
      description: 'Register a company that might buy, and protect it for you',
      access: partners.active,
      reply: 'modal',
      run: async ({ program, user }) => dealForm((await service.draft(db, program.id, user.id, 'submit')) ?? {}, program.currency),
    }),
    defineCommand({
      path: 'deal list',
      description: 'Your deals and how far they are',
      access: partners.registered,
      reply: 'ephemeral',
      run: (ctx) => showPage(parts, ctx, 0),
    }),
    defineCommand({
      path: 'deal show',
      description: 'One of your deals in detail',
      options: { deal },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { id: partnerId } = await partners.require(db, ctx)
        return dealCard(await service.get(db, ctx.program.id, options.deal, partnerId))
      },
    }),
    defineCommand({
      path: 'deal update',
      description: 'Change value or notes of one of your deals, or give it up',
      options: { deal },
      access: partners.registered,
      reply: 'modal',
      run: async (ctx, options) => {
        const { id: partnerId } = await partners.require(db, ctx)
        const found = await service.get(db, ctx.program.id, options.deal, partnerId)
        return updateForm(found, await service.draft(db, ctx.program.id, ctx.user.id, found.id))
      },
    }),
  ]
}

function adminCommands(parts: Parts): Command[] {
  const { db, service } = parts
  const anyDeal = { ...dealOption, suggest: suggestDeals(parts, async () => ({})) }
  const dealThatIs = (status: DealStatus) => ({ ...dealOption, suggest: suggestDeals(parts, async () => ({ status })) })
  return [
    defineCommand({
      path: 'admin deals list',
      description: 'The deals that partners registered',
      options: { status: { type: 'string', description: 'Only those with this status', choices: statusChoices } },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { status }) => showReview(parts, ctx, status as DealStatus | undefined, 0),
    }),
    defineCommand({
      path: 'admin deals show',
      description: 'One deal in detail, with its contact',
      options: { deal: anyDeal },
      access: 'admin',
      reply: 'ephemeral',
      run: async ({ program }, { deal }) => adminDealCard(await service.get(db, program.id, deal)),
    }),
    defineCommand({
      path: 'admin deals accept',
      description: 'Accept a deal: what its contact buys counts for the partner',
      options: { deal: dealThatIs('submitted') },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal }) => {
        const done = await decide(parts, ctx, 'accept', async (tx) => ({
          deal: await service.accept(tx, ctx.program.id, deal, ctx.user.id),
        }))
        return decidedCard(done.deal)
      },
    }),
    defineCommand({
      path: 'admin deals reject',
      description: 'Reject a deal, with a reason that the partner reads',
      options: { deal: dealThatIs('submitted') },
      access: 'admin',
      reply: 'modal',
      run: async ({ program }, { deal }) => rejectModal(await service.get(db, program.id, deal)),
    }),
    defineCommand({
      path: 'admin deals won',
      description: 'Record an accepted deal as a sale; asks first about payments that may be the same money',
      options: {
        deal: dealThatIs('accepted'),
        amount: { type: 'string', description: 'What was paid, without tax, e.g. 12,500.00', required: true, max: 30 },
        currency: { type: 'string', description: 'ISO code; left out, the program’s currency', max: 3 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal, amount, currency }) => win(parts, ctx, deal, readMoney(amount, currency ?? ctx.program.currency)),
    }),
    defineCommand({
      path: 'admin deals lost',
      description: 'Close a deal that will not happen; frees the prospect',
      options: { deal: anyDeal, reason: { type: 'string', description: 'Why; the partner reads this', max: 500 } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal, reason }) => {
        const done = await decide(parts, ctx, 'lost', async (tx) => ({
          deal: await service.lose(tx, ctx.program.id, deal, reason ?? null),
        }))
        return decidedCard(done.deal)
      },
    }),
  ]
}
