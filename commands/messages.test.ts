// Every message stays within Discord's limits, whatever text it is given.
import { fc, test } from '@fast-check/vitest'
import { ComponentType } from 'discord-api-types/v10'
import { expect } from 'vitest'
import { button, card, linkButton, literal, type Message, modal, plain, select, truncate } from './messages.ts'

const scripts = {
  latin: 'The quick brown fox. ',
  emoji: '👩‍👩‍👧‍👦🏳️‍🌈🎉',
  chinese: '合作夥伴計畫的佣金已經入帳。',
  markdown: '**_~~`|>#[](<@!1>)',
}
const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 6000 }),
  fc.tuple(fc.constantFrom(...Object.values(scripts)), fc.integer({ min: 0, max: 600 })).map(([text, times]) => text.repeat(times)),
)

interface Node {
  type: number
  content?: string
  label?: string
  components?: Node[]
}
function nodes(message: Message): Node[] {
  const walk = (node: Node): Node[] => [node, ...(node.components ?? []).flatMap(walk)]
  return (message.components as Node[]).flatMap(walk)
}
const textLength = (message: Message) => nodes(message).reduce((total, node) => total + (node.content?.length ?? 0), 0)

test.prop(
  [
    fc.record({
      title: anyText,
      body: fc.array(anyText, { maxLength: 3 }),
      fields: fc.array(fc.record({ name: anyText, value: anyText }), { maxLength: 3 }),
      footer: anyText,
      rows: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 12 }),
      alt: anyText,
      files: fc.integer({ min: 0, max: 4 }),
    }),
  ],
  { numRuns: 60 },
)('a card never has more than 4,000 characters or 40 components, and no empty text or row', ({ rows, alt, files, ...given }) => {
  const message = card({
    ...given,
    files: Array.from({ length: files }, (_, i) => ({ name: `${i}.csv`, data: Buffer.from('') })),
    image: { url: 'chart.png', alt },
    rows: rows.map((count) => Array.from({ length: count }, (_, i) => button({ customId: `a.b:${i}`, label: given.title || '-' }))),
  })
  expect(textLength(message)).toBeLessThanOrEqual(4000)
  expect(nodes(message).length).toBeLessThanOrEqual(40)
  for (const node of nodes(message)) {
    if (node.type === ComponentType.TextDisplay) expect(node.content!.length).toBeGreaterThan(0)
    if (node.type === ComponentType.Button) expect(node.label!.length).toBeLessThanOrEqual(80)
    if (node.type === ComponentType.ActionRow) {
      expect(node.components!.length).toBeGreaterThan(0)
      expect(node.components!.length).toBeLessThanOrEqual(5)
    }
  }
})

test('every file of a card is named by a component, once: Discord hides the others', () => {
  const file = (name: string) => ({ name, data: Buffer.from('') })
  const message = card({
    title: 'Sales',
    image: { url: 'chart.png', alt: 'A chart' },
    files: [file('chart.png'), file('sales.pdf'), file('sales.csv')],
  })
  expect(JSON.stringify(message.components).match(/attachment:..[a-z.]*/g)).toEqual([
    'attachment://chart.png',
    'attachment://sales.pdf',
    'attachment://sales.csv',
  ])
})

test('what does not fit is cut from the middle: title and footer stay', () => {
  const words = nodes(card({ title: 'Your earnings', body: 'x'.repeat(9000), footer: 'As of today' })).flatMap(
    (node) => node.content ?? [],
  )
  expect(words[0]).toBe('## Your earnings')
  expect(words[1]).toMatch(/^x+…$/)
  expect(words[2]).toBe('-# As of today')
  expect(words.join('').length).toBe(4000)
})

test.each(Object.entries(scripts))('%s text is cut between characters', (_, pattern) => {
  const cut = truncate(pattern.repeat(50), 80)
  expect(cut.length).toBeLessThanOrEqual(80)
  expect(cut.endsWith('…')).toBe(true)
  const graphemes = (text: string) =>
    [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].map((part) => part.segment)
  const kept = graphemes(cut.slice(0, -1))
  expect(kept).toEqual(graphemes(pattern.repeat(50)).slice(0, kept.length))
})

test.prop([anyText, fc.integer({ min: 1, max: 200 })])('cutting keeps what fits as it is', (text, max) => {
  const cut = truncate(text, max)
  expect(cut.length).toBeLessThanOrEqual(max)
  if (text.length <= max) expect(cut).toBe(text)
})

test.prop([anyText])('labels of buttons, selects and forms are within their limits', (text) => {
  const label = `${text}!`
  expect(linkButton({ url: 'https://example.com', label })).toSatisfy((made: { label: string }) => made.label.length <= 80)
  const menu = select({
    customId: 'a.b',
    placeholder: label,
    options: Array.from({ length: 30 }, (_, i) => ({ label, value: String(i), description: label })),
  })
  expect(menu.placeholder!.length).toBeLessThanOrEqual(150)
  expect('options' in menu && menu.options).toHaveLength(25)
  for (const option of 'options' in menu ? menu.options : []) {
    expect(option.label.length).toBeLessThanOrEqual(100)
    expect(option.description!.length).toBeLessThanOrEqual(100)
  }
  const form = modal({
    customId: 'a.b',
    title: label,
    fields: [
      { kind: 'text', key: 'name', label, description: label, placeholder: label, value: label, max: 50 },
      { kind: 'note', text: label },
    ],
  })
  expect(form.title.length).toBeLessThanOrEqual(45)
  const [field] = form.components as unknown as {
    label: string
    description: string
    component: { placeholder: string; value: string }
  }[]
  expect(field!.label.length).toBeLessThanOrEqual(45)
  expect(field!.description.length).toBeLessThanOrEqual(100)
  expect(field!.component.placeholder.length).toBeLessThanOrEqual(100)
  expect(field!.component.value.length).toBeLessThanOrEqual(50)
})

test('a select never asks for more choices than it has', () => {
  expect(select({ customId: 'a.b', placeholder: 'Choose', max: 5, options: [{ label: 'One', value: '1' }] })).toMatchObject({
    max_values: 1,
  })
})

test('a select without options and a form without or with six fields are refused where they are made', () => {
  const field = { kind: 'note', text: 'x' } as const
  expect(() => select({ customId: 'a.b', placeholder: 'Choose', options: [] })).toThrow('at least one option')
  expect(() => modal({ customId: 'a.b', title: 'x', fields: [] })).toThrow('one to five fields')
  expect(() => modal({ customId: 'a.b', title: 'x', fields: Array(6).fill(field) })).toThrow('one to five fields')
})

test.each([
  ['a mention', '<@100000000000000001>'],
  ['everyone', '@everyone'],
  ['bold', '**big**'],
  ['a link', '[free](https://evil.example)'],
  ['a heading', '# big'],
  ['code', '`x`'],
])('%s that a person typed is shown as it was typed', (_, typed) => {
  const shown = literal(typed)
  expect(shown.startsWith('\\')).toBe(true)
  expect(shown.replaceAll('\\', '')).toBe(typed)
})

test('a plain message is one text within the limit', () => {
  expect(textLength(plain('好'.repeat(5000)))).toBe(4000)
})
