// What a connected account says: whether it can be paid, where its money can go, and how far the tax form of its owner is. Pure, and never a tax number.
import { z } from 'zod'
import type { AccountState, Place } from '../payouts/public.ts'

const text = z
  .string()
  .nullish()
  .transform((value) => value || null)
const names = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? [])

/** The fields of a connected account that are read. */
export const accountShape = z.object({
  id: z.string(),
  country: text,
  capabilities: z
    .object({ transfers: text, tax_reporting_us_1099_misc: text, tax_reporting_us_1099_k: text })
    .nullish()
    .transform((value) => value ?? { transfers: null, tax_reporting_us_1099_misc: null, tax_reporting_us_1099_k: null }),
  company: z.object({ structure: text }).nullish(),
  payouts_enabled: z.boolean().nullish(),
  requirements: z
    .object({
      disabled_reason: text,
      currently_due: names,
      past_due: names,
      eventually_due: names,
      pending_verification: names,
      errors: z
        .array(z.object({ code: z.string(), requirement: z.string() }))
        .nullish()
        .transform((value) => value ?? []),
    })
    .nullish()
    .transform((value) => value ?? nothingRequired),
  external_accounts: z
    .object({ data: z.array(z.object({ id: z.string(), fingerprint: text, default_for_currency: z.boolean().nullish() })) })
    .nullish(),
})
type Account = z.output<typeof accountShape>

const nothingRequired = {
  disabled_reason: null,
  currently_due: [],
  past_due: [],
  eventually_due: [],
  pending_verification: [],
  errors: [],
}

/** Whether a connected account can be paid, and if not, what Stripe still asks for; where its money can go, and what it says of a tax form. */
export function stateOf(account: Account): Omit<AccountState, 'at'> {
  const ready = account.capabilities.transfers === 'active' && account.payouts_enabled === true
  return { ready, missing: ready ? '' : missingOf(account), places: placesOf(account), taxForm: taxFormOf(account) }
}

function missingOf({ requirements: { past_due, currently_due, disabled_reason } }: Account): string {
  const wanted = [...new Set([...past_due, ...currently_due])].map((name) => name.replaceAll(/[._]/g, ' ')).join(', ')
  return wanted || disabled_reason?.replaceAll(/[._]/g, ' ') || 'Stripe has not finished checking the account'
}

/**
 * All bank accounts and cards of a connected account, of which the default of each currency gets what is paid out by itself; any other can be chosen for a payout
 * (https://docs.stripe.com/connect/payouts-bank-accounts). One without a fingerprint is known by its id, which no other account shares. An account shows its
 * ten newest.
 */
function placesOf({ external_accounts: external }: Account): Place[] {
  return (external?.data ?? []).map(({ id, fingerprint, default_for_currency: isDefault }) => ({
    name: fingerprint ?? id,
    isDefault: isDefault === true,
  }))
}

/**
 * How far the form is by what Stripe asks of a US account; null when Stripe says nothing of it, as it never does of an account elsewhere: the country says where
 * somebody lives, not that they owe the US no form. What stands first counts:
 *
 * 1. rejected: verification of the tax number failed, by the field in `requirements.errors` or by a code that names a tax id
 * 2. requested: the tax number is in `past_due` or `currently_due`
 * 3. submitted: it is in `pending_verification`
 *
 * and of an account with a 1099 capability (1099-MISC, which is for 1099-NEC, too, before 1099-K), for which Stripe collects and checks name and number as of a W-9:
 *
 * 4. requested: the tax number is in `eventually_due`. Stripe wants it from an amount on, and the capability may be active before
 * 5. valid: the capability is active
 * 6. submitted, requested: the capability is pending, inactive
 *
 * Without the capability, that Stripe asks for no number does not say that there is one: nothing is said. `individual.id_number_provided` and
 * `company.tax_id_provided` are not read: after its first onboarding link, Stripe shows them of no account that it collects from itself, as it does for all that
 * this plugin makes, and given is not checked. Nor is an expiry told, so none is.
 *
 * https://docs.stripe.com/connect/required-verification-information-taxes, https://docs.stripe.com/connect/account-capabilities#tax-reporting,
 * https://docs.stripe.com/api/accounts/object (requirements, capabilities, individual, company)
 */
function taxFormOf(account: Account): AccountState['taxForm'] {
  if (account.country !== 'US') return null
  const { requirements } = account
  const capability = account.capabilities.tax_reporting_us_1099_misc ?? account.capabilities.tax_reporting_us_1099_k
  const isNumber = taxNumberFields(account)
  const failed = requirements.errors.some(
    ({ code, requirement }) => code !== 'information_missing' && (code.includes('tax_id') || isNumber(requirement)),
  )
  const say = (status: 'requested' | 'submitted' | 'valid' | 'rejected') => ({ jurisdiction: 'US', form: 'W-9', status }) as const
  if (failed) return say('rejected')
  if ([...requirements.past_due, ...requirements.currently_due].some(isNumber)) return say('requested')
  if (requirements.pending_verification.some(isNumber)) return say('submitted')
  if (capability === null) return null
  if (requirements.eventually_due.some(isNumber)) return say('requested')
  if (capability === 'active') return say('valid')
  return say(capability === 'pending' ? 'submitted' : 'requested')
}

/** Companies of one person are taxed as that person, so the person's number is theirs; those of other companies' people only prove who they are. */
const ofOnePerson = new Set(['sole_proprietorship', 'single_member_llc'])

function taxNumberFields({ company }: Account): (field: string) => boolean {
  const isPersons = ofOnePerson.has(company?.structure ?? '')
  return (field) =>
    field === 'company.tax_id' ||
    /^individual\.(id_number|ssn_last_4)$/.test(field) ||
    (isPersons && /^(representative|person_\w+)\.(id_number|ssn_last_4)$/.test(field))
}
