// The simulation itself, small, and that its oracle knows right from wrong.
import { describe, expect, inject, test } from 'vitest'
import { tellingsOf } from './plan/accounts.ts'
import { isPayday, partnerKeys } from './plan/calendar.ts'
import { transferFateOf, transferNewsOf } from './plan/fates.ts'
import { planOf } from './plan.ts'
import { chance, diceOf, shuffled } from './random.ts'
import { differing, simulate } from './run.ts'

/** What has to happen in every simulation, be it ever so small. */
const happening = [
  'sales',
  'refunds',
  'disputes',
  'renewals',
  'clicks',
  'coupons',
  'deals',
  'rules',
  'signed',
  'interventions',
  'changes',
  'claims',
  'payouts',
  'crashes',
  'stripeEvents',
  'stripeDuplicates',
  'askedOfStripe',
] as const

describe('a simulated program', () => {
  test.each([
    { size: { partners: 12, days: 64, seed: 3 }, transfers: 1 },
    { size: { partners: 25, days: 38, seed: 8 }, transfers: 0 },
  ])(
    'of $size.partners partners over $size.days days, seed $size.seed, agrees with the oracle every day',
    { timeout: 60_000 },
    async ({ size, transfers }) => {
      const { ok, differences, proof, seen, events } = await simulate(inject('postgresUrl'), size)
      expect(differences).toEqual([])
      expect({ ok, proof: proof.ok, runs: proof.runs }).toEqual({ ok: true, proof: true, runs: size.days + 1 })
      // A simulation in which nothing happens would agree, too.
      expect(events).toBeGreaterThan(150)
      for (const kind of happening) expect(seen[kind], kind).toBeGreaterThan(0)
      expect(seen.transfersAtStripe).toBeGreaterThanOrEqual(transfers)
      expect(proof.transfers).toBeGreaterThan(20)
    },
  )

  test('is told when the books say something else', async () => {
    const outcome = await simulate(
      inject('postgresUrl'),
      { partners: 5, days: 12, seed: 3 },
      {
        onDay: async (day, sql) => {
          // Money that nobody earned, in books that balance: only an oracle can know.
          if (day === 8)
            await sql.unsafe(`
            select ledger_post(p.program_id, gen_random_uuid(), 'forged', repeat('0', 64), 'accrue', 'commission', 'forged', null, now(),
              jsonb_build_array(jsonb_build_object('kind', 'commission_expense', 'partner', null, 'currency', 'USD', 'amount', '700'),
                jsonb_build_object('kind', 'pending', 'partner', p.id, 'currency', 'USD', 'amount', '-700')))
            from partners_partners p limit 1`)
        },
      },
    )
    expect(outcome.ok).toBe(false)
    expect(outcome.proof.ok).toBe(false)
    expect(outcome.differences.map(({ what }) => what)).toContainEqual(expect.stringMatching(/^balance p\d USD pending$/))
    expect(outcome.differences.every(({ day }) => day === 8 || day === 9)).toBe(true)
  })
})

describe('the plan', () => {
  test('is the same for the same seed, and another for another', () => {
    const size = { partners: 10, days: 40, seed: 7 }
    expect(planOf(size)).toEqual(planOf(size))
    expect(planOf({ ...size, seed: 8 })).not.toEqual(planOf(size))
  })

  test('of fewer days is the beginning of that of more, so that a failure can be repeated up to its day', () => {
    const size = { partners: 10, days: 90, seed: 7 }
    expect(planOf({ ...size, days: 30 })).toEqual(planOf(size).slice(0, 30))
  })

  test('has half of the payments go through Stripe, as Stripe can tell them', () => {
    const days = planOf({ partners: 200, days: 300, seed: 1 })
    const told = days.flatMap(({ news }) => news.map(({ news }) => news))
    const made = new Map(told.flatMap((item) => (item.kind === 'paid' ? [[item.payment, item.made]] : [])))
    const charged = days.flatMap(({ charged }) => charged)
    expect(charged.length / made.size).toBeCloseTo(0.5, 1)
    for (const { made: payment, refunds } of charged) {
      expect(payment.paidAt % 1000).toBe(0)
      if (payment.currency === 'KWD')
        for (const { amount } of [...refunds, { amount: payment.gross }]) expect(amount % 10n).toBe(0n)
    }
    const keys = new Set(charged.map(({ made: { key } }) => key))
    expect(told.filter(({ payment, kind }) => kind === 'retaxed' && keys.has(payment))).toEqual([])
    expect(charged.some(({ refunds }) => refunds.some(({ failedAt }) => failedAt !== undefined))).toBe(true)
  })

  test('holds everything that can go wrong with a payment', () => {
    const news = planOf({ partners: 200, days: 300, seed: 1 }).flatMap((day) => day.news)
    const told = news.map(({ news }) => news)
    expect(new Set(told.map((item) => (item.kind === 'dispute' ? item.state : item.kind)))).toEqual(
      new Set(['paid', 'refunded', 'open', 'won', 'lost', 'click', 'retaxed']),
    )
    expect(new Set(told.flatMap((item) => (item.kind === 'paid' ? [item.made.currency] : [])))).toEqual(
      new Set(['USD', 'EUR', 'JPY', 'KWD']),
    )
    expect(news.some(({ times }) => times > 1)).toBe(true)
    const seen = new Set<string>()
    const early = told.filter((item) => {
      if (item.kind === 'paid') seen.add(item.payment)
      return item.kind === 'refunded' && !seen.has(item.payment)
    })
    expect(early.length).toBeGreaterThan(0)
  })
})

