// Rules of commissions for admins: list, draft, simulate, publish, end.
import { type Command, type Component, type Ctx, defineCommand, type OptionValues, onComponent } from '../../commands/define.ts'
import { audit } from '../../db/tables.ts'
import {
  currencyCode,
  type Db,
  parseAmount,
  type Reader,
  readCountries,
  readDay,
  refuseOwn,
  type Settings,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { type Config, config, percentToPpm } from './config.ts'
import type { RuleBook } from './ruleBook.ts'
import { draftCard, endedCard, publishedCard, publishRule, rulesCard, simulateRule, simulationCard } from './ruleMessages.ts'
import type { Terms } from './terms.ts'

interface Needs {
  readonly db: Db
  readonly book: RuleBook
  readonly settings: Settings<Config>
  readonly partners: Partners
}

export const ruleCommands = (needs: Needs): Command[] => [list(needs), add(needs), simulate(needs), end(needs)]

function list({ db, book, settings, partners }: Needs): Command {
  return defineCommand({
    path: 'admin rules list',
    description: 'What partners earn, by which rule',
    access: 'admin',
    reply: 'ephemeral',
    run: async (ctx) => {
      const current = await book.current(db, ctx.program.id)
      const { ratePercent } = await settings.of(db, ctx.program.id)
      return rulesCard(current, ratePercent, ctx.now, await namesIn(db, partners, ctx, current.rules))
    },
  })
}

const addOptions = {
  name: {
    type: 'string',
    description: 'A name for the rule; that of a rule in force makes its next version',
    required: true,
    max: 60,
  },
  rate: { type: 'string', description: 'Percentage of each sale, such as 12.5', max: 8 },
  amount: { type: 'string', description: 'Instead of a rate: an amount for each sale, such as 25.00', max: 20 },
  partner: { type: 'user', description: 'Only for this partner' },
  tier: { type: 'string', description: 'Only for partners of this tier', max: 60 },
  product: { type: 'string', description: 'Only for this product', max: 200 },
  customer: {
    type: 'string',
    description: 'Only for new, or only for returning customers',
    choices: [
      { name: 'new customers', value: 'new' },
      { name: 'returning customers', value: 'returning' },
    ],
  },
  countries: { type: 'string', description: 'Only for customers in these countries, such as DE, AT', max: 200 },
  minimum: { type: 'string', description: 'Only for sales of at least this much', max: 20 },
  payments: {
    type: 'string',
    description: 'Which payments of a subscription earn (default: every payment)',
    choices: [
      { name: 'every payment', value: 'every' },
      { name: 'the first payment only', value: 'first' },
    ],
  },
  months: { type: 'integer', description: 'Subscriptions: only payments within so many months of the first', min: 1, max: 1200 },
  max_payments: { type: 'integer', description: 'Subscriptions: at most so many payments', min: 1, max: 100_000 },
  cap_per_sale: { type: 'string', description: 'At most this much for a sale', max: 20 },
  cap_per_period: { type: 'string', description: 'At most this much for a partner in a month or year', max: 20 },
  period: {
    type: 'string',
    description: 'The period of that cap (default: month)',
    choices: [
      { name: 'month', value: 'month' },
      { name: 'year', value: 'year' },
    ],
  },
  currency: {
    type: 'string',
    description: 'Of the amounts; the rule is then for sales in it only (default: the program’s)',
    max: 3,
  },
  starts: { type: 'string', description: 'First day, as 2026-12-31 (default: at once)', max: 10 },
  ends: { type: 'string', description: 'Last day, as 2026-12-31 (default: no end)', max: 10 },
} as const

function add({ db, book, partners }: Needs): Command {
  return defineCommand({
    path: 'admin rules add',
    description: 'Draft a rule; nothing changes before you publish it',
    options: addOptions,
    access: 'admin',
    reply: 'ephemeral',
    run: async (ctx, options) => {
      const partnerId = options.partner === undefined ? null : await partnerIdOf(db, partners, ctx, options.partner.id)
      const terms = readTerms(options, partnerId, ctx)
      const draft = await db.transaction((tx) => book.draft(tx, ctx.program.id, terms, ctx.user.id))
      return draftCard(draft, ctx.now, await namesIn(db, partners, ctx, [terms]))
    },
  })
}

function simulate({ db, book, partners }: Needs): Command {
  return defineCommand({
    path: 'admin rules simulate',
    description: 'What a draft would have changed, partner by partner',
    options: {
      draft: {
        type: 'string',
        description: 'A draft made with /admin rules add',
        required: true,
        suggest: async (ctx: Ctx, typed: string) =>
          (await book.current(db, ctx.program.id)).drafts
            .map(({ id, terms }) => ({ name: `${terms.name} · ${id.slice(-8)}`, value: id }))
            .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase())),
      },
      days: { type: 'integer', description: 'How many days back (default: 90)', min: 1, max: 730 },
    },
    access: 'admin',
    reply: 'ephemeral',
    run: (ctx, { draft, days }) => showSimulation({ db, book, partners }, ctx, draft, days ?? 90),
  })
}

