// Amounts as people read and type them.

/** Minor units of a currency as text, such as `$1,250.00` or `¥500`. */
export function money(amount: number, currency: string): string {
  const format = new Intl.NumberFormat('en-US', { style: 'currency', currency })
  return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** What a person typed, such as `12.5`, in minor units of the currency. */
export function minorUnits(typed: string, currency: string): number {
  const digits = new Intl.NumberFormat('en-US', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  return Math.round(Number(typed) * 10 ** digits)
}
