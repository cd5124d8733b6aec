// Stripe's test cards and what becomes of a payment with each. A real card number is never accepted.

import { createHash } from 'node:crypto'

interface CardOutcome {
  brand: 'visa' | 'mastercard' | 'amex' | 'discover'
  funding: 'credit' | 'debit'
  /** Missing: the payment succeeds. */
  decline?: { code: string; declineCode?: string; message: string }
  /** The first payment works, every later one is declined. */
  declinesLater?: boolean
  /** The money can be spent at once. */
  bypassesPending?: boolean
  /** A dispute follows at once. */
  disputed?: 'fraudulent' | 'product_not_received'
}

const DECLINED = 'Your card was declined.'
const CARDS: Record<string, CardOutcome> = {
  '4242424242424242': { brand: 'visa', funding: 'credit' },
  '4000056655665556': { brand: 'visa', funding: 'debit' },
  '5555555555554444': { brand: 'mastercard', funding: 'credit' },
  '378282246310005': { brand: 'amex', funding: 'credit' },
  '6011111111111117': { brand: 'discover', funding: 'credit' },
  '4000000000000077': { brand: 'visa', funding: 'credit', bypassesPending: true },
  '4000000000000002': {
    brand: 'visa',
    funding: 'credit',
    decline: { code: 'card_declined', declineCode: 'generic_decline', message: DECLINED },
  },
  '4000000000009995': {
    brand: 'visa',
    funding: 'credit',
    decline: { code: 'card_declined', declineCode: 'insufficient_funds', message: 'Your card has insufficient funds.' },
  },
  '4000000000009987': {
    brand: 'visa',
    funding: 'credit',
    decline: { code: 'card_declined', declineCode: 'lost_card', message: DECLINED },
  },
  '4000000000000069': { brand: 'visa', funding: 'credit', decline: { code: 'expired_card', message: 'Your card has expired.' } },
  '4000000000000127': {
    brand: 'visa',
    funding: 'credit',
    decline: { code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  },
  '4000000000000119': {
    brand: 'visa',
    funding: 'credit',
    decline: { code: 'processing_error', message: 'An error occurred while processing your card. Try again in a little bit.' },
  },
  '4000000000000341': { brand: 'visa', funding: 'credit', declinesLater: true },
  '4000000000000259': { brand: 'visa', funding: 'credit', disputed: 'fraudulent' },
  '4000000000002685': { brand: 'visa', funding: 'credit', disputed: 'product_not_received' },
}

/** Payment methods and tokens that Stripe offers for tests, by card. */
const TEST_METHODS: Record<string, string> = {
  pm_card_visa: '4242424242424242',
  pm_card_visa_debit: '4000056655665556',
  pm_card_mastercard: '5555555555554444',
  pm_card_amex: '378282246310005',
  pm_card_bypassPending: '4000000000000077',
  pm_card_chargeDeclined: '4000000000000002',
  pm_card_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_chargeCustomerFail: '4000000000000341',
  pm_card_createDispute: '4000000000000259',
  tok_visa: '4242424242424242',
  tok_mastercard: '5555555555554444',
  tok_amex: '378282246310005',
  tok_bypassPending: '4000000000000077',
  tok_chargeDeclined: '4000000000000002',
  tok_createDispute: '4000000000000259',
}

/** The number behind `pm_card_visa`, `tok_visa` and their like. */
export function numberOfTestMethod(id: string): string | undefined {
  return TEST_METHODS[id]
}

/** What becomes of a payment with this number. */
export function outcomeOf(number: string): CardOutcome {
  const digits = number.replace(/[\s-]/g, '')
  const known = CARDS[digits]
  if (known) return known
  if (!/^\d{12,19}$/.test(digits) || !passesLuhn(digits))
    return { brand: 'visa', funding: 'credit', decline: { code: 'incorrect_number', message: 'Your card number is incorrect.' } }
  return {
    brand: 'visa',
    funding: 'credit',
    decline: {
      code: 'card_declined',
      declineCode: 'test_mode_live_card',
      message:
        'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
    },
  }
}

function passesLuhn(digits: string): boolean {
  let sum = 0
  for (const [index, character] of [...digits].reverse().entries()) {
    const digit = Number(character) * (index % 2 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

/** The same card has the same fingerprint, whoever pays with it. */
export function fingerprintOf(number: string): string {
  return createHash('sha256').update(number.replace(/\D/g, '')).digest('base64url').replace(/[-_]/g, 'x').slice(0, 16)
}
