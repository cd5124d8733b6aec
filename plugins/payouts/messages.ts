// The words of payouts: pure functions.
import { customId } from '../../commands/customId.ts'
import { type Attachment, button, card, linkButton, literal, type Message, time, withFile } from '../../commands/messages.ts'
import { csvFile, formatMoney, hours, sum, toDecimal } from '../kit/index.ts'
import type { Mail } from '../notifications/public.ts'
import { type ApprovalBar, type Approver, approvalBar, type Gate, scheduleActor } from './decide.ts'
import type { LineReport } from './manual.ts'
import { byHand, type MethodRow, type PayoutRow, type PlanLine, type RunResult, type WaitingRun } from './model.ts'
import { approveButton, rejectButton } from './refs.ts'

export const shownLines = 15
const shownRuns = 5

const stepWords = (step: bigint, currency: string): string => `pays ${currency} only in multiples of ${formatMoney(step, currency)}`

const mostWords = ({ most, minimum }: { most: bigint; minimum: bigint }, currency: string): string =>
  `${formatMoney(most, currency)} of it could be paid, below the minimum of ${formatMoney(minimum, currency)}`

/** Why somebody is not paid, for an admin. */
export function gateWords(gate: Gate, currency: string): string {
  switch (gate.gate) {
    case 'partner_not_active':
      return 'is not an active partner'
    case 'agreement_unsigned':
      return 'has not signed the current agreement'
    case 'in_debt':
      return 'owes something back first'
    case 'no_method':
      return 'has no payout method (`/payout setup`)'
    case 'method_not_ready':
      return `payout method is not complete${gate.missing ? `: ${literal(gate.missing)}` : ''}`
    case 'method_cooling':
      return `changed the payout method; can be paid ${time(gate.until)}`
    case 'below_minimum':
      return `is below the minimum of ${formatMoney(gate.minimum, currency)}`
    case 'uneven':
      return gate.most === 0n
        ? `has a payout method that ${stepWords(gate.step, currency)}, and no commissions add up to one`
        : `has a payout method that ${stepWords(gate.step, currency)}: only ${mostWords(gate, currency)}`
    case 'other':
      return gate.closed.forAdmin
  }
}

/** The same as plain text, to be kept with a payout that was taken back. */
export function gateNote(gate: Gate, currency: string): string {
  if (gate.gate === 'method_cooling') return 'changed the payout method a short while ago'
  if (gate.gate === 'method_not_ready') return `payout method is not complete${gate.missing ? `: ${gate.missing}` : ''}`
  if (gate.gate === 'uneven') return `has a payout method that ${stepWords(gate.step, currency)}, which this is not`
  return gateWords(gate, currency)
}

/** The same for the partner, with what to do. */
function ownGateWords(gate: Gate, currency: string): string {
  switch (gate.gate) {
    case 'partner_not_active':
      return 'Your membership is not active. Run `/start` to see the next step.'
    case 'agreement_unsigned':
      return 'The current agreement is not signed yet. Run `/start` to see the next step.'
    case 'in_debt':
      return 'You owe something back from a refunded sale; your next earnings repay it first.'
    case 'no_method':
      return 'You have no payout method yet. Run `/payout setup`.'
    case 'method_not_ready':
      return `Your payout method is not complete${gate.missing ? ` (${literal(gate.missing)})` : ''}. Run \`/payout setup\` to go on.`
    case 'method_cooling':
      return `Your payout method was changed; for your safety it is paid to from ${time(gate.until, 'f')}.`
    case 'below_minimum':
      return `It is below the minimum of ${formatMoney(gate.minimum, currency)} and waits for more.`
    case 'uneven':
      return gate.most === 0n
        ? `Your payout method ${stepWords(gate.step, currency)}, and your commissions do not add up to one yet. It waits for your next ones; or choose another method with \`/payout setup\`.`
        : `Your payout method ${stepWords(gate.step, currency)}: only ${mostWords(gate, currency)}. It waits for more.`
    case 'other':
      return gate.closed.forPartner
  }
}

