// Every word that the statistics say to people. Pure.
import { type Attachment, card, type Message, truncate } from '../../commands/messages.ts'
import { csvFile, toDecimal } from '../kit/index.ts'
import { definitions, earningsPerClick, type Figure, type Figures, figureOf, figuresFor } from './definitions.ts'
import { altOfBars, altOfLines, mostBars, shortDay, type View } from './drawings.ts'
import { dimensionWords, formatChange, readFigure } from './format.ts'
import { fitted, widthInLetters } from './letters.ts'
import { type Interval, intervalStart, periodName } from './periods.ts'
import { type Report, sumSteps } from './report.ts'

export interface Pictures {
  readonly lines?: Buffer
  readonly bars?: Buffer
}

/** The figures of a period with how they changed, a picture, and the same as text. */
export function statsCard(
  view: View,
  options: { title: string; timeZone: string; command: string; forAdmin: boolean; pictures: Pictures | undefined },
): Message {
  const { report, currency, by } = view
  const { pictures, timeZone } = options
  const shown = pictures
    ? [
        ...(pictures.lines ? [{ name: 'over-time.png', data: pictures.lines, description: truncate(altOfLines(view), 1024) }] : []),
        ...(pictures.bars ? [{ name: 'by.png', data: pictures.bars, description: truncate(altOfBars(view), 1024) }] : []),
      ]
    : []
  return card({
    title: `${options.title} · ${periodName(report.period)}`,
    body: [
      figuresFor(options.forAdmin)
        .map((figure) => figureLine(figure, view))
        .join('\n'),
      ...otherCurrencies(report.total, currency),
      ...(by ? [tableByKey(view)] : tableByTime(view)),
      ...(report.previous ? [`-# Compared with ${periodName(report.previous.period)}.`] : []),
      ...(pictures ? [] : ['-# The picture could not be drawn this time; the figures above are complete.']),
    ],
    image: shown.map(({ name, description }) => ({ url: name, alt: description })),
    ...(shown.length > 0 && { files: shown }),
    footer: `Days in ${timeZone}. As a file: /${options.command}. What each figure means: /stats meanings`,
  })
}

function figureLine(figure: Figure, { report, currency }: View): string {
  const change = report.previous ? formatChange(figure, report.total, report.previous.total, currency) : ''
  return `${definitions[figure].title}: **${readFigure(figure, report.total, currency)}**${change ? ` · ${change}` : ''}`
}

/** Amounts in other currencies stand by themselves; nothing is converted or added. */
function otherCurrencies(total: Figures, currency: string): string[] {
  const others = [...total.money.keys()].filter((other) => other !== currency)
  if (others.length === 0) return []
  return [
    `Also: ${others.map((other) => `${readFigure('revenue', total, other)} revenue, ${readFigure('commission', total, other)} commission (${other})`).join('; ')}`,
  ]
}

function tableByKey({ report, figure, currency, by, nameOf }: View): string {
  const rows = (report.rows ?? []).slice(0, mostBars)
  if (rows.length === 0) return `Nothing by ${dimensionWords[by!]} yet.`
  const columns = [...new Set<Figure>([figure, 'clicks', 'sales', 'commission'])].slice(0, 4)
  return table(
    [dimensionWords[by!], ...columns.map((column) => shortTitles[column])],
    rows.map(({ key, figures }, i) => [
      `${i + 1}. ${nameOf(key)}`,
      ...columns.map((column) => readFigure(column, figures, currency)),
    ]),
    (report.rows?.length ?? 0) - rows.length,
  )
}

/** At most some fifteen rows: longer periods by week or month. */
function tableByTime({ report, figure, currency }: View): string[] {
  const steps = report.steps ?? []
  if (steps.length < 2) return []
  const interval: Interval = steps.length <= 14 ? 'day' : steps.length <= 98 ? 'week' : 'month'
  const columns = [...new Set<Figure>([figure, 'clicks', 'sales', 'commission'])].slice(0, 4)
  return [
    table(
      [{ day: 'day', week: 'from', month: 'from' }[interval], ...columns.map((column) => shortTitles[column])],
      sumSteps(steps, (from) => intervalStart(from, interval, report.period)).map(({ from, figures }) => [
        shortDay(from),
        ...columns.map((column) => readFigure(column, figures, currency)),
      ]),
      0,
    ),
  ]
}

