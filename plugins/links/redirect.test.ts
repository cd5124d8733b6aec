// The redirect as it is run: links in memory that follow the news, clicks stored many at a time, and what happens when something dies in the middle.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { offlineHouse } from '../../app/offline.ts'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { type Connection, connect } from '../../db/connect.ts'
import { testDatabase } from '../../db/testing.ts'
import { killUnderLoad } from '../../scripts/bench/kill.ts'
import { openDoor, stopUnderLoad } from '../../scripts/bench/outage.ts'
import { seed } from '../../scripts/bench/redirect.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { hours, minutes, newId } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import type { Click } from './clicks.ts'
import { storeLateClicks } from './clicks.ts'
import { sumAgain } from './hours.ts'
import { links } from './plugin.ts'
import { clickAt } from './testing.ts'

const plugins = [links, agreements, attribution, partners, notifications]
const browser = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'

describe('in one process', () => {
  let house: TestHouse
  let paths: string[]
  beforeAll(async () => {
    house = await testHouse(plugins, { listening: true })
    paths = await seed(house.connection, 200)
    await vi.waitFor(async () => expect((await visit(paths.at(-1)!)).statusCode).toBe(302), 5000)
  })
  afterAll(() => house.close())

  const visit = (url: string, ip = '203.0.113.9') =>
    house.app.inject({ url, remoteAddress: ip, headers: { 'user-agent': browser } })
  const target = async (url: string) => String((await visit(url)).headers.location)
  const sql: Connection['sql'] = ((...given: Parameters<Connection['sql']>) => house.connection.sql(...given)) as never
  const partnerOf = async (url: string) =>
    (await sql<{ id: string; partner_id: string }[]>`select id, partner_id from links_links where code = ${url.slice(3)}`)[0]!
  /** Waits until the news has arrived. */
  const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 5000, interval: 20 })

  test('a link that is in memory leads on without a look at the tables of links', async () => {
    await soon(async () => {
      const locked = await house.connection.sql.begin(async (tx) => {
        await tx`lock table links_codes, links_links, partners_partners, core_settings in access exclusive mode`
        return Promise.race([visit(paths[0]!), sleep(300, undefined)])
      })
      expect(locked?.statusCode).toBe(302)
    })
  })

  test('what another process changes is known a moment later: a partner who rests, one who is back, a setting, a new link', async () => {
    const { partner_id } = await partnerOf(paths[1]!)
    await sql`update partners_partners set status = 'suspended' where id = ${partner_id}`
    await soon(async () => expect((await visit(paths[1]!)).statusCode).toBe(404))
    await sql`update partners_partners set status = 'active' where id = ${partner_id}`
    await soon(async () => expect((await visit(paths[1]!)).statusCode).toBe(302))
    await house.set('links', 'landingPage', 'https://moved.example.com/')
    await soon(async () => expect(await target(paths[1]!)).toContain('https://moved.example.com/'))
    const { id } = await partnerOf(paths[1]!)
    await sql`insert into links_codes (folded, program_id, link_id) values ('another-name', ${house.program.id}, ${id})`
    expect(await target('/r/another-name')).toContain('https://moved.example.com/')
  })

  test('what changed while the line was cut is known once it is back', async () => {
    const { partner_id } = await partnerOf(paths[2]!)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siso listener' and datname = current_database()`
    await sql`update partners_partners set status = 'suspended' where id = ${partner_id}`
    await soon(async () => expect((await visit(paths[2]!)).statusCode).toBe(404))
    await sql`update partners_partners set status = 'active' where id = ${partner_id}`
    await soon(async () => expect((await visit(paths[2]!)).statusCode).toBe(302))
  })

  test('visitors who come together share a commit', async () => {
    const url = paths[3]!
    await Promise.all(Array.from({ length: 60 }, (_, i) => visit(url, `198.51.100.${i}`)))
    const { id } = await partnerOf(url)
    const [row] =
      await sql`select count(*)::int as clicks, count(distinct xmin::text)::int as commits from links_clicks where link_id = ${id}`
    expect(row!.clicks).toBe(60)
    expect(row!.commits).toBeLessThan(20)
  })

  test('one visitor who comes through two processes at once counts once', async () => {
    const second = await offlineHouse(await connect(house.connection.url, { max: 3 }), plugins)
    const url = paths[4]!
    const request = { url, remoteAddress: '203.0.113.50', headers: { 'user-agent': browser } }
    await Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? house : second).app.inject(request)))
    await second.close()
    const { id } = await partnerOf(url)
    const [row] =
      await sql`select count(*)::int as clicks, count(*) filter (where counted)::int as counted from links_clicks where link_id = ${id}`
    expect(row).toEqual({ clicks: 30, counted: 1 })
  })

  const aClick = async (url: string, at: Date): Promise<Click> => {
    const { id, partner_id } = await partnerOf(url)
    return clickAt(at, { id, partnerId: partner_id, programId: house.program.id })
  }

  test('a click that is brought twice is there once, and counts once', async () => {
    const url = paths[5]!
    const click = await aClick(url, house.clock.now())
    const again = { ...click, id: newId(house.clock.now()) }
    for (const batch of [[click], [click, again], [again, click]]) await storeLateClicks(house.connection.sql, batch)
    const rows = await sql`select id, counted from links_clicks where link_id = ${click.linkId}`
    expect(rows.length).toBe(2)
    expect(rows.filter(({ counted }) => counted).map(({ id }) => id)).toEqual([click.id])
  })

  test('counts are the same before hours are summed up, after, and after clicks of the past arrived', async () => {
    const url = paths[6]!
    const { partner_id } = await partnerOf(url)
    const start = new Date(house.clock.now())
    for (const ahead of [0, minutes(59), hours(1), hours(2), hours(30)])
      await storeLateClicks(house.connection.sql, [await aClick(url, new Date(start.getTime() + ahead))])
    house.clock.advance(hours(31))
    const ranges = [0, minutes(30), minutes(59) + 1, hours(1), hours(2) + 1, hours(31)]
    const counts = () =>
      Promise.all(
        ranges.flatMap((from) =>
          ranges.map((to) =>
            house.use(links).clickCount(house.db, house.program.id, partner_id, {
              from: new Date(start.getTime() + from),
              to: new Date(start.getTime() + Math.max(from, to)),
            }),
          ),
        ),
      )
    const ofLink = async () =>
      (await house.use(links).ofPartner(house.db, house.program.id, partner_id)).find(({ code }) => url.endsWith(code))!.clicks
    const before = await counts()
    expect(before[ranges.length - 1]).toBeGreaterThanOrEqual(5)
    await house.tick('links.sum_up')
    expect(await counts()).toEqual(before)
    expect(await ofLink()).toBe(5)

    await storeLateClicks(house.connection.sql, [await aClick(url, new Date(start.getTime() + minutes(10)))])
    await house.tick('links.sum_up')
    expect(await ofLink()).toBe(6)
    await sql`update links_hours set counted = 0, people = 0`
    await house.db.transaction((tx) => sumAgain(tx, start, house.clock.now()))
    expect(await ofLink()).toBe(6)
  })

  test('each month has its own table, which goes as a whole; the hours stay', async () => {
    const months = async () => (await sql<{ part: string }[]>`select part from links_months order by 1`).map(({ part }) => part)
    const url = paths[7]!
    await storeLateClicks(house.connection.sql, [await aClick(url, new Date('2029-05-06T07:08:09Z'))])
    expect(await months()).toContain('links_clicks_2029_05')
    house.clock.set('2031-07-01T00:00:00Z')
    await house.tick('links.sum_up')
    await house.tick('links.prepare_months')
    await house.tick('links.forget_clicks')
    expect(await months()).toEqual(['links_clicks_2031_07', 'links_clicks_2031_08', 'links_clicks_2031_09'])
    const { partner_id } = await partnerOf(url)
    const [listed] = (await house.use(links).ofPartner(house.db, house.program.id, partner_id)).filter(({ code }) =>
      url.endsWith(code),
    )
    expect(listed!.clicks).toBe(1)
  })

  test('the questions about clicks are answered from indexes, each by the months it needs', async () => {
    const { id, partner_id } = await partnerOf(paths[8]!)
    const plan = (query: string) =>
      house.connection.sql.begin(async (tx) => {
        await tx`set local enable_seqscan = off`
        return (await tx.unsafe(`explain ${query}`)).map((row) => row['QUERY PLAN']).join('\n')
      })
    const clickId = newId(house.clock.now())
    const byId = await plan(
      `select * from links_clicks where id = '${clickId}' and at = links_click_at('${clickId}') and program_id = '${house.program.id}'`,
    )
    expect(byId).toContain('links_clicks_2031_07_pkey')
    expect(byId).not.toContain('2031_08')
    const ofLastMinutes = await plan(
      `select count(*) from links_clicks where partner_id = '${partner_id}' and counted and at >= '2031-07-01T10:00Z' and at < '2031-07-01T10:15Z'`,
    )
    expect(ofLastMinutes).toContain('links_clicks_2031_07_pkey')
    expect(ofLastMinutes).not.toContain('2031_08')
    expect(
      await plan(`select sum(counted) from links_hours where partner_id = '${partner_id}' and hour >= '2031-07-01Z'`),
    ).toContain('links_hours_partner')
    expect(await plan(`select * from links_codes where folded = 'abc'`)).toContain('links_codes_pkey')
    expect(
      await plan(`delete from links_clicks where program_id = '${id}' and rejected is not null and at < '2031-07-02Z'`),
    ).toMatch(/program_id_at_idx/)
  })

  test.each([
    ['a line break', 'https://shop.example.com/\r\nSet-Cookie: x=1'],
    ['a script', 'javascript:alert(1)'],
    ['data', 'data:text/html,hello'],
  ])('%s can be no destination, whoever writes it', async (_, destination) => {
    const { id } = await partnerOf(paths[9]!)
    await expect(sql`update links_links set destination = ${destination} where id = ${id}`).rejects.toThrow('check constraint')
  })

  test('a link cannot be deleted', async () => {
    await expect(sql`delete from links_links`).rejects.toThrow('kept for ever')
  })
})

