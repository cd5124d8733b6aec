// What an admin may do to single commissions: adjust, void, hold, release. Each with a reason that the partner reads, and in the audit.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, formatMoney, parseAmount, type Tx, UserError } from '../kit/index.ts'
import { isErased, type Partners } from '../partners/public.ts'
import { interventionCard } from './messages.ts'
import type { By, Commission } from './public.ts'
import type { CommissionService } from './service.ts'

interface Needs {
  readonly db: Db
  readonly service: CommissionService
  readonly partners: Partners
}

export function adminCommissionCommands(needs: Needs): Command[] {
  const { db, service } = needs
  const commission = {
    type: 'string',
    description: 'The commission; type a partner’s name or an id',
    required: true,
    suggest: (ctx: Ctx, typed: string) => suggestCommissions(needs, ctx, typed),
  } as const
  const why = { type: 'string', description: 'Why; the partner reads it', required: true, min: 3, max: 300 } as const

  /** Runs one intervention with its audit, in one transaction. */
  async function intervene(ctx: Ctx, action: string, id: string, note: string, work: (tx: Tx, by: By) => Promise<Commission>) {
    const before = await service.require(db, ctx.program.id, id.trim())
    const after = await db.transaction(async (tx) => {
      const changed = await work(tx, { actor: ctx.user.id, note: note.trim() })
      await tx.insert(audit).values({
        programId: ctx.program.id,
        actor: ctx.user.id,
        action: `commissions.${action}`,
        detail: { commissionId: changed.id, note: note.trim(), from: before.amount.toString(), to: changed.amount.toString() },
        at: ctx.now,
      })
      return changed
    })
    const partner = await needs.partners.byId(db, ctx.program.id, after.partnerId)
    const parts = await service.ofSale(db, ctx.program.id, after.saleId)
    return interventionCard(action, parts, partner && !isErased(partner) ? `<@${partner.userId}>` : 'the partner')
  }

  return [
    defineCommand({
      path: 'admin commissions adjust',
      description: 'Add to a commission, or take from it',
      options: {
        commission,
        amount: { type: 'string', description: 'Such as 5.00, or -5.00 to take', required: true, max: 20 },
        reason: why,
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { commission: id, amount, reason }) => {
        const { currency } = await service.require(db, ctx.program.id, id.trim())
        const by = readChange(amount, currency)
        return intervene(ctx, 'adjust', id, reason, (tx, who) => service.adjust(tx, ctx.program.id, id.trim(), by, who))
      },
    }),
    defineCommand({
      path: 'admin commissions void',
      description: 'Make a commission worth nothing, for good',
      options: {
        commission,
        reason: why,
        kind: {
          type: 'string',
          description: 'What kind of reason (default: other)',
          choices: [
            { name: 'the sale was counted twice', value: 'duplicate' },
            { name: 'the partner bought for themselves', value: 'self_referral' },
            { name: 'fraud', value: 'fraud_confirmed' },
            { name: 'other', value: 'manual' },
          ],
        },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { commission: id, reason, kind }) =>
        intervene(ctx, 'void', id, reason, (tx, by) => service.void(tx, ctx.program.id, id.trim(), kind ?? 'manual', by)),
    }),
    defineCommand({
      path: 'admin commissions hold-one',
      description: 'Stop a commission until you release it',
      options: { commission, reason: why },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { commission: id, reason }) =>
        intervene(ctx, 'hold_one', id, reason, (tx, by) => service.holdByHand(tx, ctx.program.id, id.trim(), by)),
    }),
    defineCommand({
      path: 'admin commissions release-one',
      description: 'Lift every hold that somebody put on a commission',
      options: { commission, reason: why },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { commission: id, reason }) =>
        intervene(ctx, 'release_one', id, reason, (tx, by) => service.releaseByHand(tx, ctx.program.id, id.trim(), by)),
    }),
  ]
}

/** No commission is larger than this, so sums of adjustments fit everywhere. */
const largestChange = 10n ** 13n

function readChange(text: string, currency: string): bigint {
  const amount = parseAmount(text.trim().replace(/^\+/, ''), currency)
  if (amount === 0n)
    throw new UserError('bad_amount', 'The amount is zero, which changes nothing. Write 5.00 to add, or -5.00 to take.')
  if (amount > largestChange || amount < -largestChange)
    throw new UserError('bad_amount', 'That is more than any commission can be.')
  return amount
}

async function suggestCommissions({ db, service, partners }: Needs, ctx: Ctx, typed: string) {
  const wanted = typed.trim().toLowerCase()
  const everyone = await partners.list(db, ctx.program.id)
  const names = new Map(everyone.map(({ id, name }) => [id, name]))
  const named = everyone.filter(({ name }) => name.toLowerCase().includes(wanted)).map(({ id }) => id)
  const newest = await service.newest(db, ctx.program.id, {
    ...(wanted && named.length > 0 && { partnerIds: named.slice(0, 500) }),
    limit: 200,
  })
  return newest
    .filter(({ id, partnerId }) => !wanted || named.includes(partnerId) || id.includes(wanted))
    .slice(0, 25)
    .map(({ id, partnerId, amount, currency, state, earnedAt }) => ({
      name: `${names.get(partnerId) ?? 'unknown'} · ${formatMoney(amount, currency)} ${state} · ${earnedAt.toISOString().slice(0, 10)} · ${id.slice(-8)}`.slice(
        -100,
      ),
      value: id,
    }))
}