async function showSimulation(
  { db, book, partners }: Pick<Needs, 'db' | 'book' | 'partners'>,
  ctx: Ctx,
  draftId: string,
  days: number,
) {
  const simulation = await book.simulate(db, ctx.program.id, draftId, days)
  return simulationCard(simulation, await namesIn(db, partners, ctx, [simulation.draft.terms, ...simulation.changes]))
}

function end({ db, book, partners }: Needs): Command {
  return defineCommand({
    path: 'admin rules end',
    description: 'End a rule for payments from now on',
    options: {
      name: {
        type: 'string',
        description: 'The rule’s name',
        required: true,
        suggest: async (ctx: Ctx, typed: string) =>
          [...new Set((await book.current(db, ctx.program.id)).rules.map(({ name }) => name))]
            .map((name) => ({ name, value: name }))
            .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase())),
      },
    },
    access: 'admin',
    reply: 'ephemeral',
    run: async (ctx, { name }) => {
      const rule = await db.transaction(async (tx) => {
        const ended = await book.end(tx, ctx.program.id, name.trim())
        for (const one of ended) await refuseOwnRule(tx, partners, ctx, one)
        const [last] = ended
        await tx.insert(audit).values({
          programId: ctx.program.id,
          actor: ctx.user.id,
          action: 'commissions.rule_ended',
          detail: { name: last.name, version: last.version },
          at: ctx.now,
        })
        return last
      })
      return endedCard(rule)
    },
  })
}

export function ruleComponents({ db, book, partners }: Needs): Component[] {
  return [
    onComponent(simulateRule, {
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { draft, days }) => showSimulation({ db, book, partners }, ctx, draft, Number(days)),
    }),
    onComponent(publishRule, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { draft }) => {
        const published = await db.transaction(async (tx) => {
          const { rule, fresh, ended } = await book.publish(tx, ctx.program.id, draft, ctx.user.id)
          for (const one of [rule, ...ended]) await refuseOwnRule(tx, partners, ctx, one)
          if (fresh)
            await tx.insert(audit).values({
              programId: ctx.program.id,
              actor: ctx.user.id,
              action: 'commissions.rule_published',
              detail: { name: rule.name, version: rule.version, ruleId: rule.id },
              at: ctx.now,
            })
          return { rule, fresh }
        })
        return publishedCard(published, ctx.now, await namesIn(db, partners, ctx, [published.rule]))
      },
    }),
  ]
}

