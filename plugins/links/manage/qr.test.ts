// The pictures are read back the way a scanner reads them: edge, modules, format, mask, words, text. Nothing here knows how they were made.
import { inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { qrCode } from './qr.ts'

describe.each(['screen', 'print'] as const)('a QR code for %s', (use) => {
  test.each([
    'https://go.example.com/r/ada-coffee',
    'http://127.0.0.1:4600/r/k7mwq3x',
    `https://partners.${'sub.'.repeat(12)}example.com/r/${'a'.repeat(32)}`,
  ])('of %s scans, has its quiet zone, and bears damage', async (url) => {
    const { dark, edge } = modulesOf(await qrCode(url, use))
    expect(edge).toBeGreaterThanOrEqual(4)
    const read = readQr(dark)
    expect(read).toEqual({ text: url, level: use === 'print' ? 'Q' : 'M' })
  })
})

test('a code for print is large enough for a poster', async () => {
  expect(pixelsOf(await qrCode('https://go.example.com/r/ada', 'print')).width).toBeGreaterThan(1000)
})

test('a scanner that reads a broken picture does not read this', async () => {
  const { dark } = modulesOf(await qrCode('https://go.example.com/r/ada', 'screen'))
  const broken = dark.map((row, y) => row.map((value, x) => (y > 9 && x > 9 && y < 14 ? !value : value)))
  expect(() => expect(readQr(broken).text).toBe('https://go.example.com/r/ada')).toThrow()
})

interface Pixels {
  width: number
  height: number
  isDark(x: number, y: number): boolean
}

/** A PNG of 8 bits a channel, by https://www.w3.org/TR/png-3/. */
function pixelsOf(png: Buffer): Pixels {
  const chunks: { type: string; data: Buffer }[] = []
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at)
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  const header = chunks[0]!.data
  const [width, height, depth, color] = [header.readUInt32BE(0), header.readUInt32BE(4), header[8], header[9]!]
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[color]
  if (depth !== 8 || channels === undefined) throw new Error(`a PNG of depth ${depth} and color ${color}`)
  const raw = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)))
  const stride = width * channels
  const out = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x
      const left = x >= channels ? out[at - channels]! : 0
      const up = y > 0 ? out[at - stride]! : 0
      const corner = x >= channels && y > 0 ? out[at - stride - channels]! : 0
      out[at] = raw[y * (stride + 1) + 1 + x]! + predicted(filter, left, up, corner)
    }
  }
  return { width, height, isDark: (x, y) => out[y * stride + x * channels]! < 128 }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 0) return 0
  if (filter === 1) return left
  if (filter === 2) return up
  return filter === 3 ? (left + up) >> 1 : paeth(left, up, corner)
}

function paeth(left: number, up: number, corner: number): number {
  const [toLeft, toUp, toCorner] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)]
  return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner
}

/** The modules within the quiet zone, found by the seven modules of the finder pattern at the top left. `edge`: the zone's smallest width in modules. */
function modulesOf(png: Buffer): { dark: boolean[][]; edge: number } {
  const { width, height, isDark } = pixelsOf(png)
  const columns = [...Array(width).keys()]
  const rows = [...Array(height).keys()]
  const usedRows = rows.filter((y) => columns.some((x) => isDark(x, y)))
  const usedColumns = columns.filter((x) => rows.some((y) => isDark(x, y)))
  const [top, bottom, left, right] = [usedRows[0]!, usedRows.at(-1)!, usedColumns[0]!, usedColumns.at(-1)!]
  let finder = 0
  while (isDark(left + finder, top)) finder++
  const module = finder / 7
  const size = (right - left + 1) / module
  const dark = Array.from({ length: size }, (_, y) =>
    Array.from({ length: size }, (_, x) => isDark(left + (x + 0.5) * module, top + (y + 0.5) * module)),
  )
  return { dark, edge: Math.min(top, left, width - 1 - right, height - 1 - bottom) / module }
}

/** Words of error correction and blocks for each version from 1 on, ISO/IEC 18004 table 9; all words of a version in `allWords`. */
const correction = {
  M: { words: [10, 16, 26, 18, 24, 16, 18, 22, 22, 26], blocks: [1, 1, 1, 2, 2, 4, 4, 4, 5, 5] },
  Q: { words: [13, 22, 18, 26, 18, 24, 18, 22, 20, 24], blocks: [1, 1, 2, 2, 4, 4, 6, 6, 8, 8] },
} as const
const allWords = [26, 44, 70, 100, 134, 172, 196, 242, 292, 346]
const alignments = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]]
const levels = { 0: 'M', 1: 'L', 2: 'H', 3: 'Q' } as const
const masks: readonly ((y: number, x: number) => boolean)[] = [
  (y, x) => (y + x) % 2 === 0,
  (y) => y % 2 === 0,
  (_, x) => x % 3 === 0,
  (y, x) => (y + x) % 3 === 0,
  (y, x) => (Math.floor(y / 2) + Math.floor(x / 3)) % 2 === 0,
  (y, x) => ((y * x) % 2) + ((y * x) % 3) === 0,
  (y, x) => (((y * x) % 2) + ((y * x) % 3)) % 2 === 0,
  (y, x) => (((y + x) % 2) + ((y * x) % 3)) % 2 === 0,
]

