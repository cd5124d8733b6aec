import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { sum } from '../kit/index.ts'
import {
  accountIn,
  closeIfSpent,
  type Decision,
  decideCommission,
  type Facts,
  type Move,
  type Part,
  repay,
  settle,
  shift,
} from './decide.ts'
import type { CommissionState } from './public.ts'
import type { Stamp } from './terms.ts'

const fine: Facts = {
  basis: 10_000n,
  refunded: 0n,
  dispute: 'none',
  lost: 0n,
  partnerStatus: 'active',
  agreementSigned: true,
  accepted: false,
  stopped: null,
  adjusted: [],
  voided: null,
}
const aFifth: Stamp = { basis: 10_000n, ratePpm: 200_000n, flat: null, limitAmount: null, limitReason: null }

describe('tax or shipping that changed since the stamp', () => {
  const flat: Stamp = { ...aFifth, flat: 1_500n, ratePpm: 0n }
  test.each<[string, Partial<Facts>, Stamp, Partial<Decision>]>([
    ['lower the worth by the difference', { basis: 8_000n }, aFifth, { target: 1_600n, cause: 'basis_changed' }],
    ['or raise it', { basis: 11_000n }, aFifth, { target: 2_200n, cause: 'basis_changed' }],
    ['beside a refund', { basis: 8_000n, refunded: 3_000n }, aFifth, { target: 1_000n, cause: 'refund_partial' }],
    ['shrink an amount for the sale', { basis: 5_000n }, flat, { target: 750n }],
    ['but never raise it', { basis: 11_000n }, flat, { target: 1_500n }],
    ['also when nothing was stamped', { basis: 5_000n }, { ...flat, basis: 0n }, { target: 1_500n }],
    ['and may leave nothing', { basis: 0n }, aFifth, { target: 0n, cause: 'nothing_due' }],
  ])('%s', (_, facts, stamp, expected) => expect(decideCommission({ ...fine, ...facts }, stamp)).toMatchObject(expected))
})

