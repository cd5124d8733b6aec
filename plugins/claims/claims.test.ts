// Sales that change hands by people: through the real commands and buttons, with the books proven after each.
import { fc, test as property } from '@fast-check/vitest'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { attribution } from '../attribution/plugin.ts'
import { channels } from '../channels/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { earningPlugins, payFor, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, newId, sum } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { claims } from './plugin.ts'

const [boss, second] = [
  { isAdmin: true, userId: '1', username: 'boss' },
  { isAdmin: true, userId: '2', username: 'second' },
]
let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, channels, claims])
  trade = tradeIn(house)
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('commissions', 'holdDays', 30)
})

const own = (partner: TestPartner) => house.use(commissions).ofPartner(house.db, house.program.id, partner.id)
const saleOf = (saleId: string) => house.use(attribution).sale(house.db, house.program.id, saleId)
async function aSale(partner: TestPartner | undefined, change = {}) {
  const saleId = await trade.record(trade.aPayment(partner, change))
  await house.drain()
  return saleId
}
async function propose(saleId: string, partner: TestPartner | undefined, reason = 'They signed the contract') {
  const card = await house.run(
    'admin-sales override',
    { sale: saleId, reason, ...(partner && { partner: { id: partner.userId, username: partner.username, bot: false } }) },
    boss,
  )
  const [approve, decline] = controlsOf(card)
  return { card, approve: approve!, decline: decline! }
}
async function given(saleId: string, partner: TestPartner | undefined) {
  const { approve } = await propose(saleId, partner)
  const card = await house.press(approve, {}, second)
  await house.drain()
  return card
}
const told = async (partner: TestPartner) =>
  (await house.connection.sql`select payload from core_messages where target = ${partner.userId} order by id`)
    .map(({ payload }) => wordsOf(payload as Message))
    .join('\n')
const pair = async () => [await trade.aPartner(), await trade.aPartner()] as const

