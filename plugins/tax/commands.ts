// The commands of tax, for admins: what a provider shows of a partner's form, recorded by hand, what is known of it, and the report of a year.
import { type Command, defineCommand } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import { type Db, readDay, refuseOwn, UserError } from '../kit/index.ts'
import type { Partner, Partners } from '../partners/public.ts'
import { recordedCard, reportCard, statusCard } from './messages.ts'
import { byHand, type FormStatus, formStatuses } from './public.ts'
import type { TaxService } from './service.ts'

export function taxCommands({ db, partners, service }: { db: Db; partners: Partners; service: TaxService }): Command[] {
  async function partnerOf(programId: string, user: { id: string }): Promise<Partner> {
    const partner = await partners.byUser(db, programId, user.id)
    if (!partner) throw new UserError('unknown_partner', 'This person is not a partner of the program.')
    return partner
  }
  const partnerOption = { type: 'user', description: 'Which partner', required: true } as const

  return [
    defineCommand({
      path: 'admin tax record',
      description: 'Record by hand what the payment provider shows of a tax form; no tax number',
      options: {
        partner: partnerOption,
        country: { type: 'string', description: 'Where they are liable, such as US', required: true, min: 2, max: 2 },
        form: { type: 'string', description: 'Which form, such as W-9 or W-8BEN', required: true, max: 20 },
        status: {
          type: 'string',
          description: 'How far it is',
          required: true,
          choices: formStatuses.map((status) => ({ name: status, value: status })),
        },
        until: { type: 'string', description: 'Last day on which it is valid, such as 2027-12-31', max: 10 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { partner: user, country, form: name, status, until }) => {
        const partner = await partnerOf(ctx.program.id, user)
        refuseOwn('tax form', partner.userId, ctx.user.id)
        const form = {
          jurisdiction: country.toUpperCase(),
          form: name.trim().toUpperCase(),
          status: status as FormStatus,
          validUntil: until === undefined ? null : readDay(until, ctx.program.timeZone, 1),
        }
        await db.transaction(async (tx) => {
          const { program, user: admin, now: at } = ctx
          const said = { programId: program.id, partnerId: partner.id, source: byHand, recordedBy: admin.id, at, form }
          await service.report(tx, said)
          const detail = { partner: partner.id, country: form.jurisdiction, form: form.form, status }
          await tx
            .insert(audit)
            .values({ programId: ctx.program.id, actor: ctx.user.id, action: 'tax.record', detail, at: ctx.now })
        })
        return recordedCard(partner, form)
      },
    }),
    defineCommand({
      path: 'admin tax status',
      description: 'How far a partner’s tax form is, and who says so',
      options: { partner: partnerOption },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { partner: user }) => {
        const partner = await partnerOf(ctx.program.id, user)
        return statusCard(partner, await service.saidOf(db, ctx.program.id, partner.id))
      },
    }),
    defineCommand({
      path: 'admin tax report',
      description: 'What each partner was paid in a year, by country, as CSV for your accountant',
      options: { year: { type: 'integer', description: 'Which calendar year; without it the last one', min: 2000, max: 2100 } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const year = options.year ?? (await service.yearOf(db, ctx.program.id)) - 1
        const lines = await service.yearReport(db, ctx.program.id, year)
        await db
          .insert(audit)
          .values({ programId: ctx.program.id, actor: ctx.user.id, action: 'tax.report', detail: { year }, at: ctx.now })
        return reportCard(year, lines)
      },
    }),
  ]
}
