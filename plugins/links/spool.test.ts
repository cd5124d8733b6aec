import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSpool, type Spool } from './spool.ts'

let directory: string
let spools: Spool[]
const aSpool = () => {
  const spool = createSpool(directory)
  spools.push(spool)
  return spool
}
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-spool-'))
  spools = []
})
afterEach(async () => {
  for (const spool of spools) await spool.close()
  await rm(directory, { recursive: true, force: true })
})

const everything = async (spool = aSpool()) => {
  const lines: string[] = []
  await spool.replay(async (portion) => void lines.push(...portion))
  return lines
}

test('what was appended comes back in order, once, also to another process', async () => {
  const spool = aSpool()
  await spool.append(['one', 'two'])
  await spool.append(['three'])
  expect(await everything()).toEqual(['one', 'two', 'three'])
  expect(await everything()).toEqual([])
  expect(await readdir(directory)).toEqual([])
})

test('lines that are appended after another process took the file are not lost', async () => {
  const [mine, other] = [aSpool(), aSpool()]
  await mine.append(['before'])
  const taken: string[] = []
  await other.replay(async (lines) => {
    taken.push(...lines)
    await mine.append(['meanwhile'])
  })
  expect(taken).toEqual(['before'])
  await mine.append(['after'])
  expect(await everything()).toEqual(['meanwhile', 'after'])
})

test('what could not be taken stays for another time', async () => {
  const spool = aSpool()
  await spool.append(['one', 'two'])
  await expect(spool.replay(() => Promise.reject(new Error('away')))).rejects.toThrow('away')
  await spool.append(['three'])
  expect(await everything(spool)).toEqual(['one', 'two', 'three'])
})

test('long spools come in portions', async () => {
  const spool = aSpool()
  await spool.append(Array.from({ length: 1201 }, (_, i) => String(i)))
  const sizes: number[] = []
  await spool.replay(async (lines) => void sizes.push(lines.length))
  expect(sizes).toEqual([500, 500, 201])
})

test('a line that was cut off does not spoil those of the next process', async () => {
  const first = aSpool()
  await first.append(['whole'])
  await appendFile(path.join(directory, (await readdir(directory))[0]!), '{"cut')
  const second = aSpool()
  await second.append(['next'])
  expect(await everything()).toEqual(['whole', '{"cut', 'next'])
})

test('two processes that replay at once hand over everything', async () => {
  for (let i = 0; i < 10; i++) await aSpool().append([`line ${i}`])
  const both = (await Promise.all([everything(), everything()])).flat()
  expect(new Set(both).size).toBe(10)
  expect(await readdir(directory)).toEqual([])
})

test('a directory that cannot be made is an error, not a promise', async () => {
  await expect(createSpool('/dev/null/spool').append(['x'])).rejects.toThrow()
})
