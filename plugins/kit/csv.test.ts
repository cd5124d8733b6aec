import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { csvFile, readCsv } from './csv.ts'

const lineOf = (value: string) =>
  csvFile(['a'], [[value]])
    .toString('utf8')
    .split('\r\n')[1]

describe('a written cell', () => {
  test.each([
    ['plain text stays', 'Ada', 'Ada'],
    ['a formula becomes text', '=HYPERLINK("http://evil")', '"\'=HYPERLINK(""http://evil"")"'],
    ['a plus', '+49 151', `"'+49 151"`],
    ['a minus', '-2+3', `"'-2+3"`],
    ['an at sign', '@SUM(1)', `"'@SUM(1)"`],
    ['a formula behind blanks', '  =1+1', `"'  =1+1"`],
    ['a separator is quoted', 'Ada, Inc.', '"Ada, Inc."'],
    ['a negative amount stays a number', '-12.50', '-12.50'],
    ['a quote is doubled', 'the "best"', '"the ""best"""'],
  ])('%s', (_, value, written) => expect(lineOf(value)).toBe(written))

  prop.prop([fc.string()])('never begins like a formula unless it is a number', (value) => {
    if (!/^-\d+(\.\d+)?$/.test(value)) expect(lineOf(value)!.replace(/^"/, '')).not.toMatch(/^\s*[=+\-@\t\r]/)
  })
})

const cell = fc
  .string({ unit: 'grapheme' })
  .map((text) => text.trim())
  .filter((text) => !/^\s*[=+\-@\t\r']/.test(text) && !/[\r\uFEFF]/.test(text))
prop.prop([fc.array(fc.tuple(cell, cell), { maxLength: 5 })])('what is written is read back', (rows) => {
  const kept = rows.filter((row) => row.some((value) => value !== ''))
  const table = readCsv(csvFile(['a', 'b'], rows).toString('utf8'))
  expect(table?.rows.map(({ cells }) => [cells.a, cells.b])).toEqual(kept)
})

describe('a spreadsheet’s file', () => {
  test.each([
    ['commas', 'id,Status \nx,paid\n'],
    ['line ends of old Macs, as one choice of spreadsheets still writes them', 'id,status\rx,paid\r'],
    ['semicolons and Windows line ends', '\uFEFFid;status\r\nx;paid\r\n'],
    ['tabs, without a last line end', 'id\tstatus\nx\tpaid'],
    ['quotes everywhere', '"id","status"\n"x","paid"\n'],
    ['empty lines at the end', 'id,status\nx,paid\n,\n\n'],
  ])('with %s is read', (_, text) => expect(readCsv(text)?.rows).toEqual([{ line: 2, cells: { id: 'x', status: 'paid' } }]))

  test('tells where each row stands, across cells of several lines', () => {
    expect(readCsv('id,note\nx,"one\ntwo"\ny,\n')?.rows.map(({ line }) => line)).toEqual([2, 4])
  })

  test('with an open quote is not guessed at', () => expect(readCsv('id\n"x')).toBeUndefined())
})
