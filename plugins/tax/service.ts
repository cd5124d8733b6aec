// Tax: what is known of forms, the gate before a payout, and the report of a year. Stores no tax number and calls no vendor.
import { and, desc, eq, isNotNull, sql } from 'drizzle-orm'
import { amongIds, type Clock, type Programs, type Reader, type Settings, sum, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { PaidTotal, PayoutGate, Payouts } from '../payouts/public.ts'
import type { Config } from './config.ts'
import { blockedBy, reportable, statusAt } from './decide.ts'
import { closureOf } from './messages.ts'
import type { ReportLine } from './model.ts'
import { byHand, formStatuses, type SaidForm, type Tax, type TaxForm } from './public.ts'
import { forms } from './tables.ts'
import { rangeOfYear, thresholdOf } from './thresholds.ts'

export interface TaxService extends Tax {
  readonly gate: PayoutGate
  /** What each source says of the partner's form; the first counts. */
  saidOf(reader: Reader, programId: string, partnerId: string): Promise<readonly SaidForm[]>
  /** Everyone who was paid in the calendar year, or of whom something came back in it, in the program's time zone, by jurisdiction and name. */
  yearReport(reader: Reader, programId: string, year: number): Promise<ReportLine[]>
  /** The calendar year that it is now for the program. */
  yearOf(reader: Reader, programId: string): Promise<number>
}

export function createTaxService(needs: {
  clock: Clock
  settings: Settings<Config>
  programs: Programs
  partners: Partners
  payouts: Payouts
}): TaxService {
  const { clock, settings, programs, partners, payouts } = needs

  const report: Tax['report'] = async (tx, { programId, partnerId, form, source, recordedBy, at }) => {
    const refusal = form && refusalOf(form)
    if (refusal) throw new UserError('bad_tax_form', refusal)
    const partner = await partners.byId(tx, programId, partnerId)
    if (!partner) throw new UserError('unknown_partner', 'There is no such partner.')
    const said = { ...(form ?? nothing), recordedBy, userId: partner.userId, toldAt: at }
    // A provider tells of an account whenever anything changes there. An admin who records the same again means it.
    const repeats = sql`(tax_forms.jurisdiction, tax_forms.form, tax_forms.status, tax_forms.valid_until)
      is not distinct from (excluded.jurisdiction, excluded.form, excluded.status, excluded.valid_until)`
    await tx
      .insert(forms)
      .values({ programId, partnerId, source, saidAt: at, ...said })
      .onConflictDoUpdate({
        target: [forms.programId, forms.partnerId, forms.source],
        set: {
          ...said,
          saidAt: source === byHand ? at : sql`case when ${repeats} then tax_forms.said_at else excluded.said_at end`,
        },
        setWhere: sql`tax_forms.told_at <= excluded.told_at`,
      })
  }

  /** By partner: what each source says, what was said last before the rest. */
  async function saidOf(
    reader: Reader,
    programId: string,
    partnerIds: readonly string[],
  ): Promise<Map<string, readonly SaidForm[]>> {
    if (partnerIds.length === 0) return new Map()
    const rows = await reader
      .select()
      .from(forms)
      .where(and(eq(forms.programId, programId), amongIds(forms.partnerId, partnerIds), isNotNull(forms.status)))
      .orderBy(desc(forms.saidAt), desc(eq(forms.source, byHand)), forms.source)
    return new Map([...Map.groupBy(rows, ({ partnerId }) => partnerId)].map(([id, own]) => [id, own.map(toSaid)]))
  }

  async function formsOf(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<Map<string, SaidForm>> {
    const said = await saidOf(reader, programId, partnerIds)
    return new Map([...said].map(([partnerId, [first]]) => [partnerId, first!]))
  }

  const yearOf: TaxService['yearOf'] = async (reader, programId) =>
    yearAt(clock.now(), (await programs.byId(reader, programId)).timeZone)

  const closed: PayoutGate['closed'] = async (reader, programId, questions, at) => {
    const config = await settings.of(reader, programId)
    if (!config.gate) return questions.map(() => undefined)
    const [{ timeZone }, known] = await Promise.all([
      programs.byId(reader, programId),
      formsOf(reader, programId, [...new Set(questions.map(({ partner }) => partner.id))]),
    ])
    const year = yearAt(at, timeZone)
    const jurisdictionOf = (partnerId: string) => known.get(partnerId)?.jurisdiction ?? config.assumeJurisdiction
    const liable = questions.map(({ partner }) => partner.id).filter((id) => thresholdOf(jurisdictionOf(id), year))
    const liableOnce = [...new Set(liable)]
    const [arrived, underway] = await Promise.all([
      payouts.paidBetween(reader, programId, rangeOfYear(year, timeZone), liableOnce),
      payouts.onTheWay(reader, programId, liableOnce),
    ])
    const arrivedAt = Map.groupBy(arrived, ({ partnerId }) => partnerId)
    const goingTo = Map.groupBy(underway, ({ partnerId }) => partnerId)
    return questions.map(({ partner, currency, amount, payoutId }) => {
      const threshold = thresholdOf(jurisdictionOf(partner.id), year)
      // Of payouts that wait, those that were made before: so that of several it is the one that reaches the threshold which stops.
      const ahead = goingTo.get(partner.id)?.filter((one) => one.sent || payoutId === undefined || one.payoutId < payoutId)
      const counted = [...(arrivedAt.get(partner.id) ?? []), ...(ahead ?? [])].filter((one) => one.currency === threshold?.currency)
      const paidThisYear = sum(counted.map((one) => one.amount))
      const form = known.get(partner.id)
      const state = blockedBy({ form, threshold, currency, amount, paidThisYear, now: at })
      return state && threshold ? closureOf(state, threshold, form) : undefined
    })
  }

  const yearReport: TaxService['yearReport'] = async (reader, programId, year) => {
    const { timeZone } = await programs.byId(reader, programId)
    const config = await settings.of(reader, programId)
    const range = rangeOfYear(year, timeZone)
    const [paid, returned] = await Promise.all([
      payouts.paidBetween(reader, programId, range),
      payouts.cameBackBetween(reader, programId, range),
    ])
    const cameBack = new Map(returned.map((one) => [keyOfTotal(one), one.amount]))
    const paidKeys = new Set(paid.map(keyOfTotal))
    const onlyBack = returned.filter((one) => !paidKeys.has(keyOfTotal(one))).map((one) => ({ ...one, amount: 0n, payouts: 0 }))
    const totals = [...paid, ...onlyBack]
    const everyone = new Map((await partners.list(reader, programId)).map((partner) => [partner.id, partner]))
    const known = await formsOf(reader, programId, [...new Set(totals.map(({ partnerId }) => partnerId))])
    return totals
      .map((total): ReportLine => {
        const partner = everyone.get(total.partnerId)
        if (!partner) throw new Error(`The partner ${total.partnerId}, who was paid, does not exist`)
        const form = known.get(total.partnerId)
        const jurisdiction = form?.jurisdiction ?? config.assumeJurisdiction
        const threshold = thresholdOf(jurisdiction, year)
        return {
          partner,
          jurisdiction,
          total,
          cameBack: cameBack.get(keyOfTotal(total)) ?? 0n,
          threshold,
          reportable: reportable(total, threshold),
          form: form && { name: form.form, status: statusAt(form, clock.now()) },
        }
      })
      .toSorted((a, b) => compare(keyOf(a), keyOf(b)))
  }

  return {
    report,
    formOf: async (reader, programId, partnerId) => (await formsOf(reader, programId, [partnerId])).get(partnerId),
    saidOf: async (reader, programId, partnerId) => (await saidOf(reader, programId, [partnerId])).get(partnerId) ?? [],
    gate: { id: 'tax.form', closed },
    yearReport,
    yearOf,
  }
}

const nothing = { jurisdiction: null, form: null, status: null, validUntil: null }

/** Of a row in which something is said. */
const toSaid = ({ jurisdiction, form, status, validUntil, source, saidAt }: typeof forms.$inferSelect): SaidForm => ({
  jurisdiction: jurisdiction!,
  form: form!,
  status: status!,
  validUntil,
  source,
  since: saidAt,
})

const keyOfTotal = ({ partnerId, currency }: PaidTotal): string => `${partnerId} ${currency}`
const keyOf = ({ jurisdiction, partner, total }: ReportLine): string =>
  [jurisdiction || '~', partner.name.toLowerCase(), partner.id, total.currency].join('\u0000')
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const yearAt = (at: Date, timeZone: string): number =>
  Number(new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { timeZone, year: 'numeric' }).format(at))

const regions = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

function refusalOf({ jurisdiction, form, status }: TaxForm): string | undefined {
  if (!/^[A-Z]{2}$/.test(jurisdiction) || !regions.of(jurisdiction))
    return `“${jurisdiction}” is not a country code. Use two letters such as US or DE.`
  if (!/^[A-Z0-9][A-Z0-9 -]{0,19}$/.test(form) || /\d{3}-?\d{2}-?\d{4}|\d{2}-?\d{7}/.test(form))
    return `“${form}” is not the name of a form. Write for example W-9 or W-8BEN, and never a tax number.`
  if (!formStatuses.includes(status)) return `“${status}” is not a status.`
  return undefined
}