/** What is to be paid through which provider. */
export type Need = Pick<PayoutRow, 'provider' | 'currency' | 'amount'>
export const needOf = ({ method, currency, amount }: PlanLine): Need => ({ provider: method?.provider ?? '', currency, amount })

export interface Funds {
  readonly provider: string
  /** What people call the provider. */
  readonly title: string
  readonly currency: string
  /** Undefined when the provider could not be asked. */
  readonly available: bigint | undefined
}

const totals = (lines: readonly { currency: string; amount: bigint }[]): string =>
  [...Map.groupBy(lines, ({ currency }) => currency)]
    .map(
      ([currency, group]) =>
        `**${formatMoney(sum(group.map(({ amount }) => amount)), currency)}** to ${group.length} partner${group.length === 1 ? '' : 's'}`,
    )
    .join('\n')

const fewOf = (lines: readonly string[]): string =>
  [...lines.slice(0, shownLines), ...(lines.length > shownLines ? [`… and ${lines.length - shownLines} more`] : [])].join('\n')

const paidLine = (line: PlanLine): string => {
  const { partner, amount, currency, commissions } = line
  const stays = restOf(line) > 0n ? `; ${restWords(line)}, because the payout method ${stepWords(line.step, currency)}` : ''
  return `• ${literal(partner.name)}: ${formatMoney(amount, currency)} for ${commissions} commission${commissions === 1 ? '' : 's'}${stays}`
}

const restOf = ({ payable, amount }: PlanLine): bigint => payable.amount - amount
const restWords = (line: PlanLine): string => `${formatMoney(restOf(line), line.currency)} stays payable`

const skippedLine = ({ partner, payable, currency, gate }: PlanLine): string =>
  `• ${literal(partner.name)} (${formatMoney(payable.amount, currency)}) ${gate ? gateWords(gate, currency) : ''}`

export function dryRunCard(lines: readonly PlanLine[], funds: readonly Funds[]): Message {
  const toPay = lines.filter(({ gate }) => !gate)
  const skipped = lines.filter(({ gate }) => gate)
  if (lines.length === 0) return card({ title: 'Nothing to pay out', body: 'No commission is payable now. Nothing was changed.' })
  const shown = card({
    title: toPay.length === 0 ? 'Nobody can be paid yet' : 'This would be paid',
    body: toPay.length === 0 ? 'Nothing was changed.' : `${totals(toPay)}\nNothing was changed.`,
    fields: [
      ...(toPay.length > 0 ? [{ name: 'Paid', value: fewOf(toPay.map(paidLine)) }] : []),
      ...(skipped.length > 0 ? [{ name: 'Not paid, and why', value: fewOf(skipped.map(skippedLine)) }] : []),
      ...(toPay.length > 0 ? [{ name: 'Funds', value: funds.map((fund) => fundsLine(fund, toPay.map(needOf))).join('\n') }] : []),
    ],
    tone: toPay.length === 0 ? 'warn' : 'neutral',
    ...(toPay.length > 0 && { footer: 'Run /admin payouts run to pay.' }),
  })
  return Math.max(toPay.length, skipped.length) > shownLines ? withFile(shown, dryRunFile(lines)) : shown
}

/** Every partner of a dry run, each exception spelled out: for when the card has no room for all. */
function dryRunFile(lines: readonly PlanLine[]): Attachment {
  return {
    name: 'dry-run.csv',
    data: csvFile(
      ['partner', 'amount', 'currency', 'commissions', 'paid', 'why_not', 'what_the_partner_reads', 'stays_payable'],
      lines.map((line) => {
        const { partner, payable, currency, gate } = line
        const { amount, commissions } = gate ? payable : line
        return [
          partner.name,
          toDecimal(amount, currency),
          currency,
          String(commissions),
          gate ? 'no' : 'yes',
          gate ? plainly(gateWords(gate, currency)) : '',
          gate ? plainly(ownGateWords(gate, currency)) : '',
          toDecimal(gate ? payable.amount : restOf(line), currency),
        ]
      }),
    ),
  }
}

