// What happens in the recorded demo, as plain data: who joins when, who sells what to whom, what comes back. A function of size and seed; does nothing.
import { diceOf } from '../../simulate/random.ts'
import { type Character, castOf } from './cast.ts'

export interface Size {
  /** At most sixty. */
  readonly partners: number
  readonly days: number
  readonly seed: number
}

/** How far somebody gets: most work, some stop on the way, a few go. */
export type Fate = 'works' | 'never verifies' | 'never signs' | 'leaves'

export interface Part extends Character {
  readonly fate: Fate
  /** Day on which they join. */
  readonly joins: number
  /** Day on which they leave again. */
  readonly leaves: number
  /** How they are paid; a few have not said so yet. */
  readonly paidBy: 'stripe' | 'paypal' | 'nothing yet'
  readonly code: string
  readonly coupon: string | undefined
  /** Whether they write a newsletter, with a link of its own. */
  readonly newsletter: boolean
}

export interface Visit {
  readonly day: number
  readonly partner: string
  readonly visitor: string
  /** The code of the link that is followed. */
  readonly code: string
}

/** A visitor who leaves an address at the company, and perhaps buys later, on a bill. */
export interface Lead extends Visit {
  readonly email: string
  /** How many days later, and for how much, in cents. */
  readonly buys?: { readonly after: number; readonly amount: number; readonly returns: boolean }
}

export interface Order {
  readonly key: string
  readonly day: number
  readonly partner: string
  readonly product: 'website-build' | 'care-plan' | 'ai-workshop'
  /** The customer follows no link but names this code. */
  readonly coupon?: string
  readonly buyer: { readonly email: string; readonly name: string; readonly country: string }
  /** Days until the customer sends it back, and how much of it; or the bank does. */
  readonly undone?: { readonly after: number; readonly how: 'refund' | 'part' | 'dispute won' | 'dispute lost' }
}

export interface Deal {
  readonly day: number
  readonly partner: string
  readonly company: string
  readonly email: string
  readonly value: string
  readonly outcome: 'open' | 'accepted' | 'rejected' | 'won' | 'lost'
}

export interface Story extends Size {
  readonly parts: readonly Part[]
  readonly visits: readonly Visit[]
  readonly leads: readonly Lead[]
  readonly orders: readonly Order[]
  readonly deals: readonly Deal[]
}

const products = ['ai-workshop', 'care-plan', 'website-build', 'care-plan', 'ai-workshop'] as const
const countries = ['US', 'US', 'GB', 'DE', 'CA', 'AU', 'NL'] as const
const companies = [
  [
    'Copper Kettle Foods',
    'Paper Lantern Tours',
    'Brass Button Tailors',
    'Drizzle & Sons',
    'Velvet Spoon Bakery',
    'Cobbled Lane Books',
  ],
  [
    'Ginger Cat Logistics',
    'Mossy Gate Gardens',
    'Tin Whistle Studios',
    'Sunday Pier Hotels',
    'Blue Door Dental',
    'Marble Run Toys',
  ],
].flat()
const buyers = [
  'Quentin',
  'Mathilda',
  'Roscoe',
  'Evangeline',
  'Percival',
  'Annika',
  'Dmitri',
  'Salome',
  'Wendell',
  'Imogen',
] as const

export function storyOf(size: Size): Story {
  const parts = castOf(size.partners).map((character, i) => partOf(size, character, i))
  const working = parts.filter(({ fate }) => fate === 'works' || fate === 'leaves')
  const visits = working.flatMap((part) => visitsOf(size, part))
  return {
    ...size,
    parts,
    visits,
    leads: visits.filter((_, i) => i % 8 === 3).map((visit, i) => leadOf(size, visit, i)),
    orders: working.flatMap((part, i) => ordersOf(size, part, i)).sort((a, b) => a.day - b.day || (a.key < b.key ? -1 : 1)),
    deals: dealsOf(size, working),
  }
}

