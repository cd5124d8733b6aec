// What the statistics say of a link on its card: the last 30 days from click to sale, in the words and by the definitions of every other figure.
import { dayOf } from '../kit/index.ts'
import type { LinkCardPart } from '../links/public.ts'
import { type Figure, type Figures, figureOf } from './definitions.ts'
import { formatFigure } from './format.ts'
import { periodOf, ranges } from './periods.ts'
import type { Reports } from './report.ts'

export function onLinkCard(reports: Pick<Reports, 'ofValue'>): LinkCardPart {
  return async (reader, program, { id, partnerId }, now) => {
    const period = periodOf('30d', dayOf(now, program.timeZone))
    const figures = await reports.ofValue(reader, { program, partnerId, period, by: 'link', key: id })
    return { name: ranges['30d'], value: words(figures, program.currency) }
  }
}

function words(figures: Figures, currency: string): string {
  const { clicks, visitors, leads, sales } = figures.counts
  const way = [`${counted(clicks, 'click')} (${counted(visitors, 'visitor')})`, counted(leads, 'lead'), counted(sales, 'sale')]
  const written = (figure: Figure, of = currency) => formatFigure(figure, figureOf(figure, figures, of), of)
  const revenue = [...figures.money].filter(([, amounts]) => amounts.revenue !== 0n).map(([of]) => written('revenue', of))
  const worth = [
    ...(clicks > 0 ? [`Conversion rate ${written('conversionRate')}`] : []),
    ...(revenue.length > 0 ? [`Revenue ${revenue.join(' + ')}`] : []),
  ]
  return [way.join(' → '), worth.join(' · ')].filter(Boolean).join('\n')
}

const counted = (count: number, one: string): string => `**${count.toLocaleString('en-US')}** ${count === 1 ? one : `${one}s`}`