/** What a card says as plain text: times in UTC, and none of the signs that Discord does not show as they are. */
const plainly = (words: string): string =>
  words
    .replace(/<t:(\d+):\w>/g, (_, at: string) => `${new Date(Number(at) * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`)
    .replace(/`|\\(?=[^\w\s])/g, '')

function fundsLine({ provider, title, currency, available }: Funds, needs: readonly Need[]): string {
  const needed = sum(needs.filter((need) => need.currency === currency && need.provider === provider).map(({ amount }) => amount))
  if (provider === byHand)
    return `• ${formatMoney(needed, currency)} by hand: fetch the list with \`/admin payouts export\` after the run.`
  if (available === undefined) return `• ${title} could not be asked what is available in ${currency}.`
  const there = formatMoney(available, currency)
  return available >= needed
    ? `• ${title}: ${there}, enough.`
    : `• ${title}: ${there}, **${formatMoney(needed - available, currency)} short**. Payouts wait until funds are added.`
}

export function runCard({ prepared, skipped, lowerUntil }: RunResult, funds: readonly Funds[] = []): Message {
  const waiting = prepared.filter(({ state }) => state === 'awaiting_approval')
  const sending = prepared.filter(({ state }) => state !== 'awaiting_approval')
  const not = skipped.length > 0 ? [{ name: 'Not paid, and why', value: fewOf(skipped.map(skippedLine)) }] : []
  if (prepared.length === 0)
    return card({
      title: 'Nothing new to pay',
      body: 'No payout was started: everything payable is on its way or waits for the reasons below.',
      fields: not,
    })
  return card({
    title: sending.length > 0 ? 'Payouts are being sent' : 'Payouts wait for a second admin',
    body: [
      ...(sending.length > 0 ? [totals(sending)] : []),
      ...(waiting.length > 0
        ? [`${totals(waiting)}\nis above the approval threshold: another admin runs \`/admin payouts approve\`.`]
        : []),
      ...(lowerUntil ? [`The threshold was raised lately: the one before counts until ${time(lowerUntil, 'f')}.`] : []),
    ],
    fields: [
      ...(funds.length > 0 ? [{ name: 'Funds', value: funds.map((fund) => fundsLine(fund, prepared)).join('\n') }] : []),
      ...not,
    ],
    tone: waiting.length > 0 ? 'warn' : 'good',
    footer: 'See how far each is with /admin payouts list.',
  })
}

function barWords(bar: ApprovalBar): string {
  switch (bar.because) {
    case 'started_it':
      return 'You started this run yourself: another admin must approve it.'
    case 'is_paid_by_it':
      return 'A payout of your own is in this run: another admin must approve it. Or call yours back with `/admin payouts cancel`, then approve the rest.'
    case 'set_the_day':
      return setTheDayWords(bar.until)
  }
}

/** To an admin who wants to approve what the schedule prepared on the day that they set. */
export const setTheDayWords = (until: Date): string =>
  `You set the day of the schedule (\`scheduleDay\`) shortly before it made this run, so you count as having started it: another admin must approve it with \`/admin payouts approve\`. You may do so yourself from ${time(until, 'f')}.`

/** The largest payouts of a run among so many that are shown, in each of its currencies: whoever approves should see whom they pay. */
function largestOf({ payouts }: WaitingRun, runs: number): WaitingRun['payouts'] {
  const bySize = payouts.toSorted((a, b) => Number(b.amount - a.amount))
  return [...Map.groupBy(bySize, ({ currency }) => currency).values()]
    .flatMap((own) => own.map((payout, rank) => ({ payout, rank })))
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, Math.max(2, Math.floor(shownLines / runs)))
    .map(({ payout }) => payout)
}

/** The payouts that the card of waiting runs names. */
export function namedIn(waiting: readonly WaitingRun[]): WaitingRun['payouts'] {
  const shown = waiting.slice(0, shownRuns)
  return shown.flatMap((run) => largestOf(run, shown.length))
}

