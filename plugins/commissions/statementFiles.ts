// The statement as files: a PDF to read and a CSV to compute with. Pure; nothing is fetched.
import { csvFile, toDecimal } from '../kit/index.ts'
import { ink, openPdf, type Print, soft } from '../kit/pdf.ts'
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
  return csvFile(
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

const rule = '#d7dae0'
const margin = 56
/** Wide enough for amounts of twelve digits, as currencies with small units have them. */
const columns = [
  { title: 'Date', x: margin, width: 48, align: 'left' },
  { title: 'What', x: 106, width: 114, align: 'left' },
  { title: 'About', x: 222, width: 86, align: 'left' },
  { title: 'Moved', x: 310, width: 75, align: 'right' },
  { title: 'Change', x: 387, width: 75, align: 'right' },
  { title: 'Balance', x: 464, width: 75, align: 'right' },
] as const
const rowHeight = 14

/** The bytes of the PDF. The same statement gives the same text. */
export function statementPdf(statement: Statement): Promise<Buffer> {
  const { program, partner, title, month, timeZone, unfinished, sections } = statement
  const print = openPdf({ title: `Statement ${month}`, author: program, subject: partner.name, margin })
  const { pdf, printable } = print
  pdf.font('bold').fontSize(19).fillColor(ink).text('Statement of earnings')
  pdf
    .font('plain')
    .fontSize(9)
    .fillColor(soft)
    .text(printable(`${program} · ${title}${unfinished ? ' (so far)' : ''} · ${partner.name} · days in ${timeZone}`))
  if (sections.length === 0) pdf.moveDown(2).fillColor(ink).text('Nothing was earned, changed or paid.')
  for (const section of sections) writeSection(print, section, timeZone)
  return print.finish(`${program} · ${partner.id} · ${month}`)
}

function writeSection(print: Print, section: StatementSection, timeZone: string): void {
  const { pdf, printable } = print
  const { currency, opening, lines, closing, paid, accounts } = section
  const money = (amount: bigint) => toDecimal(amount, currency)
  if (pdf.y > pdf.page.height - margin - 120) pdf.addPage()
  pdf.moveDown(1.6).font('bold').fontSize(14).fillColor(ink).text(currency, margin).moveDown(0.4)
  writeHeader(pdf)
  writeRow(print, ['', 'Opening balance', '', '', '', money(opening)], true)
  for (const { at, what, reference, moved, change, balance } of lines)
    writeRow(print, [dayOf(at, timeZone), what, reference, money(moved), change === 0n ? '-' : money(change), money(balance)])
  writeRow(print, ['', 'Closing balance', '', '', '', money(closing)], true)
  const parts = accounts.map(({ kind, amount }) => `${accountWords[kind] ?? kind} ${money(amount)}`)
  pdf
    .moveDown(0.4)
    .font('plain')
    .fontSize(9)
    .fillColor(soft)
    .text(printable(`Paid out: ${money(paid)}. Closing balance: ${parts.join(', ') || 'nothing'}.`), margin)
}

function writeHeader(pdf: PDFKit.PDFDocument): void {
  const { y } = pdf
  pdf.font('bold').fontSize(7).fillColor(soft)
  for (const { title, x, width, align } of columns) pdf.text(title, x, y, { width, align, lineBreak: false })
  line(pdf, y + rowHeight - 3)
  pdf.y = y + rowHeight
}

function writeRow({ pdf, printable }: Print, cells: readonly string[], strong = false): void {
  if (pdf.y > pdf.page.height - margin - 2 * rowHeight) {
    pdf.addPage()
    writeHeader(pdf)
  }
  const { y } = pdf
  pdf
    .font(strong ? 'bold' : 'plain')
    .fontSize(7)
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

function dayOf(at: Date, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
}
