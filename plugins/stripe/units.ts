// Stripe's smallest units against the house's minor units (ISO 4217 exponents). Pure. https://docs.stripe.com/currencies
import { exponentOf, formatMoney, UserError } from '../kit/index.ts'

/** Currencies without decimals at Stripe. ISK and UGX are not among them: they have none either, but Stripe counts them in hundredths. */
const withoutDecimals = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '))
const withThreeDecimals = new Set('BHD JOD KWD OMR TND'.split(' '))

function decimalsAtStripe(currency: string): number {
  if (withoutDecimals.has(currency)) return 0
  return withThreeDecimals.has(currency) ? 3 : 2
}

/** An amount of Stripe's in minor units. @throws UserError for an unknown currency or an amount that has no whole number of minor units */
export function fromStripe(amount: number, currency: string): bigint {
  if (!Number.isSafeInteger(amount))
    throw new UserError('bad_amount', `Stripe’s amount ${amount} ${currency} is not a whole number that can be counted on.`)
  const shift = exponentOf(currency) - decimalsAtStripe(currency)
  if (shift >= 0) return BigInt(amount) * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  if (BigInt(amount) % divisor !== 0n)
    throw new UserError('bad_amount', `Stripe’s amount ${amount} ${currency} has a fraction that ${currency} does not know.`)
  return BigInt(amount) / divisor
}

/** What Stripe pays a multiple of, in minor units: of some currencies it knows fewer decimals, and the last of three must be zero. */
export function stepAtStripe(currency: string): bigint {
  const unknown = Math.max(exponentOf(currency) - decimalsAtStripe(currency), 0)
  return 10n ** BigInt(withThreeDecimals.has(currency) ? unknown + 1 : unknown)
}

/** Minor units as Stripe wants them. @throws UserError when Stripe cannot take the amount */
export function toStripe(amount: bigint, currency: string): number {
  const step = stepAtStripe(currency)
  if (amount % step !== 0n)
    throw new UserError(
      'bad_amount',
      `Stripe pays ${currency} only in multiples of ${formatMoney(step, currency)}, and ${formatMoney(amount, currency)} is not one.`,
    )
  const shift = decimalsAtStripe(currency) - exponentOf(currency)
  const scaled = shift >= 0 ? amount * 10n ** BigInt(shift) : amount / 10n ** BigInt(-shift)
  if (scaled > BigInt(Number.MAX_SAFE_INTEGER))
    throw new UserError('bad_amount', `Stripe cannot take ${amount} minor units of ${currency}.`)
  return Number(scaled)
}
