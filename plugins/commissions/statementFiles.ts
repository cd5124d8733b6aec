// The statement as files: a PDF to read and a CSV to compute with. Pure; nothing is fetched.
import PDFDocument from 'pdfkit'
import { toDecimal } from '../kit/index.ts'
import { csv } from './csv.ts'
import type { Statement, StatementSection } from './statement.ts'

export const accountWords: Readonly<Record<string, string>> = {
  pending: 'pending',
  held: 'on hold',
  payable: 'payable',
  in_flight: 'on its way',
  clawback_debt: 'owed back',
}

export const statementName = (statement: Statement, type: 'pdf' | 'csv'): string => `statement-${statement.month}.${type}`

/** One row for each movement, between an opening and a closing row of each currency. */
export function statementCsv({ sections }: Statement): Buffer {
  return csv(
    ['currency', 'time', 'what', 'reference', 'moved', 'change', 'balance'],
    sections.flatMap(({ currency, opening, lines, closing }) => [
      [currency, '', 'Opening balance', '', '', '', toDecimal(opening, currency)],
      ...lines.map(({ at, what, reference, moved, change, balance }) => [
        currency,
        at.toISOString(),
        what,
        reference,
        toDecimal(moved, currency),
        toDecimal(change, currency),
        toDecimal(balance, currency),
      ]),
      [currency, '', 'Closing balance', '', '', '', toDecimal(closing, currency)],
    ]),
  )
}

const ink = '#1b1d23'
const soft = '#5a6070'
const rule = '#d7dae0'
const margin = 56
const columns = [
  { title: 'Date', x: margin, width: 74, align: 'left' },
  { title: 'What', x: 132, width: 138, align: 'left' },
  { title: 'About', x: 272, width: 92, align: 'left' },
  { title: 'Moved', x: 366, width: 54, align: 'right' },
  { title: 'Change', x: 424, width: 54, align: 'right' },
  { title: 'Balance', x: 482, width: 57, align: 'right' },
] as const
const rowHeight = 14

/** The bytes of the PDF. The same statement gives the same text. */
export function statementPdf(statement: Statement): Promise<Buffer> {
  const { program, partner, title, month, timeZone, unfinished, sections } = statement
  const pdf = new PDFDocument({
    size: 'A4',
    margin,
    bufferPages: true,
    lang: 'en',
    info: { Title: `Statement ${month}`, Author: printable(program), Subject: printable(partner.name) },
  })
  const chunks: Buffer[] = []
  const finished = new Promise<Buffer>((resolve, reject) => {
    pdf.on('data', (chunk: Buffer) => chunks.push(chunk))
    pdf.on('end', () => resolve(Buffer.concat(chunks)))
    pdf.on('error', reject)
  })
  pdf.font('Helvetica-Bold').fontSize(20).fillColor(ink).text('Statement of earnings')
  pdf
    .font('Helvetica')
    .fontSize(10)
    .fillColor(soft)
    .text(printable(`${program} · ${title}${unfinished ? ' (so far)' : ''} · ${partner.name} · days in ${timeZone}`))
  if (sections.length === 0) pdf.moveDown(2).fillColor(ink).text('Nothing was earned, changed or paid.')
  for (const section of sections) writeSection(pdf, section, timeZone)
  writeFooters(pdf, printable(`${program} · ${partner.id} · ${month}`))
  pdf.end()
  return finished
}

function writeSection(pdf: PDFKit.PDFDocument, section: StatementSection, timeZone: string): void {
  const { currency, opening, lines, closing, paid, accounts } = section
  const money = (amount: bigint) => toDecimal(amount, currency)
  if (pdf.y > pdf.page.height - margin - 120) pdf.addPage()
  pdf.moveDown(1.6).font('Helvetica-Bold').fontSize(14).fillColor(ink).text(currency, margin).moveDown(0.4)
  writeHeader(pdf)
  writeRow(pdf, ['', 'Opening balance', '', '', '', money(opening)], true)
  for (const { at, what, reference, moved, change, balance } of lines)
    writeRow(pdf, [dayOf(at, timeZone), what, reference, money(moved), change === 0n ? '-' : money(change), money(balance)])
  writeRow(pdf, ['', 'Closing balance', '', '', '', money(closing)], true)
  const parts = accounts.map(({ kind, amount }) => `${accountWords[kind] ?? kind} ${money(amount)}`)
  pdf
    .moveDown(0.4)
    .font('Helvetica')
    .fontSize(9)
    .fillColor(soft)
    .text(printable(`Paid out: ${money(paid)}. Closing balance: ${parts.join(', ') || 'nothing'}.`), margin)
}

function writeHeader(pdf: PDFKit.PDFDocument): void {
  const { y } = pdf
  pdf.font('Helvetica-Bold').fontSize(8).fillColor(soft)
  for (const { title, x, width, align } of columns) pdf.text(title, x, y, { width, align, lineBreak: false })
  line(pdf, y + rowHeight - 3)
  pdf.y = y + rowHeight
}

function writeRow(pdf: PDFKit.PDFDocument, cells: readonly string[], strong = false): void {
  if (pdf.y > pdf.page.height - margin - 2 * rowHeight) {
    pdf.addPage()
    writeHeader(pdf)
  }
  const { y } = pdf
  pdf
    .font(strong ? 'Helvetica-Bold' : 'Helvetica')
    .fontSize(8)
    .fillColor(ink)
  for (const [i, { x, width, align }] of columns.entries())
    pdf.text(printable(cells[i] ?? ''), x, y, { width, align, lineBreak: false, ellipsis: true })
  pdf.y = y + rowHeight
}

function line(pdf: PDFKit.PDFDocument, y: number): void {
  pdf
    .moveTo(margin, y)
    .lineTo(pdf.page.width - margin, y)
    .lineWidth(0.5)
    .strokeColor(rule)
    .stroke()
}

function writeFooters(pdf: PDFKit.PDFDocument, text: string): void {
  const { start, count } = pdf.bufferedPageRange()
  for (let i = start; i < start + count; i++) {
    pdf.switchToPage(i)
    pdf.page.margins.bottom = 0
    pdf
      .font('Helvetica')
      .fontSize(8)
      .fillColor(soft)
      .text(`${text} · page ${i - start + 1} of ${count}`, margin, pdf.page.height - 36, { lineBreak: false })
  }
}

function dayOf(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}

/** The PDF's standard fonts show Windows-1252; other letters become “?”. */
const printable = (text: string): string =>
  text.normalize('NFC').replace(/[^\x20-\x7e\u00a0-\u00ff\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]/gu, '?')
