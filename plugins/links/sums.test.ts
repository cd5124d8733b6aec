// Sums of clicks where several things happen at once: a late click while days are summed up, a program that moves, a worker that paused.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { type Db, newId } from '../kit/index.ts'
import { storeClicks, storeLateClicks } from './clicks.ts'
import { sumDays } from './days.ts'
import { clickFigures } from './figures.ts'
import { countByLink } from './hours.ts'
import { clickAt, forgetAllClicks, linkPlugins, linksIn, type TestLink } from './testing.ts'

let house: TestHouse
let link: TestLink & { programId: string }
beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-10-20T10:00:00Z' })
  link = { ...(await linksIn(house).aLink()), programId: house.program.id }
})
afterAll(() => house.close())
beforeEach(() => forgetAllClicks(house, '2026-10-20T00:00:00Z'))

const clicked = async (time: string, count = 1) => {
  house.clock.set(time)
  const clicks = Array.from({ length: count }, () => clickAt(new Date(time), link))
  await storeClicks(house.connection.sql, clicks)
}

/** A link of a program of its own. */
const anotherProgram = async (timeZone: string) => {
  const { sql } = house.connection
  const at = house.clock.now()
  const [id, programId, partnerId] = [newId(at), newId(at), newId(at)]
  await sql`insert into core_programs (id, guild_id, name, time_zone) values (${programId}, ${`9${id.replace(/\D/g, '')}`}, 'Other', ${timeZone})`
  await sql`insert into links_links (id, program_id, partner_id, code) values (${id}, ${programId}, ${partnerId}, ${`c${id.slice(-8)}`})`
  return { id, programId, partnerId }
}

const byDay = async (timeZone = 'UTC') => {
  const rows = await clickFigures.read(house.db, {
    programId: house.program.id,
    timeZone,
    days: { from: '2026-10-10', to: '2026-11-10' },
    from: new Date('2026-10-10T00:00:00Z'),
    to: new Date(house.clock.now().getTime() + 1),
    daily: true,
  })
  return Object.fromEntries(rows.map(({ day, counts }) => [day, counts!.clicks]))
}

describe('a late click while days are summed up', () => {
  /** Sums up, and goes on only after the late clicks were stored, or wait for it. */
  const sumWhile = async (late: () => Promise<unknown>) => {
    let stored: Promise<unknown> | undefined
    const held = {
      execute: house.db.execute.bind(house.db),
      transaction: <T>(work: (tx: never) => Promise<T>) =>
        house.db.transaction(async (tx) => {
          const result = await work(tx as never)
          stored ??= late()
          await Promise.race([stored, sleep(300)])
          return result
        }),
    }
    await sumDays(held as unknown as Db, house.clock.now())
    await stored
  }
  const lateClick = () => storeLateClicks(house.connection.sql, [clickAt(new Date('2026-10-20T23:50:00Z'), link)])

  test('is in the sums when they are made the next time', async () => {
    await clicked('2026-10-20T23:41:00Z')
    house.clock.set('2026-10-20T23:50:00Z')
    await house.tick('links.sum_days')
    house.clock.set('2026-10-21T00:10:00Z')
    await sumWhile(lateClick)
    expect(await byDay()).toEqual({ '2026-10-20': 2 })
    house.clock.set('2026-10-21T00:20:00Z')
    await house.tick('links.sum_days')
    expect(await byDay()).toEqual({ '2026-10-20': 2 })
  })

  test('is so, too, when the program is summed up for the first time', async () => {
    await clicked('2026-10-20T23:41:00Z')
    house.clock.set('2026-10-21T00:10:00Z')
    await sumWhile(lateClick)
    expect(await byDay()).toEqual({ '2026-10-20': 2 })
  })
})