/** Runs that wait, each with its totals, whom it pays, and the buttons that decide about it alone. `names` by partner. */
export function waitingCard(waiting: readonly WaitingRun[], viewer: Approver, names: ReadonlyMap<string, string>): Message {
  const shown = waiting.slice(0, shownRuns).map((run) => ({ ...run, bar: approvalBar(run, viewer) }))
  if (shown.length === 0) return card({ title: 'Nothing waits for approval', body: 'Nothing was changed.' })
  return card({
    title: 'These payouts wait for a second admin',
    body: 'Nothing was sent yet. When you approve, each partner is looked at again; who may not be paid any more is taken back.',
    fields: shown.map((run, i) => ({
      name: `Run ${i + 1}: started by ${run.actor === scheduleActor ? 'the schedule' : `<@${run.actor}>`} ${time(run.startedAt)}`,
      value: [totals(run.payouts), ...namedLines(run, shown.length, names), ...(run.bar ? [barWords(run.bar)] : [])].join('\n'),
    })),
    rows: shown.map(({ runId, payouts, bar }, i) => [
      button({
        customId: customId(approveButton, { run: runId, seen: String(payouts.length) }),
        label: `Approve run ${i + 1} (${payouts.length} payout${payouts.length === 1 ? '' : 's'})`,
        style: 'success',
        disabled: bar !== null,
      }),
      button({ customId: customId(rejectButton, { run: runId }), label: `Reject run ${i + 1}`, style: 'danger' }),
    ]),
    tone: 'warn',
    ...(waiting.length > shownRuns && { footer: `${waiting.length - shownRuns} more runs wait; decide about these first.` }),
  })
}

function namedLines(run: WaitingRun, runs: number, names: ReadonlyMap<string, string>): string[] {
  const largest = largestOf(run, runs)
  const rest = run.payouts.length - largest.length
  return [
    ...largest.map(
      ({ partnerId, amount, currency }) => `• ${literal(names.get(partnerId) ?? '')}: ${formatMoney(amount, currency)}`,
    ),
    ...(rest > 0 ? [`… and ${rest} more, none of them larger in its currency`] : []),
  ]
}

export function approvedCard(
  approved: readonly PayoutRow[],
  takenBack: readonly PayoutRow[],
  names: ReadonlyMap<string, string>,
): Message {
  if (approved.length + takenBack.length === 0)
    return card({
      title: 'Nothing of this run waits any more',
      body: 'Nothing was changed. See how far each payout is with `/admin payouts list`.',
    })
  return card({
    title: approved.length > 0 ? 'Approved: payouts are being sent' : 'Nothing was sent',
    body: approved.length > 0 ? totals(approved) : 'Nobody of this run may be paid now.',
    fields:
      takenBack.length > 0
        ? [
            {
              name: 'Taken back and payable again, and why',
              value: fewOf(
                takenBack.map(
                  ({ partnerId, amount, currency, note }) =>
                    `• ${literal(names.get(partnerId) ?? '')} (${formatMoney(amount, currency)}) ${literal(note ?? '')}`,
                ),
              ),
            },
          ]
        : [],
    tone: takenBack.length > 0 ? 'warn' : 'good',
  })
}

export function rejectedCard(rejected: readonly PayoutRow[]): Message {
  if (rejected.length === 0) return approvedCard([], [], new Map())
  return card({
    title: 'The run was rejected',
    body: `${totals(rejected)}\nNothing was sent. It is payable again and goes out with the next run unless something stands in its way.`,
    tone: 'good',
  })
}

/** For the staff: nobody was there to be told. */
export function takenBackMessage({ amount, currency, note }: PayoutRow, name: string): Message {
  return card({
    title: 'A payout was taken back before it was sent',
    body: [
      `• ${literal(name)} (${formatMoney(amount, currency)}) ${literal(note ?? '')}`,
      'It is payable again and goes out with the next run once nothing stands in its way.',
    ],
    tone: 'warn',
  })
}

const stateWords: Readonly<Record<PayoutRow['state'], string>> = {
  awaiting_approval: '🖐️ waits for a second admin',
  queued: '⏳ is being sent',
  sent: '🚚 on its way',
  paid: '✅ paid',
  returned: '↩️ came back',
  refused: '⛔ refused',
  cancelled: '✋ called back',
}

