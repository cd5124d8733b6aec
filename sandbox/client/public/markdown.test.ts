// Discord's markdown dialect, case by case, and that no text makes the parser lose or invent words.

import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { isJumbo, parse, plain } from './markdown.js'

const text = (value: string) => ({ type: 'text', text: value })

describe('inline markup', () => {
  test.each([
    ['bold', '**b**', [{ type: 'bold', children: [text('b')] }]],
    ['italic with a star', '*i*', [{ type: 'italic', children: [text('i')] }]],
    ['italic with an underscore', '_i_', [{ type: 'italic', children: [text('i')] }]],
    ['underline', '__u__', [{ type: 'underline', children: [text('u')] }]],
    ['strike', '~~s~~', [{ type: 'strike', children: [text('s')] }]],
    ['a spoiler', '||s||', [{ type: 'spoiler', children: [text('s')] }]],
    ['code keeps its markup', '`**x**`', [{ type: 'code', text: '**x**' }]],
    ['bold around italic', '***x***', [{ type: 'bold', children: [{ type: 'italic', children: [text('x')] }] }]],
    ['an escaped star', '\\*no\\*', [text('*'), text('no'), text('*')]],
    ['a word with underscores', 'snake_case_word', [text('snake_case_word')]],
    ['a person', '<@123456789012345678>', [{ type: 'user', id: '123456789012345678' }]],
    ['a role', '<@&123456789012345678>', [{ type: 'role', id: '123456789012345678' }]],
    ['a channel', '<#123456789012345678>', [{ type: 'channel', id: '123456789012345678' }]],
    ['a command', '</links create:123456789012345678>', [{ type: 'command', name: 'links create', id: '123456789012345678' }]],
    ['a time', '<t:1700000000:R>', [{ type: 'timestamp', ms: 1_700_000_000_000, style: 'R' }]],
    [
      'a bare link leaves the full stop',
      'https://a.example/x_y.',
      [{ type: 'link', url: 'https://a.example/x_y', children: [text('https://a.example/x_y')] }, text('.')],
    ],
    ['a masked link', '[here](https://a.example)', [{ type: 'link', url: 'https://a.example', children: [text('here')] }]],
  ])('%s', (_, source, tree) => expect(parse(source)).toEqual(tree))

  test('a link that would run a script stays text', () => {
    expect(plain(parse('[x](javascript:alert(1))'))).toBe('[x](javascript:alert(1))')
  })
  test('HTML stays text', () => {
    expect(parse('<b>x</b>')).toEqual([text('<b>x</b>')])
  })
})

describe('blocks', () => {
  test.each([
    ['a heading', '## Title\nBody', [{ type: 'heading', level: 2, children: [text('Title')] }, text('Body')]],
    ['small print', '-# note', [{ type: 'subtext', children: [text('note')] }]],
    ['a quote of two lines', '> a\n> b', [{ type: 'quote', children: [text('a'), { type: 'break' }, text('b')] }]],
    ['a code block with its language', '```ts\nconst x = 1\n```', [{ type: 'block', language: 'ts', text: 'const x = 1' }]],
    ['a list', '- a\n- b', [{ type: 'list', ordered: false, start: 1, items: [[text('a')], [text('b')]] }]],
    ['a numbered list', '3. a\n4. b', [{ type: 'list', ordered: true, start: 3, items: [[text('a')], [text('b')]] }]],
    [
      'numbers after dots, two lists',
      '- a\n1. b',
      [
        { type: 'list', ordered: false, start: 1, items: [[text('a')]] },
        { type: 'list', ordered: true, start: 1, items: [[text('b')]] },
      ],
    ],
    ['a hash without a blank is text', '#general', [text('#general')]],
  ])('%s', (_, source, tree) => expect(parse(source)).toEqual(tree))

  test('everything after >>> is quoted', () => {
    const children = [text('a'), { type: 'break' }, { type: 'break' }, text('b')]
    expect(parse('>>> a\n\nb')).toEqual([{ type: 'quote', children }])
  })
})

test('a message of emoji alone is drawn large', () => {
  expect(isJumbo(parse('🎉 🔥'))).toBe(true)
  expect(isJumbo(parse('🎉 yes'))).toBe(false)
})

test.prop([fc.stringMatching(/^[a-z \n,!?]*$/)])('words without markup come out as they went in', (source) => {
  expect(plain(parse(source)).replaceAll(/\s/g, '')).toBe(source.replaceAll(/\s/g, ''))
})

test.prop([
  fc.string({
    unit: fc.constantFrom('*', '_', '`', '|', '~', '>', '#', '-', ' ', '\n', '[', ']', '(', ')', '<', '@', ':', 'a', '1', '.'),
  }),
])('no mixture of marks makes the parser fail or hang', (source) => {
  const started = performance.now()
  parse(source)
  expect(performance.now() - started).toBeLessThan(200)
})
