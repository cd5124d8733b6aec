// The codec of custom ids: whatever goes in comes out, within Discord's limit, and strangers are recognised.
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { componentRef, customId, parseCustomId, readParams } from './customId.ts'

const ref = componentRef('tickets.close', ['ticket', 'reason'])

test.prop([fc.string({ unit: 'binary', maxLength: 12 }), fc.string({ unit: 'grapheme', maxLength: 4 })])(
  'every pair of parameters survives the round trip',
  (ticket, reason) => {
    const text = customId(ref, { ticket, reason })
    const { id, args } = parseCustomId(text)
    expect(text.length).toBeLessThanOrEqual(100)
    expect(id).toBe('tickets.close')
    expect(readParams(ref, args)).toEqual({ ticket, reason })
  },
)

test.prop([fc.string({ maxLength: 100 })])('text from anywhere is parsed without failing', (text) => {
  const { id, args } = parseCustomId(text)
  expect(typeof id).toBe('string')
  expect(Array.isArray(args)).toBe(true)
})

test('separators inside a parameter do not shift the others', () => {
  expect(parseCustomId(customId(ref, { ticket: 'a:b%3a', reason: '' })).args).toEqual(['a:b%3a', ''])
})

test('a custom id may have exactly 100 characters and not one more', () => {
  const one = componentRef('a.b', ['x'])
  expect(customId(one, { x: 'x'.repeat(96) })).toHaveLength(100)
  expect(() => customId(one, { x: 'x'.repeat(97) })).toThrow('101 characters; Discord allows 100')
})

test('a control of an older version, with fewer or more parameters, is told apart', () => {
  expect(readParams(ref, ['1'])).toBeUndefined()
  expect(readParams(ref, ['1', '2', '3'])).toBeUndefined()
  expect(readParams(componentRef('tickets.list'), [])).toEqual({})
})

test.each(['close', 'Tickets.close', 'tickets.close:now', 'tickets.', 'a.b.c'])('“%s” is no component id', (id) => {
  expect(() => componentRef(id)).toThrow('write plugin.action in lower case')
})