function payoutLine(payout: PayoutRow, name?: string): string {
  const amount = formatMoney(payout.amount, payout.currency)
  const what = name === undefined ? `**${amount}**` : `**${literal(name)}** ${amount}`
  const at = time(payout.settledAt ?? payout.sentAt ?? payout.preparedAt)
  const note = payout.note ? `\n-# ${literal(payout.note)}` : ''
  return `${what} · ${stateWords[payout.state]} ${at}${note}`
}

export function listCard(rows: readonly PayoutRow[], names: ReadonlyMap<string, string>): Message {
  if (rows.length === 0) return card({ title: 'No payouts yet', body: 'See who could be paid with `/admin payouts dry-run`.' })
  return card({
    title: 'The newest payouts',
    body: rows.map((row) => payoutLine(row, names.get(row.partnerId) ?? 'A partner who is gone')),
  })
}

export function setupCard({ id, title: provider }: { id: string; title: string }, page: string): Message {
  if (id === byHand)
    return card({
      title: 'How should the program know you?',
      body: [
        'You chose to be paid by hand. Open the page and leave a short reference that you agreed on with the program, such as a supplier number.',
        'Do not enter bank details or tax numbers: they are not kept here.',
      ],
      rows: [[linkButton({ url: page, label: 'Leave your reference', emoji: '✍️' })]],
      footer: 'The link is yours alone and works for a day.',
    })
  return card({
    title: 'Where should your money go?',
    body: [
      `Open ${provider}’s page, follow its steps and come back. Your bank details stay with ${provider}; this program never sees them.`,
      'The link is yours alone and works once. If it has run out, run `/payout setup` again.',
    ],
    rows: [[linkButton({ url: page, label: `Continue on ${provider}`, emoji: '🔐' })]],
  })
}

/** Most notes are words for an admin, about gates, funds and providers; partners read what came back. */
const forPartner = (payout: PayoutRow): PayoutRow => (payout.state === 'returned' ? payout : { ...payout, note: null })

export interface Status {
  readonly method: MethodRow | undefined
  readonly providerTitle: string
  readonly coolingHours: number
  readonly lines: readonly PlanLine[]
  readonly recent: readonly PayoutRow[]
  readonly now: Date
}

export function statusCard({ method, providerTitle, coolingHours, lines, recent, now }: Status): Message {
  return card({
    title: 'Your payouts',
    fields: [
      { name: 'Where they go', value: methodWords(method, providerTitle, coolingHours, now) },
      {
        name: 'Payable now',
        value: lines.length === 0 ? 'Nothing yet. See what is pending with `/earnings show`.' : lines.map(ownLine).join('\n'),
      },
      ...(recent.length > 0 ? [{ name: 'Recent', value: recent.map((payout) => payoutLine(forPartner(payout))).join('\n') }] : []),
    ],
  })
}

function ownLine(line: PlanLine): string {
  const { amount, payable, step, currency, gate } = line
  if (gate) return `**${formatMoney(payable.amount, currency)}** ${ownGateWords(gate, currency)}`
  const goes = `**${formatMoney(amount, currency)}** It is paid with the next payout run.`
  return restOf(line) > 0n ? `${goes} ${restWords(line)}, because your payout method ${stepWords(step, currency)}.` : goes
}

function methodWords(method: MethodRow | undefined, title: string, coolingHours: number, now: Date): string {
  if (!method) return 'Not set up yet. Run `/payout setup`.'
  if (!method.ready)
    return `${title}, not complete${method.missing ? `: ${literal(method.missing)}` : ''}. Run \`/payout setup\` to go on.`
  const until = new Date(method.changedAt.getTime() + hours(coolingHours))
  return until > now ? `${title}, ready; changed lately, so it is paid to from ${time(until, 'f')}.` : `${title}, ready.`
}