describe('what a sale is worth', () => {
  const cases: [string, Partial<Facts & Stamp>, Partial<Decision>][] = [
    ['a fifth of the basis', {}, { target: 2_000n, hold: null, cause: null }],
    ['a partial refund lowers it by the exact share', { refunded: 2_500n }, { target: 1_500n, cause: 'refund_partial' }],
    ['one unit refunded, rounded half away from zero', { basis: 13n, refunded: 1n }, { target: 2n }],
    ['a full refund leaves nothing', { refunded: 10_000n }, { target: 0n, cause: 'refund_full' }],
    [
      'a refund beyond the basis (with its tax) leaves nothing, not less',
      { refunded: 12_000n },
      { target: 0n, cause: 'refund_full' },
    ],
    ['an open dispute holds it', { dispute: 'open' }, { target: 2_000n, hold: 'dispute_open' }],
    ['a dispute that was won changes nothing', { dispute: 'won' }, { target: 2_000n, hold: null, cause: 'dispute_won' }],
    ['a lost dispute leaves nothing', { dispute: 'lost', lost: 10_000n }, { target: 0n, hold: null, cause: 'dispute_lost' }],
    ['one about a part leaves the rest', { dispute: 'lost', lost: 2_000n }, { target: 1_600n, hold: null, cause: 'dispute_lost' }],
    ['beside a refund', { dispute: 'lost', lost: 2_000n, refunded: 3_000n }, { target: 1_000n, cause: 'dispute_lost' }],
    [
      'an open dispute holds what an earlier one left',
      { dispute: 'open', lost: 2_000n },
      { target: 1_600n, hold: 'dispute_open', cause: 'dispute_lost' },
    ],
    [
      'a refund during a dispute',
      { dispute: 'open', refunded: 5_000n },
      { target: 1_000n, hold: 'dispute_open', cause: 'refund_partial' },
    ],
    ['a sale of nothing', { basis: 0n }, { target: 0n, cause: 'nothing_due' }],
    ['a sale below nothing', { basis: -5n }, { target: 0n, cause: 'nothing_due' }],
    ['an unsigned agreement holds it', { agreementSigned: false }, { target: 2_000n, hold: 'agreement_unsigned' }],
    ['a partner who is not active yet', { partnerStatus: 'verified' }, { hold: 'ineligible_status' }],
    ['a suspended partner, even for earlier sales', { partnerStatus: 'suspended', accepted: true }, { hold: 'ineligible_status' }],
    ['a partner who had left before the sale came in', { partnerStatus: 'left' }, { hold: 'ineligible_status' }],
    [
      'a partner who left later keeps what was theirs',
      { partnerStatus: 'left', accepted: true, agreementSigned: false },
      { hold: null },
    ],
    ['eligibility is told before the dispute', { dispute: 'open', agreementSigned: false }, { hold: 'agreement_unsigned' }],
    ['fifteen digits', { basis: 10n ** 15n }, { target: 2n * 10n ** 14n }],
    ['what somebody stopped is held for their reason', { stopped: 'fraud_velocity' }, { hold: 'fraud_velocity' }],
    ['eligibility is told before what was stopped', { stopped: 'manual', agreementSigned: false }, { hold: 'agreement_unsigned' }],
    ['what was stopped is told before a dispute', { stopped: 'manual', dispute: 'open' }, { hold: 'manual' }],
    ['an adjustment is added', { adjusted: [500n] }, { target: 2_500n, cause: 'adjusted' }],
    ['an adjustment is taken away', { adjusted: [-500n] }, { target: 1_500n, cause: 'adjusted' }],
    [
      'what is taken away never goes below zero',
      { adjusted: [-1_500n], refunded: 5_000n },
      { target: 0n, cause: 'refund_partial' },
    ],
    ['what an admin added survives a refund', { adjusted: [300n], refunded: 10_000n }, { target: 300n, cause: 'refund_full' }],
    ['what they add later is added whole', { adjusted: [-1_500n, 300n], refunded: 5_000n }, { target: 300n }],
    ['and beside all that the sale is worth', { adjusted: [-1_500n, 300n] }, { target: 800n, cause: 'adjusted' }],
    ['what was voided is worth nothing', { voided: 'duplicate', adjusted: [300n] }, { target: 0n, cause: 'duplicate' }],
    ['an amount per sale', { flat: 1_500n, ratePpm: 0n }, { target: 1_500n, cause: null }],
    ['an amount per sale shrinks with the refunded share', { flat: 1_500n, ratePpm: 0n, refunded: 3_333n }, { target: 1_000n }],
    ['an amount per sale, all refunded', { flat: 1_500n, ratePpm: 0n, refunded: 10_000n }, { target: 0n }],
    ['an amount for a sale of nothing', { flat: 1_500n, ratePpm: 0n, basis: 0n }, { target: 0n, cause: 'nothing_due' }],
    ['a cap limits it', { limitAmount: 1_200n, limitReason: 'cap_reached' }, { target: 1_200n, cause: 'cap_reached' }],
    [
      'a refund first takes what was above the cap',
      { limitAmount: 1_200n, limitReason: 'cap_reached', refunded: 3_000n },
      { target: 1_200n },
    ],
    [
      'a refund then lowers it below the cap',
      { limitAmount: 1_200n, limitReason: 'cap_reached', refunded: 6_000n },
      { target: 800n },
    ],
    [
      'a payment that the rule does not pay for',
      { limitAmount: 0n, limitReason: 'window_expired' },
      { target: 0n, cause: 'window_expired' },
    ],
  ]
  test.each(cases)('%s', (_, change, expected) => {
    expect(decideCommission({ ...fine, ...change }, { ...aFifth, ...change })).toMatchObject(expected)
  })
})

const aPart = (change: Partial<Part> = {}): Part => ({
  id: 'first',
  state: 'pending',
  reason: null,
  amount: 0n,
  due: 0n,
  clawed: 0n,
  repaid: 0n,
  ...change,
})
const earned = (state: CommissionState, change: Partial<Part> = {}): Part =>
  aPart({ state, amount: 2_000n, due: 2_000n, ...change })
