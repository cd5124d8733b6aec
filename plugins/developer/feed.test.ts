// The feed of events: nothing is missed or told twice, however late a transaction commits, and only what a plugin publishes is told.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { programStore } from '../../db/programs.ts'
import { amountField, days, defineEvent, definePlugin } from '../kit/index.ts'
import { developer } from './plugin.ts'
import { publish } from './public.ts'
import { type ApiCaller, admin, callerIn } from './testing.ts'

const thingMade = defineEvent('things.made', { name: z.string(), size: amountField })
const thingHidden = defineEvent('things.hidden', { name: z.string() })
let broken = false

const things = definePlugin({
  id: 'things',
  title: 'Things',
  summary: 'Publishes an event, in two versions, and keeps another to itself.',
  setup: () => ({
    extends: [
      publish(thingMade, {
        type: 'thing.made',
        version: 1,
        describes: 'A thing was made.',
        schema: z.object({ name: z.string() }),
        example: { name: 'chair' },
        map: ({ name }) => {
          if (broken && name === 'cursed') throw new Error('a bug in the mapping')
          return { name }
        },
      }),
      publish(thingMade, {
        type: 'thing.made',
        version: 2,
        describes: 'A thing was made.',
        schema: z.object({ name: z.string(), size: z.int() }),
        example: { name: 'chair', size: 3 },
        map: ({ name, size }) => ({ name, size: Number(size) }),
      }),
    ],
  }),
})

interface Page {
  data: { id: string; type: string; version: number; timestamp: string; data: { name: string } }[]
  next: string
}

let house: TestHouse
let reader: ApiCaller
beforeAll(async () => {
  house = await testHouse([developer, things])
  reader = await callerIn(house, 'events:read')
})
afterAll(() => house.close())

const make = (name: string, programId = house.program.id) =>
  house.db.transaction((tx) => house.emit(tx, thingMade, { programId, name, size: 3n }))
const read = async (after?: string, limit = 500): Promise<Page> =>
  (await reader.get(`/v1/events?limit=${limit}${after === undefined ? '' : `&after=${after}`}`)).json<Page>()
const end = async () => (await read()).next
const namesIn = (page: Page) => page.data.filter(({ version }) => version === 1).map(({ data }) => data.name)

test('an event is told with its id, type, version and time; each version is told', async () => {
  const from = await end()
  await make('chair')
  const { data } = await read(from)
  expect(data).toEqual([
    { id: expect.any(String), type: 'thing.made', version: 1, timestamp: house.clock.now().toISOString(), data: { name: 'chair' } },
    {
      id: expect.any(String),
      type: 'thing.made',
      version: 2,
      timestamp: house.clock.now().toISOString(),
      data: { name: 'chair', size: 3 },
    },
  ])
})

test('what no plugin publishes is not told', async () => {
  const from = await end()
  await house.db.transaction((tx) => house.emit(tx, thingHidden, { programId: house.program.id, name: 'secret' }))
  expect(await read(from)).toEqual({ data: [], next: from })
})

test('an event that is committed late comes after what was read, and is not missed', async () => {
  const from = await end()
  let commit = () => {}
  const late = new Promise<void>((resolve) => {
    commit = resolve
  })
  let emitted = () => {}
  const isEmitted = new Promise<void>((resolve) => {
    emitted = resolve
  })
  const slow = house.db.transaction(async (tx) => {
    await house.emit(tx, thingMade, { programId: house.program.id, name: 'early but late', size: 1n })
    emitted()
    await late
  })
  await isEmitted
  await make('quick')
  const first = await read(from)
  expect(namesIn(first)).toEqual(['quick'])
  commit()
  await slow
  expect(namesIn(await read(first.next))).toEqual(['early but late'])
})

test('an event of a transaction that fails is never told', async () => {
  const from = await end()
  await house.db
    .transaction(async (tx) => {
      await house.emit(tx, thingMade, { programId: house.program.id, name: 'undone', size: 1n })
      throw new Error('no')
    })
    .catch(() => {})
  expect((await read(from)).data).toEqual([])
})

