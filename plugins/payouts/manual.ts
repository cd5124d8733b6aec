// Payouts by hand: partners leave a reference, admins fetch a list, pay it outside, and bring the confirmed list back. Calls no provider.
import { and, asc, eq, inArray } from 'drizzle-orm'
import {
  type Clock,
  csvFile,
  type Db,
  dayOf,
  days,
  isDay,
  newId,
  type Programs,
  parseAmount,
  type Reader,
  readCsv,
  startOfDay,
  type Tokens,
  type Tx,
  toDecimal,
  UserError,
} from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { byHand, type PayoutRow, type PayoutService } from './model.ts'
import type { PayoutProvider } from './public.ts'
import { payouts, references } from './tables.ts'

/** A way to be paid, seen from onboarding: everything but the sending. */
export type Onboarding = Omit<PayoutProvider, 'find' | 'send'>

export interface Manual {
  readonly onboarding: Onboarding
  /** What a link to the page stands for; undefined when it has run out. */
  open(secret: string): Promise<{ reference: string | null } | undefined>
  /** Keeps the reference. Undefined when the link has run out. @throws UserError for a text that may be bank details */
  save(secret: string, reference: string): Promise<{ reference: string } | undefined>
  /** The list of payouts to make: those not listed yet or, `again`, those listed and not confirmed. Listing hands them over: they cannot be called back any more. */
  exportList(programId: string, options: { again: boolean }): Promise<{ payouts: readonly PayoutRow[]; file: Buffer }>
  /**
   * Takes in a list that says what was paid and what came back. Every line stands for itself; the same list again changes nothing. Of
   * a payout to whoever imports it nothing is believed.
   */
  importList(programId: string, text: string, actor: string): Promise<readonly LineReport[]>
}

export interface LineReport {
  readonly line: number
  readonly payoutId: string
  readonly outcome: 'paid' | 'returned' | 'unchanged' | 'open' | 'refused'
  /** In words for the admin. */
  readonly why: string
}

const purpose = 'payouts.manual'
const columns = ['payout_id', 'partner', 'reference', 'amount', 'currency', 'status', 'paid_on', 'reason'] as const
const needed = ['payout_id', 'amount', 'currency', 'status'] as const
const mostLines = 10_000

