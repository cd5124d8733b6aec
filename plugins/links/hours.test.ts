// Counts of clicks against plain counting: whatever the range, however far clicks are summed up, and whatever arrived late.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { diceOf } from '../../scripts/simulate/random.ts'
import { hours, minutes } from '../kit/index.ts'
import { type Click, storeClicks, storeLateClicks } from './clicks.ts'
import { countByLink, countInRanges, countOfLink } from './hours.ts'
import { clickAt, linkPlugins, linksIn, type TestLink } from './testing.ts'

let house: TestHouse
let shared: TestLink[]
beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-11-20T10:00:00Z' })
  const { aLink, aPartner } = linksIn(house)
  const [first, second] = [await aPartner(), await aPartner()]
  shared = [await aLink({}, first), await aLink({}, first), await aLink({}, second)]
})
afterAll(() => house.close())

test('counts are exact at every moment, for every range', async () => {
  const begin = house.clock.now().getTime()
  const clicks: Click[] = []
  const { maybe, between, pick } = diceOf('clicks')
  const upTo = (most: number) => between(0, most - 1)
  const aClick = (at: Date) => clickAt(at, { ...pick(shared), programId: house.program.id }, maybe(0.8) ? {} : { visit: null })
  const countedAmong = (wanted: (click: Click) => boolean) => clicks.filter((click) => click.visit && wanted(click)).length

  for (let round = 0; round < 40; round++) {
    const since = house.clock.now().getTime()
    house.clock.advance(minutes(1 + upTo(25)))
    const now = house.clock.now().getTime()
    const fresh = Array.from({ length: 1 + upTo(12) }, () => aClick(new Date(since + upTo(now - since))))
    await storeClicks(house.connection.sql, fresh)
    clicks.push(...fresh)
    if (maybe(0.5)) await house.tick('links.sum_up')
    if (maybe(0.2)) {
      const late = aClick(new Date(begin + upTo(now - begin)))
      await storeLateClicks(house.connection.sql, [late])
      clicks.push(late)
      await house.tick('links.sum_up')
    }
    const asked = Array.from({ length: 12 }, (_, i) => {
      const ends = [upTo(now - begin), upTo(now - begin)].sort((a, b) => a - b).map((ms) => new Date(begin + ms))
      const [from, to] = i % 3 === 0 ? [ends[0]!, new Date(now + 1)] : ends
      return { partnerId: shared[i % 2 === 0 ? 0 : 2]!.partnerId, from: from!, to: to! }
    })
    asked.push({ ...asked[0]!, partnerId: shared[2]!.partnerId }, { ...asked[0]!, to: asked[0]!.from })
    expect(await countInRanges(house.db, house.program.id, asked), `round ${round}`).toEqual(
      asked.map(({ partnerId, from, to }) =>
        countedAmong((click) => click.partnerId === partnerId && new Date(click.at) >= from && new Date(click.at) < to),
      ),
    )
    const byLink = await countByLink(house.db, house.program.id, undefined)
    for (const { id, partnerId } of shared) {
      const counted = countedAmong(({ linkId }) => linkId === id)
      expect(byLink.get(id) ?? 0).toBe(counted)
      expect(await countOfLink(house.db, { id, partnerId, programId: house.program.id })).toBe(counted)
    }
  }
  expect(clicks.length).toBeGreaterThan(150)
  expect(house.clock.now().getTime() - begin).toBeGreaterThan(hours(6))
})
