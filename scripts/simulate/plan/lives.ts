// The lives of partners: when they join, leave and come back, how they are paid, and when they sign a new agreement. Pure.
import { chance, type Dice, diceOf } from '../random.ts'
import { paydayBefore, type Size } from './calendar.ts'

export type LifeKind = 'joined' | 'left' | 'returned' | 'method_ready' | 'method_broken' | 'reference_changed' | 'signed'

export interface LifeChange {
  readonly day: number
  readonly kind: LifeKind
}

/** Through whom a partner is paid. */
export type Way = 'bank' | 'paypal' | 'stripe' | 'hand'
export function wayOf(size: Size, partner: string): Way {
  const roll = chance(size.seed, 'way', partner)
  if (roll < 0.15) return 'hand'
  if (roll < 0.4) return 'paypal'
  return roll < 0.68 ? 'stripe' : 'bank'
}

/** The days on which a new version of the agreement comes out. */
export function versionDays(size: Size): readonly number[] {
  const dice = diceOf(size.seed, 'versions')
  return [dice.between(12, 34), dice.between(160, 230), dice.between(400, 520)]
}

/** When a partner joins, says where to be paid, leaves, comes back, and signs again. In order of time. */
export function lifeOf(size: Size, partner: string): LifeChange[] {
  const dice = diceOf(size.seed, 'life', partner)
  const joined = dice.maybe(0.6) ? 0 : dice.between(1, 300)
  const changes: LifeChange[] = [{ day: joined, kind: 'joined' }]
  if (!dice.maybe(0.08)) changes.push({ day: joined + dice.between(0, 45), kind: 'method_ready' })
  const way = wayOf(size, partner)
  if (way === 'stripe') changes.push(...atStripe(joined, changes, dice))
  else if (dice.maybe(0.1)) {
    const broken = joined + dice.between(50, 400)
    if (way !== 'bank') changes.push({ day: broken, kind: 'reference_changed' })
    else changes.push({ day: broken, kind: 'method_broken' }, { day: broken + dice.between(1, 30), kind: 'method_ready' })
  }
  if (dice.maybe(0.2)) {
    const left = joined + dice.between(20, 500)
    changes.push({ day: left, kind: 'left' })
    if (dice.maybe(0.5)) changes.push({ day: left + dice.between(1, 60), kind: 'returned' })
  }
  const signed = versionDays(size).flatMap((day) => (joined < day ? signingOf(changes, day, dice) : []))
  return [...changes, ...signed].sort((a, b) => a.day - b.day || order.indexOf(a.kind) - order.indexOf(b.kind))
}

/** What becomes of an account at Stripe, at most one thing a day, and mostly at the end of a month, when it matters most. */
function atStripe(joined: number, before: readonly LifeChange[], dice: Dice): LifeChange[] {
  const changes: LifeChange[] = []
  const add = (day: number, kind: LifeKind) => {
    if (![...before, ...changes].some((change) => change.day === day)) changes.push({ day, kind })
  }
  const sometime = () => {
    const day = joined + dice.between(50, 400)
    return dice.maybe(0.7) ? paydayBefore(day) - dice.between(0, 3) : day
  }
  if (dice.maybe(0.3)) {
    const broken = sometime()
    add(broken, 'method_broken')
    add(broken + dice.between(1, 30), 'method_ready')
  }
  for (let nth = 0; nth < 3; nth++) if (dice.maybe(0.4)) add(sometime(), 'reference_changed')
  return changes
}

/** What comes first when several things happen on one day. */
const order: readonly LifeKind[] = ['joined', 'left', 'returned', 'signed', 'method_broken', 'method_ready', 'reference_changed']

/** Most sign within the period of grace, some late, some never. Who is away then signs on the day after they are back. */
function signingOf(changes: readonly LifeChange[], published: number, dice: Dice): LifeChange[] {
  const wanted = published + (dice.maybe(0.8) ? dice.between(0, 13) : dice.between(14, 50))
  if (dice.maybe(0.06)) return []
  if (isActive(changes, wanted)) return [{ day: wanted, kind: 'signed' }]
  const back = changes.find(({ day, kind }) => kind === 'returned' && day >= wanted)
  return back ? [{ day: back.day + 1, kind: 'signed' }] : []
}

export function isActive(life: readonly LifeChange[], day: number): boolean {
  let active = false
  for (const change of [...life].sort((a, b) => a.day - b.day)) {
    if (change.day > day) break
    if (change.kind === 'joined' || change.kind === 'returned') active = true
    if (change.kind === 'left') active = false
  }
  return active
}

/** The tier of a partner on this day, given by a plugin of the simulation. */
export function tierOf(size: Size, partner: string, day: number): 'gold' | undefined {
  const dice = diceOf(size.seed, 'tier', partner)
  return dice.maybe(0.3) && day >= dice.between(0, 120) ? 'gold' : undefined
}

/** A partner, the first ones far more often than the last ones. */
export const popular = (size: Size, dice: Dice): string => `p${Math.floor(size.partners * dice.roll() ** 2.2)}`
