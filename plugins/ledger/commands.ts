// The ledger's commands: prove the books now, and take them along as files.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Attachment } from '../../commands/messages.ts'
import { type Db, monthName, monthOf, previousMonth, rangeOf, UserError } from '../kit/index.ts'
import { type ExportFormat, type ExportRequest, exportLedger } from './export.ts'
import { exportCard, proofCard } from './messages.ts'
import type { LedgerService } from './service.ts'

export function ledgerCommands({ db, service }: { db: Db; service: LedgerService }): Command[] {
  return [
    defineCommand({
      path: 'admin ledger proof',
      description: 'Check every amount in the books against every other',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        await service.seal(db)
        return proofCard(await service.prove(db, ctx.program.id))
      },
    }),
    defineCommand({
      path: 'admin ledger export',
      description: 'Every transfer as CSV and as a journal for hledger',
      options: {
        month: { type: 'string', description: 'Such as 2026-11 (default: everything)', max: 7, suggest: suggestMonths },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const month = options.month?.trim() || undefined
        if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
          throw new UserError('bad_month', `“${month}” is not a month. Write it as ${monthOf(ctx.now, ctx.program.timeZone)}.`)
        const range = month === undefined ? {} : { range: rangeOf(month, ctx.program.timeZone) }
        const request = { programId: ctx.program.id, ...range }
        const name = `ledger${month === undefined ? '' : `-${month}`}`
        const journal = await fileOf(db, { ...request, format: 'journal' }, `${name}.journal`)
        const csv = await fileOf(db, { ...request, format: 'csv' }, `${name}.csv`)
        return exportCard(csv.transfers, month === undefined ? undefined : monthName(month), [csv.file, journal.file])
      },
    }),
  ]
}

/** What Discord takes in one message without a boosted server, less what the rest of the message needs; both files share it. */
const largestExport = 9_000_000

async function fileOf(
  db: Db,
  request: ExportRequest & { format: ExportFormat },
  name: string,
): Promise<{ transfers: number; file: Attachment }> {
  const pieces: Buffer[] = []
  let size = 0
  const transfers = await exportLedger(db, request, (text) => {
    const piece = Buffer.from(text)
    size += piece.length
    if (size > largestExport / 2)
      throw new UserError(
        'export_too_large',
        'That is more than fits into a message. Export one month at a time, or ask the operator for `npm run ledger-export`.',
      )
    pieces.push(piece)
  })
  return { transfers, file: { name, data: Buffer.concat(pieces) } }
}

async function suggestMonths(ctx: Ctx, typed: string) {
  const months = [monthOf(ctx.now, ctx.program.timeZone)]
  while (months.length < 24) months.push(previousMonth(months.at(-1)!))
  return months
    .map((month) => ({ name: monthName(month), value: month }))
    .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(typed.trim().toLowerCase()))
}
