// /stats for partners (their own figures) and /admin-stats for admins (the program, or one partner): a card with pictures, and the same as a file.
import type { Logger } from 'pino'
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { type Db, dayOf, exponentOf, UserError } from '../kit/index.ts'
import type { Partner, Partners } from '../partners/public.ts'
import { definitions, type Figure, figuresFor } from './definitions.ts'
import { barsOf, linesOf, mostLines, type View } from './drawings.ts'
import { currencyOf, dimensionsOfPartner, dimensionWords, nameOfKey } from './format.ts'
import { lookFor } from './looks.ts'
import { exportCard, meaningsCard, type Pictures, statsCard, statsCsv } from './messages.ts'
import { customPeriod, type Period, periodOf, type RangeName, ranges } from './periods.ts'
import type { Theme } from './picture/drawing.ts'
import type { Painter } from './picture/painter.ts'
import { type Dimension, dimensions } from './public.ts'
import type { Reports } from './report.ts'

interface Parts {
  db: Db
  log: Logger
  reports: Reports
  partners: Partners
  painter: Painter
}

interface Asked {
  range?: string | undefined
  from?: string | undefined
  to?: string | undefined
  by?: string | undefined
  figure?: string | undefined
  currency?: string | undefined
}

const choicesOf = (words: Readonly<Record<string, string>>) => Object.entries(words).map(([value, name]) => ({ name, value }))
const figureWords = (forAdmin: boolean) =>
  Object.fromEntries(figuresFor(forAdmin).map((figure) => [figure, definitions[figure].title]))

const when = {
  range: { type: 'string', description: 'Which days (the last 30 if left out)', choices: choicesOf(ranges) },
  from: { type: 'string', description: 'Instead: the first day, such as 2026-01-01', max: 10 },
  to: { type: 'string', description: 'With from: the last day (today if left out)', max: 10 },
} as const
const byOf = (list: readonly Dimension[]) =>
  ({
    by: {
      type: 'string',
      description: 'What to tell the figures apart by',
      choices: list.map((value) => ({ name: dimensionWords[value], value })),
    },
  }) as const
const shownTo = (forAdmin: boolean) =>
  ({
    figure: {
      type: 'string',
      description: 'What the picture shows (clicks if left out)',
      choices: choicesOf(figureWords(forAdmin)),
    },
    currency: { type: 'string', description: 'Which currency to show amounts in, such as EUR', max: 3 },
    compare: { type: 'boolean', description: 'With the period before (yes if left out)' },
    look: {
      type: 'string',
      description: 'How pictures look; remembered for the next time',
      choices: [
        { name: 'dark', value: 'dark' },
        { name: 'light', value: 'light' },
      ],
    },
  }) as const

export function statsCommands(parts: Parts): Command[] {
  const { db, partners } = parts
  const one = { partner: { type: 'user', description: 'Only this partner’s figures' } } as const
  const chosen = async (ctx: Ctx, user: { id: string } | undefined) => {
    if (!user) return undefined
    const partner = await partners.byUser(db, ctx.program.id, user.id)
    if (!partner) throw new UserError('no_partner', `<@${user.id}> is not a partner of this program.`)
    return partner
  }
  return [
    defineCommand({
      path: 'stats show',
      description: 'Your clicks, sales and what they earn, with a picture',
      options: { ...when, ...byOf(dimensionsOfPartner), ...shownTo(false) },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, asked) => show(parts, ctx, await partners.require(db, ctx), asked, 'stats'),
    }),
    defineCommand({
      path: 'stats export',
      description: 'Your figures as a file for spreadsheets',
      options: { ...when, ...byOf(dimensionsOfPartner) },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, asked) => exportFile(parts, ctx, await partners.require(db, ctx), asked),
    }),
    defineCommand({
      path: 'stats meanings',
      description: 'What each figure means and how it is counted',
      access: 'everyone',
      reply: 'ephemeral',
      run: async ({ member }) => meaningsCard(member.isAdmin),
    }),
    defineCommand({
      path: 'admin-stats show',
      description: 'Clicks, sales and what they earn: the program’s, by partner, or one partner’s',
      options: { ...when, ...byOf(dimensions), ...one, ...shownTo(true) },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { partner, ...asked }) => show(parts, ctx, await chosen(ctx, partner), asked, 'admin-stats'),
    }),
    defineCommand({
      path: 'admin-stats export',
      description: 'The figures as a file for spreadsheets',
      options: { ...when, ...byOf(dimensions), ...one },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { partner, ...asked }) => exportFile(parts, ctx, await chosen(ctx, partner), asked),
    }),
  ]
}

