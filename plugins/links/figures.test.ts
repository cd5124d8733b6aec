// Statistics of clicks against plain counting, by chance: several programs and time zones, a change of the clocks, late clicks, moves to other zones, and workers
// whose clocks differ, however often and whenever clicks are summed up.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { diceOf } from '../../scripts/simulate/random.ts'
import type { FigureQuestion } from '../analytics/public.ts'
import { addDays, dayOf, minutes, newId, startOfDay } from '../kit/index.ts'
import { type Click, storeClicks, storeLateClicks } from './clicks.ts'
import { sumDays } from './days.ts'
import { clickFigures } from './figures.ts'
import { clickAt, linkPlugins } from './testing.ts'

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/Los_Angeles',
  'Asia/Kathmandu',
  'Pacific/Kiritimati',
  'America/Havana',
  'Pacific/Pago_Pago',
]

let house: TestHouse
beforeAll(async () => {
  house = await testHouse(linkPlugins, { now: '2026-10-23T10:00:00Z' })
})
afterAll(() => house.close())

test.each(['2026-10-22T10:00:00Z', '2026-10-30T21:00:00Z', '2026-12-29T02:00:00Z'])(
  'statistics from %s on are what plain counting gives',
  async (start) => {
    const { maybe, between, pick } = diceOf('figures', start)
    const { sql } = house.connection
    house.clock.set(start)
    const begin = house.clock.now().getTime()
    const now = () => house.clock.now().getTime()
    const programs: { id: string; zone: string }[] = []
    const links: { id: string; partnerId: string; programId: string }[] = []
    const aProgram = async () => {
      const program = { id: newId(house.clock.now()), zone: pick(zones) }
      await sql`insert into core_programs (id, guild_id, name, time_zone) values (${program.id}, ${`8${program.id.replace(/\D/g, '')}`}, 'One', ${program.zone})`
      programs.push(program)
      for (let i = 0; i < 2; i++) {
        const link = { id: newId(house.clock.now()), partnerId: newId(house.clock.now()), programId: program.id }
        await sql`insert into links_links (id, program_id, partner_id, code) values (${link.id}, ${program.id}, ${link.partnerId}, ${`c${link.id.slice(-8)}`})`
        links.push(link)
      }
    }
    await aProgram()
    await aProgram()

    const clicks: Click[] = []
    const browsers = Array.from({ length: 5 }, () => randomBytes(8).toString('hex'))
    const aClick = (ms: number): Click => {
      const browser = pick(browsers)
      const click = clickAt(new Date(ms), pick(links), { ipHash: browser, agentHash: browser, country: pick(['DE', 'US', null]) })
      clicks.push(click)
      return maybe(0.85) ? click : Object.assign(click, { visit: null })
    }

    /** What is asked, and what plain counting says, a line for each day and value. */
    const asked = (): FigureQuestion => {
      const { id: programId, zone: timeZone } = pick(programs)
      const from = addDays(dayOf(house.clock.now(), timeZone), -between(0, 6))
      const to = addDays(from, between(1, 7))
      const end = Math.min(startOfDay(to, timeZone).getTime(), now() + 1)
      const partnerId = maybe(0.5) ? pick(links.filter((link) => link.programId === programId)).partnerId : undefined
      return {
        ...(partnerId !== undefined && { partnerId }),
        ...{ programId, timeZone, days: { from, to }, from: startOfDay(from, timeZone), to: new Date(end) },
        ...{ daily: true, ...pick([{}, { by: 'link' }, { by: 'country' }, { by: 'partner' }] as const) },
      }
    }
    const counted = ({ programId, timeZone, partnerId, days, by }: FigureQuestion) => {
      const seen = new Set<string>()
      const lines = new Map<string, [number, number]>()
      for (const click of clicks.toSorted((a, b) => (a.at + a.id < b.at + b.id ? -1 : 1))) {
        if (click.visit === null || click.programId !== programId) continue
        const browser = [click.partnerId, click.ipHash, click.at.slice(0, 10)].join()
        const first = !seen.has(browser)
        seen.add(browser)
        const day = dayOf(new Date(click.at), timeZone)
        if (day < days.from || day >= days.to || (partnerId ?? click.partnerId) !== click.partnerId) continue
        const key =
          by === 'link' ? click.linkId : by === 'country' ? (click.country ?? '') : by === 'partner' ? click.partnerId : ''
        const line = lines.get(`${day} ${key}`) ?? [0, 0]
        lines.set(`${day} ${key}`, [line[0] + 1, line[1] + Number(first)])
      }
      return [...lines].map(([line, counts]) => `${line}: ${counts.join()}`).sort()
    }

    for (let round = 0; round < 70; round++) {
      const since = now()
      house.clock.advance(minutes(maybe(0.3) ? between(60, 900) : between(1, 40)))
      const recent = Math.max(since, now() - minutes(4))
      for (let i = between(1, 10); i > 0; i--) await storeClicks(sql, [aClick(between(recent, now() - 1))])
      if (maybe(0.2)) await storeLateClicks(sql, [aClick(between(begin, now() - 1))])
      if (maybe(0.5)) await sumDays(house.db, new Date(now() - (maybe(0.2) ? minutes(between(0, 9)) : 0)))
      if (maybe(0.4)) await house.tick('links.sum_up')
      if (maybe(0.2)) await storeLateClicks(sql, [aClick(between(begin, now() - 1))])
      if (maybe(0.06)) {
        const moved = pick(programs)
        moved.zone = pick(zones)
        await sql`update core_programs set time_zone = ${moved.zone} where id = ${moved.id}`
      }
      if (round === 25) await aProgram()
      for (let i = 0; i < 6; i++) {
        const question = asked()
        const rows = await clickFigures.read(house.db, question)
        const got = rows.map(({ day, key, counts }) => `${day} ${key ?? ''}: ${counts!.clicks},${counts!.visitors}`).sort()
        expect(got, `round ${round}, ${JSON.stringify(question)}`).toEqual(counted(question))
      }
    }
    expect(clicks.length).toBeGreaterThan(300)
    await sql`delete from links_clicks`
  },
)
