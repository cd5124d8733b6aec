// The codes of coupons: how they are made, which may be chosen, and what makes two of them too alike. Pure.
import { randomInt } from 'node:crypto'
import { UserError } from '../kit/index.ts'

/** No 0 O, 1 I L: a code that is read aloud or typed from a slide arrives. */
const alphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'
const generatedLength = 7

/** Words that a shop uses itself, or that would be taken for an answer of a machine. */
const reserved = new Set(
  'admin code coupon deal discount free gift none null offer partner promo promotion refund sale staff stripe support team test undefined voucher welcome'
    .split(' ')
    .map(fold),
)

/** Upper and lower case make no difference, and neither do 0 and o, or 1, l and i: codes that fold alike cannot both exist in a program. */
export function fold(code: string): string {
  return code.toLowerCase().replaceAll('0', 'o').replace(/[1l]/g, 'i')
}

export function newCode(): string {
  return Array.from({ length: generatedLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** A code that somebody chose, checked. @throws UserError that says what a code may be */
export function chosenCode(text: string): string {
  const code = text.trim()
  if (!isCode(code) || !/^[a-z0-9]+(-[a-z0-9]+)*$/i.test(code))
    throw new UserError(
      'bad_code',
      'A code has 3 to 20 letters from A to Z, digits and single dashes, for example `ADA-15`. Choose another one, or leave it out and get one.',
    )
  if (reserved.has(fold(code)))
    throw new UserError('reserved_code', `“${code}” is kept for the shop itself. Choose another code, for example \`${code}-ADA\`.`)
  return code
}

/** Whether the text of a checkout can be one of our codes at all. */
export function isCode(text: string): boolean {
  return /^[a-z0-9-]{3,20}$/i.test(text)
}