describe('an override', () => {
  test('is not decided by the partner who gains by it: who would get the sale, or would keep it', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    const { approve, decline } = await propose(saleId, bob)
    const own = { code: 'own_sale', message: expect.stringContaining('Another admin decides') }
    await expect(house.press(approve, {}, { ...boss, userId: bob.userId })).rejects.toMatchObject(own)
    await expect(house.press(decline, {}, { ...boss, userId: ada.userId })).rejects.toMatchObject(own)
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
    await house.press(approve, {}, { ...boss, userId: ada.userId })
    expect(await saleOf(saleId)).toMatchObject({ partnerId: bob.id })
  })

  test('moves the commission from the one to the other, binds the customer anew, tells both, and is in the trace and the audit', async () => {
    const [ada, bob] = await pair()
    const customer = { key: 'cus_moved', emailHash: undefined, country: 'DE' }
    const saleId = await aSale(ada, { customer })
    expect(wordsOf(await given(saleId, bob))).toContain('approved')
    expect(await saleOf(saleId)).toMatchObject({ partnerId: bob.id })
    expect(await own(ada)).toMatchObject([{ state: 'voided', reason: 'reassigned', amount: 0n }])
    expect(await own(bob)).toMatchObject([{ state: 'pending', amount: 2_000n, saleId }])
    expect(await trade.balances(ada)).toEqual({})
    expect(await trade.balances(bob)).toEqual({ pending: 2_000n })
    expect(await told(bob)).toMatch(/A sale is now yours[\s\S]*They signed the contract/)
    expect(await told(ada)).toMatch(/\$20\.00 lower[\s\S]*credited to another partner[\s\S]*They signed the contract/)
    const later = await aSale(ada, { customer })
    expect(await saleOf(later)).toMatchObject({ partnerId: bob.id })
    const why = wordsOf(await house.run('admin sales why', { sale: saleId }, boss))
    expect(why).toMatch(/proposed by <@1>, approved by <@2>: They signed the contract/)
    expect(why).toMatch(new RegExp(`<@${ada.userId}>.*people decided otherwise`))
    expect(wordsOf(await house.run('earnings why', { sale: saleId }, bob))).toMatch(/credited it to you by hand/)
    expect(wordsOf(await house.run('earnings why', { sale: saleId }, ada))).toMatch(
      /not credited to you[\s\S]*the team decided otherwise/,
    )
    const audits = await house.connection
      .sql`select actor, action from core_audit where detail ->> 'saleId' = ${saleId} order by at, action`
    expect(audits.map(({ actor, action }) => `${actor} ${action}`)).toEqual(
      ['2 claims.override_approved', '1 claims.override_proposed'].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)),
    )
    expect(await trade.findings()).toEqual([])
  })

  test('what was paid already becomes debt of the one, and a refund afterwards concerns the other only', async () => {
    await house.set('commissions', 'holdDays', 0)
    const [ada, bob] = await pair()
    const payment = trade.aPayment(ada)
    const saleId = await trade.record(payment)
    await house.drain()
    await house.tick('commissions.release')
    await payFor(house, ada)
    await given(saleId, bob)
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, clawback_debt: 2_000n })
    expect(await trade.balances(bob)).toEqual({ pending: 2_000n })
    await trade.record({ ...payment, refunded: 5_000n })
    await house.drain()
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n, clawback_debt: 2_000n })
    expect(await trade.balances(bob)).toEqual({ pending: 1_000n })
    await aSale(ada)
    expect(await trade.balances(ada)).toEqual({ paid: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  test.each(['paid', 'returned'] as const)('what is in a payout is settled when the payout is %s', async (outcome) => {
    await house.set('commissions', 'holdDays', 0)
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    await house.tick('commissions.release')
    await payFor(house, ada, 'in_payout')
    await given(saleId, bob)
    expect(await trade.balances(ada)).toEqual({ in_flight: 2_000n, clawback_debt: 2_000n })
    expect(await trade.findings()).toEqual([])
    if (outcome === 'returned') {
      const { post } = house.use(ledger)
      const [part] = await own(ada)
      await house.db.transaction(async (tx) => {
        const account = (kind: 'in_flight' | 'payable') => ({ kind, partnerId: ada.id, currency: 'USD' })
        await post(tx, {
          programId: house.program.id,
          key: `test:returned:${part!.id}`,
          reason: 'payout_returned',
          subject: { type: 'payout', id: ada.id },
          entries: [
            { account: account('in_flight'), amount: 2_000n },
            { account: account('payable'), amount: -2_000n },
          ],
        })
        await house.use(commissions).setState(tx, part!, [part!.id], 'payable', 'payout_returned')
      })
      expect(await trade.balances(ada)).toEqual({})
      expect(await trade.findings()).toEqual([])
    }
  })

  test('there and back again leaves the books as they were', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    await given(saleId, bob)
    await given(saleId, ada)
    expect(await trade.balances(ada)).toEqual({ pending: 2_000n })
    expect(await trade.balances(bob)).toEqual({})
    expect(await own(ada)).toMatchObject([{ state: 'pending', reason: null, amount: 2_000n }])
    await given(saleId, undefined)
    expect(await saleOf(saleId)).toMatchObject({ partnerId: null })
    expect(await trade.balances(ada)).toEqual({})
    expect(await trade.findings()).toEqual([])
  })

  test('what an admin had decided about the one’s commission says nothing about the other’s', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    const [commission] = await own(ada)
    const about = { commission: commission!.id, reason: 'Bought it for themselves' }
    await house.run('admin commissions hold-one', about, boss)
    await house.run('admin commissions void', about, boss)
    await given(saleId, bob)
    expect(await own(bob)).toMatchObject([{ state: 'pending', amount: 2_000n }])
    await expect(house.run('admin commissions adjust', { ...about, amount: '5.00' }, boss)).rejects.toMatchObject({
      code: 'voided',
    })
    expect(await trade.findings()).toEqual([])
  })

  test('a hold on what the other has now is not lifted by way of what the one had', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    await given(saleId, bob)
    await house.run('admin commissions hold-one', { commission: (await own(bob))[0]!.id, reason: 'Looks odd' }, boss)
    const release = { commission: (await own(ada))[0]!.id, reason: 'It is fine' }
    await expect(
      house.run('admin commissions release-one', release, { isAdmin: true, userId: bob.userId, username: bob.username }),
    ).rejects.toMatchObject({ code: 'not_held' })
    expect(await own(bob)).toMatchObject([{ state: 'held', reason: 'manual' }])
  })

  test('that takes a sale from everybody stands when the payment is told again with another hint', async () => {
    const [ada, bob] = await pair()
    const payment = trade.aPayment(ada)
    const saleId = await trade.record(payment)
    await house.drain()
    await given(saleId, undefined)
    await trade.record({ ...payment, hints: { clickId: bob.id } })
    await house.drain()
    expect(await saleOf(saleId)).toMatchObject({ partnerId: null })
    expect(await own(bob)).toEqual([])
  })

  test('gives the commission that the payment’s day gave, though the program’s own rate is another since', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    await house.set('commissions', 'ratePercent', 10)
    house.clock.advance(days(1))
    await given(saleId, bob)
    expect(await own(bob)).toMatchObject([{ amount: 2_000n }])
    await house.set('commissions', 'ratePercent', 20)
  })

  test('needs a second person: nobody approves what they proposed, and the database refuses it, too', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    const { approve } = await propose(saleId, bob)
    await expect(house.press(approve, {}, boss)).rejects.toMatchObject({ code: 'second_person_needed' })
    await expect(
      house.connection
        .sql`update claims_overrides set state = 'approved', decided_by = proposed_by, decided_at = now() where sale_id = ${saleId}`,
    ).rejects.toThrow('check constraint')
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
  })

  test('of two admins who approve at the same moment one does, and a decision stands', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    const { approve, decline } = await propose(saleId, bob)
    const pressed = await Promise.allSettled([second, { ...second, userId: '3' }, second].map((by) => house.press(approve, {}, by)))
    expect(pressed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await expect(house.press(decline, {}, second)).rejects.toMatchObject({ code: 'already_decided' })
    expect(await trade.balances(bob)).toEqual({ pending: 2_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('changes nothing when a payment that is told again gives the sale to somebody else at the same moment', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(undefined)
    const { approve } = await propose(saleId, bob)
    let approved: Promise<unknown> | undefined
    await house.connection.sql.begin(async (tx) => {
      await tx`update attribution_sales set partner_id = ${ada.id} where id = ${saleId}`
      approved = expect(house.press(approve, {}, second)).rejects.toMatchObject({ code: 'sale_changed' })
      await vi.waitFor(async () => {
        const waiting = await house.connection.sql`select 1 from pg_locks where not granted`
        expect(waiting).not.toHaveLength(0)
      })
    })
    await approved
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
    expect(wordsOf((await house.press(approve, {}, second)) as Message)).toContain('changed hands')
  })

  test('a declined one changes nothing; another may follow; two cannot wait at once', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(ada)
    const { decline } = await propose(saleId, bob)
    await expect(propose(saleId, undefined)).rejects.toMatchObject({ code: 'override_open' })
    await house.press(decline, {}, second)
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
    await propose(saleId, undefined)
    expect(wordsOf(await house.run('admin-sales overrides', {}, boss))).toMatch(/waits for a second admin[\s\S]*declined/)
  })

  test.each<[string, (ada: TestPartner, bob: TestPartner) => Promise<unknown>, string]>([
    ['to whom it belongs already', async (ada) => propose(await aSale(ada), ada), 'already_theirs'],
    ['of an unknown sale', async (_, bob) => propose('018f0000-0000-7000-8000-000000000000', bob), 'unknown_sale'],
    [
      'to someone who is no partner',
      async (ada) => propose(await aSale(ada), { ...ada, userId: '999999999999999999' }),
      'no_partner',
    ],
    [
      'to a partner who is suspended',
      async (ada, bob) => {
        await house.connection.sql`update partners_partners set status = 'suspended' where id = ${bob.id}`
        return given(await aSale(ada), bob)
      },
      'partner_not_active',
    ],
    [
      'to the partner who bought it',
      async (ada, bob) => {
        const emailHash = house.use(attribution).hashEmail(bob.email)
        return given(await aSale(ada, { customer: { key: 'cus_bob', emailHash, country: undefined } }), bob)
      },
      'self_referral',
    ],
  ])('%s is refused', async (_, work, code) => {
    const [ada, bob] = await pair()
    await expect(work(ada, bob)).rejects.toMatchObject({ code })
    expect(await trade.findings()).toEqual([])
  })
})

