import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import type { CanonicalPayment } from '../attribution/public.ts'
import { commissions } from '../commissions/plugin.ts'
import { earningPlugins, type TestPartner, type Trade, tradeIn } from '../commissions/testing.ts'
import { days, definePlugin, extend, hours, newId } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { waitingCard } from './messages.ts'
import { payouts } from './plugin.ts'
import {
  type AccountState,
  type PayoutGate,
  PayoutPostponed,
  type PayoutProvider,
  PayoutRefused,
  type Place,
  payoutGate,
  payoutProvider,
  type SendRequest,
} from './public.ts'
import { stepOf } from './schedule.ts'

/** A provider with real accounts and transfers in memory: what was applied stays applied, whatever the caller was told. */
const bank = {
  accounts: new Map<string, AccountState>(),
  /** How long it takes to say how an account is. */
  thinksMs: 0,
  transfers: new Map<string, { id: string; request: SendRequest }>(),
  funds: 1_000_000_000n,
  sends: 0,
  finds: 0,
  /** How often it was asked how an account is. */
  asks: 0,
  rounds: [] as number[],
  /** What goes wrong with the next send. */
  trouble: undefined as
    | 'dies after applying'
    | 'dies before applying'
    | 'refuses'
    | 'refuses in its own words'
    | 'puts off'
    | undefined,
  forgetsKeys: false,
}
const provider: PayoutProvider = {
  id: 'testbank',
  title: 'Test Bank',
  onboard: async ({ account, partnerId, returnUrl, refreshUrl }) => {
    const id = account ?? `acct_${partnerId}`
    if (!bank.accounts.has(id)) bank.accounts.set(id, { ready: false, missing: 'bank account' })
    return {
      account: id,
      url: `https://bank.test/onboard?back=${encodeURIComponent(returnUrl)}&again=${encodeURIComponent(refreshUrl)}`,
    }
  },
  accountState: async (account) => {
    bank.asks++
    const state = bank.accounts.get(account)
    if (!state) throw new Error('the bank is closed')
    house.clock.advance(bank.thinksMs)
    return state
  },
  find: async ({ payoutId }) => {
    bank.finds++
    const found = bank.transfers.get(payoutId)
    return found && { providerId: found.id, state: 'sent' }
  },
  send: async (request) => {
    bank.sends++
    const trouble = bank.trouble
    bank.trouble = undefined
    bank.rounds.push(request.round)
    if (trouble === 'puts off') throw new PayoutPostponed('You have insufficient funds in your account.')
    if (trouble === 'refuses in its own words')
      throw new PayoutRefused('No such destination for sk_1.', 'The bank did not accept it.')
    if (trouble === 'refuses') throw new PayoutRefused('The account is closed.')
    if (trouble === 'dies before applying') throw new Error('socket hang up')
    if (!bank.transfers.has(request.payoutId) || bank.forgetsKeys) {
      if (bank.transfers.has(request.payoutId)) throw new Error('this would have been paid twice')
      bank.transfers.set(request.payoutId, { id: `tr_${request.payoutId}`, request })
      bank.funds -= request.amount
    }
    if (trouble === 'dies after applying') throw new Error('socket hang up')
    return { providerId: `tr_${request.payoutId}`, state: 'sent' }
  },
  available: async () => bank.funds,
}
/** Another plugin's gate: closed for the partners in here. */
const gateClosedFor = new Set<string>()
const gate: PayoutGate = {
  id: 'testbank.mood',
  closed: async (_reader, _programId, questions) =>
    questions.map(({ partner }) =>
      gateClosedFor.has(partner.id) ? { forAdmin: 'is in a bad mood', forPartner: 'Cheer up first.' } : undefined,
    ),
}
const testBank = definePlugin({
  id: 'testbank',
  title: 'Test Bank',
  summary: 'A payout provider for tests.',
  requires: [payouts],
  setup: () => ({ extends: [extend(payoutProvider, provider), extend(payoutGate, gate)] }),
})

const boss = { isAdmin: true, userId: '1', username: 'boss' }
const second = { isAdmin: true, userId: '2', username: 'second' }

let house: TestHouse
let trade: Trade
beforeAll(async () => {
  house = await testHouse([...earningPlugins, payouts, testBank])
  trade = tradeIn(house)
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('commissions', 'holdDays', 0)
  await house.set('payouts', 'methodCoolingHours', 0)
  await house.set('payouts', 'minimum', '50.00')
  await house.set('payouts', 'approvalAbove', '5000.00')
  await house.set('payouts', 'minimumByCurrency', {})
  await house.set('payouts', 'approvalAboveByCurrency', {})
  Object.assign(bank, { funds: 1_000_000_000n, sends: 0, finds: 0, rounds: [], trouble: undefined, forgetsKeys: true })
  bank.transfers.clear()
  gateClosedFor.clear()
  // What earlier tests had prepared counts towards the threshold for a day.
  house.clock.advance(days(1))
  // What an earlier test left payable is nobody's business here.
  await house.connection.sql`update payouts_methods set chosen = false`
})

const programId = () => house.program.id
const transfersTo = (partner: TestPartner) =>
  [...bank.transfers.values()].filter(({ request }) => request.destination === `acct_${partner.id}`)
const payoutsOf = (partner: TestPartner) =>
  house.connection.sql`select * from payouts_payouts where partner_id = ${partner.id} order by prepared_at, id`
const dueNow = () => house.tick('payouts.retry').then(() => house.drain())
const later = async () => {
  house.clock.advance(hours(1))
  await dueNow()
}

/** A partner with a verified payout method and this much payable, in cents of a dollar. */
async function aPayablePartner(amount = 10_000n, change: Partial<CanonicalPayment> = {}, setUp = true): Promise<TestPartner> {
  const partner = await trade.aPartner()
  if (setUp) await setUpMethod(partner)
  await trade.record(trade.aPayment(partner, { gross: amount * 5n, ...change }))
  await house.drain()
  await house.tick('commissions.release')
  await house.drain()
  return partner
}
async function setUpMethod(partner: TestPartner): Promise<void> {
  const [link] = controlsOf(await house.run('payout setup', {}, partner))
  bank.accounts.set(`acct_${partner.id}`, { ready: true, missing: '' })
  const back = new URL(new URL(link!).searchParams.get('back')!)
  const answer = await house.app.inject(back.pathname)
  expect(answer.statusCode).toBe(200)
  await house.drain()
}
const run = (visitor = boss) => house.run('admin payouts run', {}, visitor).then(wordsOf)
/** Looks at what waits and presses the button of each run that it may press. */
async function approve(visitor = second): Promise<string> {
  const card = await house.run('admin payouts approve', {}, visitor)
  const answers: string[] = []
  for (const id of controlsOf(card).filter((control) => control.startsWith('payouts.approve:')))
    answers.push(wordsOf(await house.press(id, {}, visitor)))
  return answers.join('\n')
}
const confirm = (partner: TestPartner, outcome: 'paid' | 'returned' = 'paid') =>
  house.db.transaction((tx) =>
    house.use(payouts).confirm(tx, 'testbank', transfersTo(partner)[0]!.id, outcome, 'The account is closed.'),
  )
const told = async (partner: TestPartner) =>
  (await house.connection.sql`select message from notifications_tells where user_id = ${partner.userId} order by created_at`)
    .map(({ message }) => wordsOf(message))
    .join('\n')
const mailed = async (partner: TestPartner) =>
  (await house.connection.sql`select subject from notifications_mails where recipient = ${partner.email}`).map(
    ({ subject }) => subject as string,
  )

