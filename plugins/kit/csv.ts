// Comma-separated values, written so that no spreadsheet takes a cell for a formula, and read as spreadsheets give them back. Pure functions.

/**
 * A file of RFC 4180 with a byte order mark, which spreadsheets need to see UTF-8. What a person typed may begin like a formula (`=`, `+`, `-`, `@`, tab,
 * carriage return; https://owasp.org/www-community/attacks/CSV_Injection): such a cell gets an apostrophe in front, which makes it text. A plain number stays one.
 */
export function csvFile(header: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  return Buffer.from(`\uFEFF${[header, ...rows].map(csvLine).join('')}`, 'utf8')
}

/** One line of such a file with its end, for those that are written piece by piece. */
export const csvLine = (row: readonly string[]): string => `${row.map(cell).join(',')}\r\n`

function cell(value: string): string {
  const harmless = /^\s*[=+\-@\t\r]/.test(value) && !/^-?\d+(\.\d+)?$/.test(value) ? `'${value}` : value
  return /[",;\r\n\t']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** A row of a file by the names of its header, and where it stands: 1 is the header. */
export interface CsvRow {
  readonly line: number
  readonly cells: Readonly<Record<string, string>>
}

/**
 * Reads what a spreadsheet saved: separated by commas, semicolons or tabs (whichever the header has most of), quoted where needed, with or without a byte
 * order mark, its lines ended by any of CR LF, LF and CR. Names of columns are lower case without blanks around them. Undefined when a quote is never closed.
 */
export function readCsv(text: string): { header: readonly string[]; rows: readonly CsvRow[] } | undefined {
  const content = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const firstLine = content.split('\n', 1)[0] ?? ''
  const separator = [',', ';', '\t'].toSorted((a, b) => firstLine.split(b).length - firstLine.split(a).length)[0]!
  const records = recordsOf(content, separator)
  if (!records) return undefined
  const header = (records[0]?.cells ?? []).map((name) => name.trim().toLowerCase())
  const rows = records
    .slice(1)
    .filter(({ cells }) => cells.some((value) => value.trim() !== ''))
    .map(({ line, cells }) => ({ line, cells: Object.fromEntries(header.map((name, i) => [name, (cells[i] ?? '').trim()])) }))
  return { header, rows }
}

function recordsOf(content: string, separator: string): { line: number; cells: string[] }[] | undefined {
  const records: { line: number; cells: string[] }[] = []
  let cells: string[] = []
  let value = ''
  let quoted = false
  let line = 1
  let startedAt = 1
  const endRecord = () => {
    records.push({ line: startedAt, cells: [...cells, value] })
    cells = []
    value = ''
    startedAt = line
  }
  for (let i = 0; i < content.length; i++) {
    const sign = content[i]!
    if (sign === '\n') line++
    if (quoted) {
      if (sign !== '"') value += sign
      else if (content[i + 1] === '"') value += content[++i]
      else quoted = false
    } else if (sign === '"' && value === '') quoted = true
    else if (sign === separator) {
      cells.push(value)
      value = ''
    } else if (sign === '\n') endRecord()
    else value += sign
  }
  if (quoted) return undefined
  if (value !== '' || cells.length > 0) endRecord()
  return records
}
