// What happens in the local Discord by the passing of time alone, on a clock that the test moves.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from './person.ts'
import { aBench, type Bench } from './testing.ts'

const MINUTE = 60_000

let now = Date.now()
let bench: Bench
let owner: Person

beforeAll(async () => {
  bench = await aBench({ sandbox: { clock: () => now } })
  owner = bench.owner
})
afterAll(() => bench.close())

const general = () => `/channels/${bench.general.id}`
const aThread = async (name: string) =>
  (await owner.rest('POST', `${general()}/threads`, { name, type: 11, auto_archive_duration: 60 })).body.id as string
const archived = async (id: string) => (await owner.rest('GET', `/channels/${id}`)).body.thread_metadata.archived as boolean

test('a thread falls asleep an hour after the last message, and everybody is told', async () => {
  const id = await aThread('quiet')
  now += 50 * MINUTE
  await owner.rest('POST', `/channels/${id}/messages`, { content: 'still here' })
  now += 50 * MINUTE
  expect(await archived(id)).toBe(false)
  now += 11 * MINUTE
  expect(await archived(id)).toBe(true)
  await owner.next('THREAD_UPDATE', (thread) => thread.id === id && thread.thread_metadata.archived)
})

test('a message wakes a sleeping thread, and it sleeps again an hour later', async () => {
  const id = await aThread('woken')
  now += 61 * MINUTE
  expect(await archived(id)).toBe(true)
  expect((await owner.rest('POST', `/channels/${id}/messages`, { content: 'good morning' })).status).toBe(200)
  expect(await archived(id)).toBe(false)
  now += 61 * MINUTE
  expect(await archived(id)).toBe(true)
})

test('a longer time to sleep counts from its change', async () => {
  const id = await aThread('longer')
  now += 59 * MINUTE
  await owner.rest('PATCH', `/channels/${id}`, { auto_archive_duration: 1440 })
  now += 120 * MINUTE
  expect(await archived(id)).toBe(false)
})

test('a poll ends when its hours are over, whoever sent it, and says who won', async () => {
  const answers = ['Yes', 'No'].map((text) => ({ poll_media: { text } }))
  const poll = { question: { text: 'Again?' }, answers, duration: 1 }
  const { body: hook } = await owner.rest('POST', `${general()}/webhooks`, { name: 'Asker' })
  const { body: asked } = await owner.rest('POST', `/webhooks/${hook.id}/${hook.token}?wait=true`, { poll })
  await owner.rest('PUT', `${general()}/polls/${asked.id}/answers/@me`, { answer_ids: ['1'] })
  now += 61 * MINUTE
  const { body: message } = await owner.rest('GET', `${general()}/messages/${asked.id}`)
  expect(message.poll.results).toMatchObject({ is_finalized: true, answer_counts: [{ id: 1, count: 1 }] })
  const told = await owner.next('MESSAGE_CREATE', (data) => data.type === 46)
  expect(told.embeds[0].fields).toContainEqual({ name: 'victor_answer_text', value: 'Yes', inline: false })
  expect((await owner.rest('PUT', `${general()}/polls/${asked.id}/answers/@me`, { answer_ids: ['2'] })).status).toBe(403)
})

test('an invite runs out', async () => {
  const { body: invite } = await owner.rest('POST', `${general()}/invites`, { max_age: 60 })
  expect((await owner.rest('GET', `/invites/${invite.code}`)).status).toBe(200)
  now += 2 * MINUTE
  expect((await owner.rest('GET', `/invites/${invite.code}`)).body.code).toBe(10006)
})

test('every answer and request fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
