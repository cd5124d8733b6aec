// What a person typed about themselves: made canonical, and checked. Pure.
import { domainToASCII } from 'node:url'
import { z } from 'zod'
import { holdsWebAddress } from '../kit/index.ts'
import type { PartnersConfig } from './config.ts'
import { isDisposable } from './disposable.ts'

export interface Details {
  readonly name: string
  readonly email: string
  readonly industry: string
}

/** Why a form was not accepted. */
export type Refusal =
  | 'name_length'
  | 'name_web_address'
  | 'email_malformed'
  | 'email_disposable'
  | 'email_taken'
  | 'industry_unknown'
  | 'too_many_mails'

/** Trimmed, with the domain in lower case and in its ASCII form; the part before @ is left alone because only its host may judge it. */
export function normalizeEmail(typed: string): string {
  const text = typed.trim()
  const at = text.lastIndexOf('@')
  if (at < 1) return text
  const domain = text.slice(at + 1).toLowerCase()
  return `${text.slice(0, at)}@${domainToASCII(domain) || domain}`
}

/** Canonical details, or why they are refused. An industry that is no longer offered may be kept (`present`), but not chosen. */
export function checkDetails(
  typed: Details,
  settings: PartnersConfig,
  present?: string,
): { details: Details } | { refusal: Refusal } {
  const name = typed.name.replace(/\s+/g, ' ').trim()
  const email = normalizeEmail(typed.email)
  if (name.length < 2 || name.length > 80) return { refusal: 'name_length' }
  if (holdsWebAddress(name)) return { refusal: 'name_web_address' }
  if (!isEmail(email)) return { refusal: 'email_malformed' }
  if (settings.blockDisposableMail && isDisposable(email.slice(email.lastIndexOf('@') + 1))) return { refusal: 'email_disposable' }
  if (typed.industry !== present && !settings.industries.some(({ key }) => key === typed.industry))
    return { refusal: 'industry_unknown' }
  return { details: { name, email, industry: typed.industry } }
}

/** RFC 5321 §4.5.3.1: at most 64 octets before @ and 254 in all. */
function isEmail(email: string): boolean {
  return email.length <= 254 && email.lastIndexOf('@') <= 64 && z.email().safeParse(email).success
}
