// What each figure means: the one place that defines them. Cards, pictures, files and the API take their words and units from here.
import { divideRounded } from '../kit/index.ts'
import type { CountFigure, MoneyFigure } from './public.ts'

export interface Definition {
  readonly title: string
  /** How it is counted, in one sentence; the README repeats it. */
  readonly meaning: string
  /** A count; a share in parts per million; an amount in minor units of each currency; or an amount in ten-thousandths of them. */
  readonly unit: 'count' | 'share' | 'money' | 'fineMoney'
  readonly forAdmins?: true
}

/** In the order in which people read them. A period is half-open, made of whole days in the program’s time zone. */
export const definitions = {
  clicks: {
    title: 'Clicks',
    meaning: 'Followed links, once an hour for each link, address and browser; bots, previews and prefetches do not count.',
    unit: 'count',
  },
  visitors: {
    title: 'Unique visitors',
    meaning:
      'Browsers that followed a link of the partner, once for each partner and day in UTC, counted where and when their first click of that day was.',
    unit: 'count',
  },
  leads: {
    title: 'Leads',
    meaning: 'Leads in the period that belong to a partner.',
    unit: 'count',
  },
  sales: {
    title: 'Sales',
    meaning:
      'Payments in the period that belong to a partner and are still worth something after refunds and lost disputes; renewals are included.',
    unit: 'count',
  },
  conversionRate: {
    title: 'Conversion rate',
    meaning: 'Sales that came through a click and are no renewals, divided by clicks.',
    unit: 'share',
  },
  revenue: {
    title: 'Revenue',
    meaning:
      'What customers paid in the period for sales that belong to a partner, less what was refunded or lost in a dispute since; each currency by itself.',
    unit: 'money',
  },
  commission: {
    title: 'Commission',
    meaning: 'What the sales of the period are worth to the partner now, whether paid out yet or not; each currency by itself.',
    unit: 'money',
  },
  epc: {
    title: 'Earnings per click',
    meaning: 'Commission of sales that came through a click, divided by clicks; each currency by itself.',
    unit: 'fineMoney',
  },
  roi: {
    title: 'Return on commission',
    meaning: 'Revenue less commission, divided by commission; each currency by itself. Shown to admins.',
    unit: 'share',
    forAdmins: true,
  },
} as const satisfies Record<string, Definition>

export type Figure = keyof typeof definitions
export const figures = Object.keys(definitions) as Figure[]

/** The figures that this reader is shown. */
export function figuresFor(isAdmin: boolean): Figure[] {
  return figures.filter((figure) => isAdmin || !('forAdmins' in definitions[figure]))
}

/** Amounts in minor units, by figure. */
export type Amounts = Readonly<Record<MoneyFigure, bigint>>

/** Everything that is known of a period, a day or a value of a dimension. */
export interface Figures {
  readonly counts: Readonly<Record<CountFigure, number>>
  /** By currency. Amounts of different currencies are never added. */
  readonly money: ReadonlyMap<string, Amounts>
}

/** Sales by click ÷ clicks in parts per million, rounded half up; null without a click, since nothing could be converted. */
export function conversionRate({ counts }: Figures): number | null {
  return counts.clicks === 0 ? null : Math.round((counts.conversions * 1_000_000) / counts.clicks)
}

/** Commission by click ÷ clicks in ten-thousandths of the minor unit, rounded half away from zero; null without a click. */
export function earningsPerClick({ counts, money }: Figures, currency: string): bigint | null {
  if (counts.clicks === 0) return null
  return divideRounded((money.get(currency)?.clickCommission ?? 0n) * 10_000n, BigInt(counts.clicks))
}

/** (Revenue − commission) ÷ commission in parts per million, rounded half away from zero; null without commission. */
export function returnOnCommission({ money }: Figures, currency: string): number | null {
  const { revenue = 0n, commission = 0n } = money.get(currency) ?? {}
  return commission > 0n ? Number(divideRounded((revenue - commission) * 1_000_000n, commission)) : null
}

/** The value of any figure: a number for counts and shares, a bigint for amounts (of `currency`); null when it cannot be told. */
export function figureOf(figure: Figure, figures: Figures, currency: string): number | bigint | null {
  switch (figure) {
    case 'conversionRate':
      return conversionRate(figures)
    case 'epc':
      return earningsPerClick(figures, currency)
    case 'roi':
      return returnOnCommission(figures, currency)
    case 'revenue':
    case 'commission':
      return figures.money.get(currency)?.[figure] ?? 0n
    default:
      return figures.counts[figure]
  }
}