const blank = aPart({ id: 'next' })
const to = (target: bigint, change: Partial<Decision> = {}): Decision => ({ target, hold: null, cause: null, ...change })
const effectsOf = (moves: readonly Move[]) => {
  const effects: Record<string, bigint> = {}
  for (const { entries } of moves) for (const { account, amount } of entries) effects[account] = (effects[account] ?? 0n) + amount
  return Object.fromEntries(Object.entries(effects).filter(([, amount]) => amount !== 0n))
}

describe('how the books get there (debits positive)', () => {
  const cases: [string, Part[], Decision, bigint, object, Partial<Part>[]][] = [
    [
      'a first sale accrues',
      [],
      to(2_000n),
      0n,
      { commission_expense: 2_000n, pending: -2_000n },
      [{ state: 'pending', due: 2_000n }],
    ],
    [
      'a first sale of someone who may not earn is held',
      [],
      to(2_000n, { hold: 'agreement_unsigned' }),
      0n,
      { commission_expense: 2_000n, held: -2_000n },
      [{ state: 'held', reason: 'agreement_unsigned', due: 2_000n }],
    ],
    ['a sale refunded before it came', [], to(0n, { cause: 'refund_full' }), 0n, {}, [{ state: 'voided', reason: 'refund_full' }]],
    ['nothing changed', [earned('pending')], to(2_000n), 0n, {}, [earned('pending')]],
    [
      'a refund while pending',
      [earned('pending')],
      to(500n, { cause: 'refund_partial' }),
      0n,
      { pending: 1_500n, commission_expense: -1_500n },
      [{ state: 'pending', amount: 500n, due: 500n, reason: 'refund_partial' }],
    ],
    [
      'a refund while somebody holds it stays held',
      [earned('held', { reason: 'manual' })],
      to(500n, { cause: 'refund_partial', hold: 'manual' }),
      0n,
      { held: 1_500n, commission_expense: -1_500n },
      [{ state: 'held', due: 500n, reason: 'manual' }],
    ],
    [
      'a refund while payable',
      [earned('payable')],
      to(500n),
      0n,
      { payable: 1_500n, commission_expense: -1_500n },
      [{ state: 'payable', due: 500n }],
    ],
    [
      'a full refund while payable voids it',
      [earned('payable')],
      to(0n, { cause: 'refund_full' }),
      0n,
      { payable: 2_000n, commission_expense: -2_000n },
      [{ state: 'voided', reason: 'refund_full', due: 0n }],
    ],
    [
      'a refund after it was paid becomes debt',
      [earned('paid')],
      to(500n, { cause: 'refund_partial' }),
      0n,
      { clawback_debt: 1_500n, commission_expense: -1_500n },
      [{ state: 'paid', amount: 500n, due: 2_000n, clawed: 1_500n }],
    ],
    [
      'a refund while the payout is on its way becomes debt',
      [earned('in_payout')],
      to(0n),
      0n,
      { clawback_debt: 2_000n, commission_expense: -2_000n },
      [{ state: 'in_payout', due: 2_000n, clawed: 2_000n }],
    ],
    [
      'a refund that is taken back forgives the debt it caused',
      [earned('paid', { amount: 500n, clawed: 1_500n })],
      to(2_000n),
      1_500n,
      { clawback_debt: -1_500n, commission_expense: 1_500n },
      [{ state: 'paid', amount: 2_000n, clawed: 0n }],
    ],
    [
      'a refund that is taken back after its debt was repaid earns anew',
      [earned('paid', { amount: 500n, clawed: 1_500n })],
      to(2_000n),
      400n,
      { clawback_debt: -400n, commission_expense: 1_500n, pending: -1_100n },
      [{ clawed: 1_100n }, { id: 'next', state: 'pending', due: 1_100n }],
    ],
    [
      'what repaid a debt and is then refunded is owed again',
      [earned('pending', { due: 600n, repaid: 1_400n })],
      to(0n, { cause: 'refund_full' }),
      0n,
      { pending: 600n, clawback_debt: 1_400n, commission_expense: -2_000n },
      [{ state: 'voided', due: 0n, clawed: 1_400n }],
    ],
    [
      'an open dispute holds what is payable',
      [earned('payable')],
      to(2_000n, { hold: 'dispute_open' }),
      0n,
      { payable: 2_000n, held: -2_000n },
      [{ state: 'held', reason: 'dispute_open' }],
    ],
    [
      'a dispute that was won gives it back',
      [earned('held', { reason: 'dispute_open' })],
      to(2_000n, { cause: 'dispute_won' }),
      0n,
      { held: 2_000n, pending: -2_000n },
      [{ state: 'pending', reason: 'dispute_won' }],
    ],
    [
      'an open dispute cannot hold what is paid',
      [earned('paid')],
      to(2_000n, { hold: 'dispute_open' }),
      0n,
      {},
      [{ state: 'paid' }],
    ],
    [
      'a voided commission whose refund is taken back is pending again',
      [aPart({ state: 'voided', reason: 'refund_full' })],
      to(2_000n),
      0n,
      { commission_expense: 2_000n, pending: -2_000n },
      [{ state: 'pending', reason: null, due: 2_000n }],
    ],
  ]
  test.each(cases)('%s', (_, parts, decision, debt, effects, expected) => {
    const settlement = settle(parts, decision, debt, blank)
    expect(effectsOf(settlement.moves)).toEqual(effects)
    expect(settlement.parts).toMatchObject(expected)
    expect(sum(settlement.parts.map(({ amount }) => amount))).toBe(decision.target)
  })

  test('a debt is repaid from what is payable before what is pending, and never from what is held', () => {
    const parts = [
      earned('pending', { id: 'a' }),
      earned('held', { id: 'b' }),
      earned('payable', { id: 'c' }),
      earned('paid', { id: 'd' }),
    ]
    const { parts: after, moves } = repay(parts, 2_700n)
    expect(effectsOf(moves)).toEqual({ payable: 2_000n, pending: 700n, clawback_debt: -2_700n })
    expect(after).toMatchObject([
      { due: 1_300n, repaid: 700n },
      { due: 2_000n },
      { state: 'paid', reason: 'debt_repaid', due: 0n, repaid: 2_000n },
      { due: 2_000n },
    ])
  })
})

