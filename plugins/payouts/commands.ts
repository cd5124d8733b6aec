// The commands of payouts: partners say where their money goes; admins look, run, approve.
import { z } from 'zod'
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, type ReadAttachment, type Settings, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { Manual } from './manual.ts'
import {
  cancelledCard,
  dryRunCard,
  exportCard,
  type Funds,
  importCard,
  listCard,
  type Need,
  namedIn,
  needOf,
  payoutChoice,
  runCard,
  setupCard,
  statusCard,
  waitingCard,
} from './messages.ts'
import type { Methods } from './methods.ts'
import type { PayoutService } from './model.ts'

interface Needs {
  readonly db: Db
  readonly settings: Settings<Config>
  readonly service: PayoutService
  readonly methods: Methods
  readonly manual: Manual
  readonly readAttachment: ReadAttachment
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
          suggest: async ({ program }: Ctx, typed: string) =>
            (await methods.offered(program.id))
              .filter(({ title }) => title.toLowerCase().includes(typed.toLowerCase()))
              .map(({ id, title }) => ({ name: title, value: id })),
        },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { id: partnerId, email } = await partners.require(db, ctx)
        const page = await methods.setUp({ programId: ctx.program.id, partnerId, email }, options.provider)
        return setupCard(page.provider, page.url)
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
          providerTitle: methods.known().find(({ id }) => id === method?.provider)?.title ?? method?.provider ?? '',
          coolingHours: (await settings.of(db, programId)).methodCoolingHours,
          lines: await service.plan(db, programId, partnerId),
          recent: await service.newest(db, programId, 5, partnerId),
          now: ctx.now,
        })
      },
    }),
  ]
}

export interface AdminTools {
  /** Writes down who did what. */
  noted(programId: string, actor: string, action: string, detail: Record<string, unknown>, at: Date): Promise<unknown>
  namesOf(programId: string, rows: readonly { partnerId: string }[]): Promise<Map<string, string>>
}

export function adminTools({ db, partners }: Pick<Needs, 'db' | 'partners'>): AdminTools {
  const noted = (programId: string, actor: string, action: string, detail: Record<string, unknown>, at: Date) =>
    db.insert(audit).values({ programId, actor, action, detail, at })

  async function namesOf(programId: string, rows: readonly { partnerId: string }[]): Promise<Map<string, string>> {
    const known = await partners.byIds(db, programId, [...new Set(rows.map(({ partnerId }) => partnerId))])
    return new Map(known.map(({ id, name }) => [id, name]))
  }

  return { noted, namesOf }
}

function adminCommands({ db, service, methods, manual, readAttachment, partners }: Needs): Command[] {
  const { noted, namesOf } = adminTools({ db, partners })

  /** What each provider has, in the currencies that are to be paid. */
  async function fundsFor(needs: readonly Need[]): Promise<Funds[]> {
    const wanted = new Set(needs.map(({ provider, currency }) => `${provider} ${currency}`))
    return Promise.all(
      [...wanted].map(async (key) => {
        const [id, currency = ''] = key.split(' ')
        const provider = methods.known().find((candidate) => candidate.id === id)
        return {
          provider: id ?? '',
          title: provider?.title ?? '',
          currency,
          available: await provider?.available(currency).catch(() => undefined),
        }
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
        return dryRunCard(lines, await fundsFor(lines.filter(({ gate }) => !gate).map(needOf)))
      },
    }),
    defineCommand({
      path: 'admin payouts run',
      description: 'Pay everyone who can be paid',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const run = await service.run(ctx.program.id, ctx.user.id)
        const detail = { prepared: run.prepared.length, skipped: run.skipped.length }
        await noted(ctx.program.id, ctx.user.id, 'payouts.run', detail, ctx.now)
        return runCard(run, await fundsFor(run.prepared))
      },
    }),
    defineCommand({
      path: 'admin payouts approve',
      description: 'See the payouts that wait for a second admin; approve or reject them',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const approver = await service.approver(db, ctx.program.id, ctx.user.id)
        const waiting = await service.waiting(db, ctx.program.id)
        const names = await namesOf(ctx.program.id, namedIn(waiting))
        return waitingCard(waiting, approver, names)
      },
    }),
    defineCommand({
      path: 'admin payouts list',
      description: 'The newest payouts and how far each is',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await service.newest(db, ctx.program.id, 12)
        return listCard(rows, await namesOf(ctx.program.id, rows))
      },
    }),
    defineCommand({
      path: 'admin payouts cancel',
      description: 'Call back a payout that was not sent yet',
      options: {
        payout: {
          type: 'string',
          description: 'Which payout',
          required: true,
          max: 100,
          suggest: async ({ program }: Ctx, typed: string) => {
            const rows = await service.cancellable(db, program.id, 200)
            const names = await namesOf(program.id, rows)
            return rows
              .map((row) => ({ name: payoutChoice(row, names.get(row.partnerId) ?? ''), value: row.id }))
              .filter(({ name }) => name.toLowerCase().includes(typed.toLowerCase()))
              .slice(0, 25)
          },
        },
        reason: { type: 'string', description: 'Why; kept with the payout', required: true, min: 3, max: 300 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { payout: payoutId, reason }) => {
        if (!z.uuid().safeParse(payoutId).success)
          throw new UserError(
            'unknown_payout',
            'There is no such payout. Choose one from the suggestions; they are those not sent yet.',
          )
        const payout = await service.cancel(ctx.program.id, payoutId, reason)
        await noted(ctx.program.id, ctx.user.id, 'payouts.cancel', { payout: payoutId, reason }, ctx.now)
        return cancelledCard(payout, (await namesOf(ctx.program.id, [payout])).get(payout.partnerId) ?? '')
      },
    }),
    defineCommand({
      path: 'admin payouts export',
      description: 'The list of payouts that you make by hand, as CSV',
      options: { again: { type: 'boolean', description: 'Those listed before and not confirmed yet, instead of the new ones' } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { again = false }) => {
        const list = await manual.exportList(ctx.program.id, { again })
        const detail = { again, payouts: list.payouts.map(({ id }) => id) }
        await noted(ctx.program.id, ctx.user.id, 'payouts.export', detail, ctx.now)
        return exportCard(list.payouts, list.file, { again })
      },
    }),
    defineCommand({
      path: 'admin payouts import',
      description: 'Confirm payouts made by hand: the exported list with its status column filled in',
      options: { file: { type: 'attachment', description: 'The list as CSV', required: true } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { file }) => {
        const reports = await manual.importList(ctx.program.id, await readAttachment(file), ctx.user.id)
        const changed = reports.filter(({ outcome }) => outcome === 'paid' || outcome === 'returned')
        const detail = { file: file.filename, changed: changed.map(({ payoutId, outcome }) => `${payoutId} ${outcome}`) }
        await noted(ctx.program.id, ctx.user.id, 'payouts.import', detail, ctx.now)
        return importCard(reports)
      },
    }),
  ]
}
