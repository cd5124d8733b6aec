// The recorded past: the same story every time, told by the real program, whose books are right afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { plugins } from '../../../plugins/index.ts'
import { textOf } from '../person.ts'
import { startWorld, type World } from '../world.ts'
import { chapters } from './chapters/index.ts'
import { storyOf } from './story.ts'
import { fullSize } from './write.ts'

let directory: string
let world: World
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-history-'))
  world = await startWorld({ dataDirectory: directory, history: { partners: 6, days: 30, seed: 1 } })
}, 240_000)
afterAll(async () => {
  await world?.close()
  await rm(directory, { recursive: true, force: true })
})

test('the story depends on size and seed alone', () => {
  expect(storyOf(fullSize)).toEqual(storyOf(fullSize))
  expect(storyOf({ ...fullSize, seed: 2 }).orders).not.toEqual(storyOf(fullSize).orders)
})

test('every name is used once, and every address is nobody’s', () => {
  const { parts } = storyOf(fullSize)
  expect(new Set(parts.map(({ username }) => username)).size).toBe(60)
  expect(parts.filter(({ email }) => !/@example\.(com|net|org)$/.test(email))).toEqual([])
})

test('every plugin has its one chapter', () =>
  expect(chapters.map(({ plugin }) => plugin).sort()).toEqual(plugins.map(({ id }) => id).sort()))

test('the program lives on with its past, and its books prove themselves', async () => {
  const run = async (command: string) => textOf((await world.admin.run(command)).message!)
  expect(await run('admin ledger proof')).toMatch(/hold|proved|balance/i)
  expect(await run('admin jobs failed')).toContain('No failed work')
  const top = await world.control<{ username: string; token: string; id: string }[]>('GET', '/sandbox/people')
  const wanda = await world.openClient(top.find(({ username }) => username.startsWith('wanda'))!)
  expect(textOf((await wanda.run('sales list')).message!)).toMatch(/\$\d/)
})

test('starting over writes the same past again', { timeout: 240_000 }, async () => {
  const { figures } = world.history!
  expect(Number(figures['sales of partners'])).toBeGreaterThan(5)
  expect(Number(figures['paid out, in cents'])).toBeGreaterThan(0)
  await world.reset()
  expect(world.history!.figures).toEqual(figures)
})
