// Whether an address belongs to a data centre, by a list of ranges on this machine. Nobody is asked over the network, and the address is kept nowhere.
import { readFileSync } from 'node:fs'
import { isIPv4, isIPv6 } from 'node:net'
import type { Logger } from 'pino'

/** Ranges of one kind of address, sorted and without overlap. */
interface Ranges {
  readonly starts: readonly bigint[]
  readonly ends: readonly bigint[]
}

/**
 * `file` has one range a line, such as 3.5.140.0/22 or 2600:1f00::/24; what follows a # is a remark. Without a file no address is one of a data centre. A
 * file that cannot be read, and lines that are no range, are logged.
 */
export function createDatacentres({ file, log }: { file: string | undefined; log: Logger }): (ip: string) => boolean {
  if (file === undefined) return () => false
  const text = read(file, log)
  const { v4, v6, wrong } = parseRanges(text)
  if (wrong > 0) log.warn({ file, wrong }, 'lines of the list of data centres are no ranges, and left out')
  log.info({ file, ranges: v4.starts.length + v6.starts.length }, 'the list of data centres is read')
  return (ip) => {
    const plain = ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip
    if (isIPv4(plain)) return contains(v4, numberOf(plain))
    return isIPv6(plain) && contains(v6, numberOf(plain))
  }
}

function read(file: string, log: Logger): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    log.error({ err: error, file }, 'the list of data centres cannot be read: no click is said to come from one')
    return ''
  }
}

/** The ranges of a list, and how many of its lines are none. */
export function parseRanges(text: string): { v4: Ranges; v6: Ranges; wrong: number } {
  const found: Record<'v4' | 'v6', { start: bigint; end: bigint }[]> = { v4: [], v6: [] }
  let wrong = 0
  for (const line of text.split('\n')) {
    const range = line.replace(/#.*/, '').trim()
    if (range === '') continue
    const [address = '', length] = range.split('/')
    const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : -1
    if (bits === 0 || prefix < 0 || prefix > bits) {
      wrong++
      continue
    }
    const size = 1n << BigInt(bits - prefix)
    const start = (numberOf(address) / size) * size
    found[bits === 32 ? 'v4' : 'v6'].push({ start, end: start + size - 1n })
  }
  return { v4: merged(found.v4), v6: merged(found.v6), wrong }
}

function merged(ranges: readonly { start: bigint; end: bigint }[]): Ranges {
  const starts: bigint[] = []
  const ends: bigint[] = []
  for (const { start, end } of ranges.toSorted((a, b) => (a.start < b.start ? -1 : 1))) {
    const last = ends.length - 1
    if (last >= 0 && start <= ends[last]! + 1n) {
      if (end > ends[last]!) ends[last] = end
    } else {
      starts.push(start)
      ends.push(end)
    }
  }
  return { starts, ends }
}

function contains({ starts, ends }: Ranges, address: bigint): boolean {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (starts[middle]! <= address) low = middle + 1
    else high = middle
  }
  return low > 0 && address <= ends[low - 1]!
}

/** The number of an address that is one. */
function numberOf(ip: string): bigint {
  if (isIPv4(ip)) return ip.split('.').reduce((number, part) => number * 256n + BigInt(part), 0n)
  const [plain = ''] = ip.split('%')
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain)
  const text = dotted ? `${dotted[1]}${hexPair(numberOf(dotted[2]!))}` : plain
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...(tail === undefined ? [] : zeros), ...right].reduce(
    (number, part) => number * 65_536n + BigInt(`0x${part}`),
    0n,
  )
}

const hexPair = (number: bigint): string => `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`