describe('a payout', () => {
  test('is sent once with the right amount, confirmed by the provider, and told in Discord and by mail', async () => {
    const ada = await aPayablePartner(8_000n)
    const dry = wordsOf(await house.run('admin payouts dry-run', {}, boss))
    expect(dry).toContain('$80.00 for 1 commission')
    expect(dry).toContain('enough')
    expect(transfersTo(ada)).toEqual([])
    expect(await trade.balances(ada)).toEqual({ payable: 8_000n })

    expect(await run()).toContain('Payouts are being sent')
    expect(await trade.balances(ada)).toEqual({ in_flight: 8_000n })
    await house.drain()
    expect(transfersTo(ada).map(({ request }) => [request.amount, request.currency])).toEqual([[8_000n, 'USD']])
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent', amount: '8000' }])

    expect(await run()).toContain('Nothing new to pay')
    await house.drain()
    expect(bank.sends).toBe(1)

    for (let i = 0; i < 3; i++) expect(await confirm(ada)).toBe(true)
    await house.drain()
    expect(await trade.balances(ada)).toEqual({ paid: 8_000n })
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'paid' }])
    expect(await house.use(commissions).ofPartner(house.db, programId(), ada.id)).toMatchObject([{ state: 'paid' }])
    expect(await told(ada)).toContain('You were paid $80.00')
    expect(await mailed(ada)).toContain('You were paid $80.00')
    expect(wordsOf(await house.run('admin payouts list', {}, boss))).toContain('✅ paid')
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('$80.00')
    expect(await trade.findings()).toEqual([])
  })

  test('covers all commissions of the partner in one currency, and each currency has its own', async () => {
    const ada = await aPayablePartner(3_000n)
    await trade.record(trade.aPayment(ada, { gross: 20_000n }))
    await trade.record(trade.aPayment(ada, { gross: 20_000n, currency: 'JPY' }))
    await house.drain()
    await house.tick('commissions.release')
    await house.drain()
    await run()
    await house.drain()
    expect(
      transfersTo(ada)
        .map(({ request }) => `${request.amount} ${request.currency}`)
        .sort(),
    ).toEqual(['4000 JPY', '7000 USD'])
    expect(
      await house.connection.sql`select count(*)::int as items from payouts_items i join payouts_payouts p on p.id = i.payout_id
      where p.partner_id = ${ada.id}`,
    ).toEqual([{ items: 3 }])
    expect(await trade.findings()).toEqual([])
  })

  test('of sixty-four runs at once is made once for each partner', async () => {
    const partners = [await aPayablePartner(), await aPayablePartner(), await aPayablePartner()]
    await Promise.all(Array.from({ length: 64 }, () => run()))
    await house.drain()
    for (const partner of partners) {
      expect(await payoutsOf(partner)).toHaveLength(1)
      expect(transfersTo(partner)).toHaveLength(1)
      expect(await trade.balances(partner)).toEqual({ in_flight: 10_000n })
    }
    expect(bank.sends).toBe(3)
    expect(await trade.findings()).toEqual([])
  })

  test('cannot hold a commission that is in another live payout: the database refuses', async () => {
    const ada = await aPayablePartner()
    await run()
    const [payout] = await payoutsOf(ada)
    await expect(
      house.connection.sql`insert into payouts_items (payout_id, commission_id, program_id, amount)
        select gen_random_uuid(), commission_id, program_id, amount from payouts_items where payout_id = ${payout!.id}`,
    ).rejects.toMatchObject({ code: '23505', constraint_name: 'payouts_items_once' })
    await house.drain()
  })
})