export function createManual(needs: {
  db: Db
  clock: Clock
  tokens: Tokens
  url: (path: string) => string
  programs: Programs
  partners: Partners
  service: PayoutService
}): Manual {
  const { db, clock, tokens, url, programs, partners, service } = needs

  const onboarding: Onboarding = {
    id: byHand,
    title: 'By hand (the program pays you by bank transfer)',
    onboard: ({ programId, partnerId }) =>
      db.transaction(async (tx) => {
        const partner = await partners.byId(tx, programId, partnerId)
        if (!partner) throw new Error(`The partner ${partnerId} does not exist`)
        const now = clock.now()
        await tx
          .insert(references)
          .values({ account: `manual_${newId(now)}`, programId, partnerId, userId: partner.userId, updatedAt: now })
          .onConflictDoNothing()
        const kept = await referenceOf(tx, programId, partnerId)
        const secret = await tokens.issue(tx, { programId, purpose, subject: partnerId, lifetimeMs: days(1) })
        return { account: kept!.account, url: url(`/payouts/manual/${secret}`) }
      }),
    accountState: async (account) => {
      const [row] = await db.select().from(references).where(eq(references.account, account))
      return row?.reference ? { ...ready, places: [{ name: row.reference, isDefault: true }] } : notReady
    },
    available: async () => undefined,
  }

  async function behind(secret: string) {
    const token = await tokens.inspect(db, purpose, secret)
    return token.state === 'good' ? { programId: token.programId, partnerId: token.subject } : undefined
  }

  const save: Manual['save'] = async (secret, typed) => {
    const who = await behind(secret)
    if (!who) return undefined
    const reference = typed.trim().replace(/\s+/g, ' ')
    const refusal = refusalOf(reference)
    if (refusal) throw new UserError('bad_reference', refusal)
    return db.transaction(async (tx) => {
      const before = await referenceOf(tx, who.programId, who.partnerId)
      if (!before) return undefined
      if (before.reference !== reference) {
        await tx.update(references).set({ reference, updatedAt: clock.now() }).where(eq(references.account, before.account))
        // Another reference is another receiver: the waiting time after a change begins anew.
        if (before.reference) await service.accountChanged(tx, byHand, before.account, notReady)
      }
      await service.accountChanged(tx, byHand, before.account, { ...ready, places: [{ name: reference, isDefault: true }] })
      return { reference }
    })
  }

  const exportList: Manual['exportList'] = async (programId, { again }) => {
    const wanted = and(eq(payouts.programId, programId), eq(payouts.provider, byHand), eq(payouts.state, again ? 'sent' : 'queued'))
    const waiting = again ? [] : await db.select({ id: payouts.id }).from(payouts).where(wanted).orderBy(asc(payouts.id))
    // Each in a transaction of its own: together they would hold the books of many partners at once.
    for (const { id } of waiting) await db.transaction((tx) => service.mayGo(tx, id))
    return db.transaction(async (tx) => {
      const rows = await tx
        .select()
        .from(payouts)
        .where(wanted)
        .orderBy(asc(payouts.preparedAt), asc(payouts.id))
        .limit(mostLines)
        .for('update')
      if (!again) for (const { id } of rows) await service.recordSent(tx, id, { providerId: `${byHand}:${id}`, state: 'sent' })
      return { payouts: rows, file: await listOf(tx, programId, rows) }
    })
  }

  async function listOf(reader: Reader, programId: string, rows: readonly PayoutRow[]): Promise<Buffer> {
    const accounts = [...new Set(rows.map(({ destination }) => destination))]
    const kept = accounts.length > 0 ? await reader.select().from(references).where(inArray(references.account, accounts)) : []
    const byAccount = new Map(kept.map((one) => [one.account, one]))
    const referenceFor = ({ destination, sentAt }: PayoutRow) => {
      const { reference, updatedAt } = byAccount.get(destination) ?? {}
      // A reference is a receiver: what was listed for one does not go to another, for which the waiting time is not over.
      const isLater = sentAt !== null && updatedAt !== undefined && updatedAt > sentAt
      return isLater ? 'changed since it was listed; see the first list' : (reference ?? '')
    }
    const nameOf = new Map((await partners.list(reader, programId)).map(({ id, name }) => [id, name]))
    return csvFile(
      columns,
      rows.map((row) => [
        row.id,
        nameOf.get(row.partnerId) ?? '',
        referenceFor(row),
        toDecimal(row.amount, row.currency),
        row.currency,
        '',
        '',
        '',
      ]),
    )
  }

  const importList: Manual['importList'] = async (programId, text, actor) => {
    const lines = linesIn(text)
    const own = await partners.byUser(db, programId, actor)
    const { timeZone } = await programs.byId(db, programId)
    const importing = { timeZone, now: clock.now(), ownId: own?.id }
    const seen = new Set<string>()
    const reports: LineReport[] = []
    for (const line of lines) {
      const repeated = seen.has(line.payoutId)
      seen.add(line.payoutId)
      reports.push(await db.transaction((tx) => takeIn(tx, programId, line, { repeated, importing })))
    }
    return reports
  }

  async function takeIn(
    tx: Tx,
    programId: string,
    line: ListLine,
    { repeated, importing }: { repeated: boolean; importing: Importing },
  ): Promise<LineReport> {
    const [payout] = isUuid(line.payoutId)
      ? await tx
          .select()
          .from(payouts)
          .where(and(eq(payouts.programId, programId), eq(payouts.provider, byHand), eq(payouts.id, line.payoutId)))
          .for('update')
      : []
    const report = repeated ? { outcome: 'refused' as const, why: 'stands in this file twice' } : judge(line, payout, importing)
    if (report.outcome === 'paid' || report.outcome === 'returned')
      await service.confirm(tx, byHand, payout!.providerId!, report.outcome, line.reason, timeOf(line, payout!, importing))
    return { line: line.line, payoutId: line.payoutId, ...report }
  }

  return {
    onboarding,
    open: async (secret) => {
      const who = await behind(secret)
      return who && (await referenceOf(db, who.programId, who.partnerId))
    },
    save,
    exportList,
    importList,
  }
}

/** When the payout was paid, if the line says so: within that day, and not before it was listed. */
function timeOf({ paidOn }: ListLine, { sentAt }: PayoutRow, { timeZone }: Importing): Date | undefined {
  if (!isDay(paidOn)) return undefined
  const day = startOfDay(paidOn, timeZone)
  return sentAt && sentAt > day ? sentAt : day
}

const ready = { ready: true, missing: '' }
const notReady = { ready: false, missing: 'your reference' }

async function referenceOf(reader: Reader, programId: string, partnerId: string) {
  const [row] = await reader
    .select()
    .from(references)
    .where(and(eq(references.programId, programId), eq(references.partnerId, partnerId)))
  return row
}

/** Why a text may not be kept as a reference: whatever looks like an account, a card or a tax number has no place here. */
export function refusalOf(reference: string): string | undefined {
  if (reference.length < 1 || reference.length > 80) return 'Write a reference of 1 to 80 characters.'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is control characters that are refused
  if (/[\u0000-\u001f\u007f]/.test(reference)) return 'Write the reference in plain letters and digits.'
  const digits = reference.replace(/\D/g, '').length
  if (digits > 8 || /\b[a-z]{2}\d{2}[ ]?[a-z0-9]{4}/i.test(reference))
    return 'That looks like an account, card or tax number. Such numbers are not kept here: agree with the program on a short reference instead, such as a supplier number.'
  return undefined
}

