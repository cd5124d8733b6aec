// The signed copy: the text of every document, then who signed what, when and how, as a PDF with the hash of the text.
import { lexer, type Token, type Tokens } from 'marked'
import PDFDocument from 'pdfkit'
import type { Agreement } from './documents.ts'

export interface SignedCopy {
  readonly program: string
  readonly agreement: Agreement
  readonly signature: {
    readonly id: string
    readonly typedName: string
    readonly email: string
    readonly userId: string
    readonly signedAt: Date
    readonly ipHash: string
    readonly userAgent: string
  }
}

const ink = '#1b1d23'
const soft = '#5a6070'

/** The bytes of the PDF. The same input gives the same text; nothing is fetched. */
export function renderSignedCopy(copy: SignedCopy): Promise<Buffer> {
  const { program, agreement, signature } = copy
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: 64, bottom: 64, left: 64, right: 64 },
    bufferPages: true,
    lang: 'en',
    info: {
      Title: `Partner agreement · ${program}`,
      Author: printable(program),
      Subject: `Version ${agreement.version}`,
      CreationDate: signature.signedAt,
    },
  })
  const chunks: Buffer[] = []
  const finished = new Promise<Buffer>((resolve, reject) => {
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(Buffer.concat(chunks)))
    pdf.on('error', reject)
  })
  pdf.font('Helvetica-Bold').fontSize(20).fillColor(ink).text('Partner agreement')
  pdf
    .font('Helvetica')
    .fontSize(10)
    .fillColor(soft)
    .text(printable(`${program} · version ${agreement.version} · signed copy`))
    .moveDown(1)
  agreement.documents.forEach((document, i) => {
    if (i > 0) pdf.addPage()
    pdf.font('Helvetica-Bold').fontSize(16).fillColor(ink).text(printable(document.title))
    pdf.font('Helvetica').fontSize(9).fillColor(soft).text(`Version ${document.version}`).moveDown(0.6)
    for (const token of lexer(document.text)) writeBlock(pdf, token)
  })
  writeEvidence(pdf, copy)
  writeFooters(pdf, `${printable(program)} · ${signature.id}`)
  pdf.end()
  return finished
}

function writeBlock(pdf: PDFKit.PDFDocument, token: Token): void {
  pdf.fillColor(ink)
  if (token.type === 'heading') pdf.moveDown(0.5).font('Helvetica-Bold').fontSize(12).text(wordsOf(token)).moveDown(0.2)
  else if (token.type === 'list')
    pdf
      .font('Helvetica')
      .fontSize(10)
      .list((token as Tokens.List).items.map(wordsOf), { bulletRadius: 1.5, lineGap: 2 })
      .moveDown(0.4)
  else if (token.type !== 'space') pdf.font('Helvetica').fontSize(10).text(wordsOf(token), { lineGap: 2 }).moveDown(0.4)
}

function writeEvidence(pdf: PDFKit.PDFDocument, { program, agreement, signature }: SignedCopy): void {
  pdf.addPage().font('Helvetica-Bold').fontSize(16).fillColor(ink).text('Signature').moveDown(0.6)
  pdf.font('Times-Italic').fontSize(26).text(printable(signature.typedName)).moveDown(0.4)
  const rows: [string, string][] = [
    ['Signed by', signature.typedName],
    ['Typed name, exactly', characters(signature.typedName)],
    ['E-mail, verified', signature.email],
    ['Discord id', signature.userId],
    ['Program', program],
    ['Time (UTC)', signature.signedAt.toISOString()],
    ['Documents', agreement.documents.map((document) => `${document.title}, version ${document.version}`).join('\n')],
    ['SHA-256 of the text', agreement.hash],
    ['Address of the computer (keyed hash)', signature.ipHash],
    ['Browser', signature.userAgent || 'not stated'],
    ['Signature id', signature.id],
  ]
  for (const [name, value] of rows) {
    if (!value) continue
    pdf.font('Helvetica-Bold').fontSize(9).fillColor(soft).text(name)
    pdf.font('Helvetica').fontSize(10).fillColor(ink).text(printable(value)).moveDown(0.5)
  }
  pdf
    .font('Helvetica')
    .fontSize(9)
    .fillColor(soft)
    .text(
      'The signer opened a personal link that was sent to them, read the documents above, typed their name, agreed to sign electronically, and pressed “Sign”.',
    )
}

function writeFooters(pdf: PDFKit.PDFDocument, line: string): void {
  const { start, count } = pdf.bufferedPageRange()
  for (let i = start; i < start + count; i++) {
    pdf.switchToPage(i)
    pdf.page.margins.bottom = 0
    pdf
      .font('Helvetica')
      .fontSize(8)
      .fillColor(soft)
      .text(`${line} · page ${i - start + 1} of ${count}`, 64, pdf.page.height - 40, { lineBreak: false })
  }
}

/** The words of a token without their markup. */
function wordsOf(token: Token | Tokens.ListItem): string {
  const inner = 'tokens' in token ? token.tokens : undefined
  if (inner && inner.length > 0) return inner.map(wordsOf).join('')
  return printable('text' in token ? String(token.text) : '')
}

/** What the PDF's standard fonts can show (Windows-1252). Other letters become “?”; the evidence lists the characters of the typed name one by one. */
const shown =
  /[^\n\x20-\x7e\u00a0-\u00ff\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]/gu

function printable(text: string): string {
  return text.normalize('NFC').replace(shown, '?')
}

/** For a name that the fonts cannot show: its characters by number. Empty when they can. */
function characters(name: string): string {
  if (name.normalize('NFC').search(shown) < 0) return ''
  return [...name].map((sign) => `U+${sign.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`).join(' ')
}