const shortTitles: Readonly<Record<Figure, string>> = {
  clicks: 'clicks',
  visitors: 'visitors',
  leads: 'leads',
  sales: 'sales',
  conversionRate: 'conv.',
  revenue: 'revenue',
  commission: 'comm.',
  epc: 'per click',
  roi: 'return',
}

/** Columns in letters of one width, as narrow as a phone needs them (some 27 letters); the first is cut, the others stand at the right. */
function table(header: readonly string[], rows: readonly (readonly string[])[], more: number): string {
  const isWhole = header.map((_, i) => rows.every((row) => row[i]!.endsWith('.00')))
  const all = [header, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cut(cell, 26) : isWhole[i] ? cell.replace(/\.00$/, '') : cell)),
  )
  const widths = header.map((_, i) => Math.max(...all.map((row) => widthInLetters(row[i]!))))
  const lines = all.map((row) =>
    row
      .map((cell, i) =>
        i === 0 ? cell + ' '.repeat(widths[0]! - widthInLetters(cell)) : ' '.repeat(widths[i]! - widthInLetters(cell)) + cell,
      )
      .join(' ')
      .trimEnd(),
  )
  return `\`\`\`\n${lines.join('\n')}${more > 0 ? `\n… and ${more} more` : ''}\n\`\`\``
}

/** One line, without what would end the block. */
function cut(text: string, letters: number): string {
  return fitted(text.replaceAll('`', '’').replace(/\s+/g, ' '), letters)
}

/** What each figure means, from the one place that defines them. */
export function meaningsCard(isAdmin: boolean): Message {
  return card({
    title: 'What the figures mean',
    body: [
      ...figuresFor(isAdmin).map((figure) => `**${definitions[figure].title}**\n${definitions[figure].meaning}`),
      'A period is made of whole days in the time zone of the program. What was refunded or lost in a dispute no longer counts, in the period of the sale itself. Amounts of different currencies are never added.',
    ],
  })
}

export function exportCard(report: Report, file: Attachment, what: string): Message {
  return card({
    title: `${what} · ${periodName(report.period)}`,
    body: 'The file is attached. It opens in any spreadsheet.',
    files: [file],
    tone: 'good',
  })
}

/** The report as a file: a row for each value of the dimension, or for each day. Amounts in each currency by themselves, as decimal numbers. */
export function statsCsv({ report, by, nameOf }: Pick<View, 'report' | 'by' | 'nameOf'>): Buffer {
  const lines: [string[], Figures][] = by
    ? (report.rows ?? []).map(({ key, figures }) => [[nameOf(key), key ?? ''], figures])
    : (report.steps ?? []).map(({ from, figures }) => [[from], figures])
  const currencies = [...new Set(lines.flatMap(([, figures]) => [...figures.money.keys()]))].sort()
  return csvFile(
    [
      ...(by ? [by, `${by}_id`] : ['day']),
      ...['clicks', 'visitors', 'leads', 'sales', 'conversion_rate'],
      ...currencies.flatMap((currency) => [`revenue_${currency}`, `commission_${currency}`, `earnings_per_click_${currency}`]),
    ],
    lines.map(([names, figures]) => {
      const rate = figureOf('conversionRate', figures, '') as number | null
      return [
        ...names,
        ...(['clicks', 'visitors', 'leads', 'sales'] as const).map((figure) => String(figures.counts[figure])),
        rate === null ? '' : (rate / 1_000_000).toFixed(6),
        ...currencies.flatMap((currency) => {
          const amounts = figures.money.get(currency)
          return [
            toDecimal(amounts?.revenue ?? 0n, currency),
            toDecimal(amounts?.commission ?? 0n, currency),
            fineDecimal(earningsPerClick(figures, currency), currency),
          ]
        }),
      ]
    }),
  )
}

/** Ten-thousandths of the minor unit as a decimal number of the currency. */
function fineDecimal(amount: bigint | null, currency: string): string {
  if (amount === null) return ''
  const fraction = String(amount % 10_000n).padStart(4, '0')
  const whole = toDecimal(amount / 10_000n, currency)
  return whole.includes('.') ? `${whole}${fraction}` : `${whole}.${fraction}`
}
