// CSV as RFC 4180 has it, in UTF-8 with a mark that spreadsheets look for.

/** A table as bytes. Text that a spreadsheet would run as a formula is made plain with an apostrophe; numbers are left as they are. */
export function csv(header: readonly string[], rows: readonly (readonly string[])[]): Buffer {
  return Buffer.from(`\uFEFF${[header, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`)
}

function cell(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}
