import { expect, test } from 'vitest'
import { failuresOf, inGroups } from './groups.ts'

test('what is asked for at once is done in one go, and each gets its own answer', async () => {
  const groups: (readonly number[])[] = []
  const double = inGroups(async (items: readonly number[]) => {
    groups.push(items)
    return items.map((item) => item * 2)
  })
  expect(await Promise.all([1, 2, 3].map(double))).toEqual([2, 4, 6])
  expect(groups).toEqual([[1, 2, 3]])
})

test('what comes while a group is under way makes the next one, at most as large as allowed', async () => {
  const groups: (readonly number[])[] = []
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const slowly = inGroups(async (items: readonly number[]) => {
    groups.push(items)
    await gate
    return items
  }, 2)
  const first = slowly(1)
  while (groups.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const later = [2, 3, 4].map(slowly)
  open()
  await Promise.all([first, ...later])
  expect(groups).toEqual([[1], [2, 3], [4]])
})

test('one that fails does not take the others with it', async () => {
  const halve = inGroups(async (items: readonly number[]) => {
    if (items.includes(13)) throw new Error('bad luck')
    return items.map((item) => item / 2)
  })
  const results = await Promise.allSettled([2, 13, 4].map(halve))
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message))).toEqual([
    1,
    'bad luck',
    2,
  ])
})

test('what cannot be done of many is returned, the rest is done, so many at a time', async () => {
  const groups: number[][] = []
  const done: number[] = []
  const failures = await failuresOf([1, 2, 13, 4, 5], 2, async (items) => {
    groups.push([...items])
    if (items.includes(13)) throw new Error('bad luck')
    done.push(...items)
  })
  expect(failures).toEqual([new Error('bad luck')])
  expect(done).toEqual([1, 2, 4, 5])
  expect(groups).toEqual([[1, 2], [13, 4], [13], [4], [5]])
})
