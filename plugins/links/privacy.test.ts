// What is left of a partner's words when they are erased: nothing, also not in clicks and sums, while the clicks themselves still count.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { minutes } from '../kit/index.ts'
import { storeClicks } from './clicks.ts'
import { clickFigures } from './figures.ts'
import { eraseFor } from './privacy.ts'
import { clickAt, linkPlugins, linksIn } from './testing.ts'

let house: TestHouse
beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-10-20T10:00:00Z' })
})
afterAll(() => house.close())

test('campaigns and sub ids of an erased partner are gone from clicks and sums, and their clicks still count', async () => {
  const { sql } = house.connection
  const { aLink } = linksIn(house)
  const [ada, bob] = [await aLink({ campaign: 'Ada Lovelace', subs: { sub1: 'ada@example.com' } }), await aLink()]
  const click = (link: typeof ada, campaign: string | null) =>
    storeClicks(sql, [
      clickAt(
        house.clock.now(),
        { ...link, programId: house.program.id },
        { campaign, subs: { sub1: `${link.userId}@example.com` } },
      ),
    ])
  const someClicks = async () => {
    for (const campaign of ['Ada Lovelace', 'shared', null]) await click(ada, campaign)
    for (const campaign of ['shared', 'shared', null]) await click(bob, campaign)
  }
  const sum = async (ahead: number) => {
    house.clock.advance(ahead)
    await house.tick('links.sum_up')
    await house.tick('links.sum_days')
  }
  const byCampaign = async (partnerId?: string) => {
    const rows = await clickFigures.read(house.db, {
      ...{ programId: house.program.id, timeZone: house.program.timeZone, by: 'campaign' as const },
      ...(partnerId !== undefined && { partnerId }),
      ...{
        days: { from: '2026-10-19', to: '2026-10-25' },
        from: new Date('2026-10-19T00:00:00Z'),
        to: new Date('2026-10-25T00:00:00Z'),
      },
    })
    return Object.fromEntries(rows.map(({ key, counts }) => [key, counts]))
  }
  await someClicks()
  await sum(minutes(10))
  await someClicks()
  const { clicks: before } = (await byCampaign()).shared!
  expect(before).toBe(6)

  await house.db.transaction((tx) => eraseFor(tx, house.program.id, ada.userId))

  const expectAll = async () => {
    expect(await byCampaign()).toEqual({ '': { clicks: 8, visitors: 8 }, shared: { clicks: 4, visitors: 4 } })
    expect(await byCampaign(ada.partnerId)).toEqual({ '': { clicks: 6, visitors: 6 } })
    expect(await byCampaign(bob.partnerId)).toEqual({ '': { clicks: 2, visitors: 2 }, shared: { clicks: 4, visitors: 4 } })
    for (const table of ['links_clicks', 'links_days', 'links_links'])
      expect(await sql.unsafe(`select * from ${table} t where t::text ~* 'lovelace|ada@|${ada.userId}'`), table).toEqual([])
  }
  await expectAll()
  expect((await sql`select from links_clicks where subs is not null`).length).toBe(6)
  await sum(minutes(10))
  await expectAll()
  await sum(minutes(24 * 60))
  await expectAll()
})