async function show(
  parts: Parts,
  ctx: Ctx,
  partner: Partner | undefined,
  asked: Asked & { compare?: boolean | undefined; look?: string | undefined },
  root: 'stats' | 'admin-stats',
): Promise<Message> {
  const { db, reports } = parts
  const figure = (asked.figure ?? 'clicks') as Figure
  const by = asked.by as Dimension | undefined
  const wanted = checkedCurrency(asked.currency)
  const report = await reports.report(db, {
    program: wanted === undefined ? ctx.program : { ...ctx.program, currency: wanted },
    ...(partner && { partnerId: partner.id }),
    period: periodAsked(ctx, asked),
    sort: figure,
    interval: 'day',
    compare: asked.compare ?? true,
    ...(by && { by, seriesOf: { skip: 0, count: mostLines } }),
  })
  const view: View = {
    report,
    figure,
    currency: currencyOf(report.total, ctx.program, wanted),
    theme: await lookFor(db, ctx.program.id, ctx.user.id, asked.look as Theme | undefined),
    ...(by && { by }),
    nameOf: await namesFor(parts, ctx, by, report.rows?.slice(0, 50).map(({ key }) => key) ?? []),
  }
  return statsCard(view, {
    title: partner ? (root === 'stats' ? 'Your figures' : `Figures of ${partner.name}`) : `Figures of ${ctx.program.name}`,
    timeZone: ctx.program.timeZone,
    command: `${root} export`,
    forAdmin: root === 'admin-stats',
    pictures: await paint(parts, view),
  })
}

async function exportFile(parts: Parts, ctx: Ctx, partner: Partner | undefined, asked: Asked): Promise<Message> {
  const by = asked.by as Dimension | undefined
  const report = await parts.reports.report(parts.db, {
    program: ctx.program,
    ...(partner && { partnerId: partner.id }),
    period: periodAsked(ctx, asked),
    ...(by ? { by } : { interval: 'day' }),
  })
  const nameOf = await namesFor(parts, ctx, by, report.rows?.map(({ key }) => key) ?? [])
  const { from, to } = report.period
  const data = statsCsv({ report, nameOf, ...(by && { by }) })
  return exportCard(
    report,
    { name: `stats-${by ?? 'day'}-${from}-${to}.csv`, data },
    partner ? `Figures of ${partner.name}` : `Figures of ${ctx.program.name}`,
  )
}

/** Pictures are worth waiting for, but no reason to answer nothing. */
async function paint({ painter, log }: Parts, view: View): Promise<Pictures | undefined> {
  try {
    // Of a single day nothing is to be seen over time.
    const overTime = !view.by || (view.report.steps?.length ?? 0) > 1
    const [lines, bars] = await Promise.all([overTime && painter.paint(linesOf(view)), view.by && painter.paint(barsOf(view))])
    return { ...(lines && { lines }), ...(bars && { bars }) }
  } catch (error) {
    log.error({ err: error }, 'a picture could not be drawn')
    return undefined
  }
}

/** @throws UserError for days that make no period */
function periodAsked(ctx: Ctx, { range, from, to }: Asked): Period {
  const today = dayOf(ctx.now, ctx.program.timeZone)
  if (from === undefined && to === undefined) return periodOf((range ?? '30d') as RangeName, today)
  if (range !== undefined) throw new UserError('two_periods', 'Choose a range, or say from and to: not both.')
  return customPeriod(from, to, today)
}

/** @throws UserError for what is no currency */
function checkedCurrency(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const currency = text.trim().toUpperCase()
  exponentOf(currency)
  return currency
}

async function namesFor(
  { db, reports, partners }: Parts,
  ctx: Ctx,
  by: Dimension | undefined,
  keys: readonly (string | null)[],
): Promise<(key: string | null) => string> {
  if (!by) return () => ''
  const names =
    by === 'partner'
      ? new Map((await partners.list(db, ctx.program.id)).map(({ id, name }) => [id, name]))
      : await reports.names(db, ctx.program.id, by, keys)
  return (key) => nameOfKey(by, key, names)
}
