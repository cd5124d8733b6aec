// Paying partners through the local Stripe: connected accounts, transfers, payouts and the balance.

import type Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { aCheckout, aPayableAccount, type Connected, connected } from './testkit.ts'

let here: Connected
let stripe: Stripe

beforeAll(async () => {
  here = await connected({ funds: { usd: 100_000 } })
  stripe = here.stripe
})
afterAll(() => here.sandbox.close())
beforeEach(() => here.sandbox.reset())

describe('an account', () => {
  test('starts without anything, and is ready after its owner pressed the one button', async () => {
    const account = await stripe.accounts.create({
      type: 'express',
      email: 'ada@partner.example',
      capabilities: { transfers: { requested: true } },
      metadata: { partner: 'p1' },
    })
    expect(account).toMatchObject({
      type: 'express',
      charges_enabled: false,
      payouts_enabled: false,
      details_submitted: false,
      capabilities: { transfers: 'inactive' },
      metadata: { partner: 'p1' },
    })
    const link = await stripe.accountLinks.create({
      account: account.id,
      type: 'account_onboarding',
      return_url: 'http://app.example/back',
      refresh_url: 'http://app.example/again',
    })
    expect(await (await fetch(link.url)).text()).toContain('Provide bank details')
    const pressed = await fetch(link.url, { method: 'POST', body: new URLSearchParams(), redirect: 'manual' })
    expect([pressed.status, pressed.headers.get('location')]).toEqual([303, 'http://app.example/back'])
    expect(await stripe.accounts.retrieve(account.id)).toMatchObject({
      payouts_enabled: true,
      details_submitted: true,
      capabilities: { transfers: 'active' },
      requirements: { currently_due: [], disabled_reason: null },
    })
  })

  test('by controller properties is an Express account all the same', async () => {
    const account = await stripe.accounts.create({
      controller: { stripe_dashboard: { type: 'express' }, fees: { payer: 'application' }, losses: { payments: 'application' } },
      capabilities: { transfers: { requested: true } },
    })
    expect(account).toMatchObject({
      type: 'express',
      controller: { is_controller: true, stripe_dashboard: { type: 'express' }, requirement_collection: 'stripe' },
    })
    await expect(
      stripe.accounts.create({ type: 'express', controller: { stripe_dashboard: { type: 'express' } } }),
    ).rejects.toMatchObject({ statusCode: 400 })
  })

  test('an expired onboarding link leads to the refresh address', async () => {
    const account = await stripe.accounts.create({ type: 'express' })
    const link = await stripe.accountLinks.create({
      account: account.id,
      type: 'account_onboarding',
      return_url: 'http://app.example/back',
      refresh_url: 'http://app.example/again',
    })
    await here.control('stripe/clock/advance', { seconds: 301 })
    expect((await fetch(link.url, { redirect: 'manual' })).headers.get('location')).toBe('http://app.example/again')
  })

  test('a login link is made for a finished Express account only, and works once', async () => {
    const unfinished = await stripe.accounts.create({ type: 'express' })
    await expect(stripe.accounts.createLoginLink(unfinished.id)).rejects.toMatchObject({ statusCode: 400 })
    const { url } = await stripe.accounts.createLoginLink(await aPayableAccount(here))
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(url)).status).toBe(404)
  })

  test('that was deleted, or of somebody else, is refused with account_invalid', async () => {
    const id = await aPayableAccount(here)
    await stripe.accounts.del(id)
    await expect(stripe.accounts.retrieve(id)).rejects.toMatchObject({ statusCode: 403, code: 'account_invalid' })
    await expect(stripe.balance.retrieve({}, { stripeAccount: 'acct_nobody' })).rejects.toMatchObject({ code: 'account_invalid' })
    await expect(stripe.transfers.create({ amount: 1, currency: 'usd', destination: id })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'destination',
    })
  })
})

describe('the banks of an account', () => {
  const banksOf = async (id: string) =>
    (await stripe.accounts.retrieve(id)).external_accounts!.data.map((bank) => [bank.id, bank.default_for_currency] as const)

  test('are several, one of them the default, which cannot be taken away', async () => {
    const id = await aPayableAccount(here)
    const [[first]] = (await banksOf(id)) as [[string, boolean]]
    await here.control(`stripe/accounts/${id}/add_bank`, { fingerprint: 'another' })
    const [[added]] = (await banksOf(id)) as [[string, boolean]]
    expect(await banksOf(id)).toEqual([
      [added, false],
      [first, true],
    ])
    await expect(here.control(`stripe/accounts/${id}/remove_bank`, { bank: first })).rejects.toMatchObject({ status: 400 })
    await here.control(`stripe/accounts/${id}/default_bank`, { bank: added })
    await here.control(`stripe/accounts/${id}/remove_bank`, { bank: first })
    expect(await banksOf(id)).toEqual([[added, true]])
    await stripe.transfers.create({ amount: 500, currency: 'usd', destination: id })
    expect((await stripe.payouts.list({}, { stripeAccount: id })).data).toMatchObject([{ destination: added }])
  })
})