describe('when something breaks', () => {
  test('after the provider took it and before that was recorded, the transfer is found and not sent again', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow('socket hang up')
    expect(transfersTo(ada)).toHaveLength(1)
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued', attempts: 1, note: expect.stringContaining('socket hang up') }])
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent', attempts: 2, note: null, provider_id: transfersTo(ada)[0]!.id }])
    expect([bank.sends, bank.finds]).toEqual([1, 1])
    expect(await trade.findings()).toEqual([])
  })

  test('that arrived before its making was recorded counts as paid when that was told', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow('socket hang up')
    await confirm(ada)
    const toldAt = house.clock.now()
    house.clock.advance(days(1))
    await later()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'paid' }])
    const then = { from: toldAt, to: new Date(toldAt.getTime() + 1) }
    expect(await house.use(payouts).paidBetween(house.db, house.program.id, then, [ada.id])).toMatchObject([{ amount: 10_000n }])
  })

  test('before the provider took it, it is sent by the next try', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies before applying'
    await expect(house.drain()).rejects.toThrow('socket hang up')
    await house.drain()
    expect(transfersTo(ada)).toHaveLength(1)
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent' }])
    expect([bank.sends, bank.finds]).toEqual([2, 1])
  })

  test('and the job itself was set aside, a later look asks for it again and still pays once', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow()
    await house.connection.sql`update core_outbox set done_at = now() where name = 'payouts.send' and done_at is null`
    await dueNow()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
    await later()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent' }])
    expect(bank.sends).toBe(1)
  })

  test('and the confirmation overtakes our own record, it still counts', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow()
    expect(await confirm(ada)).toBe(false)
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'paid' }])
    expect(await trade.balances(ada)).toEqual({ paid: 10_000n })
    expect(await told(ada)).toContain('You were paid $100.00')
    expect(await trade.findings()).toEqual([])
  })

  test('and the confirmation comes at the very moment of our own record, it still counts', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow()
    let recording: Promise<void> | undefined
    await house.db.transaction(async (tx) => {
      expect(await house.use(payouts).confirm(tx, 'testbank', transfersTo(ada)[0]!.id, 'paid', '')).toBe(false)
      recording = house.drain()
      await vi.waitFor(async () =>
        expect(await house.connection.sql`select 1 from pg_locks where not granted and locktype = 'advisory'`).toHaveLength(1),
      )
    })
    await recording
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'paid' }])
    expect(await trade.findings()).toEqual([])
  })

  test('and the provider refuses for good, the money is payable again, with the reason, and goes out with the next run', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'refuses'
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'refused', note: 'The account is closed.' }])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await house.use(commissions).ofPartner(house.db, programId(), ada.id)).toMatchObject([
      { state: 'payable', reason: 'payout_refused' },
    ])
    expect(await told(ada)).toContain('The account is closed')
    expect(wordsOf(await house.run('admin payouts list', {}, boss))).toContain('The account is closed')
    expect(await trade.findings()).toEqual([])
    await run()
    await house.drain()
    expect((await payoutsOf(ada)).map(({ state }) => state as string).sort()).toEqual(['refused', 'sent'])
    expect(transfersTo(ada)).toHaveLength(1)
    expect(await trade.findings()).toEqual([])
  })

  test('and the provider refuses in words about the program’s own account, admins read them and the partner does not', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'refuses in its own words'
    await house.drain()
    expect(wordsOf(await house.run('admin payouts list', {}, boss))).toContain('No such destination')
    const read = `${await told(ada)} ${wordsOf(await house.run('payout status', {}, ada))}`
    expect(read).toContain('The bank did not accept it.')
    expect(read).not.toContain('No such destination')
  })

  test.each([false, true])('and the money comes back (after it was paid: %s), it is payable again', async (wasPaid) => {
    const ada = await aPayablePartner()
    await run()
    await house.drain()
    if (wasPaid) await confirm(ada)
    for (let i = 0; i < 2; i++) expect(await confirm(ada, 'returned')).toBe(true)
    expect(await confirm(ada, 'paid')).toBe(true)
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'returned' }])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await told(ada)).toContain('did not arrive')
    expect(await trade.findings()).toEqual([])
  })

  test.each(['paid', 'returned'] as const)(
    'and it is %s at the moment of another run, neither waits for the other in vain',
    async (outcome) => {
      const ada = await aPayablePartner()
      await run()
      await house.drain()
      await trade.record(trade.aPayment(ada, { gross: 40_000n }))
      await house.drain()
      await house.tick('commissions.release')
      let confirmed: Promise<unknown> | undefined
      const spy = vi.spyOn(gate, 'closed').mockImplementation(async (reader, _programId, questions) => {
        // The second question is asked while the payout is made.
        if (reader !== house.db) {
          confirmed = confirm(ada, outcome)
          confirmed.catch(() => {})
          await new Promise((done) => setTimeout(done, 200))
        }
        return questions.map(() => undefined)
      })
      await run().finally(() => spy.mockRestore())
      expect(await confirmed).toBe(true)
      expect((await payoutsOf(ada)).map(({ state }) => state)).toEqual([outcome, 'queued'])
      await house.drain()
      expect(await trade.findings()).toEqual([])
    },
  )

  test('funds that are missing keep the payout waiting with a reason, and it goes out when they are there', async () => {
    const ada = await aPayablePartner()
    bank.funds = 2_500n
    expect(wordsOf(await house.run('admin payouts dry-run', {}, boss))).toContain('$75.00 short')
    await run()
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
    expect(wordsOf(await house.run('admin payouts list', {}, boss))).toContain('Test Bank has $25.00 of the $100.00 needed')
    await later()
    expect(bank.sends).toBe(0)
    bank.funds = 10_000n
    await later()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent', note: null }])
    expect(bank.funds).toBe(0n)
  })

  test('a provider that could not even be asked for its funds was not tried: the payout can be called back, and the gates count', async () => {
    async function unasked() {
      const partner = await aPayablePartner()
      await run()
      const spy = vi.spyOn(provider, 'available').mockRejectedValueOnce(new Error('socket hang up'))
      await expect(house.drain().finally(() => spy.mockRestore())).rejects.toThrow('socket hang up')
      const [payout] = await payoutsOf(partner)
      expect(payout).toMatchObject({ state: 'queued', attempts: 0, note: expect.stringContaining('socket hang up') })
      return { ...partner, payout: payout!.id as string }
    }
    const eva = await unasked()
    await house.run('admin payouts cancel', { payout: eva.payout, reason: 'Wrong month' }, boss)
    gateClosedFor.add(eva.id)
    const ada = await unasked()
    gateClosedFor.add(ada.id)
    await later()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'cancelled', note: 'is in a bad mood' }])
    expect(bank.sends).toBe(0)
  })

  test('and it cannot be asked for an earlier try that it did not answer, that one still counts', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow()
    const spy = vi.spyOn(provider, 'find').mockRejectedValueOnce(new Error('socket hang up'))
    await expect(house.drain().finally(() => spy.mockRestore())).rejects.toThrow('socket hang up')
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued', attempts: 1 }])
    const [payout] = await payoutsOf(ada)
    await expect(house.run('admin payouts cancel', { payout: payout!.id, reason: 'Wrong month' }, boss)).rejects.toThrow(
      'clear answer',
    )
    await later()
    expect([await payoutsOf(ada), transfersTo(ada).length]).toMatchObject([[{ state: 'sent' }], 1])
  })

  test('a provider that puts it off, as when another payout took the funds, is asked for it and tried again under another key', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'puts off'
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([
      { state: 'queued', attempts: 0, note: expect.stringContaining('insufficient funds') },
    ])
    expect(await told(ada)).not.toContain('did not arrive')
    expect(wordsOf(await house.run('payout status', {}, ada))).not.toContain('insufficient funds')
    await later()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent', note: null }])
    expect([bank.rounds, bank.finds, transfersTo(ada).length]).toEqual([[0, 1], 1, 1])
    expect(await trade.findings()).toEqual([])
  })

  test('the key stays while an earlier try may still come to something under it, and the payout cannot be called back', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies before applying'
    await expect(house.drain()).rejects.toThrow()
    bank.trouble = 'puts off'
    await house.drain()
    const [payout] = await payoutsOf(ada)
    expect(payout).toMatchObject({ state: 'queued', attempts: 1 })
    const cancel = house.run('admin payouts cancel', { payout: payout!.id, reason: 'Wrong month' }, boss)
    await expect(cancel).rejects.toThrow(/without a clear answer.*insufficient funds/)
    await later()
    expect([bank.rounds, transfersTo(ada).length]).toEqual([[0, 0, 0], 1])
  })

  test('news about transfers that nobody knows changes nothing and is forgotten in time', async () => {
    const confirmed = await house.db.transaction((tx) => house.use(payouts).confirm(tx, 'testbank', 'tr_unknown', 'paid', ''))
    expect(confirmed).toBe(false)
    house.clock.advance(days(31))
    await house.tick('payouts.forget_news')
    expect(await house.connection.sql`select * from payouts_early_news`).toHaveLength(0)
  })
})