export function methodReadyMessage({ changedAt, coolingHours }: { changedAt: Date; coolingHours: number }): Message {
  const from = new Date(changedAt.getTime() + hours(coolingHours))
  return card({
    title: 'Your payout method is ready',
    body: [
      coolingHours === 0
        ? 'What is payable is paid with the next payout run.'
        : `For your safety it is paid to from ${time(from, 'f')}; then what is payable goes out with the next run.`,
      'You did not do this? Tell an admin at once.',
    ],
    tone: 'good',
  })
}

export function methodMovedMessage({ changedAt, coolingHours }: { changedAt: Date; coolingHours: number }): Message {
  const from = new Date(changedAt.getTime() + hours(coolingHours))
  return card({
    title: 'The account that your payouts go to was changed',
    body: [
      'The payment provider tells us of another bank account, card or address that your money can go to now, or that it goes to from now on.',
      coolingHours === 0
        ? 'What is payable goes there with the next run.'
        : `For your safety nothing is sent before ${time(from, 'f')}.`,
      'You did this yourself? Then you need do nothing. **If it was not you**, tell an admin at once, change your password at the provider, and run `/payout setup` to give your own account again.',
    ],
    tone: 'warn',
  })
}

interface Paid {
  readonly amount: bigint
  readonly currency: string
  readonly commissions: number
  readonly programName: string
}

const forWhat = ({ commissions }: Paid): string => `${commissions} commission${commissions === 1 ? '' : 's'}`

export function paidMessage(paid: Paid): Message {
  return card({
    title: `You were paid ${formatMoney(paid.amount, paid.currency)} 💸`,
    body: `That is for ${forWhat(paid)} from ${literal(paid.programName)}. It is on your account; your bank may take a few days to show it.`,
    tone: 'celebrate',
    footer: 'See everything with /earnings show.',
  })
}

export function paidMail(paid: Paid, name: string): Pick<Mail, 'subject' | 'paragraphs' | 'footer'> {
  const amount = formatMoney(paid.amount, paid.currency)
  return {
    subject: `You were paid ${amount}`,
    paragraphs: [
      `Hello ${name},`,
      `${paid.programName} has paid you ${amount} for ${forWhat(paid)}. It is on your account; your bank may take a few days to show it.`,
      'Thank you for your work.',
    ],
    footer: 'In Discord, /earnings show tells what each part was for.',
  }
}

export function returnedMessage(payout: { amount: bigint; currency: string }, reason: string): Message {
  return card({
    title: `A payout of ${formatMoney(payout.amount, payout.currency)} did not arrive`,
    body: [
      `Reason: ${literal(reason)}`,
      'Nothing is lost: it is payable again and goes out with the next run.',
      'What to do: if that account was closed or its details are wrong, run `/payout setup` and give the right one. If all is right there, you need do nothing; `/payout status` shows how it goes on.',
    ],
    tone: 'warn',
  })
}

/** Why somebody is not erased yet, for the admin. */
export function underwayWords(waiting: readonly Pick<PayoutRow, 'amount' | 'currency' | 'state'>[]): string {
  const lines = waiting.map(
    ({ amount, currency, state }) =>
      `• **${formatMoney(amount, currency)}** ${state === 'sent' ? 'is on its way and has not been confirmed' : 'was not sent yet'}`,
  )
  return `Payouts to this person are underway:\n${fewOf(lines)}\nWait until they have arrived or come back, which may take a provider 30 days; confirm those made by hand with \`/admin payouts import\`. What was not sent yet, \`/admin payouts cancel\` calls back.`
}

/** For the staff: whoever it was for was erased and reads nothing. */
export function cameBackErasedMessage({ partnerId, amount, currency }: PayoutRow, reason: string): Message {
  return card({
    title: `A payout of ${formatMoney(amount, currency)} came back whose partner was erased`,
    body: [
      `Reason: ${literal(reason)}`,
      `It is payable again (partner ${literal(partnerId)}), and goes out with the next run if their account at the provider still takes it; \`/admin payouts dry-run\` says so.`,
      'What to do if it does not: pay them outside of this program if they ask, or keep what the law says; then take it out of the books with `/admin commissions void`, choosing “Erased partner”.',
    ],
    tone: 'warn',
  })
}