test('changes of whose a sale is are proposed for everybody, and decided by everybody who may and may not', () => {
  const steps = planOf({ partners: 100, days: 200, seed: 1 }).flatMap(({ changes }) =>
    changes.flatMap((step) => ('claim' in step ? [] : [step])),
  )
  const heirs = steps.flatMap((step) => (step.kind === 'proposed' ? [typeof step.heir === 'string' ? step.heir : 'partner'] : []))
  expect(new Set(heirs)).toEqual(new Set(['partner', 'nobody', 'before']))
  const judges = (kind: string) => new Set(steps.flatMap((step) => (step.kind === kind && 'by' in step ? [step.by] : [])))
  expect(judges('approved')).toEqual(new Set(['proposer', 'other', 'receiver', 'keeper']))
  expect(judges('declined')).toEqual(new Set(['proposer', 'other', 'receiver', 'keeper']))
  const decided = new Set(steps.flatMap((step) => (step.kind === 'proposed' ? [] : [step.change])))
  expect(steps.some(({ kind, change }) => kind === 'proposed' && !decided.has(change))).toBe(true)
})

describe('payouts through Stripe', () => {
  const size = { partners: 60, days: 300, seed: 1 }
  const paydays = Array.from({ length: size.days }, (_, day) => day).filter(isPayday)
  const payouts = partnerKeys(size).flatMap((partner) => paydays.map((payday) => ({ partner, payday })))

  test('go wrong in every way there is', () => {
    const fates = payouts.map(({ partner, payday }) => transferFateOf(size, partner, 'USD', payday))
    expect(new Set(fates.map(({ stuck }) => stuck))).toEqual(new Set(['poor', 'short', 'silent', 'failed', 'taken', undefined]))
    const taken = fates.filter(({ stuck, reversedAfter }) => stuck === 'taken' && reversedAfter === 1)
    expect(taken.length).toBeGreaterThan(0)
  })

  test('are told out of order, twice, late, or never', () => {
    const told = payouts.map(({ partner, payday }) => transferNewsOf(size, partner, 'USD', payday, payday))
    const first = (news: (typeof told)[number], kind: string) => news.find((one) => one.kind === kind)?.on
    const isLate = (news: (typeof told)[number]) => first(news, 'created')! > first(news, 'reversed')!
    expect(told.some((news) => news.length === 0)).toBe(true)
    expect(told.some(isLate)).toBe(true)
    expect(told.some((news) => first(news, 'created') === undefined && first(news, 'reversed') !== undefined)).toBe(true)
    expect(told.some((news) => news.filter(({ kind }) => kind === 'reversed').length === 2)).toBe(true)
  })

  test('go to accounts of which something is told at once, late, twice, or never', () => {
    const told = payouts.map(({ partner, payday }) => tellingsOf(size, partner, 'restricted', payday))
    expect(new Set(told.map(({ length }) => length))).toEqual(new Set([0, 1, 2]))
    const delays = told.flatMap((tellings) => tellings.map(({ on, day }) => on - day))
    expect(Math.min(...delays)).toBe(0)
    expect(Math.max(...delays)).toBeGreaterThan(30)
  })
})

describe('dice', () => {
  test('throw evenly, and the same for the same keys', () => {
    const throws = Array.from({ length: 10_000 }, (_, i) => chance('seed', i))
    expect(throws.reduce((sum, value) => sum + value, 0) / throws.length).toBeCloseTo(0.5, 1)
    expect(Math.max(...throws)).toBeGreaterThan(0.999)
    expect(diceOf(1, 'a').roll()).toBe(diceOf(1, 'a').roll())
    expect(diceOf(1, 'a').roll()).not.toBe(diceOf(2, 'a').roll())
  })

  test('an order does not depend on the order before', () => {
    const items = ['a', 'b', 'c', 'd', 'e']
    const name = (item: string) => item
    expect(shuffled(items.toReversed(), name, 1)).toEqual(shuffled(items, name, 1))
  })
})

test('what differs is named, and what is zero on one side and missing on the other is not', () => {
  const difference = differing(
    3,
    'balance',
    new Map([
      ['a', 1n],
      ['b', 2n],
      ['c', 0n],
    ]),
    new Map([
      ['a', 1n],
      ['b', 3n],
    ]),
  )
  expect(difference).toEqual([{ day: 3, what: 'balance b', expected: '2', actual: '3' }])
})