test('with many writers that commit at random and readers beside them, every reader sees every event once, in one order', async () => {
  const from = await end()
  const writers = 6
  const each = 25
  let writing = true
  const write = async (writer: number) => {
    for (let i = 0; i < each; i++)
      await house.db.transaction(async (tx) => {
        await house.emit(tx, thingMade, { programId: house.program.id, name: `${writer}.${i}`, size: 1n })
        await sleep(Math.random() * 4)
        if (i % 3 === 0) await house.emit(tx, thingMade, { programId: house.program.id, name: `${writer}.${i}b`, size: 1n })
      })
  }
  const follow = async () => {
    const seen: string[] = []
    let after = from
    for (;;) {
      const last = !writing
      const page = await read(after, 7)
      seen.push(...page.data.map(({ id }) => id))
      after = page.next
      if (last && page.data.length === 0) return seen
    }
  }
  const readers = [follow(), follow()]
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  writing = false
  const [one, other] = await Promise.all(readers)
  const afterwards = await read(from)
  expect(one).toEqual(afterwards.data.map(({ id }) => id))
  expect(other).toEqual(one)
  expect(new Set(namesIn(afterwards)).size).toBe(writers * (each + Math.ceil(each / 3)))
})

test('a mapping that fails holds nothing up; its event is told once that is mended', async () => {
  const from = await end()
  broken = true
  await make('cursed')
  await make('after')
  const page = await read(from)
  expect(namesIn(page)).toEqual(['after'])
  const [check] = house.loaded.checks
  expect(await check!.run()).toContain('1 events could not be published')
  broken = false
  house.clock.advance(3_600_001)
  expect(namesIn(await read(page.next))).toEqual(['cursed'])
  expect(await check!.run()).toBeUndefined()
})

test('another program’s events are not told', async () => {
  const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Other' }))
  const from = await end()
  await make('foreign', other.id)
  expect((await read(from)).data).toEqual([])
  const stranger = await callerIn(house, 'events:read', { ...admin, program: other })
  expect(namesIn((await stranger.get('/v1/events')).json<Page>())).toEqual(['foreign'])
})

test('what names a partner by their Discord id is exported and erased with them', async () => {
  const from = await end()
  const userId = '100000000000000042'
  await make('stays')
  await make(`named ${userId}`)
  await read(from)
  await house.connection.sql`
    update developer_events set data = data || ${JSON.stringify({ discord_user_id: userId })}::text::jsonb where data ->> 'name' like 'named%'`
  const stored = () => developer.data!.exportPartner!(house.db, house.program.id, userId)
  expect(JSON.stringify(await stored())).toContain(userId)
  await house.db.transaction((tx) => developer.data!.deletePartner!(tx, house.program.id, userId))
  expect(await stored()).toEqual({ events: [] })
  expect(namesIn(await read(from))).toEqual(['stays'])
})

describe('a cursor', () => {
  test('that no page gave is refused', async () => {
    for (const after of ['x', '-1', '1e3', ''])
      expect((await reader.get(`/v1/events?after=${after}`)).json()).toMatchObject({ status: 400, code: 'bad_cursor' })
  })

  test('before what was forgotten is refused, so that nobody misses something without knowing', async () => {
    await make('old 1')
    const { next: early } = await read(undefined, 1)
    await make('old 2')
    house.clock.advance(days(91))
    await make('new')
    await house.tick('developer.prune')
    for (const after of [early, '0'])
      expect((await reader.get(`/v1/events?after=${after}`)).json(), after).toMatchObject({ status: 410, code: 'cursor_expired' })
    const fresh = await read()
    expect(namesIn(fresh)).toEqual(['new'])
    expect((await read(fresh.next)).data).toEqual([])
  })

  test('that is given while nothing is left leads to what comes next', async () => {
    await make('old')
    await read()
    house.clock.advance(days(91))
    await house.tick('developer.prune')
    const { data, next } = await read()
    expect(data).toEqual([])
    expect(await read(next)).toEqual({ data, next })
    await make('new')
    expect(namesIn(await read(next))).toEqual(['new'])
  })

  test('stays good while what comes next is kept, although an event after that is old enough to be forgotten', async () => {
    const from = await end()
    await make('young')
    await make('told late')
    await read()
    await house.connection.sql`
      update developer_events set occurred_at = occurred_at - interval '100 days' where data ->> 'name' = 'told late'`
    await house.tick('developer.prune')
    expect(namesIn(await read(from))).toEqual(['young', 'told late'])
  })
})
