// Amounts as PayPal writes them: decimal strings by the currency's exponent, except for a few that PayPal takes in whole units only. Pure.
import { formatMoney, toDecimal, UserError } from '../kit/index.ts'

/** https://developer.paypal.com/api/rest/reference/currency-codes */
const wholeUnitsOnly = new Set(['HUF', 'JPY', 'TWD'])

/** @throws UserError for a part of a unit that PayPal does not pay */
export function toPayPal(amount: bigint, currency: string): string {
  const text = toDecimal(amount, currency)
  if (!wholeUnitsOnly.has(currency)) return text
  const [whole = '', decimals = ''] = text.split('.')
  if (/[1-9]/.test(decimals))
    throw new UserError(
      'not_whole',
      `PayPal pays ${currency} in whole units only, and ${formatMoney(amount, currency)} is not one.`,
    )
  return whole
}
