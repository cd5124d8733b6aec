// Events that could not be handled, with a vendor of the test's own: every one is seen, one at a time is dealt with, and what was set aside is out of the way.
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { houseGauges } from '../app/gauges.ts'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../app/testing.ts'
import { type Program, programStore } from '../db/programs.ts'
import { audit } from '../db/tables.ts'
import { defineJob, definePlugin, handle, type WebhookInbox } from '../plugins/kit/index.ts'
import { parkedEvents } from './parked.ts'

const admin = { isAdmin: true, userId: '300000000000000001' }
const source = 'bank'
const eventJob = defineJob({ name: 'bank.handle_event', payload: z.object({ eventId: z.string() }) })
/** What still cannot be handled, and why. */
const troubles = new Map<string, string>()
let inbox: WebhookInbox
/** A vendor that handles whatever nothing stands in the way of. */
const bank = definePlugin({
  id: source,
  title: 'Bank',
  summary: 'A vendor for tests.',
  setup: ({ db, webhooks, enqueue }) => {
    inbox = webhooks
    const handleAlone = (eventId: string) =>
      db.transaction(async (tx) => {
        if (!(await webhooks.open(tx, source, eventId))) return
        const reason = troubles.get(eventId)
        if (reason === undefined) await webhooks.markHandled(tx, source, eventId)
        else await webhooks.park(tx, source, eventId, reason)
      })
    const tools = parkedEvents(
      {
        source,
        title: 'Bank',
        on: () => ({
          handleAlone,
          handleAgain: async (tx, programId, eventIds) => {
            for (const eventId of eventIds) await enqueue(tx, eventJob, { eventId }, { programId })
          },
          seesUnassigned: async (_, programId) => programId === house.program.id,
        }),
      },
      { db, webhooks },
    )
    return { ...tools, jobs: [handle(eventJob, ({ eventId }) => handleAlone(eventId))] }
  },
})

let house: TestHouse
let elsewhere: Program
beforeAll(async () => {
  house = await testHouse([bank])
  elsewhere = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000002', name: 'Elsewhere' }))
})
afterAll(() => house.close())
beforeEach(async () => {
  troubles.clear()
  await house.connection.sql`delete from core_webhooks`
})

/** Events that came a second after each other and are parked. */
async function parked(count: number, reason = 'The amount is odd.', programId?: string): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `evt_${reason.length}_${String(i).padStart(3, '0')}`)
  for (const id of ids) {
    house.clock.advance(1_000)
    troubles.set(id, reason)
    await house.db.transaction(async (tx) => {
      await inbox.store(tx, { source, eventId: id, type: 'transfer.odd', body: {} })
      await inbox.park(tx, source, id, reason, programId)
    })
  }
  return ids
}
const list = async (given = {}) => house.run('admin bank parked', given, admin)
const controlOf = (answer: Parameters<typeof controlsOf>[0], name: string) =>
  controlsOf(answer).find((id) => id.startsWith(`bank.${name}:`))!
const chosen = async (eventId: string, from?: Awaited<ReturnType<typeof list>>) =>
  house.press(controlOf(from ?? (await list()), 'parked_choose'), { values: [eventId] }, admin)
async function setAside(eventId: string, reason = 'A test of the bank.') {
  const form = await house.press(controlOf(await chosen(eventId), 'parked_aside'), {}, admin)
  if (!('custom_id' in form)) throw new Error('no form')
  return house.press(form.custom_id, { fields: { reason } }, admin)
}
const gauge = async () => {
  const read = houseGauges(house.connection, () => undefined).find(({ name }) => name === 'siso_webhooks_parked')!.read
  return (await read()).find(({ labels }) => labels?.source === source)?.value ?? 0
}

describe('the list', () => {
  test('has every parked event on some page, newest first, each with type, id, reason and time', async () => {
    const ids = await parked(23)
    const seen: string[] = []
    let page = await list()
    expect(wordsOf(page)).toContain('23 events are parked')
    for (const turn of [1, 2, 3]) {
      const words = wordsOf(page)
      expect(words).toContain(`Page ${turn} of 3`)
      expect(words).toContain('**transfer.odd**')
      expect(words).toContain('The amount is odd.')
      expect(words).toMatch(/<t:\d+:R>/)
      seen.push(...[...words.matchAll(/`(evt_\w+)`/g)].map((match) => match[1]!))
      page = await house.press(
        controlsOf(page).find((id) => id === `bank.parked:parked:${turn}`) ?? 'bank.parked:parked:9',
        {},
        admin,
      )
    }
    expect(seen).toEqual(ids.toReversed())
  })

  test.each(['parked', 'aside'])('of those %s shows all of a page, however much there is to say of each', async (which) => {
    const reason = 'The invoice in_1NabcdefGHIJ was paid outside Stripe (in part), and is no sale yet. '.repeat(6)
    const ids = await parked(8, reason, house.program.id)
    if (which === 'aside')
      for (const id of ids) {
        const word = { by: admin.userId, reason: 'Somebody settled it with the customer by hand. '.repeat(12).slice(0, 500) }
        const whose = { source, programId: house.program.id, unassigned: false }
        await house.db.transaction((tx) => inbox.setAside(tx, whose, id, word))
      }
    const words = wordsOf(await list({ set_aside: which === 'aside' }))
    for (const id of ids) expect(words).toContain(`\`${id}\``)
  })

  test('shows the last page when an older one is gone, and that nothing is parked', async () => {
    await parked(1)
    expect(wordsOf(await house.press('bank.parked:parked:7', {}, admin))).toContain('1 event is parked')
    await house.connection.sql`delete from core_webhooks`
    expect(wordsOf(await house.press('bank.parked:parked:0', {}, admin))).toContain('Nothing is parked')
    expect(wordsOf(await list({ set_aside: true }))).toContain('Nothing was set aside')
  })

  test('is of one program: what is another’s is neither shown nor dealt with', async () => {
    const [mine] = await parked(1, 'mine', house.program.id)
    const [unassigned] = await parked(1, 'nobody’s')
    const there = { ...admin, program: elsewhere }
    expect(wordsOf(await list())).toContain('2 events are parked')
    expect(wordsOf(await house.run('admin bank parked', {}, there))).toContain('Nothing is parked')
    for (const id of [mine, unassigned]) {
      expect(wordsOf(await house.press('bank.parked_choose:parked:0', { values: [id!] }, there))).toContain('is not parked')
      await expect(house.press(`bank.parked_again:parked:0:${id}`, {}, there)).rejects.toMatchObject({ code: 'event_not_parked' })
    }
  })
})