describe('when something dies', () => {
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'siso-redirect-'))
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('a process that is killed has stored every click that it answered', { timeout: 300_000 }, async () => {
    const database = await testDatabase()
    const found = await killUnderLoad(database, path.join(directory, 'killed'), { kills: 3, connections: 16 })
    expect(found.answered).toBeGreaterThan(50)
    expect(found.missing).toBe(0)
    await database.close()
  })

  // The limit is for machines that are busy with other things: the processes alone take most of the time.
  test('while the database is away every visitor is sent on, and every click arrives once, later', {
    timeout: 300_000,
  }, async () => {
    const database = await testDatabase()
    let isThere = true
    const door = await openDoor(() => (isThere ? Number(new URL(database.url).port) : undefined))
    const away = {
      url: door.inPlaceOf(database.url),
      open: () => connect(database.url, { max: 1 }),
      // Cut in the middle of whatever is on its way: some commits succeed that nobody is told of.
      stop: async () => {
        isThere = false
        door.slam()
      },
      start: async () => {
        isThere = true
      },
    }
    const found = await stopUnderLoad(away, path.join(directory, 'away'), { ms: [1000, 2000, 3000], connections: 16 })
    expect(found.statuses).toEqual({ 302: found.answers })
    expect(found).toMatchObject({ clicks: found.answers, stored: found.answers, missing: 0, spooled: true })
    door.close()
    await database.close()
  })
})
