// Statements: gathers what one is made of, and mails the receipt of each finished month once. Computation and files are elsewhere.
import { and, eq } from 'drizzle-orm'
import {
  type Clock,
  type Db,
  failuresOf,
  hours,
  type Month,
  monthName,
  monthOf,
  type Programs,
  previousMonth,
  type Reader,
  rangeOf,
  type Settings,
  UserError,
} from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { Commissions } from './public.ts'
import { type Statement, sectionsOf } from './statement.ts'
import { statementCsv, statementName, statementPdf } from './statementFiles.ts'
import { statementLetter } from './statementMessages.ts'
import { statements } from './tables.ts'

export interface StatementService {
  /**
   * The partner's statement of a month as `2026-11`; without one the last finished month, or the current one when nothing was booked before it.
   * @throws UserError for a month that is none, or has not begun
   */
  of(reader: Reader, partner: Partner, month: string | undefined): Promise<Statement>
  /**
   * Mails the statement of the month before to every partner for whom something was booked in it, once each.
   * @throws AggregateError when some could not be mailed; the others were, and these are tried again next time
   */
  mailDue(): Promise<void>
}

/** Whose statement of which month was not mailed yet. */
interface Waiting {
  readonly programId: string
  readonly partnerId: string
  readonly month: Month
}

/** Transactions that began before midnight may commit after it. */
const settleMs = hours(1)

export function createStatementService(needs: {
  db: Db
  clock: Clock
  programs: Programs
  settings: Settings<Config>
  ledger: Ledger
  partners: Partners
  notifications: Notifications
  commissions: Pick<Commissions, 'ofPartner'>
}): StatementService {
  const { db, clock, programs, settings, ledger, partners, notifications, commissions } = needs

  const of: StatementService['of'] = async (reader, partner, wanted) => {
    const program = await programs.byId(reader, partner.programId)
    const current = monthOf(clock.now(), program.timeZone)
    const month =
      wanted === undefined ? await usualMonth(reader, partner, current, program.timeZone) : checkedMonth(wanted, current)
    const range = rangeOf(month, program.timeZone)
    const own = { partnerId: partner.id, ...range }
    const opening = await ledger.balancesBefore(reader, partner.programId, partner.id, range.from)
    const transfers = await ledger.transfers(reader, partner.programId, own)
    const sales = new Map(
      (await commissions.ofPartner(reader, partner.programId, partner.id)).map(({ id, saleId }) => [id, saleId]),
    )
    return {
      program: program.name,
      partner: { id: partner.id, name: partner.name },
      title: monthName(month),
      month,
      timeZone: program.timeZone,
      unfinished: month === current,
      sections: sectionsOf(partner.id, opening, transfers, (id) => sales.get(id)),
    }
  }

  async function usualMonth(reader: Reader, partner: Partner, current: Month, timeZone: string): Promise<Month> {
    const earlier = await ledger.balancesBefore(reader, partner.programId, partner.id, rangeOf(current, timeZone).from)
    return earlier.length > 0 ? previousMonth(current) : current
  }

  async function waitingIn(program: { id: string; timeZone: string }): Promise<Waiting[]> {
    const month = previousMonth(monthOf(clock.now(), program.timeZone))
    const range = rangeOf(month, program.timeZone)
    const { mailStatements } = await settings.of(db, program.id)
    if (!mailStatements || clock.now().getTime() < range.to.getTime() + settleMs) return []
    const sent = await db
      .select({ partnerId: statements.partnerId })
      .from(statements)
      .where(and(eq(statements.programId, program.id), eq(statements.month, month)))
    const done = new Set(sent.map(({ partnerId }) => partnerId))
    const booked = await ledger.partnersWithTransfers(db, program.id, range)
    return booked.filter((id) => !done.has(id)).map((partnerId) => ({ programId: program.id, partnerId, month }))
  }

  /** Whoever has no verified address (any more) gets none, and is not looked at again. */
  async function mailOne({ programId, partnerId, month }: Waiting): Promise<void> {
    const partner = await partners.byId(db, programId, partnerId)
    const reader = partner?.verifiedAt && !partner.email.endsWith('@invalid') ? partner : undefined
    const statement = reader && (await of(db, reader, month))
    const attachments = statement && [
      { filename: statementName(statement, 'pdf'), type: 'application/pdf', data: await statementPdf(statement) },
      { filename: statementName(statement, 'csv'), type: 'text/csv', data: statementCsv(statement) },
    ]
    await db.transaction(async (tx) => {
      const [fresh] = await tx
        .insert(statements)
        .values({ programId, partnerId, month, sentAt: clock.now() })
        .onConflictDoNothing()
        .returning()
      if (!fresh || !reader || !statement) return
      await notifications.mail(tx, {
        programId,
        key: `commissions.statement:${partnerId}:${month}`,
        to: reader.email,
        userId: reader.userId,
        ...statementLetter(statement),
        ...(attachments && { attachments }),
      })
    })
  }

  return {
    of,
    mailDue: async () => {
      const waiting: Waiting[] = []
      for (const program of await programs.all(db)) waiting.push(...(await waitingIn(program)))
      const failures = await failuresOf(waiting, 1, ([one]) => mailOne(one!))
      if (failures.length > 0) throw new AggregateError(failures, `statements could not be mailed (partners: ${failures.length})`)
    },
  }
}

function checkedMonth(text: string, current: Month): Month {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) throw new UserError('bad_month', `“${text}” is not a month. Write it as ${current}.`)
  if (text > current)
    throw new UserError('future_month', 'That month has not begun yet. Choose one from the list that appears while you type.')
  return text
}
