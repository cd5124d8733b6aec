// What partners offer beside links: coupon codes, and deals that they register. Pure.
import { type Dice, diceOf } from '../random.ts'
import { type Currency, type Size, startOf } from './calendar.ts'
import { isActive, type LifeChange, lifeOf, popular } from './lives.ts'

export interface CouponStep {
  readonly kind: 'made' | 'assigned' | 'paused' | 'resumed'
  readonly code: string
  readonly partner: string
}

/** The code of a partner, if they have one. */
export function codeOf(size: Size, partner: string): string | undefined {
  return diceOf(size.seed, 'coupon', partner).maybe(0.4) ? `SAVE-${lookalikesApart(partner.slice(1)).toUpperCase()}` : undefined
}

/** Codes with 0 and o, or 1 and l, are the same to the eye, so they are the same to the program. */
export const lookalikesApart = (digits: string): string => digits.replaceAll('1', 'a').replaceAll('0', 'b')

/** The steps of one partner's coupon, with their days. */
export function couponOf(
  size: Size,
  partner: string,
  life: readonly LifeChange[],
): { readonly day: number; readonly step: CouponStep }[] {
  const code = codeOf(size, partner)
  if (!code) return []
  const dice = diceOf(size.seed, 'coupon of', partner)
  const made = life[0]!.day + dice.between(0, 50)
  const kind = dice.maybe(0.2) ? 'assigned' : 'made'
  if (kind === 'made' && !isActive(life, made)) return []
  const steps: { day: number; step: CouponStep }[] = [{ day: made, step: { kind, code, partner } }]
  if (dice.maybe(0.3)) {
    const paused = made + dice.between(1, 200)
    steps.push({ day: paused, step: { kind: 'paused', code, partner } })
    if (dice.maybe(0.5)) steps.push({ day: paused + dice.between(1, 30), step: { kind: 'resumed', code, partner } })
  }
  return steps
}

/** What a customer types at the checkout: a code of somebody, in upper or lower case, or one that does not exist. */
export function typedCode(size: Size, dice: Dice): string | undefined {
  if (!dice.maybe(0.15)) return undefined
  if (dice.maybe(0.1)) return 'NOBODYS-CODE'
  const code = codeOf(size, popular(size, dice))
  return code && dice.maybe(0.3) ? code.toLowerCase() : code
}

export interface Prospect {
  readonly firm: string
  readonly domain: string
  readonly email: string
}

export type DealStep = { readonly deal: string } & (
  | { readonly kind: 'submitted'; readonly partner: string; readonly prospect: Prospect }
  | { readonly kind: 'accepted' | 'rejected' | 'lost' }
  | { readonly kind: 'given_up'; readonly partner: string }
  /** `same`: when its contact has paid through the shop meanwhile, the admin says that it was the deal's money. */
  | { readonly kind: 'won'; readonly amount: bigint; readonly currency: Currency; readonly same: boolean }
)

export interface Deal {
  readonly key: string
  readonly steps: readonly { readonly day: number; readonly step: DealStep }[]
  /** When the contact pays through the shop, instead of or beside what an admin records. */
  readonly contactPays: { readonly at: number; readonly email: string } | undefined
}

/** The deals that are registered on this day. */
export function dealsOn(size: Size, day: number, lives: ReadonlyMap<string, readonly LifeChange[]>): Deal[] {
  const dice = diceOf(size.seed, 'deals', day)
  const wanted = 0.2 + 0.02 * Math.sqrt(size.partners)
  const count = Math.floor(wanted) + (dice.maybe(wanted % 1) ? 1 : 0)
  return Array.from({ length: count }, (_, nth) => dealOf(size, day, nth, lives)).filter((deal) => deal !== undefined)
}

function dealOf(size: Size, day: number, nth: number, lives: ReadonlyMap<string, readonly LifeChange[]>): Deal | undefined {
  const key = `deal_${day}_${nth}`
  const dice = diceOf(size.seed, key)
  const partner = popular(size, dice)
  if (!isActive(lives.get(partner) ?? lifeOf(size, partner), day)) return undefined
  const steps: { day: number; step: DealStep }[] = [
    { day, step: { deal: key, kind: 'submitted', partner, prospect: prospectOf(day, nth, dice) } },
  ]
  const reviewed = day + dice.between(0, 6)
  const review = dice.roll()
  const over = reviewed + dice.between(0, 100)
  if (review < 0.75) steps.push({ day: reviewed, step: { deal: key, kind: 'accepted' } })
  else if (review < 0.85) steps.push({ day: reviewed, step: { deal: key, kind: 'rejected' } })
  const end = dice.roll()
  if (end < 0.35) {
    const currency = dice.pick(['USD', 'EUR', 'JPY'] as const)
    steps.push({
      day: over,
      step: { deal: key, kind: 'won', amount: BigInt(dice.between(2_000, 300_000)), currency, same: dice.maybe(0.5) },
    })
  } else if (end < 0.5) steps.push({ day: over, step: { deal: key, kind: 'lost' } })
  else if (end < 0.6) steps.push({ day: over, step: { deal: key, kind: 'given_up', partner } })
  const { email } = (steps[0]!.step as DealStep & { kind: 'submitted' }).prospect
  // Some pay before they were registered, some when the protection is over.
  const at = startOf(day + dice.between(-4, 110)) + dice.between(3_600_000, 70_000_000)
  return { key, steps, contactPays: dice.maybe(0.5) && at >= startOf(0) ? { at, email } : undefined }
}

/** A new prospect, or one of whom an earlier deal knows the firm, the domain or the person. */
function prospectOf(day: number, nth: number, dice: Dice): Prospect {
  const fresh = (on: number, of: number): Prospect => {
    const name = `firm${on}x${of}`
    return { firm: name, domain: `${name}.example`, email: `buyer@${name}.example` }
  }
  const own = fresh(day, nth)
  if (!dice.maybe(0.3)) return own
  const known = fresh(Math.max(0, day - dice.between(1, 100)), 0)
  return dice.pick([
    { ...own, firm: known.firm },
    { firm: own.firm, domain: known.domain, email: `colleague${day}@${known.domain}` },
    known,
  ])
}
