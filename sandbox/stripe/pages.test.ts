// The pages that people see at the local Stripe: checkout, dashboard and their buttons.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { aCheckout, aPayableAccount, aSubscription, type Connected, connected } from './testkit.ts'

let here: Connected

beforeAll(async () => {
  here = await connected({ funds: { usd: 100_000 } })
})
afterAll(() => here.sandbox.close())
beforeEach(() => here.sandbox.reset())

const text = async (path: string) => (await fetch(path.startsWith('http') ? path : `${here.sandbox.url}${path}`)).text()
const press = (path: string, fields: Record<string, string> = {}) =>
  fetch(path.startsWith('http') ? path : `${here.sandbox.url}${path}`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    redirect: 'manual',
  })

describe('the hosted checkout', () => {
  test('shows what is bought and leads back to the shop with the id of the session', async () => {
    const session = await here.stripe.checkout.sessions.create(aCheckout())
    const page = await text(session.url!)
    expect(page).toContain('Website build')
    expect(page).toContain('Pay $2,500.00')
    const paid = await press(session.url!, { email: 'bea@buyer.example', card: '4242424242424242' })
    expect(paid.headers.get('location')).toBe(`https://shop.example/thanks?session_id=${session.id}`)
    expect(await text(session.url!)).toContain('already been completed')
  })

  test('names the interval of a subscription', async () => {
    const session = await here.stripe.checkout.sessions.create(aSubscription())
    expect(await text(session.url!)).toContain('$150.00<small> per month</small>')
  })

  test('asks again, with what was entered, when the e-mail is missing or wrong', async () => {
    const session = await here.stripe.checkout.sessions.create(aCheckout())
    const answer = await press(session.url!, { email: 'nobody', card: '4242424242424242', name: 'Bea <b>' })
    expect(answer.status).toBe(400)
    const page = await answer.text()
    expect(page).toContain('Your email is incomplete.')
    expect(page).toContain('value="Bea &#60;b&#62;"')
  })

  test('of a session that does not exist, or is over, says so', async () => {
    expect((await fetch(`${here.sandbox.url}/c/pay/cs_test_none`)).status).toBe(404)
    const session = await here.stripe.checkout.sessions.create(aCheckout())
    await here.stripe.checkout.sessions.expire(session.id)
    expect((await fetch(session.url!)).status).toBe(410)
  })

  test('shows a hostile product name as text', async () => {
    const session = await here.stripe.checkout.sessions.create(
      aCheckout({
        line_items: [
          {
            quantity: 1,
            price_data: { currency: 'usd', unit_amount: 100, product_data: { name: '<img src=x onerror=alert(1)>' } },
          },
        ],
      }),
    )
    expect(await text(session.url!)).not.toContain('<img')
  })
})

describe('the dashboard', () => {
  test('refunds, in full and in part, and shows why it does not', async () => {
    const session = await here.stripe.checkout.sessions.create(aCheckout())
    await press(session.url!, { email: 'bea@buyer.example', card: '4242424242424242' })
    const [charge] = (await here.stripe.charges.list()).data
    await press(`/dashboard/charges/${charge!.id}/refund`, { amount: '12.50' })
    expect((await here.stripe.charges.retrieve(charge!.id)).amount_refunded).toBe(1250)
    await press(`/dashboard/charges/${charge!.id}/refund`)
    const refused = await press(`/dashboard/charges/${charge!.id}/refund`)
    expect(await text(refused.headers.get('location')!.split('#')[0]!)).toContain('has already been refunded')
  })

  test('completes an onboarding, reverses a transfer and fails a payout', async () => {
    const { id } = await here.stripe.accounts.create({
      type: 'express',
      email: 'ada@partner.example',
      capabilities: { transfers: { requested: true } },
    })
    await press(`/dashboard/accounts/${id}/onboard`)
    const transfer = await here.stripe.transfers.create({ amount: 1000, currency: 'usd', destination: id })
    const [payout] = (await here.stripe.payouts.list({}, { stripeAccount: id })).data
    expect(await text('/dashboard')).toContain('ada@partner.example')
    await press(`/dashboard/payouts/${payout!.id}/fail`)
    await press(`/dashboard/transfers/${transfer.id}/reverse`)
    expect(await text('/dashboard')).toContain('<span class="pill bad">reversed</span>')
    expect((await here.stripe.payouts.retrieve(payout!.id, {}, { stripeAccount: id })).status).toBe('failed')
  })

  test('says what Stripe makes of a tax number', async () => {
    const id = await aPayableAccount(here)
    await press(`/dashboard/accounts/${id}/tax_number`, { state: 'refused' })
    expect((await here.stripe.accounts.retrieve(id)).requirements!.errors).toMatchObject([{ requirement: 'individual.id_number' }])
  })

  test('holds and releases deliveries', async () => {
    here.sandbox.addWebhook({ url: 'http://127.0.0.1:1/', enabled_events: ['customer.created'] })
    await press('/dashboard/webhooks/hold')
    await here.stripe.customers.create({})
    expect(await text('/dashboard')).toContain('Release 1 held')
  })
})