describe('whatever happens to two sales of a partner, in any order', () => {
  type Step =
    | { kind: 'facts'; sale: 0 | 1; refunded: bigint; dispute: Facts['dispute']; lost: bigint; agreementSigned: boolean }
    | { kind: 'release' | 'pay' | 'confirm' | 'return' }
  const steps = fc.array(
    fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({
        kind: fc.constant('facts' as const),
        sale: fc.constantFrom(0 as const, 1 as const),
        refunded: fc.bigInt({ min: 0n, max: 12_000n }),
        dispute: fc.constantFrom('none' as const, 'open' as const, 'won' as const, 'lost' as const),
        lost: fc.constantFrom(0n, 3_333n, 12_000n),
        agreementSigned: fc.boolean(),
      }),
      fc.record({ kind: fc.constantFrom('release' as const, 'pay' as const, 'confirm' as const, 'return' as const) }),
    ),
    { maxLength: 25 },
  )

  /** Plain books: natural-sign balances that refuse to go below zero. */
  function play(list: readonly Step[]) {
    const balances = new Map<string, bigint>()
    const sales: Part[][] = [[], []]
    const facts: Facts[] = [fine, fine]
    let made = 0
    const book = (account: string, amount: bigint) => {
      const natural = account === 'clawback_debt' || account === 'commission_expense' ? amount : -amount
      const after = (balances.get(account) ?? 0n) + natural
      if (after < 0n) throw new Error(`${account} would be ${after}`)
      balances.set(account, after)
    }
    const post = (moves: readonly Move[]) => {
      for (const { entries } of moves) {
        expect(sum(entries.map(({ amount }) => amount))).toBe(0n)
        for (const { account, amount } of entries) book(account, amount)
      }
    }
    const spread = (parts: readonly Part[]) => {
      for (const [i, own] of sales.entries()) sales[i] = own.map((part) => parts.find(({ id }) => id === part.id) ?? part)
    }
    const settleSale = (i: number) => {
      const result = settle(
        sales[i]!,
        decideCommission(facts[i]!, aFifth),
        balances.get('clawback_debt') ?? 0n,
        aPart({ id: `part${made++}` }),
      )
      sales[i] = [...result.parts]
      post(result.moves)
      const repaid = repay(sales.flat(), balances.get('clawback_debt') ?? 0n)
      spread(repaid.parts)
      post(repaid.moves)
    }
    const pass = (from: CommissionState, into: CommissionState) => {
      const passing = sales.flat().filter(({ state, due }) => state === from && due > 0n)
      for (const part of passing) {
        book(accountIn(from)!, part.due)
        book(accountIn(into)!, -part.due)
      }
      spread(passing.map((part) => ({ ...part, state: into })))
    }
    for (const step of list) {
      if (step.kind === 'facts') {
        const { refunded, dispute, lost, agreementSigned } = step
        facts[step.sale] = { ...fine, refunded, dispute, lost, agreementSigned }
        settleSale(step.sale)
        settleSale(step.sale)
      } else if (step.kind === 'release')
        for (const part of sales.flat().filter(({ state }) => state === 'pending')) {
          const released = shift(part, 'payable', part.reason, 'release')
          post(released.moves)
          spread([closeIfSpent(released.part)])
        }
      else if (step.kind === 'pay') pass('payable', 'in_payout')
      else if (step.kind === 'confirm') pass('in_payout', 'paid')
      else {
        pass('in_payout', 'payable')
        settleSale(0)
        settleSale(1)
      }
    }
    return { balances, sales, facts, settleSale }
  }

  test.prop([steps])('each sale is worth what the facts say, and every account what its parts say', (list) => {
    const { balances, sales, facts, settleSale } = play(list)
    settleSale(0)
    settleSale(1)
    const parts = sales.flat()
    for (const [i, own] of sales.entries())
      expect(sum(own.map(({ amount }) => amount))).toBe(decideCommission(facts[i]!, aFifth).target)
    for (const part of parts) expect(part.due).toBe(part.amount + part.clawed - part.repaid)
    for (const account of ['pending', 'held', 'payable', 'in_flight', 'paid'])
      expect(balances.get(account) ?? 0n).toBe(sum(parts.filter(({ state }) => accountIn(state) === account).map(({ due }) => due)))
    expect(balances.get('clawback_debt') ?? 0n).toBe(sum(parts.map(({ clawed, repaid }) => clawed - repaid)))
    expect(balances.get('commission_expense') ?? 0n).toBe(sum(parts.map(({ amount }) => amount)))
  })

  test.prop([steps])('nobody owes and is owed at once', (list) => {
    const { balances, settleSale } = play(list)
    settleSale(0)
    const coming = (balances.get('payable') ?? 0n) + (balances.get('pending') ?? 0n)
    expect((balances.get('clawback_debt') ?? 0n) === 0n || coming === 0n).toBe(true)
  })

  const toldOften = fc.array(
    fc.record({
      refunded: fc.bigInt({ min: 0n, max: 12_000n }),
      dispute: fc.constantFrom<Facts['dispute']>('none', 'open', 'won', 'lost'),
      lost: fc.constantFrom(0n, 3_333n, 12_000n),
    }),
    { minLength: 1, maxLength: 6 },
  )
  test.prop([toldOften, toldOften, fc.boolean()])('only the last facts count, not the way there', (one, other, paid) => {
    const last = one.at(-1)!
    const start: Step[] = [
      { kind: 'facts', sale: 0, refunded: 0n, dispute: 'none', lost: 0n, agreementSigned: true },
      ...(paid ? (['release', 'pay', 'confirm'] as const).map((kind) => ({ kind })) : []),
    ]
    const tell = (list: typeof one): Step[] =>
      [...list, last].map((facts) => ({ kind: 'facts', sale: 0, agreementSigned: true, ...facts }))
    const net = ({ balances }: ReturnType<typeof play>) => {
      const of = (account: string) => balances.get(account) ?? 0n
      return {
        coming: of('pending') + of('payable') + of('held') - of('clawback_debt'),
        paid: of('paid'),
        expense: of('commission_expense'),
      }
    }
    expect(net(play([...start, ...tell(one)]))).toEqual(net(play([...start, ...tell(other)])))
  })
})
