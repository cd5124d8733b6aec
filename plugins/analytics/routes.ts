// GET /v1/analytics: the same figures as the cards, for other programs. Amounts as integers in minor units, as text; periods of whole days in the program's zone.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { ApiScope } from '../developer/public.ts'
import { type Clock, callerOf, type Db, dayOf, type Programs, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import {
  figures as allFigures,
  conversionRate,
  definitions,
  earningsPerClick,
  type Figure,
  type Figures,
  returnOnCommission,
} from './definitions.ts'
import { nameOfKey } from './format.ts'
import { customPeriod, intervals, type Period, periodOf, type RangeName, ranges } from './periods.ts'
import { type Dimension, dimensions } from './public.ts'
import { changeOf, type Report, type ReportRow, type Reports } from './report.ts'

export const analyticsScope: ApiScope = { name: 'analytics:read', describes: 'Read clicks, leads, sales and what they earn' }

/** Series of so many rows at most come with one answer. */
const mostRows = 100

/** Figures as the API names them. */
const apiNames: Readonly<Record<Figure, string>> = {
  clicks: 'clicks',
  visitors: 'visitors',
  leads: 'leads',
  sales: 'sales',
  conversionRate: 'conversion_rate',
  revenue: 'revenue',
  commission: 'commission',
  epc: 'earnings_per_click',
  roi: 'return_on_commission',
}
const byApiName = new Map(Object.entries(apiNames).map(([figure, name]) => [name, figure as Figure]))
const metric = z.enum(Object.values(apiNames)).transform((name) => byApiName.get(name)!)

const day = z.string().max(10).meta({ example: '2026-11-01' })
const metricList = z
  .string()
  .max(200)
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(metric).min(1))

const query = z.strictObject({
  range: z
    .enum(Object.keys(ranges) as [RangeName, ...RangeName[]])
    .optional()
    .describe('A period that ends today; `30d` when neither it nor `from` is given.'),
  from: day.optional().describe('Instead of `range`: the first day.'),
  to: day.optional().describe('With `from`: the last day, included; today when left out.'),
  metric: metricList
    .optional()
    .describe(`Which figures, separated by commas; all when left out: ${Object.values(apiNames).join(', ')}.`)
    .meta({ example: 'clicks,sales' }),
  dimension: z.enum(dimensions).optional().describe('A row for each value of it, the most first.'),
  sort: metric.default('clicks').describe('With `dimension`: the figure that rows are sorted by, in the program’s currency.'),
  interval: z.enum(intervals).optional().describe('The figures over time, too. Weeks begin on Monday.'),
  compare: z.enum(['true', 'false']).default('false').describe('With the period right before, as long as this one.'),
  partner: z.uuid().optional().describe('Only this partner’s figures.'),
  limit: z.coerce.number().int().min(1).max(mostRows).default(50).describe('How many rows at most.'),
  after: z.string().max(400).optional().describe('The `next` of the page before.'),
})

const period = z.object({ from: day, to: day.describe('The last day, included.') })
const amount = z.string().describe('Minor units.').meta({ example: '1250' })
const figuresShape = z.object({
  clicks: z.int().optional(),
  visitors: z.int().optional(),
  leads: z.int().optional(),
  sales: z.int().optional(),
  conversion_rate: z.number().nullable().optional().describe('A share from 0, to six decimals; null without clicks.'),
  money: z
    .array(
      z.object({
        currency: z.string(),
        revenue: amount.optional(),
        commission: amount.optional(),
        earnings_per_click: z
          .string()
          .nullable()
          .optional()
          .describe('Minor units, to four decimals; null without clicks.')
          .meta({ example: '37.1250' }),
        return_on_commission: z.number().nullable().optional().describe('A share, to six decimals; null without commission.'),
      }),
    )
    .optional()
    .describe('Each currency by itself.'),
})
const changeShape = z.record(z.string(), z.object({ difference: z.string(), share: z.number().nullable() }))
const steps = z.array(z.object({ from: day, figures: figuresShape }))
const answer = z.object({
  period,
  time_zone: z.string(),
  currency: z.string().describe('The program’s.'),
  total: figuresShape,
  previous: z
    .object({
      period,
      total: figuresShape,
      steps: steps.optional(),
      change: changeShape.describe(
        'By figure: the difference to the period before (amounts in minor units of the program’s currency) and its share of what was; null without anything before.',
      ),
    })
    .optional(),
  steps: steps.optional(),
  data: z
    .array(
      z.object({
        key: z.string().nullable().describe('Null: not through a link. Empty: not known.'),
        name: z.string(),
        figures: figuresShape,
        previous: figuresShape.optional(),
        steps: steps.optional(),
      }),
    )
    .optional(),
  next: z.string().nullable().describe('Ask for the next rows with `after`; null on the last page.'),
})