describe('one event', () => {
  test('is handed in again alone, and what came of it is told at once', async () => {
    const [first, second] = await parked(2)
    const card = await chosen(first!)
    expect(wordsOf(card)).toContain('The amount is odd.')
    troubles.set(first!, 'Now the currency is odd.')
    const again = await house.press(controlOf(card, 'parked_again'), {}, admin)
    expect(wordsOf(again)).toContain('It is parked again')
    expect(wordsOf(again)).toContain('Now the currency is odd.')
    troubles.clear()
    const done = await house.press(controlOf(again, 'parked_again'), {}, admin)
    expect(wordsOf(done)).toContain('The event was handled')
    expect(wordsOf(await house.press(controlOf(done, 'parked_event'), {}, admin))).toContain('it was handled')
    const left = wordsOf(await house.press(controlOf(done, 'parked'), {}, admin))
    expect(left).toContain('1 event is parked')
    expect(left).toContain(second)
    await expect(house.press(controlOf(again, 'parked_again'), {}, admin)).rejects.toMatchObject({ code: 'event_not_parked' })
  })

  test('that is set aside counts no longer, and who, when and why are kept and shown', async () => {
    const [first] = await parked(2)
    expect(await gauge()).toBe(2)
    const aside = wordsOf(await setAside(first!))
    expect(aside).toContain('An event that was set aside')
    expect(aside).toContain(`by <@${admin.userId}> <t:${house.clock.now().getTime() / 1000}:f>`)
    expect(wordsOf(await list())).toContain('1 event is parked')
    expect(await gauge()).toBe(1)
    const shown = wordsOf(await list({ set_aside: true }))
    for (const part of ['1 event was set aside', first!, 'A test of the bank.', 'The amount is odd.']) expect(shown).toContain(part)
    expect(await house.db.select().from(audit).where(eq(audit.action, 'bank.set_aside'))).toMatchObject([
      { actor: admin.userId, detail: { event: first, reason: 'A test of the bank.', parkedBecause: 'The amount is odd.' } },
    ])
    troubles.clear()
    expect(wordsOf(await house.run('admin bank replay', {}, admin))).toContain('1 event is handed in again')
    await house.drain()
    expect(wordsOf(await list({ set_aside: true }))).toContain(first)
  })

  test('that was set aside can be handed in again after all', async () => {
    const [id] = await parked(1)
    expect(wordsOf(await setAside(id!, 'Settled.\nBy hand.'))).toContain('> Settled.\n> By hand.')
    const card = await chosen(id!, await list({ set_aside: true }))
    expect(controlOf(card, 'parked_aside')).toBeUndefined()
    expect(wordsOf(await house.press(controlOf(card, 'parked_again'), {}, admin))).toContain('It is parked again')
    expect(wordsOf(await list())).toContain('1 event is parked')
    expect(wordsOf(await list({ set_aside: true }))).toContain('Nothing was set aside')
  })

  test('that was set aside stays so when the same comes up again, and is parked anew for another reason', async () => {
    const [id] = await parked(1)
    await setAside(id!)
    const comesUp = (reason: string) => house.db.transaction((tx) => inbox.parkHandled(tx, source, id!, reason, house.program.id))
    await comesUp('The amount is odd.')
    expect(wordsOf(await list())).toContain('Nothing is parked')
    await comesUp('It was paid twice.')
    expect(wordsOf(await list())).toContain('It was paid twice.')
    expect(wordsOf(await list({ set_aside: true }))).toContain('Nothing was set aside')
  })
})

test('all are handed in again at once', async () => {
  await parked(12)
  troubles.clear()
  expect(wordsOf(await house.run('admin bank replay', {}, admin))).toContain('12 events are handed in again')
  await house.drain()
  expect(wordsOf(await list())).toContain('Nothing is parked')
  expect(wordsOf(await house.run('admin bank replay', {}, admin))).toContain('Nothing to replay')
})
