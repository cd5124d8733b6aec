// What partners ask about their earnings, and how an admin sets the hold for everyone. Single commissions and rules: adminCommands.ts, ruleCommands.ts.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { saveSetting } from '../../commands/settings.ts'
import { audit } from '../../db/tables.ts'
import type { Attribution } from '../attribution/public.ts'
import {
  type Db,
  type DiscordEffects,
  days,
  type Emit,
  type Enqueue,
  formatMoney,
  monthName,
  monthOf,
  previousMonth,
  type Settings,
} from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Partners } from '../partners/public.ts'
import { adminCommissionCommands } from './adminCommands.ts'
import { type Config, config } from './config.ts'
import { releaseCommissions } from './jobs.ts'
import { earningsCard, holdCard } from './messages.ts'
import type { RuleBook } from './ruleBook.ts'
import { ruleCommands } from './ruleCommands.ts'
import type { CommissionService } from './service.ts'
import { statementCard } from './statementMessages.ts'
import type { StatementService } from './statements.ts'
import { explainSale } from './why.ts'
import { whyCard } from './whyMessages.ts'

interface Needs {
  readonly db: Db
  readonly emit: Emit
  readonly discord: DiscordEffects
  readonly enqueue: Enqueue
  readonly service: CommissionService
  readonly partners: Partners
  readonly ledger: Ledger
  readonly attribution: Attribution
  readonly settings: Settings<Config>
  readonly book: RuleBook
  readonly statements: StatementService
}

export const commissionGroups = {
  earnings: 'What you have earned',
  'admin commissions': 'What partners have earned',
  'admin rules': 'What partners earn by which rule',
}

export const commissionCommands = (needs: Needs): Command[] => [
  earnings(needs),
  why(needs),
  statement(needs),
  hold(needs),
  ...adminCommissionCommands(needs),
  ...ruleCommands(needs),
]

function earnings({ db, service, partners, ledger }: Needs): Command {
  return defineCommand({
    path: 'earnings show',
    description: 'What you have earned, and when it can be paid',
    access: partners.registered,
    reply: 'ephemeral',
    run: async (ctx) => {
      const partner = await partners.require(db, ctx)
      const balances = await ledger.balances(db, ctx.program.id, partner.id)
      const debts = balances.filter(({ kind, amount }) => kind === 'clawback_debt' && amount > 0n)
      return earningsCard(
        {
          commissions: await service.ofPartner(db, ctx.program.id, partner.id),
          debts: new Map(debts.map(({ currency, amount }) => [currency, amount])),
        },
        ctx.now,
      )
    },
  })
}

function why({ db, service, partners, attribution }: Needs): Command {
  const suggest = async (ctx: Ctx, typed: string) => {
    const partner = await partners.byUser(db, ctx.program.id, ctx.user.id)
    if (!partner) return []
    const own = await service.newest(db, ctx.program.id, { partnerIds: [partner.id], limit: 100 })
    const since = new Date(ctx.now.getTime() - days(90))
    const missed = await attribution.missed(db, ctx.program.id, partner.id, { since, limit: 5 })
    return [
      ...own.map(({ saleId, basis, amount, currency, earnedAt }) => ({
        name: `${day(earnedAt)} · sale of ${formatMoney(basis, currency)} · earned ${formatMoney(amount, currency)} · ${saleId.slice(-8)}`,
        value: saleId,
      })),
      ...missed.map(({ id, paidAt }) => ({ name: `${day(paidAt)} · not credited to you · ${id.slice(-8)}`, value: id })),
    ]
      .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(typed.trim().toLowerCase()))
      .sort((a, b) => (a.name < b.name ? 1 : -1))
      .slice(0, 25)
  }
  return defineCommand({
    path: 'earnings why',
    description: 'Why a sale earned you what it did, or nothing',
    options: { sale: { type: 'string', description: 'The sale; the latest are suggested', required: true, suggest } },
    access: partners.registered,
    reply: 'ephemeral',
    run: async (ctx, { sale }) => {
      const partner = await partners.require(db, ctx)
      return whyCard(await explainSale({ attribution, service }, db, partner, sale.trim()), partner.id, ctx.now)
    },
  })
}

const day = (at: Date): string => at.toISOString().slice(0, 10)

function statement({ db, partners, statements }: Needs): Command {
  const suggest = async (ctx: Ctx, typed: string) => {
    const months = [monthOf(ctx.now, ctx.program.timeZone)]
    while (months.length < 24) months.push(previousMonth(months.at(-1)!))
    return months
      .map((month) => ({ name: monthName(month), value: month }))
      .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(typed.trim().toLowerCase()))
  }
  return defineCommand({
    path: 'earnings statement',
    description: 'Your statement of a month, as PDF and CSV',
    options: { month: { type: 'string', description: 'Such as 2026-11 (default: the last finished month)', max: 7, suggest } },
    access: partners.registered,
    reply: 'ephemeral',
    run: async (ctx, { month }) => {
      const partner = await partners.require(db, ctx)
      return statementCard(await statements.of(db, partner, month?.trim() || undefined))
    },
  })
}

function hold({ db, emit, discord, enqueue, service }: Needs): Command {
  return defineCommand({
    path: 'admin commissions hold',
    description: 'How long commissions wait before they can be paid',
    options: {
      days: { type: 'integer', description: 'Days from the payment; 0 means right away', required: true, min: 0, max: 365 },
      apply_to_pending: { type: 'boolean', description: 'Also change commissions that are pending now (default: no)' },
      reason: { type: 'string', description: 'Why; partners may see it', max: 200 },
    },
    access: 'admin',
    reply: 'ephemeral',
    run: async (ctx, options) => {
      const { days } = options
      const programId = ctx.program.id
      const note = options.reason ?? `The hold was set to ${days} days for everyone.`
      // The setting first, so that what is booked meanwhile has the new hold.
      await db.transaction(async (tx) => {
        await saveSetting({ emit, discord }, tx, ctx, { id: 'commissions', title: 'Commissions', config }, 'holdDays', String(days))
        await tx.insert(audit).values({
          programId,
          actor: ctx.user.id,
          action: 'commissions.hold',
          detail: { days, applyToPending: options.apply_to_pending ?? false, note },
          at: ctx.now,
        })
      })
      const restamped = options.apply_to_pending
        ? await service.restampPending(programId, days, { actor: ctx.user.id, note })
        : undefined
      if (restamped) await db.transaction((tx) => enqueue(tx, releaseCommissions, { programId }, { programId }))
      return holdCard({ days, restamped, note })
    },
  })
}