type FiguresAnswer = z.input<typeof figuresShape>

interface Parts {
  db: Db
  clock: Clock
  programs: Programs
  reports: Reports
  partners: Pick<Partners, 'byId' | 'list'>
}

export function analyticsRoutes(parts: Parts): (app: FastifyInstance) => void {
  return (app) => {
    app.withTypeProvider<ZodTypeProvider>().get(
      '/v1/analytics',
      {
        config: { access: 'key', scope: analyticsScope.name },
        schema: {
          tags: ['Analytics'],
          summary: 'Read figures',
          description: [
            'The figures that `/stats show` shows. A period is made of whole days in the time zone of the program; refunds and lost disputes count against the sale that they take back.',
            ...Object.entries(definitions).map(([figure, { meaning }]) => `- \`${apiNames[figure as Figure]}\`: ${meaning}`),
          ].join('\n'),
          querystring: query,
          response: { 200: answer },
        },
      },
      (request) => readFigures(parts, callerOf(request).programId, request.query),
    )
  }
}

async function readFigures(parts: Parts, programId: string, asked: z.output<typeof query>): Promise<z.input<typeof answer>> {
  const { db, clock, programs, reports, partners } = parts
  const program = await programs.byId(db, programId)
  if (asked.partner !== undefined && !(await partners.byId(db, programId, asked.partner)))
    throw new UserError('unknown_partner', 'There is no partner with that id.', { status: 404 })
  const { dimension: by, metric: wanted = allFigures, limit } = asked
  const cursor = readCursor(asked.after)
  const question = {
    program,
    ...(asked.partner !== undefined && { partnerId: asked.partner }),
    period: periodOfQuery(asked, dayOf(clock.now(), program.timeZone)),
    sort: asked.sort,
    ...(asked.interval && { interval: asked.interval }),
    compare: asked.compare === 'true',
    ...(by && { by }),
  }
  // Rows may have changed places since the page before: it goes on after the row that was last, wherever that is now.
  const first = await reports.report(db, question)
  const skip = Math.max(0, cursor ? startAfter(first.rows ?? [], cursor) : 0)
  const report = by && asked.interval ? await reports.report(db, { ...question, seriesOf: { skip, count: limit } }) : first
  const rows = report.rows?.slice(skip, skip + limit)
  const nameOf = await namesFor(parts, programId, by, rows ?? [])
  const last = rows?.at(-1)
  return {
    period: included(report.period),
    time_zone: program.timeZone,
    currency: program.currency,
    total: told(report.total, wanted),
    ...(report.previous && { previous: { ...previousOf(report, wanted), change: changesOf(report, wanted, program.currency) } }),
    ...(report.steps && { steps: toldSteps(report.steps, wanted) }),
    ...(rows && {
      data: rows.map((row) => ({
        key: row.key,
        name: nameOf(row.key),
        figures: told(row.figures, wanted),
        ...(row.before && { previous: told(row.before, wanted) }),
        ...(row.steps && { steps: toldSteps(row.steps, wanted) }),
      })),
    }),
    next: last && skip + limit < report.rows!.length ? cursorOf(skip + rows!.length, last.key) : null,
  }
}