function partOf({ days, seed, partners }: Size, character: Character, i: number): Part {
  const dice = diceOf(seed, 'part', character.username)
  const fate: Fate = i % 15 === 9 ? 'never verifies' : i % 15 === 12 ? 'never signs' : i % 20 === 17 ? 'leaves' : 'works'
  // The first ones were there from the start, the rest came little by little.
  const joins = onA(3, 1 + Math.floor(((i * 0.75 + dice.roll() * 0.2) / partners) * (days - 6)))
  return {
    ...character,
    fate,
    joins,
    leaves: Math.min(days - 2, joins + Math.max(3, Math.floor((days - joins) * 0.6))),
    paidBy: i % 9 === 7 ? 'nothing yet' : i % 3 === 2 ? 'paypal' : 'stripe',
    code: character.username.replace('.', '-'),
    coupon: i % 4 === 1 ? `${character.name.split(' ')[0]!.toUpperCase()}-15` : undefined,
    newsletter: i % 3 === 0,
  }
}

/** The day itself or the last one before it that is a multiple of `rhythm`: people come after the weekly talk, customers order on some days more than on others. */
const onA = (rhythm: number, day: number): number => day - (day % rhythm)

/** The last day on which the partner works. */
const lastDay = ({ days }: Size, part: Part) => (part.fate === 'leaves' ? part.leaves - 1 : days - 1)

function visitsOf(size: Size, part: Part): Visit[] {
  const dice = diceOf(size.seed, 'visits', part.username)
  const count = Math.floor(3 + dice.roll() ** 2 * 16)
  return Array.from({ length: count }, (_, n) => ({
    day: Math.max(part.joins, onA(2, dice.between(part.joins, Math.max(part.joins, lastDay(size, part))))),
    partner: part.username,
    visitor: `${part.username} reader ${n}`,
    code: part.newsletter && n % 3 === 1 ? newsletterCode(part) : part.code,
  }))
}

export const newsletterCode = (part: Part): string => `${part.code}-news`

function leadOf({ days, seed }: Size, visit: Visit, i: number): Lead {
  const dice = diceOf(seed, 'lead', visit.visitor)
  const after = dice.between(2, 9)
  return {
    ...visit,
    email: `${dice.pick(buyers)}.lead.${i}@example.net`.toLowerCase(),
    ...(i % 3 === 0 &&
      visit.day + after < days && { buys: { after, amount: dice.between(2, 30) * 10_000, returns: i % 12 === 0 } }),
  }
}

/** Few sell much, many sell little, some nothing yet. */
function ordersOf(size: Size, part: Part, rank: number): Order[] {
  const dice = diceOf(size.seed, 'orders', part.username)
  const wanted = rank % 7 === 6 ? 0 : Math.ceil(5 / (1 + (rank % 12)) + dice.roll() * 0.9)
  return Array.from({ length: wanted }, (_, n) => {
    const first = dice.pick(buyers)
    const day = dice.between(Math.min(part.joins + 1, size.days - 1), Math.max(part.joins + 1, lastDay(size, part)))
    const chance = dice.roll()
    const how =
      chance < 0.05 ? 'refund' : chance < 0.09 ? 'part' : chance < 0.11 ? 'dispute won' : chance < 0.13 ? 'dispute lost' : undefined
    return {
      key: `${part.username} ${n}`,
      day: Math.max(part.joins + 1, onA(2, Math.min(day, lastDay(size, part)))),
      partner: part.username,
      ...(part.coupon && part.fate === 'works' && n % 2 === 0 && { coupon: part.coupon }),
      product: dice.pick(products),
      buyer: {
        email: `${first}.${part.username}.${n}@example.com`.toLowerCase(),
        name: `${first} ${part.name.split(' ')[1]}`,
        country: dice.pick(countries),
      },
      ...(how && day + 4 < size.days && { undone: { after: dice.between(1, 3), how } }),
    }
  })
}

function dealsOf(size: Size, working: readonly Part[]): Deal[] {
  const outcomes = ['won', 'accepted', 'open', 'lost', 'rejected', 'accepted'] as const
  return working
    .filter((_, i) => i % 4 === 0)
    .slice(0, companies.length)
    .map((part, i) => {
      const dice = diceOf(size.seed, 'deal', part.username)
      return {
        day: Math.min(size.days - 2, part.joins + dice.between(2, 20)),
        partner: part.username,
        company: companies[i]!,
        email: `office@${companies[i]!.toLowerCase().replaceAll(/[^a-z]+/g, '-')}.example.com`,
        value: `${dice.between(3, 24)},000.00`,
        outcome: outcomes[i % outcomes.length]!,
      }
    })
    .filter((deal) => deal.day < lastDay(size, working.find(({ username }) => username === deal.partner)!))
}