export function cancelledCard(payout: PayoutRow, name: string): Message {
  return card({
    title: 'The payout was called back',
    body: `${formatMoney(payout.amount, payout.currency)} for ${literal(name)} was not sent and is payable again. It goes out with the next run unless something stands in its way.`,
    tone: 'good',
  })
}

/** A line for choosing a payout; plain text. */
export const payoutChoice = ({ amount, currency, state }: PayoutRow, name: string): string =>
  `${formatMoney(amount, currency)} to ${name}, ${state === 'queued' ? 'about to be sent' : 'waits for approval'}`.slice(0, 100)

export function scheduledRunMessage(run: RunResult): Message {
  const { components } = runCard(run)
  return {
    components: [
      ...card({ title: 'The monthly payout run', body: 'It started by itself, as set with `scheduleDay`.' }).components,
      ...components,
    ],
  }
}

export function exportCard(listed: readonly PayoutRow[], file: Buffer, options: { again: boolean }): Message {
  if (listed.length === 0)
    return card({
      title: options.again ? 'No listed payout waits for confirmation' : 'No new payout is to be made by hand',
      body: options.again
        ? 'Whatever was listed is confirmed.'
        : 'Payouts by hand appear here after `/admin payouts run`. For those listed before and not confirmed, choose `again`.',
    })
  return withFile(
    card({
      title: options.again ? 'Payouts that wait for confirmation' : 'Payouts to make by hand',
      body: [
        totals(listed),
        options.again
          ? '**These were listed before.** Make sure that none is paid a second time.'
          : 'Each is listed as new only once, and cannot be called back any more.',
        'Pay them, write `paid` (and in `paid_on` the day, if it is not today) or `returned` (with a reason) into the list, save as CSV, and attach it to `/admin payouts import`.',
      ],
      tone: options.again ? 'warn' : 'neutral',
    }),
    { name: 'payouts.csv', data: file },
  )
}

const outcomeTitles: readonly (readonly [LineReport['outcome'], string])[] = [
  ['paid', '✅ Confirmed as paid'],
  ['returned', '↩️ Came back'],
  ['unchanged', 'Known before, unchanged'],
  ['open', '⏳ Still open'],
  ['refused', '⛔ Not taken, and why'],
]

/** What an imported list did, line by line; all of it in a file when the card has no room. */
export function importCard(reports: readonly LineReport[]): Message {
  if (reports.length === 0) return card({ title: 'The list is empty', body: 'It has a header and no lines. Nothing was changed.' })
  const byOutcome = Map.groupBy(reports, ({ outcome }) => outcome)
  const changed = (byOutcome.get('paid')?.length ?? 0) + (byOutcome.get('returned')?.length ?? 0)
  const refused = byOutcome.get('refused')?.length ?? 0
  const shown = card({
    title: changed > 0 ? `${changed} payout${changed === 1 ? '' : 's'} confirmed` : 'Nothing was changed',
    body: outcomeTitles.flatMap(([outcome, title]) => {
      const count = byOutcome.get(outcome)?.length ?? 0
      return count > 0 ? [`${title}: ${count}`] : []
    }),
    fields: outcomeTitles.flatMap(([outcome, name]) => {
      const told = outcome === 'refused' || outcome === 'returned' ? (byOutcome.get(outcome) ?? []) : []
      return told.length > 0 ? [{ name, value: fewOf(told.map(({ line, why }) => `• Line ${line} ${literal(why)}`)) }] : []
    }),
    tone: refused > 0 ? 'warn' : 'good',
    ...(refused > 0 && {
      footer: 'Mend the lines that were not taken and import the list again; what is confirmed stays as it is.',
    }),
  })
  if (reports.length <= shownLines) return shown
  return withFile(shown, {
    name: 'import-report.csv',
    data: csvFile(
      ['line', 'payout_id', 'outcome', 'why'],
      reports.map(({ line, payoutId, outcome, why }) => [String(line), payoutId, outcome, why]),
    ),
  })
}