function periodOfQuery({ range, from, to }: z.output<typeof query>, today: string): Period {
  if (from === undefined && to === undefined) return periodOf(range ?? '30d', today)
  if (range !== undefined) throw new UserError('two_periods', 'Give `range`, or `from` and `to`: not both.', { status: 400 })
  return customPeriod(from, to, today)
}

/** The figures as JSON has them. */
function told(figures: Figures, wanted: readonly Figure[]): FiguresAnswer {
  const has = (figure: Figure) => wanted.includes(figure)
  const moneys = wanted.filter((figure) => ['revenue', 'commission', 'epc', 'roi'].includes(figure))
  return {
    ...Object.fromEntries(
      (['clicks', 'visitors', 'leads', 'sales'] as const).filter(has).map((figure) => [figure, figures.counts[figure]]),
    ),
    ...(has('conversionRate') && { conversion_rate: share(conversionRate(figures)) }),
    ...(moneys.length > 0 && {
      money: [...figures.money].map(([currency, amounts]) => ({
        currency,
        ...(has('revenue') && { revenue: amounts.revenue.toString() }),
        ...(has('commission') && { commission: amounts.commission.toString() }),
        ...(has('epc') && { earnings_per_click: fine(earningsPerClick(figures, currency)) }),
        ...(has('roi') && { return_on_commission: share(returnOnCommission(figures, currency)) }),
      })),
    }),
  }
}

const share = (ppm: number | null) => (ppm === null ? null : ppm / 1_000_000)

/** Ten-thousandths as a decimal number. */
function fine(value: bigint | null): string | null {
  return value === null ? null : `${value / 10_000n}.${String(value % 10_000n).padStart(4, '0')}`
}

const toldSteps = (given: readonly { from: string; figures: Figures }[], wanted: readonly Figure[]) =>
  given.map(({ from, figures }) => ({ from, figures: told(figures, wanted) }))

function previousOf({ previous }: Report, wanted: readonly Figure[]) {
  const { period, total, steps } = previous!
  return { period: included(period), total: told(total, wanted), ...(steps && { steps: toldSteps(steps, wanted) }) }
}

function changesOf({ total, previous }: Report, wanted: readonly Figure[], currency: string) {
  return Object.fromEntries(
    wanted.flatMap((figure) => {
      const change = changeOf(figure, total, previous!.total, currency)
      if (!change) return []
      const { difference, share } = change
      const text =
        definitions[figure].unit === 'share'
          ? String(Number(difference) / 1_000_000)
          : figure === 'epc'
            ? signedFine(BigInt(difference))
            : String(difference)
      return [[apiNames[figure], { difference: text, share: share === null ? null : share / 1_000_000 }]]
    }),
  )
}

const signedFine = (value: bigint) => (value < 0n ? `-${fine(-value)}` : fine(value)!)

const included = ({ from, to }: Period) => ({
  from,
  to: new Date(Date.parse(`${to}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10),
})

async function namesFor(
  { db, reports, partners }: Parts,
  programId: string,
  by: Dimension | undefined,
  rows: readonly ReportRow[],
): Promise<(key: string | null) => string> {
  if (!by) return () => ''
  const names =
    by === 'partner'
      ? new Map((await partners.list(db, programId)).map(({ id, name }) => [id, name]))
      : await reports.names(
          db,
          programId,
          by,
          rows.map(({ key }) => key),
        )
  return (key) => nameOfKey(by, key, names)
}

function cursorOf(place: number, key: string | null): string {
  return Buffer.from(JSON.stringify([place, key])).toString('base64url')
}

const cursorShape = z.tuple([z.int().min(0), z.string().nullable()])

/** @throws UserError for what this API did not give */
function readCursor(text: string | undefined): { place: number; key: string | null } | undefined {
  if (text === undefined) return undefined
  try {
    const [place, key] = cursorShape.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    return { place, key }
  } catch {
    throw new UserError('bad_cursor', 'That is not the `next` of a page. Leave `after` out to begin at the start.', { status: 400 })
  }
}

function startAfter(rows: readonly ReportRow[], { place, key }: { place: number; key: string | null }): number {
  const now = rows.findIndex((row) => row.key === key)
  return now < 0 ? place : now + 1
}