describe('the gates', () => {
  const refusedBecause = async (partner: TestPartner, ...reasons: string[]) => {
    const dry = wordsOf(await house.run('admin payouts dry-run', {}, boss))
    const [person] = await house.connection.sql`select name from partners_partners where id = ${partner.id}`
    const line = dry.split('\n').find((text) => text.includes(`• ${person!.name} (`))
    for (const reason of reasons) expect(line).toContain(reason)
    await run()
    await house.drain()
    expect(transfersTo(partner)).toEqual([])
    return wordsOf(await house.run('payout status', {}, partner))
  }

  test('no payout method', async () => {
    expect(await refusedBecause(await aPayablePartner(10_000n, {}, false), 'no payout method')).toContain('Run `/payout setup`')
  })

  test('a method that is not complete', async () => {
    const ada = await aPayablePartner()
    await house.db.transaction((tx) =>
      house.use(payouts).accountChanged(tx, 'testbank', `acct_${ada.id}`, { ready: false, missing: 'proof of identity' }),
    )
    expect(await refusedBecause(ada, 'not complete', 'proof of identity')).toContain('proof of identity')
  })

  test('a method that was changed within 72 hours, until they are over', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    await refusedBecause(ada, 'changed the payout method')
    house.clock.advance(hours(72) - 1)
    await run()
    expect(await payoutsOf(ada)).toHaveLength(0)
    house.clock.advance(1)
    await run()
    expect(await payoutsOf(ada)).toHaveLength(1)
  })

  test('less than the minimum waits until there is more', async () => {
    const ada = await aPayablePartner(4_999n)
    expect(await refusedBecause(ada, 'below the minimum of $50.00')).toContain('waits for more')
    await trade.record(trade.aPayment(ada, { gross: 5n }))
    await house.drain()
    await house.tick('commissions.release')
    await house.drain()
    await run()
    await house.drain()
    expect(transfersTo(ada).map(({ request }) => request.amount)).toEqual([5_000n])
  })

  test('someone who left gets the rest, however small', async () => {
    const ada = await aPayablePartner(100n)
    await house.connection.sql`update partners_partners set status = 'left', status_before_left = 'active' where id = ${ada.id}`
    await run()
    await house.drain()
    expect(transfersTo(ada).map(({ request }) => request.amount)).toEqual([100n])
  })

  test('someone who was suspended', async () => {
    const ada = await aPayablePartner()
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
    await refusedBecause(ada, 'not an active partner')
  })

  test('someone who was suspended and left since', async () => {
    const ada = await aPayablePartner()
    await house.connection.sql`update partners_partners set status = 'left', status_before_left = 'suspended' where id = ${ada.id}`
    await refusedBecause(ada, 'not an active partner')
  })

  test('someone who left need not sign what is newer than their leaving', async () => {
    const ada = await aPayablePartner(100n)
    await house.connection.sql`update partners_partners set status = 'left', status_before_left = 'active' where id = ${ada.id}`
    await house.connection.sql`alter table agreements_signatures disable trigger user`
    await house.connection.sql`delete from agreements_signatures where partner_id = ${ada.id}`
    await house.connection.sql`alter table agreements_signatures enable trigger user`
    await run()
    await house.drain()
    expect(transfersTo(ada)).toHaveLength(1)
  })

  test('a currency may have a minimum of its own, and the others keep the plain one', async () => {
    await house.set('payouts', 'minimumByCurrency', { EUR: '100.00' })
    const eva = await aPayablePartner(9_999n, { currency: 'EUR' })
    const usha = await aPayablePartner(9_999n)
    await refusedBecause(eva, 'below the minimum of €100.00')
    expect(transfersTo(usha)).toHaveLength(1)
  })

  test.each([[{ eur: '1.00' }], [{ EUR: 'one' }], [{ XXZ: '1.00' }], ['50']])(
    'the minimum by currency cannot be %j',
    async (value) => {
      await expect(house.set('payouts', 'minimumByCurrency', value)).rejects.toMatchObject({ code: 'bad_setting' })
    },
  )

  test('another plugin’s gate is told to the admin and to the partner, and asked again when the payout is made', async () => {
    const ada = await aPayablePartner()
    gateClosedFor.add(ada.id)
    expect(await refusedBecause(ada, 'is in a bad mood')).toContain('Cheer up first.')
    gateClosedFor.clear()
    await run()
    expect(await payoutsOf(ada)).toHaveLength(1)
    await house.drain()
  })

  test.each<[string, (partner: TestPartner) => Promise<unknown>]>([
    ['is suspended', ({ id }) => house.connection.sql`update partners_partners set status = 'suspended' where id = ${id}`],
    [
      'has a method that changed',
      ({ id }) =>
        house.connection.sql`update payouts_methods set changed_at = ${house.clock.now().toISOString()} where partner_id = ${id}`,
    ],
    [
      'has a method that is not complete any more',
      ({ id }) =>
        house.db.transaction((tx) =>
          house.use(payouts).accountChanged(tx, 'testbank', `acct_${id}`, { ready: false, missing: 'proof of identity' }),
        ),
    ],
    [
      'has no method any more',
      ({ id }) => house.connection.sql`update payouts_methods set chosen = false where partner_id = ${id}`,
    ],
    [
      'has signed nothing that counts',
      async ({ id }) => {
        await house.connection.sql`alter table agreements_signatures disable trigger user`
        await house.connection.sql`delete from agreements_signatures where partner_id = ${id}`
        await house.connection.sql`alter table agreements_signatures enable trigger user`
      },
    ],
  ])('who by the time of their payout %s is not paid, whatever was so when all were looked at', async (_, happens) => {
    const ada = await aPayablePartner()
    await house.set('payouts', 'methodCoolingHours', 72)
    house.clock.advance(hours(72))
    const spy = vi.spyOn(gate, 'closed').mockImplementationOnce(async (_reader, _programId, questions) => {
      expect(questions.map(({ partner }) => partner.id)).toContain(ada.id)
      await happens(ada)
      return questions.map(() => undefined)
    })
    await run().finally(() => spy.mockRestore())
    expect(await payoutsOf(ada)).toEqual([])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await trade.findings()).toEqual([])
  })

  test('a dry run with more partners than a card holds spells out each of them in a file', async () => {
    for (let i = 0; i < 16; i++) await aPayablePartner(100n + BigInt(i))
    const answer = (await house.run('admin payouts dry-run', {}, boss)) as Message
    const file = answer.files?.[0]?.data.toString('utf8') ?? ''
    expect(file.split('\r\n').filter((line) => line.includes('is below the minimum of $50.00')).length).toBeGreaterThanOrEqual(16)
    expect(file).toContain('waits for more')
    expect(JSON.stringify(answer.components)).toContain('attachment://dry-run.csv')
  })

  test('the file of a dry run is plain text: no signs that only Discord shows as something else', async () => {
    for (let i = 0; i < 16; i++) await aPayablePartner(100n + BigInt(i), {}, false)
    const ada = await aPayablePartner()
    await house.set('payouts', 'methodCoolingHours', 72)
    const [method] = await house.connection
      .sql`update payouts_methods set changed_at = ${house.clock.now().toISOString()} where partner_id = ${ada.id} returning changed_at::text`
    const answer = (await house.run('admin payouts dry-run', {}, boss)) as Message
    const file = answer.files![0]!.data.toString('utf8')
    const until = new Date(Date.parse(method!.changed_at) + hours(72)).toISOString()
    expect(file).toContain(`can be paid ${until.slice(0, 10)} ${until.slice(11, 16)} UTC`)
    expect(file).toContain('You have no payout method yet. Run /payout setup.')
    expect(file).not.toMatch(/<t:|`|\\/)
  })

  test('a refund between dry run and run is seen by the run', async () => {
    const ada = await trade.aPartner()
    await setUpMethod(ada)
    const payment = trade.aPayment(ada, { gross: 50_000n })
    await trade.record(payment)
    await house.drain()
    await house.tick('commissions.release')
    await house.run('admin payouts dry-run', {}, boss)
    await trade.record({ ...payment, refunded: 20_000n })
    await house.drain()
    await run()
    await house.drain()
    expect(transfersTo(ada).map(({ request }) => request.amount)).toEqual([6_000n])
    expect(await trade.findings()).toEqual([])
  })
})

describe('approval', () => {
  test('a run above the threshold waits for another admin, and not for the one who started it', async () => {
    const ada = await aPayablePartner(500_001n)
    expect(await run()).toContain('second admin')
    await house.drain()
    expect(bank.sends).toBe(0)
    expect(await trade.balances(ada)).toEqual({ in_flight: 500_001n })
    expect(wordsOf(await house.run('admin payouts approve', {}, boss))).toContain('another admin must approve')
    await expect(approve(boss)).rejects.toMatchObject({ code: 'second_person_needed' })
    const shown = wordsOf(await house.run('admin payouts approve', {}, second))
    for (const part of ['$5,000.01** to 1 partner', 'started by <@1>', 'Nothing was sent yet']) expect(shown).toContain(part)
    await house.drain()
    expect(bank.sends).toBe(0)
    expect(await approve()).toContain('$5,000.01')
    await house.drain()
    expect(transfersTo(ada)).toHaveLength(1)
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent', approved_by: '2' }])
    expect(wordsOf(await house.run('admin payouts approve', {}, second))).toContain('Nothing waits')
  })

  test('is refused to an admin who is a partner and is paid by the run, until their own payout is called back', async () => {
    await house.set('payouts', 'approvalAbove', '10.00')
    const [ada, eva] = [await aPayablePartner(), await aPayablePartner()]
    const adaAsAdmin = { ...ada, isAdmin: true }
    await run()
    const card = await house.run('admin payouts approve', {}, adaAsAdmin)
    expect(wordsOf(card)).toContain('A payout of your own is in this run: another admin must approve it')
    const [button] = controlsOf(card)
    await expect(house.press(button!, {}, adaAsAdmin)).rejects.toMatchObject({ code: 'own_payout' })
    expect(await payoutsOf(eva)).toMatchObject([{ state: 'awaiting_approval' }])
    const [own] = await payoutsOf(ada)
    await house.run('admin payouts cancel', { payout: own!.id, reason: 'so that the rest can go' }, adaAsAdmin)
    expect(await approve(adaAsAdmin)).toContain('$100.00')
    expect(await payoutsOf(eva)).toMatchObject([{ state: 'queued', approved_by: ada.userId }])
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    await house.drain()
  })

  test('shows the largest of each currency, however few of its units the other’s are worth', () => {
    const of = (currency: string, amount: bigint) => ({ partnerId: currency, currency, amount })
    const payouts = [
      ...Array.from({ length: 20 }, (_, i) => of('JPY', 1_000_000n + BigInt(i))),
      of('USD', 5_000n),
      of('USD', 900_000n),
    ]
    const run = { runId: 'run', actor: 'schedule', startedAt: house.clock.now(), payouts }
    const viewer = { userId: second.userId, partnerId: undefined, setTheDay: [] }
    const words = wordsOf(waitingCard([run], viewer, new Map(['JPY', 'USD'].map((name) => [name, name]))))
    expect(words).toMatch(/• JPY: ¥1,000,019\n• USD: \$9,000\.00\n/)
    expect(words).toContain('and 7 more, none of them larger in its currency')
  })

  test('many small payouts that are above it together wait, too', async () => {
    const partners = [await aPayablePartner(250_001n), await aPayablePartner(250_000n)]
    await run()
    for (const partner of partners) expect(await payoutsOf(partner)).toMatchObject([{ state: 'awaiting_approval' }])
    const shown = wordsOf(await house.run('admin payouts approve', {}, second)).replaceAll('\\', '')
    expect(shown).toMatch(/• Partner \d+: \$2,500\.01\n• Partner \d+: \$2,500\.00/)
    await approve()
    await house.drain()
  })

  test('what was cut into two runs, or is left of one that died half-way, waits all the same', async () => {
    const [first, rest] = [await aPayablePartner(250_000n), await aPayablePartner(250_001n)]
    gateClosedFor.add(rest.id)
    await run()
    expect(await payoutsOf(first)).toMatchObject([{ state: 'queued' }])
    gateClosedFor.clear()
    await run()
    expect(await payoutsOf(rest)).toMatchObject([{ state: 'awaiting_approval' }])
    const next = await aPayablePartner(250_001n)
    house.clock.advance(days(1))
    await run()
    expect(await payoutsOf(next)).toMatchObject([{ state: 'queued' }])
    await approve()
    await house.drain()
  })

  test('what becomes payable while the run is made counts towards the threshold', async () => {
    const ada = await aPayablePartner(100_000n)
    await house.set('commissions', 'holdDays', 1)
    await trade.record(trade.aPayment(ada, { gross: 2_000_005n }))
    await house.drain()
    house.clock.advance(days(2))
    const spy = vi.spyOn(gate, 'closed').mockImplementationOnce(async (_reader, _programId, questions) => {
      await house.tick('commissions.release')
      return questions.map(() => undefined)
    })
    await run().finally(() => spy.mockRestore())
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'awaiting_approval', amount: '500001' }])
    await approve()
    await house.drain()
  })

  describe('looks again', () => {
    beforeEach(() => house.set('payouts', 'approvalAbove', '10.00'))

    /** What waits while `happens`, and is then approved. */
    async function afterWaiting(partner: TestPartner, happens: () => unknown): Promise<string> {
      await run()
      house.clock.advance(days(3))
      await happens()
      await house.drain()
      const words = await approve()
      await later()
      expect(await trade.findings()).toEqual([])
      expect(await house.use(commissions).ofPartner(house.db, programId(), partner.id)).not.toMatchObject([{ state: 'in_payout' }])
      return words
    }

    test('and takes back what is for somebody who was suspended, or whom another plugin holds back', async () => {
      const [ada, eva, fine] = [await aPayablePartner(), await aPayablePartner(), await aPayablePartner()]
      const words = await afterWaiting(ada, async () => {
        await house.connection.sql`update partners_partners set status = 'suspended' where id = ${ada.id}`
        gateClosedFor.add(eva.id)
      })
      for (const part of ['$100.00** to 1 partner', 'Taken back and payable again', 'not an active partner', 'is in a bad mood'])
        expect(words).toContain(part)
      expect([ada, eva, fine].map((partner) => transfersTo(partner).length)).toEqual([0, 0, 1])
      expect(await payoutsOf(eva)).toMatchObject([{ state: 'cancelled', note: 'is in a bad mood' }])
      expect(await trade.balances(eva)).toEqual({ payable: 10_000n })
      expect(wordsOf(await house.run('payout status', {}, eva))).not.toContain('bad mood')
    })

    test('and a sale that was refunded meanwhile is not paid out', async () => {
      const ada = await trade.aPartner()
      await setUpMethod(ada)
      const payment = trade.aPayment(ada, { gross: 100_000n })
      await trade.record(payment)
      await house.drain()
      await house.tick('commissions.release')
      await house.drain()
      const words = await afterWaiting(ada, () => trade.record({ ...payment, refunded: 100_000n }))
      for (const part of ['Nothing was sent', 'owes something back first']) expect(words).toContain(part)
      expect(transfersTo(ada)).toEqual([])
      expect(await trade.balances(ada)).toEqual({})
    })

    test.each(['is disputed', 'is held for fraud'])(
      'and what holds a sale that %s meanwhile is taken back, and held',
      async (what) => {
        const ada = await trade.aPartner()
        await setUpMethod(ada)
        const payment = trade.aPayment(ada, { gross: 100_000n })
        await trade.record(payment)
        await trade.record(trade.aPayment(ada, { gross: 50_000n }))
        await house.drain()
        await house.tick('commissions.release')
        await house.drain()
        const [own] = await house.use(commissions).ofPartner(house.db, programId(), ada.id)
        const words = await afterWaiting(ada, () =>
          what === 'is disputed'
            ? trade.record({ ...payment, dispute: 'open' })
            : house.db.transaction((tx) => house.use(commissions).hold(tx, programId(), own!.id, 'fraud_test')),
        )
        for (const part of ['Nothing was sent', 'a sale in it is disputed or on hold']) expect(words).toContain(part)
        expect(transfersTo(ada)).toEqual([])
        expect(await trade.balances(ada)).toEqual({ held: 20_000n, payable: 10_000n })
      },
    )

    test('and another bank account behind the method, or another method, takes it back', async () => {
      await house.set('payouts', 'methodCoolingHours', 72)
      const [ada, eva] = [await aPayablePartner(), await aPayablePartner()]
      house.clock.advance(days(4))
      const goesTo = (place: string) =>
        house.db.transaction((tx) =>
          house.use(payouts).accountChanged(tx, 'testbank', `acct_${ada.id}`, {
            ready: true,
            missing: '',
            places: [{ name: place, isDefault: true }],
          }),
        )
      await goesTo('her bank')
      const words = await afterWaiting(ada, async () => {
        await goesTo('the bank of a thief')
        await house.connection.sql`update payouts_methods set account = 'acct_other' where partner_id = ${eva.id}`
      })
      for (const part of ['changed the payout method a short while ago', 'uses another payout method now'])
        expect(words).toContain(part)
      expect([...transfersTo(ada), ...transfersTo(eva)]).toEqual([])
    })

    test('also before the first try of what waited for funds, and tells the staff', async () => {
      await house.set('payouts', 'approvalAbove', '5000.00')
      const ada = await aPayablePartner()
      bank.funds = 0n
      await run()
      await house.drain()
      gateClosedFor.add(ada.id)
      await later()
      expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
      bank.funds = 1_000_000n
      await later()
      expect(bank.sends).toBe(0)
      const [payout] = await payoutsOf(ada)
      expect(payout).toMatchObject({ state: 'cancelled', note: 'is in a bad mood' })
      expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
      const [posted] = await house.connection
        .sql`select payload, target from core_messages where key = ${`payouts.taken_back:${payout!.id}`}`
      expect(posted!.target).toBe('channels:staff')
      expect(JSON.stringify(posted!.payload)).toContain('is in a bad mood')
      expect(await trade.findings()).toEqual([])
    })
  })

  test('is bound to the run that was shown, and refused when more waits in it than was shown', async () => {
    await house.set('payouts', 'approvalAbove', '10.00')
    const ada = await aPayablePartner()
    await run()
    const old = controlsOf(await house.run('admin payouts approve', {}, second))[0]!
    const eva = await aPayablePartner()
    await run()
    await house.press(old, {}, second)
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
    expect(await payoutsOf(eva)).toMatchObject([{ state: 'awaiting_approval' }])
    expect(wordsOf(await house.press(old, {}, second))).toContain('Nothing of this run waits any more')
    const [button] = controlsOf(await house.run('admin payouts approve', {}, second))
    await expect(house.press(button!.replace(/:1$/, ':0'), {}, second)).rejects.toMatchObject({ code: 'run_changed' })
    expect(await payoutsOf(eva)).toMatchObject([{ state: 'awaiting_approval' }])
    await house.press(button!, {}, second)
    await house.drain()
  })

  test('can be denied: the whole run is payable again, and nothing is sent', async () => {
    await house.set('payouts', 'approvalAbove', '10.00')
    const [ada, eva] = [await aPayablePartner(), await aPayablePartner()]
    await run()
    const reject = controlsOf(await house.run('admin payouts approve', {}, boss)).find((id) => id.startsWith('payouts.reject:'))!
    expect(wordsOf(await house.press(reject, {}, boss))).toContain('$200.00** to 2 partners')
    await later()
    expect(bank.sends).toBe(0)
    for (const partner of [ada, eva]) {
      expect(await payoutsOf(partner)).toMatchObject([{ state: 'cancelled' }])
      expect(await trade.balances(partner)).toEqual({ payable: 10_000n })
    }
    expect(wordsOf(await house.run('admin payouts approve', {}, second))).toContain('Nothing waits')
    expect(await trade.findings()).toEqual([])
  })

  test('exactly the threshold needs nobody else', async () => {
    const ada = await aPayablePartner(500_000n)
    await run()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
    await house.drain()
  })
})

describe('calling back', () => {
  const cancel = (id: string, reason = 'Wrong month', visitor = boss) =>
    house.run('admin payouts cancel', { payout: id, reason }, visitor).then(wordsOf)
  const choices = async (typed = '') => {
    const option = house.loaded.commands.find(({ path }) => path === 'admin payouts cancel')!.options.payout!
    return option.type === 'string' ? option.suggest!({ program: house.program } as never, typed) : []
  }

  test('makes a payout that waits for approval payable again, with the reason, and sends nothing', async () => {
    const ada = await aPayablePartner(500_001n)
    await run()
    const [payout] = await payoutsOf(ada)
    expect(await choices('5,000.01')).toEqual([{ name: expect.stringContaining('waits for approval'), value: payout!.id }])
    const [commission] = await house.use(commissions).ofPartner(house.db, programId(), ada.id)
    const hold = { commission: commission!.id, reason: 'Looks strange' }
    await expect(house.run('admin commissions hold-one', hold, boss)).rejects.toThrow('/admin payouts cancel')
    expect(await cancel(payout!.id)).toContain('$5,000.01')
    await house.drain()
    expect(bank.sends).toBe(0)
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'cancelled', note: 'Wrong month' }])
    expect(await trade.balances(ada)).toEqual({ payable: 500_001n })
    expect(await house.use(commissions).ofPartner(house.db, programId(), ada.id)).toMatchObject([
      { state: 'payable', reason: 'payout_cancelled' },
    ])
    expect(await choices('5,000.01')).toEqual([])
    await expect(cancel(payout!.id)).rejects.toMatchObject({ code: 'payout_not_waiting' })
    expect(wordsOf(await house.run('admin payouts list', {}, boss))).toContain('Wrong month')
    expect(await trade.findings()).toEqual([])
    await run()
    expect((await payoutsOf(ada)).map(({ state }) => state as string).sort()).toEqual(['awaiting_approval', 'cancelled'])
  })

  test('comes before the sending job, or is too late', async () => {
    const [early, late] = [await aPayablePartner(), await aPayablePartner()]
    await run()
    const [first] = await payoutsOf(early)
    await cancel(first!.id)
    await house.drain()
    expect(transfersTo(early)).toEqual([])
    const [second] = await payoutsOf(late)
    await expect(cancel(second!.id)).rejects.toMatchObject({ code: 'payout_not_waiting' })
  })

  test('is refused while the provider may have the money', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'dies after applying'
    await expect(house.drain()).rejects.toThrow()
    const [payout] = await payoutsOf(ada)
    await expect(cancel(payout!.id)).rejects.toMatchObject({ code: 'payout_being_sent' })
    await house.drain()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent' }])
  })

  test('is possible when nothing was sent for want of funds', async () => {
    const ada = await aPayablePartner()
    bank.funds = 0n
    expect(await run()).toMatch(/Test Bank: \$0\.00, \*\*\$100\.00 short/)
    await house.drain()
    const [payout] = await payoutsOf(ada)
    await cancel(payout!.id)
    bank.funds = 1_000_000n
    await later()
    expect(bank.sends).toBe(0)
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
  })

  test.each(['nonsense', '018f0000-0000-7000-8000-000000000000'])('knows no payout %s', async (id) => {
    await expect(cancel(id)).rejects.toMatchObject({ code: 'unknown_payout' })
  })
})

describe('the schedule', () => {
  const payday = async (at: string) => {
    house.clock.set(at)
    await house.tick('payouts.monthly')
    await house.drain()
  }

  test('pays on its day in the program’s time zone, once a month, and waits for one admin above the threshold', async () => {
    await house.connection.sql`update core_programs set time_zone = 'Asia/Tokyo' where id = ${programId()}`
    await house.set('payouts', 'scheduleDay', 15)
    const [ada, rich] = [await aPayablePartner(9_000n), await aPayablePartner(600_000n, { currency: 'EUR' })]
    await payday('2027-09-14T14:59:59Z')
    expect(await payoutsOf(ada)).toHaveLength(0)
    await payday('2027-09-14T15:00:00Z')
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'sent' }])
    expect(await payoutsOf(rich)).toMatchObject([{ state: 'awaiting_approval' }])
    const [posted] = await house.connection.sql`select payload, target from core_messages where key = 'payouts.scheduled:2027-09'`
    expect(posted!.target).toBe('channels:staff')
    expect(JSON.stringify(posted!.payload)).toContain('The monthly payout run')
    const [waiting] = await payoutsOf(rich)
    await house.press(`payouts.approve:${waiting!.run_id}:1`, {}, boss)
    await house.drain()
    expect(await payoutsOf(rich)).toMatchObject([{ state: 'sent', approved_by: '1' }])

    const more = await aPayablePartner(9_000n)
    await payday('2027-09-30T00:00:00Z')
    expect(await payoutsOf(more)).toHaveLength(0)
    await payday('2027-10-20T00:00:00Z')
    expect(await payoutsOf(more)).toHaveLength(1)
    await house.set('payouts', 'scheduleDay', 0)
    await payday('2027-11-20T00:00:00Z')
    const runs = await house.connection.sql`select * from payouts_runs where actor = 'schedule'`
    expect(runs).toHaveLength(2)
    expect(await trade.findings()).toEqual([])
  })

  test('of a program is made though that of another fails', async () => {
    const other = newId(house.clock.now())
    await house.connection
      .sql`insert into core_programs (id, name, guild_id, time_zone) values (${other}, 'Other', '900000000000000002', 'Nowhere')`
    await house.connection.sql`insert into payouts_schedules (program_id, day, updated_at) values (${other}, 15, now())`
    // Later in the table than the other.
    await house.connection.sql`update core_programs set time_zone = 'UTC' where id = ${programId()}`
    await house.set('payouts', 'scheduleDay', 15)
    const ada = await aPayablePartner()
    await expect(payday('2027-12-15T12:00:00Z')).rejects.toThrow()
    expect(await payoutsOf(ada)).toMatchObject([{ state: 'queued' }])
    await house.set('payouts', 'scheduleDay', 0)
    await house.connection.sql`delete from payouts_schedules where program_id = ${other}`
    await house.connection.sql`delete from core_programs where id = ${other}`
    await house.drain()
  })

  test.each([
    ['is off', undefined, 0, 15, false, null],
    ['is due on the day it is first seen', undefined, 15, 15, true, null],
    ['waits for its day', undefined, 15, 14, false, null],
    ['that is set after its day begins next month', undefined, 15, 16, false, '2027-03'],
    ['that missed its day is made up for', { day: 15, doneMonth: '2027-02' }, 15, 20, true, '2027-02'],
    ['is done once a month', { day: 15, doneMonth: '2027-03' }, 15, 20, false, '2027-03'],
    ['does not begin again with a month before', { day: 15, doneMonth: '2027-04' }, 15, 20, false, '2027-04'],
    ['that is moved to later this month pays then', { day: 5, doneMonth: '2027-02' }, 20, 10, false, '2027-02'],
    ['that is moved after it paid does not pay again', { day: 5, doneMonth: '2027-03' }, 20, 20, false, '2027-03'],
    ['that is switched on again too late waits', { day: 0, doneMonth: '2027-02' }, 5, 6, false, '2027-03'],
  ])('%s', (_, seen, day, today, due, doneMonth) => {
    expect(stepOf(seen, day, { month: '2027-03', day: today })).toEqual({ day, due, doneMonth })
  })
})

describe('a closed account', () => {
  test('is seen when a payout is refused: nothing more is sent there, and the partner reads what to do', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'refuses'
    bank.accounts.set(`acct_${ada.id}`, { ready: false, missing: 'another account, because this one was closed' })
    await house.drain()
    expect(await trade.balances(ada)).toEqual({ payable: 10_000n })
    expect(await told(ada)).toContain('The account is closed')
    expect(await told(ada)).toContain('/payout setup')
    await run()
    await house.drain()
    expect(transfersTo(ada)).toEqual([])
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('another account, because this one was closed')
    await setUpMethod(ada)
    await run()
    await house.drain()
    expect(transfersTo(ada)).toHaveLength(1)
    expect(await trade.findings()).toEqual([])
  })

  test('that the provider cannot be asked about changes nothing', async () => {
    const ada = await aPayablePartner()
    await run()
    bank.trouble = 'refuses'
    bank.accounts.delete(`acct_${ada.id}`)
    await house.drain()
    await run()
    await house.drain()
    expect(transfersTo(ada)).toHaveLength(1)
  })

  test('that the provider could not be asked about is asked about every hour until the provider answers, and then no more', async () => {
    const [ada, bob] = [await aPayablePartner(), await aPayablePartner()]
    house.clock.advance(hours(1))
    await run()
    bank.trouble = 'refuses'
    for (const { id } of [ada, bob]) bank.accounts.delete(`acct_${id}`)
    await house.drain()
    const asksOfAnHour = async () => {
      const before = bank.asks
      house.clock.advance(hours(1))
      await house.tick('payouts.check_accounts')
      await house.drain()
      return bank.asks - before
    }
    const asked = [await asksOfAnHour(), await asksOfAnHour()]
    expect(asked).toEqual([1, 1])
    for (const { id } of [ada, bob]) bank.accounts.set(`acct_${id}`, { ready: false, missing: 'another account' })
    await asksOfAnHour()
    const refused = transfersTo(ada).length === 0 ? ada : bob
    expect(wordsOf(await house.run('payout status', {}, refused))).toContain('another account')
    expect(await asksOfAnHour()).toBe(0)
  })
})

test('payments of a period are summed by partner and currency, without what came back', async () => {
  const [ada, eva] = [await aPayablePartner(), await aPayablePartner(7_000n)]
  await run()
  await house.drain()
  const from = house.clock.now()
  await confirm(ada)
  await confirm(eva)
  await confirm(eva, 'returned')
  const to = new Date(from.getTime() + 1)
  const sums = (range: { from: Date; to: Date }, only?: string[]) =>
    house.use(payouts).paidBetween(house.db, programId(), range, only)
  expect(await sums({ from, to })).toEqual([{ partnerId: ada.id, currency: 'USD', amount: 10_000n, payouts: 1 }])
  expect(await sums({ from: to, to: new Date(to.getTime() + 1) })).toEqual([])
  expect(await sums({ from, to }, [eva.id])).toEqual([])
  expect(await sums({ from, to }, [])).toEqual([])
})

const hers: Place = { name: 'her bank', isDefault: true }
const spare: Place = { name: 'her card', isDefault: false }
const third: Place = { name: 'a bank in Riga', isDefault: false }
const [waits, goesOn] = ['for your safety', 'paid with the next payout run']

describe('the payout method', () => {
  test('leads to the provider and back; what is missing is said, with a way to go on', async () => {
    const ada = await trade.aPartner()
    const answer = await house.run('payout setup', {}, ada)
    expect(wordsOf(answer)).toContain('Test Bank')
    const link = new URL(controlsOf(answer)[0]!)
    const back = new URL(link.searchParams.get('back')!).pathname
    const again = new URL(link.searchParams.get('again')!).pathname

    const page = await house.app.inject(back)
    expect(page.statusCode).toBe(200)
    expect(page.headers).toMatchObject({ 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
    expect(page.body).toContain('Almost there')
    expect(page.body).toContain('bank account')
    expect(page.body).toContain(`href="${again}"`)

    const refreshed = await house.app.inject(again)
    expect(refreshed.statusCode).toBe(303)
    expect(refreshed.headers.location).toContain('https://bank.test/onboard')
    expect(bank.accounts.size).toBeGreaterThan(0)

    bank.accounts.set(`acct_${ada.id}`, { ready: true, missing: '' })
    expect((await house.app.inject(back)).body).toContain('Your payout method is ready')
    await house.drain()
    expect(await told(ada)).toContain('Your payout method is ready')
    expect(await house.use(payouts).programOfAccount(house.db, 'testbank', `acct_${ada.id}`)).toBe(programId())
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('Test Bank, ready.')
  })

  test.each(['return', 'refresh'])('an old or invented %s link gets a friendly page', async (kind) => {
    const ada = await trade.aPartner()
    const [link] = controlsOf(await house.run('payout setup', {}, ada))
    const path = new URL(new URL(link!).searchParams.get(kind === 'return' ? 'back' : 'again')!).pathname
    house.clock.advance(days(2))
    for (const url of [path, `/payouts/${kind}/nonsense`]) {
      const page = await house.app.inject(url)
      expect(page.statusCode).toBe(404)
      expect(page.body).toContain('This link has run out')
      expect(page.body).toContain('/payout setup')
    }
  })

  test('a provider that does not answer gets a friendly page, too', async () => {
    const ada = await trade.aPartner()
    const [link] = controlsOf(await house.run('payout setup', {}, ada))
    bank.accounts.delete(`acct_${ada.id}`)
    const page = await house.app.inject(new URL(new URL(link!).searchParams.get('back')!).pathname)
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('could not be read just now')
  })

  test('an account that becomes ready anew must wait anew', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    house.clock.advance(hours(100))
    const change = (ready: boolean) =>
      house.db.transaction((tx) => house.use(payouts).accountChanged(tx, 'testbank', `acct_${ada.id}`, { ready, missing: '' }))
    expect(await change(true)).toBe(true)
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('paid with the next payout run')
    await change(false)
    await change(true)
    expect(wordsOf(await house.run('payout status', {}, ada))).toContain('for your safety')
  })

  test('a method of before that is chosen once more must wait anew, and one that only is looked at need not', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    await house.set('payouts', 'manual', true)
    const ada = await aPayablePartner()
    const standing = async () => wordsOf(await house.run('payout status', {}, ada))
    house.clock.advance(hours(100))
    await house.run('payout setup', { provider: 'testbank' }, ada)
    expect(await standing()).toContain('paid with the next payout run')
    await house.run('payout setup', { provider: 'manual' }, ada)
    house.clock.advance(hours(100))
    await house.run('payout setup', { provider: 'testbank' }, ada)
    expect(await standing()).toContain('for your safety')
    house.clock.advance(hours(72))
    expect(await standing()).toContain('paid with the next payout run')
    await house.set('payouts', 'manual', false)
  })

  test('news that are older than what the provider said last change nothing, whenever they come', async () => {
    const ada = await aPayablePartner()
    const account = `acct_${ada.id}`
    const isReady = async () =>
      (await house.connection.sql`select ready from payouts_methods where account = ${account}`)[0]!.ready as boolean
    const tell = (ready: boolean, at: Date) =>
      house.db.transaction((tx) => house.use(payouts).accountChanged(tx, 'testbank', account, { ready, missing: '', at }))
    const before = house.clock.now()
    house.clock.advance(hours(1))
    const [link] = controlsOf(await house.run('payout setup', {}, ada))
    bank.accounts.set(account, { ready: true, missing: '' })
    await house.app.inject(new URL(new URL(link!).searchParams.get('back')!).pathname)
    expect(await isReady()).toBe(true)
    house.clock.advance(hours(1))
    await tell(false, before)
    expect(await isReady()).toBe(true)
    await tell(false, house.clock.now())
    expect(await isReady()).toBe(false)
    await tell(true, before)
    expect(await isReady()).toBe(false)
  })

  /** What the partner reads after the provider told of these places, long after it did so last. */
  async function wordsAfter(partner: TestPartner, places: readonly Place[] | undefined): Promise<string> {
    house.clock.advance(hours(100))
    await house.db.transaction((tx) =>
      house.use(payouts).accountChanged(tx, 'testbank', `acct_${partner.id}`, { ready: true, missing: '', places }),
    )
    await house.drain()
    return wordsOf(await house.run('payout status', {}, partner))
  }

  test.each<[string, (Place[] | undefined)[], string]>([
    ['a place more', [[hers], [hers, spare]], waits],
    [
      'another default among known places',
      [
        [hers, spare],
        [
          { ...hers, isDefault: false },
          { ...spare, isDefault: true },
        ],
      ],
      waits,
    ],
    [
      'a place in the stead of one that was not the default',
      [
        [hers, spare],
        [hers, third],
      ],
      waits,
    ],
    ['a place that comes after all were gone', [[hers], [], [third]], waits],
    [
      'the same places in another order',
      [
        [hers, spare],
        [spare, hers],
      ],
      goesOn,
    ],
    ['a place that goes away', [[hers, spare], [hers]], goesOn],
    ['a default that goes away beside another', [[hers, { ...spare, isDefault: true }], [hers]], goesOn],
    ['no word of places', [[hers, spare], undefined, [hers, spare]], goesOn],
  ])('after %s the waiting time is right', async (_, tellings, expected) => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    const words = []
    for (const places of tellings) words.push(await wordsAfter(ada, places))
    expect(words.shift()).toContain(goesOn)
    expect(words.pop()).toContain(expected)
  })

  test('of what was kept before all places were, the one known place is no change, and any other is', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    await wordsAfter(ada, [hers])
    await house.connection.sql`update payouts_methods set default_places = null where partner_id = ${ada.id}`
    expect(await wordsAfter(ada, [hers])).toContain(goesOn)
    await house.connection.sql`update payouts_methods set default_places = null where partner_id = ${ada.id}`
    expect(await wordsAfter(ada, [hers, spare])).toContain(waits)
  })

  test('another bank account behind the same method must wait anew, and its partner is told; the first one known is no change', async () => {
    await house.set('payouts', 'methodCoolingHours', 72)
    const ada = await aPayablePartner()
    const goesTo = async (name: string) => wordsAfter(ada, [{ name, isDefault: true }])
    expect(await goesTo('her bank')).toContain('paid with the next payout run')
    expect(await goesTo('her bank')).toContain('paid with the next payout run')
    expect(await told(ada)).not.toContain('was changed')
    expect(await goesTo('the bank of a thief')).toContain('for your safety')
    const words = await told(ada)
    for (const part of ['payouts go to was changed', 'If it was not you', 'tell an admin at once', '/payout setup'])
      expect(words).toContain(part)
    await run()
    expect(await payoutsOf(ada)).toEqual([])
    house.clock.advance(hours(72))
    await run()
    expect(await payoutsOf(ada)).toHaveLength(1)
    await house.drain()
  })

  test('what the provider says of a tax form is told on, dated to the second before it was asked; of none it says nothing', async () => {
    const ada = await aPayablePartner()
    const asked = async (state: AccountState) => {
      const [link] = controlsOf(await house.run('payout setup', {}, ada))
      bank.accounts.set(`acct_${ada.id}`, state)
      house.clock.set('2027-01-01T12:00:00.900Z')
      bank.thinksMs = 5_000
      await house.app.inject(new URL(new URL(link!).searchParams.get('back')!).pathname)
      bank.thinksMs = 0
      return (
        await house.connection.sql`
          select payload from core_outbox where name = 'payouts.tax_form_told' and payload->>'partnerId' = ${ada.id} order by id`
      ).map(({ payload }) => payload)
    }
    const state = { ready: true, missing: '' }
    const taxForm = { jurisdiction: 'US', form: 'W-9', status: 'submitted' } as const
    const told = { provider: 'testbank', at: '2027-01-01T12:00:00.000Z' }
    expect(await asked(state)).toEqual([])
    expect(await asked({ ...state, taxForm })).toMatchObject([{ ...told, form: taxForm }])
    expect(await asked({ ...state, taxForm: null })).toMatchObject([{}, { ...told, form: null }])
  })

  test('an account that nobody has changes nothing', async () => {
    const known = await house.db.transaction((tx) =>
      house.use(payouts).accountChanged(tx, 'testbank', 'acct_nobody', { ready: true, missing: '' }),
    )
    expect(known).toBe(false)
    expect(await house.use(payouts).programOfAccount(house.db, 'testbank', 'acct_nobody')).toBeUndefined()
  })
})

test('the proof names a payout that says something else than the ledger', async () => {
  const ada = await aPayablePartner()
  await run()
  await house.drain()
  const undo = new Error('undo')
  const attempt = house.db.transaction(async (tx) => {
    await tx.execute(sql`update payouts_payouts set amount = amount + 1 where partner_id = ${ada.id}::uuid`)
    const { findings } = await house.use(ledger).prove(tx, programId())
    expect(findings.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/in_flight of .* payouts say 10001, the ledger says 10000/),
      expect.stringMatching(/payout .* is over 10001, its items over 10000/),
    ])
    throw undo
  })
  await expect(attempt).rejects.toBe(undo)
})