describe('the tax number of an account', () => {
  test.each([
    ['due', 'inactive', { currently_due: ['individual.id_number'], errors: [] }],
    ['checking', 'pending', { currently_due: [], pending_verification: ['individual.id_number'] }],
    ['refused', 'inactive', { errors: [{ requirement: 'individual.id_number' }] }],
    ['verified', 'active', { currently_due: [], eventually_due: [], pending_verification: [], errors: [] }],
  ])('that is %s shows in the requirements and the capability', async (state, capability, requirements) => {
    const id = await aPayableAccount(here)
    await here.control(`stripe/accounts/${id}/tax_number`, { state })
    const account = await stripe.accounts.retrieve(id)
    expect(account).toMatchObject({ capabilities: { tax_reporting_us_1099_misc: capability }, requirements, payouts_enabled: true })
  })

  test('is one of the US, in a state that there is', async () => {
    const [german, american] = [await aPayableAccount(here, { country: 'DE' }), await aPayableAccount(here)]
    await expect(here.control(`stripe/accounts/${german}/tax_number`, { state: 'due' })).rejects.toMatchObject({ status: 400 })
    await expect(here.control(`stripe/accounts/${american}/tax_number`, { state: 'fine' })).rejects.toMatchObject({ status: 400 })
  })
})

describe('a transfer', () => {
  test('moves money from the platform to the account and on to its bank', async () => {
    const destination = await aPayableAccount(here)
    const transfer = await stripe.transfers.create({ amount: 30_000, currency: 'usd', destination, metadata: { payout: 'po-1' } })
    expect(transfer).toMatchObject({
      amount: 30_000,
      destination,
      reversed: false,
      metadata: { payout: 'po-1' },
      destination_payment: expect.stringMatching(/^py_/),
    })
    expect((await stripe.balance.retrieve()).available).toMatchObject([{ amount: 70_000, currency: 'usd' }])
    const payouts = (await stripe.payouts.list({}, { stripeAccount: destination })).data
    expect(payouts).toMatchObject([{ amount: 30_000, status: 'in_transit', automatic: true }])
    await here.control(`stripe/transfers/${transfer.id}/settle`)
    expect(await stripe.payouts.retrieve(payouts[0]!.id, {}, { stripeAccount: destination })).toMatchObject({ status: 'paid' })
  })

  test('of more than is available is refused with balance_insufficient; card money is available after two days', async () => {
    const destination = await aPayableAccount(here)
    const session = await stripe.checkout.sessions.create(aCheckout())
    await here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@buyer.example' })
    const pay = () => stripe.transfers.create({ amount: 200_000, currency: 'usd', destination })
    await expect(pay()).rejects.toMatchObject({ code: 'balance_insufficient', statusCode: 400 })
    await here.control('stripe/clock/advance', { seconds: 2 * 86_400 })
    expect(await pay()).toMatchObject({ amount: 200_000 })
  })

  test('in another currency than the balance is refused', async () => {
    await expect(
      stripe.transfers.create({ amount: 100, currency: 'eur', destination: await aPayableAccount(here) }),
    ).rejects.toMatchObject({ code: 'balance_insufficient' })
  })

  test('to an account that has not finished onboarding is refused', async () => {
    const account = await stripe.accounts.create({ type: 'express', capabilities: { transfers: { requested: true } } })
    await expect(stripe.transfers.create({ amount: 100, currency: 'usd', destination: account.id })).rejects.toMatchObject({
      code: 'insufficient_capabilities_for_transfer',
    })
  })

  test('to an account that was restricted since is refused', async () => {
    const destination = await aPayableAccount(here)
    await here.control(`stripe/accounts/${destination}/restrict`)
    await expect(stripe.transfers.create({ amount: 100, currency: 'usd', destination })).rejects.toMatchObject({
      code: 'insufficient_capabilities_for_transfer',
    })
  })

  test.each([
    ['GB', undefined, 'sent'],
    ['DE', undefined, 'sent'],
    ['BR', undefined, 'transfers_not_allowed'],
    ['BR', 'recipient', 'sent'],
  ])('from the US to %s under agreement %s is %s', async (country, agreement, outcome) => {
    const destination = await aPayableAccount(here, {
      country,
      ...(agreement ? { tos_acceptance: { service_agreement: agreement } } : {}),
    })
    const result = await stripe.transfers.create({ amount: 100, currency: 'usd', destination }).then(
      () => 'sent',
      (error: { code: string }) => error.code,
    )
    expect(result).toBe(outcome)
  })

  test('can be reversed in parts until nothing is left', async () => {
    const destination = await aPayableAccount(here)
    const transfer = await stripe.transfers.create({ amount: 1000, currency: 'usd', destination })
    await stripe.transfers.createReversal(transfer.id, { amount: 400 })
    expect(await stripe.transfers.retrieve(transfer.id)).toMatchObject({ amount_reversed: 400, reversed: false })
    await expect(stripe.transfers.createReversal(transfer.id, { amount: 601 })).rejects.toMatchObject({ param: 'amount' })
    await stripe.transfers.createReversal(transfer.id)
    const reversed = await stripe.transfers.retrieve(transfer.id)
    expect(reversed).toMatchObject({ amount_reversed: 1000, reversed: true })
    expect(reversed.reversals.data.map((reversal) => reversal.amount)).toEqual([600, 400])
    await expect(stripe.transfers.createReversal(transfer.id)).rejects.toMatchObject({ statusCode: 400 })
    expect((await stripe.balance.retrieve()).available).toMatchObject([{ amount: 100_000 }])
    expect((await stripe.events.list({ type: 'transfer.reversed' })).data).toHaveLength(2)
  })
})

