// Sums that are wrong, for whatever reason, against the clicks that are kept.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { storeClicks, storeLateClicks } from './clicks.ts'
import { sumUp } from './hours.ts'
import { type Recounted, recount } from './recount.ts'
import { clickAt, forgetAllClicks, linkPlugins, linksIn, type TestLink } from './testing.ts'

let house: TestHouse
let link: TestLink & { programId: string }
beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-10-20T10:00:00Z' })
  link = { ...(await linksIn(house).aLink()), programId: house.program.id }
})
afterAll(() => house.close())
beforeEach(async () => {
  await forgetAllClicks(house, '2026-10-01T00:00:00Z')
  house.clock.set('2026-10-20T10:00:00Z')
})

/** Clicks at these hours of each of the days, two by one visitor and one rejected. */
const clicked = async (days: readonly string[], hours = [3, 9, 22]) => {
  for (const day of days)
    for (const hour of hours) {
      const at = new Date(`${day}T${String(hour).padStart(2, '0')}:20:00Z`)
      const one = clickAt(at, link, { country: 'FR' })
      await storeClicks(house.connection.sql, [one, { ...clickAt(at, link), ipHash: one.ipHash, agentHash: one.agentHash }])
      await storeClicks(house.connection.sql, [clickAt(at, link, { rejected: 'bot', visit: null })])
    }
}
const days = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `2026-10-${String(from + i)}`)
const counted = async (repair: boolean, range: { from?: string; to?: string } = {}) => {
  const keeping = { programId: house.program.id, clickDays: 730, rejectedClickDays: 7 }
  const found: Recounted[] = []
  for await (const day of recount(house.db, keeping, { ...range, repair, now: house.clock.now() })) found.push(day)
  return found
}
const wrongDays = (found: readonly Recounted[]) =>
  found.filter(({ wrongDays, wrongHours }) => wrongDays + wrongHours > 0).map(({ day }) => day)
const sums = async () => {
  const { sql } = house.connection
  return {
    hours: await sql`select * from links_hours order by hour, link_id`,
    days: await sql`select * from links_days order by day, partner_id nulls first, dimension, value`,
    seen: await sql`select * from links_seen order by day, ip_hash, agent_hash`,
  }
}
const summed = async () => {
  await house.tick('links.sum_up')
  await house.tick('links.sum_days')
}

test('what was summed up by itself is right, in any time zone, and nothing is changed', async () => {
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/Los_Angeles']) {
    await house.connection.sql`update core_programs set time_zone = ${zone}`
    await house.connection.sql`delete from links_clicks`
    await clicked(days(10, 19))
    await summed()
    const before = await sums()
    const found = await counted(true)
    expect(found.length, zone).toBeGreaterThanOrEqual(7)
    expect(wrongDays(found), zone).toEqual([])
    expect(await sums(), zone).toEqual(before)
    for (const table of ['links_days', 'links_days_summed', 'links_hours'])
      await house.connection.sql.unsafe(`delete from ${table}`)
    await house.connection.sql`update links_summed set through = '2026-10-01T00:00:00Z'`
  }
})

describe('sums that are too high, too low, missing, or of nothing', () => {
  beforeEach(async () => {
    await clicked(days(10, 19))
    await summed()
  })
  const spoil = async () => {
    const { sql } = house.connection
    await sql`update links_days set clicks = clicks + 5 where day = '2026-10-13' and dimension = 'all'`
    await sql`update links_days set visitors = 0 where day = '2026-10-14' and dimension = 'partner'`
    await sql`delete from links_days where day = '2026-10-15' and dimension = 'country' and value = 'FR' and partner_id is null`
    await sql`
      insert into links_days (program_id, partner_id, dimension, day, value, clicks, visitors)
      values (${house.program.id}, ${link.partnerId}, 'country', '2026-10-16', 'ZZ', 7, 7)`
    await sql`update links_hours set counted = 0 where hour = '2026-10-17T09:00:00Z'`
    await sql`delete from links_hours where hour = '2026-10-18T22:00:00Z'`
    await sql`
      insert into links_hours (link_id, hour, program_id, partner_id, counted, people, rejected)
      values (${link.id}, '2026-10-19T12:00:00Z', ${house.program.id}, ${link.partnerId}, 4, 4, 0)`
  }

  test('are found without being touched, and then made right', async () => {
    const right = await sums()
    await spoil()
    const spoilt = await sums()
    expect(wrongDays(await counted(false))).toEqual(days(13, 19))
    expect(await sums()).toEqual(spoilt)
    expect(wrongDays(await counted(true))).toEqual(days(13, 19))
    const mended = await sums()
    expect(mended.days).toEqual(right.days)
    expect(mended.hours.filter(({ people }) => Number(people) > 0)).toEqual(right.hours)
    expect(wrongDays(await counted(true))).toEqual([])
  })

  test('are made right on the days that are asked about, and on no other', async () => {
    await spoil()
    expect((await counted(true, { from: '2026-10-14', to: '2026-10-15' })).map(({ day }) => day)).toEqual(days(14, 15))
    expect(wrongDays(await counted(false))).toEqual(['2026-10-13', ...days(16, 19)])
  })

  test('stay as they are where clicks were deleted', async () => {
    const right = await sums()
    await house.connection.sql`delete from links_clicks where at < '2026-10-13T10:00:00Z'`
    const found = await counted(true)
    expect(found.map(({ day }) => day)).toEqual(days(15, 19))
    expect(await sums()).toEqual(right)
  })

  test('rejected clicks that were deleted stay in the sums of their hours', async () => {
    const right = await sums()
    await house.connection.sql`delete from links_clicks where rejected is not null`
    expect(wrongDays(await counted(true))).toEqual([])
    expect(await sums()).toEqual(right)
  })
})

test('a click that comes late while days are counted makes no day wrong', async () => {
  await clicked(days(10, 19))
  await summed()
  const keeping = { programId: house.program.id, clickDays: 730, rejectedClickDays: 7 }
  const found: Recounted[] = []
  for await (const day of recount(house.db, keeping, { repair: false, now: house.clock.now() })) {
    if (found.push(day) === 1) await storeLateClicks(house.connection.sql, [clickAt(new Date('2026-10-16T09:30:00Z'), link)])
  }
  expect(found.map(({ clicks }) => clicks)).toContain(7)
  expect(wrongDays(found)).toEqual([])
})

test('who sums up with a clock that is behind takes nothing off the hour that is under way', async () => {
  await storeClicks(house.connection.sql, [clickAt(new Date('2026-10-20T09:50:00Z'), link)])
  await sumUp(house.db, house.clock.now())
  expect((await sums()).hours).toMatchObject([{ counted: '1' }])
  await storeClicks(house.connection.sql, [clickAt(new Date('2026-10-20T09:10:00Z'), link)])
  await sumUp(house.db, new Date('2026-10-20T09:45:00Z'))
  expect((await sums()).hours).toMatchObject([{ counted: '2' }])
})

test('a program without clicks has nothing to count', async () => {
  expect(await counted(true)).toEqual([])
})
