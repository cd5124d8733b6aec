// Accounts of partners at Stripe: what becomes of them, and what Stripe tells of it when. Pure.
import { chance, diceOf, shuffled } from '../random.ts'
import { hourMs, type Size, startOf, timesOfDay } from './calendar.ts'
import type { LifeKind } from './lives.ts'

export type AccountChange = 'begun' | 'complete' | 'restricted' | 'mended' | 'bank_added' | 'bank_replaced'

/** How an account is from a moment on. */
export interface Look {
  readonly at: number
  /** Whether it can be paid. */
  readonly ready: boolean
  /** Where its money can go, and where it goes unless somebody says otherwise. */
  readonly banks: readonly string[]
  readonly usual: string | undefined
}

/** What a partner does about their account on a day, and what becomes of it. */
export interface Errand {
  /** Runs `/payout setup`. */
  readonly setsUp: boolean
  /** The first page has run out by the time they look. */
  readonly isSlow: boolean
  /** Comes back from Stripe's page in the evening. */
  readonly comesBack: boolean
  readonly changes: readonly AccountChange[]
}

const nothing: Errand = { setsUp: false, isSlow: false, comesBack: false, changes: [] }

/** @param look how the account is; undefined while there is none */
export function errandOf(
  size: Size,
  partner: string,
  { kind, day, look, isActive }: { kind: LifeKind; day: number; look: Look | undefined; isActive: boolean },
): Errand {
  const dice = diceOf(size.seed, 'errand', partner, kind, day)
  const isSlow = dice.maybe(0.2)
  const comesBack = dice.maybe(0.6)
  const byThemselves = dice.maybe(0.5)
  const atStripe = (change: AccountChange): Errand => ({ ...nothing, changes: [change] })
  switch (kind) {
    case 'method_broken':
      return look?.ready ? atStripe('restricted') : nothing
    case 'reference_changed':
      return !look ? nothing : atStripe(dice.pick(['bank_added', 'bank_replaced'] as const))
    case 'method_ready': {
      if (look?.ready) return nothing
      const setsUp = !look || byThemselves
      if (setsUp && !isActive) return nothing
      return { setsUp, isSlow, comesBack: setsUp && comesBack, changes: look ? ['mended'] : ['begun', 'complete'] }
    }
    default:
      return nothing
  }
}

/** When on its day a change happens: an account is begun when its partner asks for it, everything else is done by noon. */
export const changedAt = (change: AccountChange, day: number): number =>
  startOf(day) + (change === 'begun' ? timesOfDay.morning : 12 * hourMs)

/** How the account is after the change. */
export function changed(look: Look | undefined, change: AccountChange, day: number): Look {
  const before = look ?? { ready: false, banks: [], usual: undefined }
  const fresh = `bank_of_day_${day}`
  const moved = {
    begun: {},
    complete: { ready: true, banks: [fresh], usual: fresh },
    restricted: { ready: false },
    mended: { ready: true },
    bank_added: { banks: [...before.banks, fresh] },
    bank_replaced: { banks: [fresh], usual: fresh },
  }[change]
  return { ...before, ...moved, at: changedAt(change, day) }
}

/** Whether Stripe answers on the evening of this day for the account when it is asked how it is. */
export const answersFor = (size: Size, partner: string, day: number): boolean => chance(size.seed, 'answers', partner, day) >= 0.1

/** One event about an account. */
export interface Telling {
  readonly partner: string
  readonly change: AccountChange
  /** The day of the change. */
  readonly day: number
  readonly on: number
  /** It says only which account changed, or is written in another version of the API: the account is read from Stripe. */
  readonly isRead: boolean
}

/** What Stripe tells of a change: at once, later, much later, twice, or never. */
export function tellingsOf(size: Size, partner: string, change: AccountChange, day: number): Telling[] {
  const dice = diceOf(size.seed, 'account', partner, change, day)
  if (dice.maybe(0.15)) return []
  const on = day + (dice.maybe(0.6) ? 0 : dice.maybe(0.7) ? dice.between(1, 6) : dice.between(10, 60))
  const wantsRead = dice.maybe(change.startsWith('bank') ? 0.5 : 0.08)
  const one = { partner, change, day, isRead: wantsRead && answersFor(size, partner, on) }
  return [{ ...one, on }, ...(dice.maybe(0.15) ? [{ ...one, on: on + dice.between(0, 3) }] : [])]
}

/** The tellings of a day in the order in which they come. */
export const inOrder = (size: Size, tellings: readonly Telling[], day: number): Telling[] =>
  shuffled(tellings, ({ partner, change, day: of }) => `${partner} ${change} ${of}`, size.seed, 'accounts', day)
