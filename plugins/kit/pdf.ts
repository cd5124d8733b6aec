// Documents for people as PDF: A4, in letters that cover the names of people (Latin with all accents, Greek, Cyrillic, Georgian, Armenian). Nothing is fetched.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import PDFDocument from 'pdfkit'

const families = { plain: 'DejaVuSans', bold: 'DejaVuSans-Bold', hand: 'DejaVuSerif-Italic' } as const
export type Face = keyof typeof families

export const ink = '#1b1d23'
export const soft = '#5a6070'

/** What a document needs of a font of fontkit, which pdfkit takes in place of a file. */
interface OpenFont {
  layout(text: string): unknown
  hasGlyphForCodePoint(codePoint: number): boolean
}

/** The fonts, read and opened once: their tables are most of the work of a document. */
const fonts = new Map<Face, OpenFont>()
function openFont(face: Face): OpenFont {
  const known = fonts.get(face)
  if (known) return known
  const folder = path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'))
  const file = readFileSync(path.join(folder, 'ttf', `${families[face]}.ttf`))
  const opened = fontOf(new PDFDocument({ font: file as never }))
  fonts.set(face, opened)
  return opened
}

/** The font for one document. A font remembers its glyphs with the letters that first needed them, so each document has glyphs of its own. */
const forDocument = (face: Face): OpenFont => Object.assign(Object.create(openFont(face)), { _glyphs: {} }) as OpenFont

const fontOf = (pdf: PDFKit.PDFDocument) => (pdf as unknown as { _font: { font: OpenFont } })._font.font

export interface Print {
  /** Its fonts are named by `Face`: `pdf.font('bold')`. */
  readonly pdf: PDFKit.PDFDocument
  /** The text with “?” for every letter that the fonts do not have. Everything that is printed goes through it. */
  printable(text: string): string
  /** Writes the line and the page number under every page, ends the document, and returns its bytes. */
  finish(footer: string): Promise<Buffer>
}

/** Begins a document. The same input gives the same text. */
export function openPdf(options: { title: string; author: string; subject: string; margin: number; createdAt?: Date }): Print {
  const { margin } = options
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    bufferPages: true,
    lang: 'en',
    font: forDocument('plain') as never,
    info: {
      Title: options.title,
      Author: options.author,
      Subject: options.subject,
      ...(options.createdAt && { CreationDate: options.createdAt }),
    },
  })
  for (const face of Object.keys(families) as Face[]) pdf.registerFont(face, forDocument(face) as never)
  pdf.font('plain')
  const font = fontOf(pdf)
  const printable = (text: string) =>
    [...text.normalize('NFC')]
      .map((sign) => (sign === '\n' || font.hasGlyphForCodePoint(sign.codePointAt(0)!) ? sign : '?'))
      .join('')
  const chunks: Buffer[] = []
  const finished = new Promise<Buffer>((resolve, reject) => {
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(Buffer.concat(chunks)))
    pdf.on('error', reject)
  })
  return {
    pdf,
    printable,
    finish: (footer) => {
      const { start, count } = pdf.bufferedPageRange()
      for (let i = start; i < start + count; i++) {
        pdf.switchToPage(i)
        pdf.page.margins.bottom = 0
        const line = printable(`${footer} · page ${i - start + 1} of ${count}`)
        pdf
          .font('plain')
          .fontSize(7.5)
          .fillColor(soft)
          .text(line, margin, pdf.page.height - 38, { lineBreak: false })
      }
      pdf.end()
      return finished
    },
  }
}