describe('in any order', () => {
  type Step = { readonly refunded: bigint } | { readonly dispute: 'open' | 'won' | 'lost' } | { readonly to: 0 | 1 | null } | 'pay'
  const steps = fc.array(
    fc.oneof(
      fc.bigInt({ min: 0n, max: 10_000n }).map((refunded): Step => ({ refunded })),
      fc.constantFrom('open' as const, 'won' as const, 'lost' as const).map((dispute): Step => ({ dispute })),
      fc.constantFrom(0 as const, 1 as const, null).map((to): Step => ({ to })),
      fc.constant<Step>('pay'),
    ),
    { minLength: 3, maxLength: 9 },
  )

  property.prop([steps], { numRuns: 8 })(
    'refunds, disputes, payouts and changes of hands leave all of the sale’s worth with who has it, and none with the other',
    async (told) => {
      await house.set('commissions', 'holdDays', 0)
      const both = await pair()
      let payment = trade.aPayment(both[0])
      const saleId = await trade.record(payment)
      await house.drain()
      for (const step of told) {
        if (step === 'pay') {
          await house.tick('commissions.release')
          for (const partner of both) await payFor(house, partner)
        } else if ('to' in step) {
          const to = step.to === null ? null : both[step.to]!.id
          const override = { id: newId(), proposedBy: '1', approvedBy: '2', reason: 'So decided' }
          await house.db
            .transaction((tx) => house.use(attribution).reassign(tx, house.program.id, saleId, to, override))
            .catch((refusal: { code?: string }) => expect(refusal.code).toBe('already_theirs'))
        } else {
          payment = { ...payment, ...step }
          await trade.record(payment)
        }
        await house.drain()
        expect(await trade.findings()).toEqual([])
      }
      const sale = (await saleOf(saleId))!
      const worth = sale.dispute === 'lost' ? 0n : ((10_000n - sale.refunded) * 2n + 5n) / 10n
      for (const partner of both) {
        const total = sum((await own(partner)).map(({ amount }) => amount))
        expect(total).toBe(sale.partnerId === partner.id ? worth : 0n)
      }
    },
    60_000,
  )
})

