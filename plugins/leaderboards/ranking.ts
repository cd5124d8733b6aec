// Who stands where: a pure function of scores.
import type { Score } from './public.ts'

export interface Place extends Score {
  /** Dense: equal scores share a rank, and the next score has the next rank. */
  readonly rank: number
}

/** Places in the order of the board: the higher score first, of equal scores the one reached earlier, then by id. Nobody without a score above zero. */
export function decideRanking(scores: readonly Score[]): Place[] {
  const standing = scores.filter(({ score }) => score > 0n).toSorted(byPlace)
  let rank = 0
  return standing.map((entry, i) => {
    if (entry.score !== standing[i - 1]?.score) rank += 1
    return { ...entry, rank }
  })
}

function byPlace(a: Score, b: Score): number {
  if (a.score !== b.score) return a.score > b.score ? -1 : 1
  return a.reachedAt.getTime() - b.reachedAt.getTime() || (a.partnerId < b.partnerId ? -1 : 1)
}
