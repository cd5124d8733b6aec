// What partners ask about their earnings, and how an admin sets the hold.
import { type Command, defineCommand } from '../../commands/define.ts'
import { writeSetting } from '../../db/settings.ts'
import { audit } from '../../db/tables.ts'
import { type Db, type Emit, type Enqueue, settingsChanged } from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Partners } from '../partners/public.ts'
import { config } from './config.ts'
import { releaseCommissions } from './jobs.ts'
import { earningsCard, holdCard } from './messages.ts'
import type { CommissionService } from './service.ts'

interface Needs {
  readonly db: Db
  readonly emit: Emit
  readonly enqueue: Enqueue
  readonly service: CommissionService
  readonly partners: Partners
  readonly ledger: Ledger
}

export const commissionCommands = (needs: Needs): Command[] => [earnings(needs), hold(needs)]

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

function hold({ db, emit, enqueue, service }: Needs): Command {
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
      const restamped = await db.transaction(async (tx) => {
        await writeSetting(tx, programId, 'commissions', config, 'holdDays', String(days))
        const changed = options.apply_to_pending
          ? await service.restampPending(tx, programId, days, { actor: ctx.user.id, note })
          : undefined
        await tx.insert(audit).values({
          programId,
          actor: ctx.user.id,
          action: 'commissions.hold',
          detail: { days, restamped: changed ?? 0, note },
          at: ctx.now,
        })
        await emit(tx, settingsChanged, { programId, plugin: 'commissions', actor: ctx.user.id })
        if (changed) await enqueue(tx, releaseCommissions, { programId }, { programId })
        return changed
      })
      return holdCard({ days, restamped, note })
    },
  })
}
