// Amounts as PayPal writes them: decimal strings by the currency's exponent, except for a few that PayPal takes in whole units only. Pure.
import { exponentOf, formatMoney, toDecimal, UserError } from '../kit/index.ts'

/** https://developer.paypal.com/api/rest/reference/currency-codes */
const wholeUnitsOnly = new Set(['HUF', 'JPY', 'TWD'])

/** What PayPal pays a multiple of, in minor units. */
export const stepAtPayPal = (currency: string): bigint => (wholeUnitsOnly.has(currency) ? 10n ** BigInt(exponentOf(currency)) : 1n)

/** @throws UserError for a part of a unit that PayPal does not pay */
export function toPayPal(amount: bigint, currency: string): string {
  if (amount % stepAtPayPal(currency) !== 0n)
    throw new UserError(
      'not_whole',
      `PayPal pays ${currency} in whole units only, and ${formatMoney(amount, currency)} is not one.`,
    )
  const text = toDecimal(amount, currency)
  return wholeUnitsOnly.has(currency) ? text.split('.')[0]! : text
}
