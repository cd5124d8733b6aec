import { describe, expect, test } from 'vitest'
import { accountShape, stateOf } from './account.ts'

const saysOf = (account: object) => stateOf(accountShape.parse({ id: 'acct_1', country: 'US', ...account })).taxForm
const misc = (status: string) => ({ capabilities: { transfers: 'active', tax_reporting_us_1099_misc: status } })
const error = (requirement: string, code = 'verification_failed_other') => ({ code, reason: 'No match.', requirement })
const [number, companys] = ['individual.id_number', 'company.tax_id']

describe('a US account', () => {
  test.each<[string, object, string]>([
    ['whose number is due', { requirements: { currently_due: [number] } }, 'requested'],
    [
      'whose number is overdue, though forms may be filed',
      { ...misc('active'), requirements: { past_due: [companys] } },
      'requested',
    ],
    ['of which the last digits are due', { requirements: { currently_due: ['individual.ssn_last_4'] } }, 'requested'],
    ['whose number is wanted from an amount on', { ...misc('active'), requirements: { eventually_due: [number] } }, 'requested'],
    [
      'for which forms may not be filed for another reason',
      { ...misc('inactive'), requirements: { past_due: ['individual.address.line1'] } },
      'requested',
    ],
    ['whose number is checked', { requirements: { pending_verification: [number] } }, 'submitted'],
    ['whose number is checked again', { ...misc('active'), requirements: { pending_verification: [companys] } }, 'submitted'],
    ['of which something is checked', misc('pending'), 'submitted'],
    ['whose number did not match', { requirements: { currently_due: [number], errors: [error(number)] } }, 'rejected'],
    [
      'whose number did not match, so that a document is due',
      {
        requirements: {
          currently_due: ['company.verification.document'],
          errors: [error('company.verification.document', 'verification_failed_tax_id_match')],
        },
      },
      'rejected',
    ],
    [
      'whose number is merely missing',
      { requirements: { currently_due: [number], errors: [error(number, 'information_missing')] } },
      'requested',
    ],
    ['for which forms may be filed', misc('active'), 'valid'],
    ['for which forms of the other kind may be filed', { capabilities: { tax_reporting_us_1099_k: 'active' } }, 'valid'],
    [
      'of a company of one person, whose number is theirs',
      { company: { structure: 'single_member_llc' }, requirements: { currently_due: ['person_1abc.id_number'] } },
      'requested',
    ],
  ])('%s has a form', (_, account, status) => expect(saysOf(account)).toEqual({ jurisdiction: 'US', form: 'W-9', status }))

  test.each<[string, object]>([
    ['that Stripe asks for no number, and files no forms for', { capabilities: { transfers: 'active' }, payouts_enabled: true }],
    [
      'that Stripe asks for other things',
      { requirements: { currently_due: ['external_account'], errors: [error('individual.verification.document')] } },
    ],
    ['of which a number will be wanted, but for no form', { requirements: { eventually_due: [number] } }],
    [
      'of a company whose manager is to prove who they are',
      { company: { structure: 'private_corporation' }, requirements: { currently_due: ['person_1abc.id_number'] } },
    ],
    [
      'that has a number, of which nobody says that it was checked',
      { individual: { id_number_provided: true }, company: { tax_id_provided: true } },
    ],
  ])('%s says nothing', (_, account) => expect(saysOf(account)).toBeNull())
})

test('an account elsewhere, or nowhere yet, says nothing of a US form', () => {
  const asked = { requirements: { currently_due: [number] } }
  expect(saysOf({ ...asked, country: 'DE' })).toBeNull()
  expect(saysOf({ ...asked, country: null })).toBeNull()
})

test('nothing that is kept of an account holds a number', () => {
  const account = {
    individual: { id_number: '000000000', ssn_last_4: '0000' },
    company: { tax_id: '000000000' },
    ...misc('active'),
  }
  expect(JSON.stringify(stateOf(accountShape.parse({ id: 'acct_1', country: 'US', ...account })))).not.toMatch(/0000/)
})
