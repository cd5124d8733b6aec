// The words of tax: pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { csvFile, formatMoney, sum, toDecimal } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import type { GateClosure } from '../payouts/public.ts'
import type { ReportLine } from './model.ts'
import { byHand, type FormStatus, type SaidForm, type TaxForm } from './public.ts'
import type { Threshold } from './thresholds.ts'

const statusWords: Readonly<Record<FormStatus | 'missing', string>> = {
  missing: 'is missing',
  requested: 'was asked for and is not there yet',
  submitted: 'is being checked',
  valid: 'is valid',
  rejected: 'was rejected',
  expired: 'has expired',
}

const nextSteps: Readonly<Record<Exclude<FormStatus, 'valid'> | 'missing', string>> = {
  missing: 'Fill it in with the payment provider: run `/payout setup` and follow its steps.',
  requested: 'Fill it in with the payment provider: run `/payout setup` and follow its steps.',
  submitted: 'You need do nothing.',
  rejected: 'Correct it with the payment provider: run `/payout setup` and follow its steps.',
  expired: 'Fill in a new one with the payment provider: run `/payout setup` and follow its steps.',
}

/** How it goes on when the provider has the form: by itself where the provider tells of it. */
function thenWords(state: FormStatus | 'missing', source: string | undefined): string {
  if (source !== undefined && source !== byHand) return 'It goes on by itself when the provider tells us that the form is valid.'
  return state === 'submitted'
    ? 'It goes on when the provider tells us that the check is done, or the team has recorded it.'
    : 'Then tell the team: they record what the provider shows, if it does not tell us by itself.'
}

/** Why a payout waits for a form. */
export function closureOf(
  state: Exclude<FormStatus, 'valid'> | 'missing',
  { jurisdiction, currency, amount }: Threshold,
  said: SaidForm | undefined,
): GateClosure {
  const name = said ? `tax form ${said.form}` : 'tax form'
  const limit = formatMoney(amount, currency)
  return {
    forAdmin: `reaches ${limit} this year (${jurisdiction}), and the ${name} ${statusWords[state]}`,
    forPartner: `The ${name} ${statusWords[state]}; it is needed once your payments of a year reach ${limit}. ${nextSteps[state]} ${thenWords(state, said?.source)}`,
  }
}

export function recordedCard(partner: Partner, form: TaxForm): Message {
  return card({
    title: 'Recorded',
    body: `**${literal(partner.name)}**\n${formWords(form)}`,
    tone: 'good',
    footer: 'It counts until somebody records something else, or the provider says something new.',
  })
}

/** What each source says, that which counts first. */
export function statusCard(partner: Partner, [counts, ...others]: readonly SaidForm[]): Message {
  const who = `**${literal(partner.name)}**`
  if (!counts)
    return card({
      title: 'Tax form',
      body: [
        who,
        'Nobody has said anything of it. What the provider does not tell by itself, look up there, and record it with `/admin tax record`.',
      ],
    })
  return card({
    title: 'Tax form',
    body: [who, saidWords(counts)],
    ...(others.length > 0 && {
      fields: [{ name: 'Said before, and counts no more', value: others.map(saidWords).join('\n') }],
    }),
  })
}

/** The last day is told by its last moment: what `validUntil` begins is the next day. */
const formWords = ({ form, jurisdiction, status, validUntil }: TaxForm): string =>
  `${literal(form)} for ${jurisdiction} ${statusWords[status]}${validUntil ? `, until ${time(new Date(validUntil.getTime() - 1), 'D')}` : ''}.`

function saidWords(said: SaidForm): string {
  const who =
    said.source === byHand ? 'Recorded by an admin' : `Told by the payment provider (${literal(said.source)}), who says so since`
  return `${formWords(said)}\n-# ${who} ${time(said.since, 'f')}.`
}

/** The year's report as a file, with what needs an eye in words. */
export function reportCard(year: number, lines: readonly ReportLine[]): Message {
  if (lines.length === 0) return card({ title: `Nobody was paid in ${year}`, body: 'There is nothing to report.' })
  const paid = lines.filter(({ total }) => total.payouts > 0)
  const cameBack = lines.filter((line) => line.cameBack > 0n)
  const toReport = lines.filter((line) => line.reportable !== 'no')
  const unready = toReport.filter(({ form }) => form?.status !== 'valid')
  const unknown = paid.filter(({ jurisdiction }) => jurisdiction === '')
  return card({
    title: `What partners were paid in ${year}`,
    body: [...Map.groupBy(paid, ({ jurisdiction, total }) => `${jurisdiction || 'No country recorded'} · ${total.currency}`)].map(
      ([group, members]) =>
        `**${group}**: ${formatMoney(sum(members.map(({ total }) => total.amount)), members[0]!.total.currency)} to ${members.length} partner${members.length === 1 ? '' : 's'}, ${members.filter((line) => line.reportable === 'yes').length} at or above the threshold`,
    ),
    fields: [
      ...(unready.length > 0 ? [{ name: 'To be reported without a valid form', value: namesOf(unready) }] : []),
      ...(cameBack.length > 0
        ? [
            {
              name: 'Paid in an earlier year and came back in this one',
              value: `${fewOf(cameBack.map(({ partner, total, cameBack: amount }) => `• ${literal(partner.name)}: ${formatMoney(amount, total.currency)}`))}\nThe report of that year no longer counts it. If it was filed with it, correct it.`,
            },
          ]
        : []),
      ...(unknown.length > 0 ? [{ name: 'No country recorded', value: namesOf(unknown) }] : []),
    ],
    tone: unready.length + unknown.length + cameBack.length > 0 ? 'warn' : 'neutral',
    footer: 'Sums of what arrived in the calendar year, in the program’s time zone. A help for your accountant, not advice.',
    files: [{ name: `tax-report-${year}.csv`, data: reportFile(year, lines) }],
  })
}

const shownNames = 15
const fewOf = (texts: readonly string[]): string =>
  [...texts.slice(0, shownNames), ...(texts.length > shownNames ? [`… and ${texts.length - shownNames} more`] : [])].join('\n')
const namesOf = (lines: readonly ReportLine[]): string =>
  fewOf([...new Set(lines.map(({ partner }) => `• ${literal(partner.name)}`))])

const reportFile = (year: number, lines: readonly ReportLine[]): Buffer =>
  csvFile(
    [
      'year',
      'jurisdiction',
      'partner_id',
      'name',
      'email',
      'currency',
      'paid',
      'payouts',
      'came_back',
      'report',
      'threshold',
      'reportable',
      'form',
      'form_status',
    ],
    lines.map(({ partner, jurisdiction, total, cameBack, threshold, reportable, form }) => [
      String(year),
      jurisdiction,
      partner.id,
      partner.name,
      partner.email,
      total.currency,
      toDecimal(total.amount, total.currency),
      String(total.payouts),
      toDecimal(cameBack, total.currency),
      threshold?.report ?? '',
      threshold ? `${toDecimal(threshold.amount, threshold.currency)} ${threshold.currency}` : '',
      reportable,
      form?.name ?? '',
      form?.status ?? '',
    ]),
  )