function readQr(dark: readonly (readonly boolean[])[]): { text: string; level: string } {
  const size = dark.length
  const version = (size - 17) / 4
  const format = [0, 1, 2, 3, 4, 5, 7, 8].map((x) => dark[8]![x]!).reduce((bits, bit) => (bits << 1) | Number(bit), 0)
  // The five bits of data come first, under a mask of their own.
  const data = (format >> 3) ^ 0b10101
  const level = levels[(data >> 3) as 0 | 1 | 2 | 3]
  if (level !== 'M' && level !== 'Q') return { text: '', level }
  const mask = masks[data & 7]!
  const words = wordsOf(dark, version, mask)
  const { words: checks, blocks } = correction[level]
  const [check, count] = [checks[version - 1]!, blocks[version - 1]!]
  const kept = allWords[version - 1]! - check * count
  const short = Math.floor(kept / count)
  const lengths = Array.from({ length: count }, (_, i) => short + Number(i >= count - (kept % count)))
  const parts: number[][] = lengths.map(() => [])
  let at = 0
  for (let i = 0; i <= short; i++) for (const [block, length] of lengths.entries()) if (i < length) parts[block]!.push(words[at++]!)
  return { text: textOf(parts.flat(), version), level }
}

/** Up and down in columns of two, from the right; the timing column is stepped over. */
function wordsOf(dark: readonly (readonly boolean[])[], version: number, mask: (y: number, x: number) => boolean): number[] {
  const size = dark.length
  const bits: boolean[] = []
  let up = true
  for (let right = size - 1; right > 0; right -= 2, up = !up) {
    if (right === 6) right--
    for (let i = 0; i < size; i++)
      for (const x of [right, right - 1]) {
        const y = up ? size - 1 - i : i
        if (!isFunction(y, x, size, version)) bits.push(dark[y]![x]! !== mask(y, x))
      }
  }
  return Array.from({ length: Math.floor(bits.length / 8) }, (_, i) =>
    bits.slice(i * 8, i * 8 + 8).reduce((word, bit) => (word << 1) | Number(bit), 0),
  )
}

function isFunction(y: number, x: number, size: number, version: number): boolean {
  if (y === 6 || x === 6) return true
  if ((y < 9 && x < 9) || (y < 9 && x >= size - 8) || (y >= size - 8 && x < 9)) return true
  if (version >= 7 && ((y < 6 && x >= size - 11) || (x < 6 && y >= size - 11))) return true
  const centres = alignments[version - 1]!
  const last = centres.at(-1)
  return centres.some((cy) =>
    centres.some(
      (cx) =>
        Math.abs(y - cy) <= 2 &&
        Math.abs(x - cx) <= 2 &&
        !((cy === 6 && cx === 6) || (cy === 6 && cx === last) || (cy === last && cx === 6)),
    ),
  )
}

/** Segments of bytes and of letters and digits; links need no other. */
function textOf(words: readonly number[], version: number): string {
  const bits = words.map((word) => word.toString(2).padStart(8, '0')).join('')
  let at = 0
  const take = (length: number) => {
    at += length
    return Number.parseInt(bits.slice(at - length, at) || '0', 2)
  }
  const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
  let text = ''
  for (;;) {
    const mode = take(4)
    if (mode === 4) {
      const length = take(version < 10 ? 8 : 16)
      text += Buffer.from(Array.from({ length }, () => take(8))).toString('utf8')
    } else if (mode === 2) {
      const length = take(version < 10 ? 9 : 11)
      for (let left = length; left > 0; left -= 2) {
        const pair = take(left > 1 ? 11 : 6)
        text += left > 1 ? letters[Math.floor(pair / 45)]! + letters[pair % 45]! : letters[pair]!
      }
    } else if (mode === 1) {
      const length = take(version < 10 ? 10 : 12)
      for (let left = length; left > 0; left -= 3) {
        const digits = Math.min(3, left)
        text += String(take([0, 4, 7, 10][digits]!)).padStart(digits, '0')
      }
    } else return text
  }
}
