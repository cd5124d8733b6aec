// The words of a document that pdf.ts made, read back from its bytes through the tables of its fonts: for tests.
import { inflateSync } from 'node:zlib'

/** The words in the order in which they were printed. */
export function textOf(pdf: Buffer): string {
  const source = pdf.toString('latin1')
  const objects = new Map([...source.matchAll(/(\d+) 0 obj\n([\s\S]*?)\nendobj/g)].map(([, id, body]) => [id!, body!]))
  const streamOf = (body: string): string => {
    const data = /stream\n([\s\S]*?)\nendstream/.exec(body)?.[1]
    if (data === undefined) return ''
    const bytes = Buffer.from(data, 'latin1')
    return (body.includes('/FlateDecode') ? inflateSync(bytes) : bytes).toString('latin1')
  }
  const lettersOf = new Map<string, string[]>()
  for (const [, name, id] of source.matchAll(/\/(F\d+) (\d+) 0 R/g)) {
    const table = /\/ToUnicode (\d+) 0 R/.exec(objects.get(id!) ?? '')?.[1]
    const ranges = [...streamOf(objects.get(table ?? '') ?? '').matchAll(/<[0-9a-f]{4}> <[0-9a-f]{4}> \[([^\]]*)\]/g)]
    lettersOf.set(
      name!,
      ranges.flatMap(([, list]) => [...list!.matchAll(/<([0-9a-f ]*)>/g)].map(([, hex]) => unicode(hex!))),
    )
  }
  const words: string[] = []
  for (const body of objects.values()) {
    if (!body.includes('stream') || body.includes('/Length1') || body.includes('/Type /FontFile')) continue
    let letters: string[] = []
    for (const [, font, glyphs] of streamOf(body).matchAll(/\/(F\d+) [\d.]+ Tf|\[(.*?)\] TJ/g)) {
      if (font) letters = lettersOf.get(font) ?? []
      else words.push([...glyphs!.matchAll(/<([0-9a-f]+)>/g)].map(([, hex]) => decode(hex!, letters)).join(''))
    }
  }
  return words.join(' ').replace(/ +/g, ' ')
}

const unicode = (hex: string): string => Buffer.from(hex.replaceAll(' ', ''), 'hex').swap16().toString('utf16le')

const decode = (hex: string, letters: readonly string[]): string =>
  (hex.match(/.{4}/g) ?? []).map((glyph) => letters[Number.parseInt(glyph, 16)] ?? '').join('')