/** The terms that the options describe. @throws UserError that names the option and how to write it */
export function readTerms(
  options: OptionValues<typeof addOptions>,
  partnerId: string | null,
  ctx: Pick<Ctx, 'program' | 'now'>,
): Terms {
  const { amount, minimum, cap_per_sale: saleCap, cap_per_period: periodCap } = options
  const hasMoney = [amount, minimum, saleCap, periodCap, options.currency].some((value) => value !== undefined)
  const currency = hasMoney ? readCurrency(options.currency ?? ctx.program.currency) : null
  const money = (text: string | undefined, option: string) => (text === undefined ? null : readMoney(text, currency!, option))
  return {
    name: options.name.trim(),
    partnerId,
    tier: options.tier?.trim() || null,
    product: options.product?.trim() || null,
    ratePpm: readRate(options),
    flat: money(amount, 'amount'),
    currency,
    minimum: money(minimum, 'minimum'),
    countries: options.countries === undefined ? null : readCountries(options.countries),
    customer: options.customer === 'new' || options.customer === 'returning' ? options.customer : 'any',
    payments: options.payments === 'first' ? 'first' : 'every',
    months: options.months ?? null,
    maxPayments: options.max_payments ?? null,
    saleCap: money(saleCap, 'cap_per_sale'),
    periodCap: money(periodCap, 'cap_per_period'),
    capPeriod: periodCap === undefined ? null : options.period === 'year' ? 'year' : 'month',
    startsAt: options.starts === undefined ? ctx.now : readDay(options.starts, ctx.program.timeZone, 0),
    endsAt: options.ends === undefined ? null : readDay(options.ends, ctx.program.timeZone, 1),
  }
}

function readRate({ rate, amount }: { rate: string | undefined; amount: string | undefined }): bigint {
  if (rate === undefined && amount === undefined)
    throw new UserError('no_rate', 'Say what the rule pays: `rate` for a percentage, or `amount` for an amount for each sale.')
  if (rate === undefined) return 0n
  if (amount !== undefined) throw new UserError('rate_and_amount', 'A rule pays a rate or an amount for each sale, not both.')
  const read = config.shape.ratePercent.safeParse(rate.trim().replace(/\s*%$/, ''))
  if (!read.success)
    throw new UserError('bad_rate', '`rate` must be a percentage from 0 to 100 with at most 4 decimals, such as 12.5.')
  return percentToPpm(read.data)
}

function readCurrency(text: string): string {
  const read = currencyCode.safeParse(text.trim())
  if (!read.success) throw new UserError('unknown_currency', `“${text}” is not a currency code. Use an ISO 4217 code such as USD.`)
  return read.data
}

/** Amounts stay below this, so that sums of them fit everywhere. */
const largestAmount = 10n ** 13n

function readMoney(text: string, currency: string, option: string): bigint {
  const amount = parseAmount(text, currency)
  if (amount <= 0n || amount > largestAmount)
    throw new UserError('bad_amount', `\`${option}\` must be more than zero, and an amount that can be paid.`)
  return amount
}

/** A rule for one partner is not theirs to publish or end, nor to end by publishing another version of its name. */
async function refuseOwnRule(tx: Tx, partners: Partners, ctx: Ctx, { partnerId }: Terms): Promise<void> {
  const partner = partnerId === null ? undefined : await partners.byId(tx, ctx.program.id, partnerId)
  refuseOwn('rule', partner?.userId, ctx.user.id)
}

async function partnerIdOf(reader: Reader, partners: Partners, ctx: Ctx, userId: string): Promise<string> {
  const partner = await partners.byUser(reader, ctx.program.id, userId)
  if (!partner) throw new UserError('unknown_partner', `<@${userId}> is not a partner of this program.`)
  return partner.id
}

/** How the partners in these rows are called in a message. */
async function namesIn(
  reader: Reader,
  partners: Partners,
  ctx: Ctx,
  rows: readonly { partnerId: string | null }[],
): Promise<(partnerId: string) => string> {
  const names = new Map<string, string>()
  for (const { partnerId } of rows.slice(0, 50)) {
    if (partnerId === null || names.has(partnerId)) continue
    const partner = await partners.byId(reader, ctx.program.id, partnerId)
    names.set(partnerId, partner ? `<@${partner.userId}>` : 'an unknown partner')
  }
  return (partnerId) => names.get(partnerId) ?? 'a partner'
}