test('to the day under way clicks are added; once it is over, or after a late click, it is summed up from its beginning', async () => {
  const [day, next] = ['2026-10-20', '2026-10-21']
  const sum = async (time: string) => {
    house.clock.set(time)
    await house.tick('links.sum_days')
  }
  const spoil = () => house.connection.sql`update links_days set clicks = 100 where dimension = 'all'`
  await clicked(`${day}T12:00:00Z`, 10)
  await sum(`${day}T12:10:00Z`)
  await spoil()
  await clicked(`${day}T13:00:00Z`)
  await sum(`${day}T13:10:00Z`)
  expect(await byDay()).toEqual({ [day]: 101 })

  await storeLateClicks(house.connection.sql, [clickAt(new Date(`${day}T12:30:00Z`), link)])
  await sum(`${day}T13:20:00Z`)
  expect(await byDay()).toEqual({ [day]: 12 })

  await spoil()
  await clicked(`${next}T00:01:00Z`)
  await sum(`${next}T00:10:00Z`)
  expect(await byDay()).toEqual({ [day]: 12, [next]: 1 })
})

test('a worker whose clock is behind another’s leaves no sum of a day that is summed up again', async () => {
  const { sql } = house.connection
  await clicked('2026-10-20T12:00:00Z')
  await storeClicks(sql, [clickAt(new Date('2026-10-20T13:02:00Z'), link, { country: 'FR' })])
  await sumDays(house.db, new Date('2026-10-20T13:10:00Z'))
  await storeLateClicks(sql, [clickAt(new Date('2026-10-20T12:30:00Z'), link)])
  await sumDays(house.db, new Date('2026-10-20T13:06:00Z'))
  await sumDays(house.db, new Date('2026-10-20T13:20:00Z'))
  const rows = await sql`select value, clicks::int from links_days where dimension = 'country' and partner_id is null order by 1`
  expect(rows).toEqual([
    { value: '', clicks: 2 },
    { value: 'FR', clicks: 1 },
  ])
})

describe('a program that moves to another time zone before its first day is over', () => {
  test.each([
    ['UTC', 'Asia/Tokyo', '2026-10-20T16:30:00Z', '2026-10-21'],
    ['Asia/Tokyo', 'UTC', '2026-10-20T16:30:00Z', '2026-10-20'],
    ['Pacific/Pago_Pago', 'Pacific/Kiritimati', '2026-10-20T10:30:00Z', '2026-10-21'],
  ])('from %s to %s keeps each click once', async (before, after, time, day) => {
    await house.connection.sql`update core_programs set time_zone = ${before}`
    await clicked(time, 10)
    house.clock.advance(600_000)
    await house.tick('links.sum_days')
    await house.connection.sql`update core_programs set time_zone = ${after}`
    await house.tick('links.sum_days')
    expect(await byDay(after)).toEqual({ [day]: 10 })
    const [{ clicks }] = (await house.connection
      .sql`select sum(clicks)::int as clicks from links_days where dimension = 'all' and partner_id is null`) as [
      { clicks: number },
    ]
    expect(clicks).toBe(10)
  })

  test('days of which the clicks are gone stay, also while another program has older clicks', async () => {
    const { sql } = house.connection
    await storeClicks(sql, [clickAt(new Date('2026-10-12T12:00:00Z'), await anotherProgram('UTC'))])
    await storeClicks(sql, [clickAt(new Date('2026-10-15T12:00:00Z'), link)])
    await clicked('2026-10-20T16:30:00Z', 3)
    house.clock.set('2026-10-21T01:00:00Z')
    await sql`update links_summed set through = '2026-10-12T00:00:00Z'`
    await house.tick('links.sum_up')
    await house.tick('links.sum_days')
    await sql`delete from links_clicks where program_id = ${house.program.id} and at < '2026-10-20T00:00:00Z'`
    for (const zone of ['Asia/Tokyo', 'Pacific/Pago_Pago']) {
      await sql`update core_programs set time_zone = ${zone}`
      await house.tick('links.sum_days')
      expect(await byDay(zone)).toEqual({ '2026-10-15': 1, [zone === 'Asia/Tokyo' ? '2026-10-21' : '2026-10-20']: 3 })
    }
  })
})

test('hours are summed up again only as far as they have been summed up', async () => {
  house.clock.set('2026-10-20T10:17:00Z')
  await house.tick('links.sum_up')
  await clicked('2026-10-20T10:30:00Z', 10)
  house.clock.set('2026-10-22T11:00:00Z')
  await house.tick('links.sum_again')
  const counted = async () => (await countByLink(house.db, house.program.id, undefined)).get(link.id)
  expect(await counted()).toBe(10)
  await house.tick('links.sum_up')
  expect(await counted()).toBe(10)
})
