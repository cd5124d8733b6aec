// Who stands where, as a pure function.
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import type { Score } from './public.ts'
import { decideRanking } from './ranking.ts'

const at = (day: number) => new Date(Date.UTC(2026, 10, day))
const score = (partnerId: string, value: bigint, day = 1): Score => ({ partnerId, score: value, reachedAt: at(day) })
const places = (scores: Score[]) => decideRanking(scores).map(({ rank, partnerId }) => [rank, partnerId])

test.each<[string, Score[], [number, string][]]>([
  ['nobody makes an empty board', [], []],
  [
    'the higher score stands first',
    [score('a', 1n), score('b', 2n)],
    [
      [1, 'b'],
      [2, 'a'],
    ],
  ],
  [
    'a tie shares the rank and the next rank follows without a gap',
    [score('a', 5n), score('b', 5n), score('c', 4n)],
    [
      [1, 'a'],
      [1, 'b'],
      [2, 'c'],
    ],
  ],
  [
    'of a tie, who got there earlier stands first',
    [score('a', 5n, 9), score('b', 5n, 3)],
    [
      [1, 'b'],
      [1, 'a'],
    ],
  ],
  ['who has nothing is not listed', [score('a', 0n), score('b', 1n), score('c', -1n)], [[1, 'b']]],
  [
    'scores beyond floats are told apart',
    [score('a', 9_007_199_254_740_992n), score('b', 9_007_199_254_740_993n)],
    [
      [1, 'b'],
      [2, 'a'],
    ],
  ],
])('%s', (_, scores, expected) => expect(places(scores)).toEqual(expected))

const scoreLists = fc.uniqueArray(
  fc.record({ partnerId: fc.uuid(), score: fc.bigInt({ min: -2n, max: 5n }), reachedAt: fc.integer({ min: 1, max: 5 }).map(at) }),
  { selector: ({ partnerId }) => partnerId },
)
test.prop([scoreLists])('ranks start at one, have no gap, and are shared by equal scores only', (scores) => {
  const ranked = decideRanking(scores)
  expect(ranked).toHaveLength(scores.filter((entry) => entry.score > 0n).length)
  const distinct = [...new Set(ranked.map((entry) => entry.score))]
  for (const entry of ranked) expect(entry.rank).toBe(distinct.indexOf(entry.score) + 1)
})
test.prop([scoreLists, fc.infiniteStream(fc.nat())])('the order in which scores come makes no difference', (scores, random) => {
  const shuffled = scores.map((entry) => [random.next().value, entry] as const).toSorted((a, b) => a[0] - b[0])
  expect(decideRanking(shuffled.map(([, entry]) => entry))).toEqual(decideRanking(scores))
})