test('a payout that the bank refuses returns to the account, and tells so as an event of that account', async () => {
  const destination = await aPayableAccount(here)
  await stripe.transfers.create({ amount: 5000, currency: 'usd', destination })
  const payout = (await stripe.payouts.list({}, { stripeAccount: destination })).data[0]!
  await here.control(`stripe/payouts/${payout.id}/fail`, { failure_code: 'account_closed' })
  expect((await stripe.balance.retrieve({}, { stripeAccount: destination })).available).toMatchObject([{ amount: 5000 }])
  expect((await stripe.events.list({ type: 'payout.failed' }, { stripeAccount: destination })).data).toMatchObject([
    { account: destination, data: { object: { failure_code: 'account_closed' } } },
  ])
  expect((await stripe.events.list({ type: 'payout.failed' })).data).toEqual([])
})

test('what a reversal took back after the payout is made good before the next one', async () => {
  const destination = await aPayableAccount(here)
  const transfer = await stripe.transfers.create({ amount: 5000, currency: 'usd', destination })
  await stripe.transfers.createReversal(transfer.id, { amount: 2000 })
  expect((await stripe.balance.retrieve({}, { stripeAccount: destination })).available).toMatchObject([{ amount: -2000 }])
  await stripe.transfers.create({ amount: 1500, currency: 'usd', destination })
  await stripe.transfers.create({ amount: 3000, currency: 'usd', destination })
  const payouts = (await stripe.payouts.list({}, { stripeAccount: destination })).data
  expect(payouts.map((payout) => payout.amount)).toEqual([2500, 5000])
})

test('an automatic payout arrives by itself after the delay', async () => {
  const quick = await connected({ funds: { usd: 10_000 }, payoutDelayMs: 20 })
  try {
    const destination = await aPayableAccount(quick)
    await quick.stripe.transfers.create({ amount: 5000, currency: 'usd', destination })
    await expect
      .poll(async () => (await quick.stripe.payouts.list({}, { stripeAccount: destination })).data[0]!.status)
      .toBe('paid')
  } finally {
    await quick.sandbox.close()
  }
})

test('the balance is the sum of its transactions, fees included', async () => {
  const session = await stripe.checkout.sessions.create(aCheckout())
  await here.control(`stripe/checkout/${session.id}/pay`, { email: 'b@buyer.example' })
  await here.control(`stripe/charges/${session.id}/refund`, { amount: 5000 })
  let sum = 0
  for await (const transaction of stripe.balanceTransactions.list()) sum += transaction.net
  const { available, pending } = await stripe.balance.retrieve()
  expect(available[0]!.amount + pending[0]!.amount).toBe(sum)
  expect(pending[0]!.amount).toBe(250_000 - 7280)
})
