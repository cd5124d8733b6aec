// The codes of links: how they are made, which may be chosen, and what makes two of them the same. Pure.
import { randomInt } from 'node:crypto'
import { UserError } from '../kit/index.ts'

/** No 0 O, 1 I l: a code that is read aloud or copied by hand arrives. */
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz'
const generatedLength = 7

/** Words that would be mistaken for a page of the program. */
const reserved = new Set(
  'about admin agreement agreements api app apply assets auth blog billing contact dashboard discord docs earnings faq favicon health help home join legal link links login logout metrics new null oauth openapi partner partners pay payout payouts paypal press pricing privacy program redirect register robots sandbox security settings shop sign signin signup sitemap siso static status stripe support team terms test track undefined verify webhook webhooks well-known www'
    .split(' ')
    .map(fold),
)

/**
 * What makes two codes the same: upper and lower case make no difference, and neither do 0 and o, or 1, l and i.
 * So no two codes can be confused, and a mistyped look-alike still arrives.
 */
export function fold(code: string): string {
  return code.toLowerCase().replaceAll('0', 'o').replace(/[1l]/g, 'i')
}

/** The folded code of an address, or undefined when it cannot be one. */
export function readCode(text: string): string | undefined {
  return /^[a-z0-9-]{3,32}$/i.test(text) ? fold(text) : undefined
}

export function newCode(): string {
  return Array.from({ length: generatedLength }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** A code that a partner chose, checked. @throws UserError that says what a code may be */
export function chosenCode(text: string): string {
  const code = text.trim()
  if (!/^[a-z0-9](-?[a-z0-9]){2,31}$/i.test(code) || code.length > 32)
    throw new UserError(
      'bad_code',
      'A code has 3 to 32 letters from a to z, digits and single dashes, for example `ada-coffee`. Choose another one, or leave it out and get one.',
    )
  if (reserved.has(fold(code)))
    throw new UserError(
      'reserved_code',
      `“${code}” is kept for the program itself. Choose another code, for example \`${code}-deal\`.`,
    )
  return code
}
