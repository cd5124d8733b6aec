import { expect, test } from 'vitest'
import { newId } from './ids.ts'

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('ids sort by the time they were made for, and within a millisecond by their order', () => {
  const at = new Date('2026-11-02T09:00:00.123Z')
  const ids = [
    ...Array.from({ length: 1000 }, () => newId(at)),
    ...Array.from({ length: 1000 }, () => newId(new Date(at.getTime() + 1))),
  ]
  expect(ids.every((id) => uuid7.test(id))).toBe(true)
  expect(ids.toSorted()).toEqual(ids)
  expect(ids[0]!.replaceAll('-', '').slice(0, 12)).toBe(at.getTime().toString(16).padStart(12, '0'))
})

test('more ids than a millisecond has numbers are still all different, and none tells the next', () => {
  const at = new Date('2026-11-02T09:00:00.124Z')
  const ids = Array.from({ length: 10_000 }, () => newId(at))
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids.map((id) => id.slice(19))).size).toBe(ids.length)
})
