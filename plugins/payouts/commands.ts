// The commands of payouts: partners say where their money goes; admins look, run, approve.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import type { Db, Settings } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { approvedCard, dryRunCard, type Funds, listCard, runCard, setupCard, statusCard } from './messages.ts'
import type { Methods } from './methods.ts'
import type { PayoutService, PlanLine } from './model.ts'

interface Needs {
  readonly db: Db
  readonly settings: Settings<Config>
  readonly service: PayoutService
  readonly methods: Methods
  readonly partners: Partners
}

export const payoutCommands = (needs: Needs): Command[] => [...partnerCommands(needs), ...adminCommands(needs)]

function partnerCommands({ db, settings, service, methods, partners }: Needs): Command[] {
  return [
    defineCommand({
      path: 'payout setup',
      description: 'Say where your money should go',
      options: {
        provider: {
          type: 'string',
          description: 'Through whom you are paid, when there is a choice',
          suggest: async (_: Ctx, typed: string) =>
            methods
              .providers()
              .filter(({ title }) => title.toLowerCase().includes(typed.toLowerCase()))
              .map(({ id, title }) => ({ name: title, value: id })),
        },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { id: partnerId, email } = await partners.require(db, ctx)
        const page = await methods.setUp({ programId: ctx.program.id, partnerId, email }, options.provider)
        return setupCard(page.title, page.url)
      },
    }),
    defineCommand({
      path: 'payout status',
      description: 'Where your money goes, and when',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        const programId = ctx.program.id
        const { id: partnerId } = await partners.require(db, ctx)
        const method = await methods.chosen(db, programId, partnerId)
        return statusCard({
          method,
          providerTitle: methods.providers().find(({ id }) => id === method?.provider)?.title ?? method?.provider ?? '',
          coolingHours: (await settings.of(db, programId)).methodCoolingHours,
          lines: await service.plan(db, programId, partnerId),
          recent: await service.newest(db, programId, 5, partnerId),
          now: ctx.now,
        })
      },
    }),
  ]
}

function adminCommands({ db, service, methods, partners }: Needs): Command[] {
  const noted = (programId: string, actor: string, action: string, detail: Record<string, unknown>, at: Date) =>
    db.insert(audit).values({ programId, actor, action, detail, at })

  /** What each provider has, in the currencies that are to be paid. */
  async function fundsFor(toPay: readonly PlanLine[]): Promise<Funds[]> {
    const wanted = new Set(toPay.map(({ method, currency }) => `${method?.provider} ${currency}`))
    return Promise.all(
      [...wanted].map(async (key) => {
        const [id, currency = ''] = key.split(' ')
        const provider = methods.providers().find((candidate) => candidate.id === id)
        return { provider: id ?? '', currency, available: await provider?.available(currency).catch(() => undefined) }
      }),
    )
  }

  return [
    defineCommand({
      path: 'admin payouts dry-run',
      description: 'Who would be paid what, who would not, and why',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const lines = await service.plan(db, ctx.program.id)
        return dryRunCard(lines, await fundsFor(lines.filter(({ gate }) => !gate)))
      },
    }),
    defineCommand({
      path: 'admin payouts run',
      description: 'Pay everyone who can be paid',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const { prepared, skipped } = await service.run(ctx.program.id, ctx.user.id)
        await noted(ctx.program.id, ctx.user.id, 'payouts.run', { prepared: prepared.length, skipped: skipped.length }, ctx.now)
        return runCard(prepared, skipped)
      },
    }),
    defineCommand({
      path: 'admin payouts approve',
      description: 'Let go the payouts that another admin started and that wait for you',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const approved = await service.approve(ctx.program.id, ctx.user.id)
        await noted(ctx.program.id, ctx.user.id, 'payouts.approve', { payouts: approved.map(({ id }) => id) }, ctx.now)
        return approvedCard(approved)
      },
    }),
    defineCommand({
      path: 'admin payouts list',
      description: 'The newest payouts and how far each is',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await service.newest(db, ctx.program.id, 12)
        const names = new Map<string, string>()
        for (const partnerId of new Set(rows.map((row) => row.partnerId)))
          names.set(partnerId, (await partners.byId(db, ctx.program.id, partnerId))?.name ?? '')
        return listCard(rows, names)
      },
    }),
  ]
}
