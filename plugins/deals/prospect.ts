// What a partner typed about a prospect: checked, made canonical, and turned into the keys that tell two prospects apart. Pure.
import { domainToASCII } from 'node:url'
import { z } from 'zod'
import { exponentOf, parseAmount, UserError } from '../kit/index.ts'
import { isSharedMailDomain } from './mailServices.ts'

/** The fields of the forms, as typed. */
export interface Typed {
  readonly company: string
  readonly email: string
  readonly value: string
  readonly currency: string
  readonly notes: string
}

export interface Money {
  /** Minor units, more than zero. */
  readonly amount: bigint
  readonly currency: string
}

export interface Prospect extends Money {
  readonly company: string
  readonly companyKey: string
  readonly email: string
  /** Null for an address of a mail service that many share. */
  readonly domain: string | null
  readonly notes: string
}

/** More than this is not a sale but a mistake: the same bound as for any sale. */
const largestAmount = 10n ** 13n
const longestNotes = 1000

/** @throws UserError that says which field to change, and how */
export function readProspect(typed: Typed): Prospect {
  const company = typed.company.replace(/\s+/g, ' ').trim()
  const companyKey = companyKeyOf(company)
  if (companyKey === '' || company.length > 100)
    throw new UserError('bad_company', 'We need the company’s name: up to 100 characters, with at least one letter or digit.')
  const email = normalizeEmail(typed.email)
  if (!isEmail(email))
    throw new UserError(
      'bad_email',
      'That e-mail does not look right. An address looks like `ada@example.com`; please check it for typing errors.',
    )
  const host = email.slice(email.lastIndexOf('@') + 1)
  const domain = isSharedMailDomain(host) ? null : host
  return { company, companyKey, email, domain, notes: readNotes(typed.notes), ...readMoney(typed.value, typed.currency) }
}

export function readNotes(typed: string): string {
  const notes = typed.trim()
  if (notes.length > longestNotes)
    throw new UserError(
      'notes_too_long',
      `The notes have ${notes.length} characters; ${longestNotes} is the most. Please shorten them.`,
    )
  return notes
}

/** A positive amount as a person writes it. @throws UserError for an unknown currency, and for what is no amount, zero, negative, or beyond any sale */
export function readMoney(typed: string, currencyTyped: string): Money {
  const currency = currencyTyped.trim().toUpperCase()
  exponentOf(currency)
  const text = typed.trim()
  const tooLarge = new UserError(
    'amount_too_large',
    'That amount is larger than any sale can be. Please check it for digits too many; write it in units, not in cents.',
  )
  if (/^-?\d{16,}(\.\d*)?$/.test(text.replaceAll(',', ''))) throw tooLarge
  const amount = parseAmount(text, currency)
  if (amount <= 0n) throw new UserError('amount_not_positive', 'A deal is worth more than zero. Write the amount like 1,250.00.')
  if (amount > largestAmount) throw tooLarge
  return { amount, currency }
}

/**
 * What makes two names the same company: letters and digits only, without accents, case, and the legal form at the end. “ACME, Inc.” is “Acme”.
 * Empty when the name has neither letter nor digit.
 */
export function companyKeyOf(company: string): string {
  const words = company
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/(?<=\p{L})\.(?=\p{L})/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean)
  while (words.length > 1 && legalForms.has(words.at(-1)!)) words.pop()
  return words.join('')
}

const legalForms = new Set(
  'ab ag aps as bv co company corp corporation eg ev gbr gmbh holding inc incorporated kft kg kk lda limited llc llp lp ltd ltda mbh nv oy oyj plc pte pty sa sarl sas se sl spa sprl srl ug'.split(
    ' ',
  ),
)

/** Trimmed, with the domain in lower case and in its ASCII form. */
function normalizeEmail(typed: string): string {
  const text = typed.trim()
  const at = text.lastIndexOf('@')
  if (at < 1) return text
  const domain = text.slice(at + 1).toLowerCase()
  return `${text.slice(0, at)}@${domainToASCII(domain) || domain}`
}

/** RFC 5321 §4.5.3.1: at most 64 octets before @ and 254 in all. */
function isEmail(email: string): boolean {
  return email.length <= 254 && email.lastIndexOf('@') <= 64 && z.email().safeParse(email).success
}
