// The words of the rules of commissions: pure functions.
import { componentRef, customId } from '../../commands/customId.ts'
import { button, card, literal, type Message, time } from '../../commands/messages.ts'
import { csvFile, formatMoney, formatRate, toDecimal } from '../kit/index.ts'
import type { Draft, Simulation } from './ruleBook.ts'
import type { Rule, Terms } from './terms.ts'

export const publishRule = componentRef('commissions.publish_rule', ['draft'])
export const simulateRule = componentRef('commissions.simulate_rule', ['draft', 'days'])

type NameOf = (partnerId: string) => string

/** The terms in a sentence or two: “12.5% of each sale to @ada of “Pro”, new customers only, at most $50.00 a sale.” */
export function termsWords(terms: Terms, nameOf: NameOf): string {
  const money = (amount: bigint) => formatMoney(amount, terms.currency ?? 'USD')
  const conditions = [
    terms.partnerId === null ? 'every partner' : nameOf(terms.partnerId),
    ...(terms.tier === null ? [] : [`tier ${literal(terms.tier)}`]),
    ...(terms.product === null ? [] : [`product ${literal(terms.product)}`]),
    ...(terms.customer === 'any' ? [] : [`${terms.customer} customers`]),
    ...(terms.countries === null ? [] : [`customers in ${terms.countries.join(', ')}`]),
    ...(terms.minimum === null ? [] : [`sales of at least ${money(terms.minimum)}`]),
    ...(terms.currency === null ? [] : [`sales in ${terms.currency}`]),
  ]
  const limits = [
    ...(terms.payments === 'first' ? ['the first payment of a subscription only'] : []),
    ...(terms.months === null ? [] : [`payments within ${terms.months} months of the first`]),
    ...(terms.maxPayments === null ? [] : [`at most ${terms.maxPayments} payments of a subscription`]),
    ...(terms.saleCap === null ? [] : [`at most ${money(terms.saleCap)} for a sale`]),
    ...(terms.periodCap === null ? [] : [`at most ${money(terms.periodCap)} for a partner in a ${terms.capPeriod}`]),
  ]
  const what = terms.flat === null ? formatRate(terms.ratePpm) : `${money(terms.flat)} for each sale`
  return `**${what}** · for ${conditions.join(', ')}${limits.length > 0 ? ` · ${limits.join(', ')}` : ''}`
}

export function rulesCard(
  { rules, drafts }: { rules: readonly Rule[]; drafts: readonly Draft[] },
  programRate: string,
  now: Date,
  nameOf: NameOf,
): Message {
  const lines = rules.map(
    (rule) => `**${literal(rule.name)}** (version ${rule.version})${when(rule, now)}\n${termsWords(rule, nameOf)}`,
  )
  return card({
    title: 'What partners earn',
    body: [
      ...lines,
      `**Everything else**\n${programRate}% of each sale. Change it with \`/admin settings set\`.`,
      ...(drafts.length === 0
        ? []
        : [`Drafts that wait: ${drafts.map(({ terms }) => literal(terms.name)).join(', ')}. See \`/admin rules simulate\`.`]),
    ],
    footer: 'The rule for a partner goes before one for a tier, that before one for a product, that before one for all.',
  })
}

function when({ startsAt, endsAt }: Terms, now: Date): string {
  const parts = [
    ...(startsAt > now ? [`from ${time(startsAt, 'D')}`] : []),
    ...(endsAt === null ? [] : [`until ${time(endsAt, 'f')}`]),
  ]
  return parts.length > 0 ? ` · ${parts.join(' ')}` : ''
}

export function draftCard(draft: Draft, now: Date, nameOf: NameOf): Message {
  return card({
    title: `Draft of the rule “${literal(draft.terms.name)}”`,
    body: [
      termsWords(draft.terms, nameOf) + when(draft.terms, now),
      'Nothing has changed yet. See first what it would have changed, then publish it. What is earned already is never touched.',
    ],
    rows: [
      [
        button({
          customId: customId(simulateRule, { draft: draft.id, days: '90' }),
          label: 'Try it on the last 90 days',
          style: 'primary',
        }),
        publishButton(draft),
      ],
    ],
  })
}

const publishButton = (draft: Draft) =>
  button({
    customId: customId(publishRule, { draft: draft.id }),
    label: 'Publish',
    style: 'success',
    disabled: draft.publishedAt !== null,
  })

const shownPartners = 15

export function simulationCard({ draft, days, sales, changes }: Simulation, nameOf: NameOf): Message {
  const currencies = [...new Set(changes.map(({ currency }) => currency))].sort()
  const totals = currencies.map((currency) => {
    const own = changes.filter((change) => change.currency === currency)
    const by = own.reduce((total, { now, would }) => total + would - now, 0n)
    return `**${signed(by, currency)}** in all in ${currency}, for ${plural(own.length, 'partner')}.`
  })
  return card({
    title: `“${literal(draft.terms.name)}” on the last ${plural(days, 'day')}`,
    body: [
      termsWords(draft.terms, nameOf),
      `${plural(sales, 'sale')} replayed.`,
      ...(changes.length === 0 ? ['Not one of them would have earned anything else.'] : totals),
      changes
        .slice(0, shownPartners)
        .map(
          ({ partnerId, currency, sales: count, now, would }) =>
            `• ${nameOf(partnerId)}: ${formatMoney(now, currency)} → ${formatMoney(would, currency)} (**${signed(would - now, currency)}**, ${plural(count, 'sale')})`,
        )
        .join('\n'),
      ...(changes.length > shownPartners ? [`… and ${changes.length - shownPartners} more, in the file.`] : []),
    ].filter(Boolean),
    footer:
      draft.publishedAt === null
        ? 'What is earned already stays as it is; the rule counts for payments after it is published.'
        : 'This draft was published.',
    rows: [[publishButton(draft)]],
    ...(changes.length > 0 && { files: [{ name: 'simulation.csv', data: simulationCsv(changes) }] }),
  })
}

function simulationCsv(changes: Simulation['changes']): Buffer {
  return csvFile(
    ['partner', 'currency', 'sales_changed', 'now', 'would_be', 'difference'],
    changes.map(({ partnerId, currency, sales, now, would }) => [
      partnerId,
      currency,
      String(sales),
      toDecimal(now, currency),
      toDecimal(would, currency),
      toDecimal(would - now, currency),
    ]),
  )
}

const signed = (amount: bigint, currency: string): string => `${amount > 0n ? '+' : ''}${formatMoney(amount, currency)}`
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

export function publishedCard({ rule, fresh }: { rule: Rule; fresh: boolean }, now: Date, nameOf: NameOf): Message {
  return card({
    title: fresh ? `“${literal(rule.name)}” is published` : `“${literal(rule.name)}” was published before`,
    body: [
      `Version ${rule.version}${rule.startsAt > now ? `, in force from ${time(rule.startsAt, 'D')}` : ', in force for payments from now on'}.`,
      termsWords(rule, nameOf),
    ],
    tone: 'good',
    footer: 'End it with /admin rules end; another draft of the same name becomes its next version.',
  })
}

export function endedCard(rule: Rule): Message {
  return card({
    title: `“${literal(rule.name)}” has ended`,
    body: 'Payments from now on fall under the other rules. What it earned partners stays.',
    tone: 'good',
  })
}
