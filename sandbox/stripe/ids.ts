// Identifiers that look like Stripe's: its prefixes, lengths and alphabet. Random, so two sandboxes never collide.

import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `length` random letters and digits. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length)
    for (const byte of randomBytes(length)) if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]
  return text
}

/** Objects with a short body (14 characters); all others are `1` or `3` and 23 characters. */
const SHORT = new Set(['cus', 'prod', 'si', 'req', 'iauth'])
/** Objects of a payment begin with `3`. */
const OF_PAYMENT = new Set(['pi', 'ch', 're', 'py', 'pyr'])

/** A new identifier such as `tr_1Qm…`. `cs` gives a test-mode Checkout session, `acct` an account. */
export function newId(prefix: string): string {
  if (prefix === 'cs') return `cs_test_a1${randomText(58)}`
  if (prefix === 'acct') return `acct_1${randomText(15)}`
  if (prefix === 'whsec') return `whsec_${randomText(32)}`
  if (SHORT.has(prefix)) return `${prefix}_${randomText(14)}`
  return `${prefix}_${OF_PAYMENT.has(prefix) ? '3' : '1'}${randomText(23)}`
}
