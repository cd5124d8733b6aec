// What of somebody's commissions a provider can pay at once that pays only multiples of an amount: a pure function.
import { sum } from '../kit/index.ts'

/** Some that would stay, as a list from the oldest to the youngest. */
interface Left<T> {
  readonly amount: bigint
  readonly count: number
  readonly oldest?: T
  readonly others?: Left<T>
}

/**
 * The commissions with the largest sum that is a multiple of `step` (≥ 1, in minor units, at most some thousands); none when there is no such sum. Of equal
 * sums the one that leaves the fewest commissions back, and then the one that leaves back the youngest. They are given and returned oldest first, each with
 * a `due` above zero.
 */
export function inSteps<T extends { readonly due: bigint }>(commissions: readonly T[], step: bigint): readonly T[] {
  const over = sum(commissions.map(({ due }) => due)) % step
  if (over === 0n) return commissions
  // The least that may stay for each remainder, of those looked at so far. The oldest come last, and stay only where less stays by that.
  let least = new Map<bigint, Left<T>>([[0n, { amount: 0n, count: 0 }]])
  for (const one of commissions.filter(({ due }) => due % step !== 0n).toReversed()) {
    const next = new Map(least)
    for (const others of least.values()) {
      const left = { amount: others.amount + one.due, count: others.count + 1 }
      const known = least.get(left.amount % step)
      if (!known || isLess(left, known)) next.set(left.amount % step, { ...left, oldest: one, others })
    }
    least = next
  }
  const staying = new Set<T>()
  for (let left = least.get(over); left?.oldest !== undefined; left = left.others) staying.add(left.oldest)
  return commissions.filter((one) => !staying.has(one))
}

const isLess = (a: Left<unknown>, b: Left<unknown>): boolean => (a.amount === b.amount ? a.count < b.count : a.amount < b.amount)
