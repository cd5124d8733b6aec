import pino from 'pino'
import { describe, expect, test } from 'vitest'
import { createDatacentres, parseRanges } from './datacentres.ts'

const list = `
# Two clouds
3.5.140.0/22
10.0.0.0/8   # overlaps with the next
10.1.0.0/16
192.0.2.7
2600:1f00::/24
2001:db8::ffff:1
nonsense
300.1.2.3/8
1.2.3.0/33
`

describe('a list of data centres', () => {
  test.each<[string, boolean]>([
    ['3.5.140.0', true],
    ['3.5.143.255', true],
    ['3.5.144.0', false],
    ['3.5.139.255', false],
    ['10.200.1.1', true],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['::ffff:10.1.1.1', true],
    ['2600:1fff:ffff::1', true],
    ['2600:2000::1', false],
    ['2001:db8::ffff:1', true],
    ['2001:db8::ffff:2', false],
    ['no address', false],
  ])('%s: %s', async (ip, inside) => {
    const { mkdtemp, writeFile } = await import('node:fs/promises')
    const file = `${await mkdtemp('/tmp/siso-ranges-')}/ranges.txt`
    await writeFile(file, list)
    expect(createDatacentres({ file, log: pino({ level: 'silent' }) })(ip)).toBe(inside)
  })

  test('merges what overlaps, and counts the lines that are no range', () => {
    const { v4, v6, wrong } = parseRanges(list)
    expect([v4.starts.length, v6.starts.length, wrong]).toEqual([3, 2, 3])
  })

  test('without a file, or with one that is not there, nobody is in a data centre', () => {
    const log = pino({ level: 'silent' })
    expect(createDatacentres({ file: undefined, log })('3.5.140.0')).toBe(false)
    expect(createDatacentres({ file: '/nonexistent', log })('3.5.140.0')).toBe(false)
  })
})