/** A line of an imported list, not yet believed. */
export interface ListLine {
  readonly line: number
  readonly payoutId: string
  readonly amount: string
  readonly currency: string
  readonly status: string
  /** The day on which it was paid, `2026-12-30`; empty for today. */
  readonly paidOn: string
  readonly reason: string
}

/** @throws UserError when the file is no such list */
function linesIn(text: string): ListLine[] {
  const table = readCsv(text)
  const missing = needed.filter((name) => !table?.header.includes(name))
  if (!table || missing.length > 0)
    throw new UserError(
      'not_a_payout_list',
      `This is not the exported list${missing.length > 0 ? `: the columns ${missing.join(', ')} are missing` : ''}. Export it with /admin payouts export, fill in the status column, save it as CSV and attach it.`,
    )
  if (table.rows.length > mostLines)
    throw new UserError('payout_list_too_long', `The list has more than ${mostLines} lines. Split it and import the parts.`)
  return table.rows.map(({ line, cells }) => ({
    line,
    payoutId: (cells.payout_id ?? '').toLowerCase(),
    amount: cells.amount ?? '',
    currency: (cells.currency ?? '').toUpperCase(),
    status: (cells.status ?? '').toLowerCase(),
    paidOn: cells.paid_on ?? '',
    reason: (cells.reason ?? '').replace(/^'/, ''),
  }))
}

/** Where and when a list is imported, and by which partner, if it is one. */
export interface Importing {
  readonly timeZone: string
  readonly now: Date
  readonly ownId: string | undefined
}

/** What a line means for its payout; nothing is done for a line that is doubtful, or about a payout to whoever imports it. */
export function judge(
  line: ListLine,
  payout: Pick<PayoutRow, 'partnerId' | 'state' | 'amount' | 'currency' | 'sentAt' | 'settledAt'> | undefined,
  importing: Importing,
): Pick<LineReport, 'outcome' | 'why'> {
  const refused = (why: string) => ({ outcome: 'refused', why }) as const
  if (!payout) return refused('is no payout by hand of this program')
  if (line.currency !== payout.currency || !readings(line).includes(payout.amount))
    return refused(
      `says ${line.amount || 'nothing'} ${line.currency}, the payout is ${toDecimal(payout.amount, payout.currency)} ${payout.currency}`,
    )
  if (line.status === '') return { outcome: 'open', why: 'has no status yet' }
  if (line.status !== 'paid' && line.status !== 'returned')
    return refused(`has the status “${line.status}”; write paid or returned`)
  if (payout.state === line.status) {
    const day = payout.state === 'paid' && payout.settledAt ? dayOf(payout.settledAt, importing.timeZone) : ''
    return day === '' || line.paidOn === '' || line.paidOn === day
      ? { outcome: 'unchanged', why: `was ${line.status} before` }
      : refused(
          `was confirmed before as paid on ${day}, and not on ${line.paidOn}: a list cannot change that day any more; if it is wrong, tell whoever files the year’s tax report`,
        )
  }
  if (payout.partnerId === importing.ownId) return refused('is your own payout; another admin imports it')
  if (line.status === 'returned' && line.reason === '') return refused('came back; write why in the reason column')
  const doubt = line.status === 'paid' && payout.sentAt ? doubtAbout(line.paidOn, payout.sentAt, importing) : undefined
  if (doubt) return refused(doubt)
  if (payout.state === 'sent' || (payout.state === 'paid' && line.status === 'returned'))
    return { outcome: line.status, why: line.status === 'paid' ? 'is paid' : `is payable again: ${line.reason}` }
  return refused(payout.state === 'returned' ? 'came back before and is payable again, under a new payout' : notListed)
}

/** Why that cannot be the day of payment of what was listed then. */
function doubtAbout(paidOn: string, listedAt: Date, { timeZone, now }: Importing): string | undefined {
  if (paidOn === '') return undefined
  if (!isDay(paidOn)) return `was paid on “${paidOn}”; write the day as ${dayOf(now, timeZone)}`
  if (paidOn > dayOf(now, timeZone)) return `was paid on ${paidOn}, which is still to come`
  const listed = dayOf(listedAt, timeZone)
  return paidOn < listed ? `was paid on ${paidOn}, before it was listed on ${listed}` : undefined
}

const notListed = 'was never listed for payment: export it first'

/**
 * The amounts that a cell may mean: a spreadsheet may have put a comma where the list had a point, and points between thousands. A cell that reads as the list
 * writes amounts, without a comma, means nothing else.
 */
function readings({ amount, currency }: ListLine): bigint[] {
  const asListed = read(amount, currency)
  if (asListed !== undefined && !amount.includes(',')) return [asListed]
  const asSaved = read(amount.replace(/(?<=\d)\.(?=\d{3}(\D|$))/g, '').replace(',', '.'), currency)
  return [asListed, asSaved].filter((reading) => reading !== undefined)
}

function read(text: string, currency: string): bigint | undefined {
  try {
    return parseAmount(text, currency)
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