describe('a claim', () => {
  const day = () => house.clock.now().toISOString().slice(0, 10)
  const story = 'I demonstrated it to them on Tuesday.'
  const claim = (partner: TestPartner, change = {}) =>
    house.run('sales claim', { date: day(), story, amount: '100.00', ...change }, partner)
  const open = async (partner: TestPartner) => {
    const [row] = await house.connection
      .sql`select id from claims_claims where partner_id = ${partner.id} order by filed_at desc limit 1`
    return house.press(`claims.look:${row!.id}`, {}, boss)
  }
  const decide = async (button: string, by = boss, reason = 'The mails show it') => {
    const form = await house.press(button, {}, by)
    const answer = await house.press((form as { custom_id: string }).custom_id, { fields: { reason } }, by)
    await house.drain()
    return wordsOf(answer)
  }

  test('of a sale of nobody’s is credited by one admin, and the partner is told why', async () => {
    const [ada] = await pair()
    const saleId = await aSale(undefined, { gross: 12_345n })
    expect(wordsOf(await claim(ada, { amount: '123.45' }))).toContain('with the team')
    const card = await open(ada)
    expect(wordsOf(card)).toMatch(/I demonstrated it[\s\S]*\$123\.45[\s\S]*nobody[\s\S]*fits: amount and day/)
    expect(await decide(controlsOf(card)[0]!)).toContain('The sale is theirs')
    expect(await trade.balances(ada)).toEqual({ pending: 2_469n })
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
    expect(await told(ada)).toMatch(/claim was approved[\s\S]*The mails show it/)
    await expect(decide(controlsOf(card)[0]!)).rejects.toMatchObject({ code: 'already_decided' })
    expect(await trade.findings()).toEqual([])
  })

  test('of two for one sale of nobody’s that two admins credit at the same moment, one is approved and the other stays open', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(undefined, { gross: 87_654n })
    const credits: Promise<unknown>[] = []
    for (const [partner, by] of [
      [ada, boss],
      [bob, second],
    ] as const) {
      await claim(partner, { amount: '876.54' })
      const [button] = controlsOf(await open(partner))
      const form = (await house.press(button!, {}, by)) as { custom_id: string }
      credits.push(Promise.resolve().then(() => house.press(form.custom_id, { fields: { reason: 'It fits' } }, by)))
    }
    const outcomes = await Promise.allSettled(credits)
    await house.drain()
    const states = await house.connection.sql`
      select c.state, c.partner_id = s.partner_id as theirs from claims_claims c, attribution_sales s
      where s.id = ${saleId} and c.partner_id in (${ada.id}, ${bob.id}) order by c.state`
    expect(states.map(({ state, theirs }) => `${state} ${theirs}`)).toEqual(['approved true', 'open false'])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await trade.findings()).toEqual([])
  })

  test('of another partner’s sale waits for a second admin, whose decision the claim follows', async () => {
    const [ada, bob] = await pair()
    const emailHash = house.use(attribution).hashEmail('carla@example.org')
    const saleId = await aSale(bob, { customer: { key: 'cus_carla', emailHash, country: undefined } })
    await claim(ada, { amount: undefined, email: ' Carla@Example.org ' })
    const card = await open(ada)
    expect(wordsOf(card)).toContain('fits: e-mail')
    expect(await decide(controlsOf(card)[0]!)).toContain('A second admin is asked')
    expect(await saleOf(saleId)).toMatchObject({ partnerId: bob.id })
    const [row] = await house.connection.sql`select id from claims_overrides where sale_id = ${saleId}`
    await expect(house.press(`claims.approve:${row!.id}`, {}, boss)).rejects.toMatchObject({ code: 'second_person_needed' })
    await house.press(`claims.approve:${row!.id}`, {}, second)
    await house.drain()
    expect(await saleOf(saleId)).toMatchObject({ partnerId: ada.id })
    expect(await told(ada)).toContain('claim was approved')
    expect(await trade.findings()).toEqual([])
  })

  test('waits for a decision again when the admin who agreed takes it back', async () => {
    const [ada, bob] = await pair()
    const saleId = await aSale(bob, { gross: 54_321n })
    await claim(ada, { amount: '543.21' })
    await decide(controlsOf(await open(ada))[0]!)
    const [row] = await house.connection.sql`select id from claims_overrides where sale_id = ${saleId}`
    await house.press(`claims.refuse:${row!.id}`, {}, boss)
    await house.drain()
    expect(await told(ada)).not.toContain('A second admin')
    expect(await decide(controlsOf(await open(ada)).at(-1)!, second, 'They bought before')).toContain('declined')
    expect(await told(ada)).toContain('They bought before')
  })

  test('is found by order number, shows the attached evidence, and can be declined with a reason', async () => {
    const [ada] = await pair()
    await aSale(undefined, { paymentKey: 'order-4711' })
    const url = `data:text/plain,${encodeURIComponent('Thank you for the demonstration')}`
    await claim(ada, {
      amount: undefined,
      order: 'order-4711',
      evidence: { id: '1', filename: 'mail.txt', size: 30, url, contentType: 'text/plain' },
    })
    const card = (await open(ada)) as Message
    expect(wordsOf(card)).toContain('fits: order')
    expect(card.files).toMatchObject([{ name: 'mail.txt', data: Buffer.from('Thank you for the demonstration') }])
    const [decline, shown] = controlsOf(card).slice(-2)
    expect(shown).toBe('attachment://mail.txt')
    await decide(decline!, boss, 'The demonstration was after the purchase')
    expect(await told(ada)).toMatch(/not approved[\s\S]*after the purchase/)
    expect(wordsOf(await house.run('admin-sales claims', {}, boss))).not.toContain(ada.userId)
  })

  test('nobody decides about their own', async () => {
    const [ada] = await pair()
    await aSale(undefined, { gross: 7_700n })
    await claim(ada, { amount: '77.00' })
    const card = await open(ada)
    await expect(decide(controlsOf(card)[0]!, { ...boss, userId: ada.userId })).rejects.toMatchObject({ code: 'own_claim' })
  })

  test.each<[string, object, string]>([
    ['without anything that tells which sale', { amount: undefined }, 'no_clue'],
    ['of a day that is none', { date: '2026-02-30' }, 'bad_date'],
    ['of a day to come', { date: '2099-01-01' }, 'future_date'],
    ['with an address that is none', { email: 'carla' }, 'bad_email'],
    ['of a negative amount', { amount: '-5.00' }, 'bad_amount'],
    ['in a currency that does not exist', { currency: 'XQZ' }, 'unknown_currency'],
  ])('%s is refused with a sentence', async (_, change, code) => {
    const [ada] = await pair()
    await expect(claim(ada, change)).rejects.toMatchObject({ code })
  })

  test('after the deadline is refused, as is one too many', async () => {
    const [ada] = await pair()
    const early = new Date(house.clock.now().getTime() - days(40)).toISOString().slice(0, 10)
    await expect(claim(ada, { date: early })).rejects.toMatchObject({ code: 'too_late' })
    await house.set('claims', 'maxOpen', 1)
    await claim(ada)
    await expect(claim(ada)).rejects.toMatchObject({ code: 'too_many_claims' })
    await house.set('claims', 'maxOpen', 5)
    await house.set('claims', 'deadlineDays', 0)
    await expect(claim(ada)).rejects.toMatchObject({ code: 'no_claims' })
    await house.set('claims', 'deadlineDays', 30)
  })
})
