// What the findings add up to, and what follows. Pure: it reads and writes nothing.
import type { Evidence } from './public.ts'

/** A signal that saw something, with the weight it had then; kept with the case. */
export interface Finding {
  readonly signal: string
  readonly weight: number
  readonly evidence: Evidence
}

export interface Verdict {
  /** Heaviest first; those that an allowance or a weight of 0 takes away are left out. */
  readonly findings: readonly Finding[]
  readonly score: number
  /** The id of the heaviest signal; undefined when nothing was found. */
  readonly strongest: string | undefined
  readonly suspicious: boolean
}

/**
 * Sums the weights. A finding that connects the partner only with partners they are allowed to be connected with does not count. Of equal weights the
 * signal whose id comes first in the alphabet is the strongest, so that the same findings always give the same reason.
 */
export function judge(
  found: readonly Finding[],
  rule: { readonly threshold: number; readonly allowedWith: ReadonlySet<string> },
): Verdict {
  const findings = found
    .filter(({ weight, evidence: { others } }) => weight > 0 && !(others?.length && others.every((id) => rule.allowedWith.has(id))))
    .toSorted((a, b) => b.weight - a.weight || (a.signal < b.signal ? -1 : 1))
  const score = findings.reduce((sum, { weight }) => sum + weight, 0)
  return { findings, score, strongest: findings[0]?.signal, suspicious: score >= rule.threshold }
}

/**
 * Whether the true share is above `percent` with 99.5 % certainty: the lower end of Wilson’s interval. Fewer than five hits are never an outlier: somebody's
 * first days must not look like fraud.
 * https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
 */
export function isSurelyAbove(percent: number, hits: number, tries: number): boolean {
  if (hits < 5) return false
  const z = 2.576
  const share = Math.min(1, hits / tries)
  const spread = z * Math.sqrt((share * (1 - share)) / tries + (z * z) / (4 * tries * tries))
  return (share + (z * z) / (2 * tries) - spread) / (1 + (z * z) / tries) > percent / 100
}
