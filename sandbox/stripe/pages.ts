// The pages that Stripe hosts: Checkout, onboarding of a connected account, its dashboard, invoices and receipts. Rendered on the server.

import type { FastifyInstance, FastifyReply } from 'fastify'
import type Stripe from 'stripe'
import { type Html, html, page } from '../vendor/html.ts'
import { completeOnboarding, type LinkBook } from './accounts.ts'
import { balanceOf } from './balance.ts'
import { expireIfDue, type PayForm, paySession } from './checkout.ts'
import { StripeRefusal } from './errors.ts'
import { money } from './money.ts'
import { idOf, newestFirst, scopeOf, type World } from './world.ts'

interface PageParts {
  getWorld: () => World
  links: LinkBook
}

const CSS = `
.checkout{display:grid;grid-template-columns:1fr 1fr;min-height:100vh}
.checkout>section{padding:56px clamp(20px,6vw,88px)}
.checkout .summary{background:var(--card);border-right:1px solid var(--line)}
.checkout .inner{max-width:420px;margin-left:auto}
.checkout .pay .inner{margin:0}
.total{font-size:2.4rem;font-weight:700;letter-spacing:-.03em;margin:0 0 24px}
.line{display:flex;justify-content:space-between;gap:16px;padding:12px 0;border-bottom:1px solid var(--line)}
.line.sum{font-weight:700;border:0}
.test{display:inline-block;background:var(--wait-bg);color:var(--wait);font-size:.72rem;font-weight:700;border-radius:5px;padding:2px 8px;text-transform:uppercase;letter-spacing:.05em}
.two{display:grid;grid-template-columns:1fr 1fr;gap:12px}
form+p{margin-top:16px}
.narrow{max-width:520px;margin:0 auto;padding:64px 20px}
dl{display:grid;grid-template-columns:auto 1fr;gap:8px 20px;margin:0}dt{color:var(--soft)}dd{margin:0}
@media (max-width:760px){.checkout{grid-template-columns:1fr;min-height:0}.checkout>section{padding:28px 20px}.checkout .summary{border-right:0;border-bottom:1px solid var(--line)}.checkout .inner{margin:0 auto}.total{font-size:2rem;margin-bottom:12px}}
`
const ACCENT = { accent: '#4a3fd1', accentDark: '#aaa3ff', css: CSS }

const COUNTRIES = [
  ['US', 'United States'],
  ['GB', 'United Kingdom'],
  ['CA', 'Canada'],
  ['DE', 'Germany'],
  ['FR', 'France'],
  ['NL', 'Netherlands'],
  ['ES', 'Spain'],
  ['AU', 'Australia'],
  ['IN', 'India'],
  ['BR', 'Brazil'],
  ['JP', 'Japan'],
] as const

/** Registers the hosted pages. */
export function hostedPages(app: FastifyInstance, { getWorld, links }: PageParts): void {
  app.get<{ Params: { id: string } }>('/c/pay/:id', async (request, reply) => {
    const world = getWorld()
    const session = world.platform.tables['checkout.session'].get(request.params.id)
    if (!session)
      return send(
        reply,
        404,
        notice(
          'Something went wrong',
          'The page you were looking for could not be found. Please check the address or contact the merchant.',
        ),
      )
    expireIfDue(world, world.platform, session)
    if (session.status === 'complete')
      return send(reply, 200, notice("You're all done here", 'This payment has already been completed. You may close this page.'))
    if (session.status !== 'open')
      return send(
        reply,
        410,
        notice('This page has expired', 'The Checkout session is no longer open. Go back to the shop and start again.'),
      )
    return send(reply, 200, checkoutPage(world, session))
  })
  app.post<{ Params: { id: string }; Body: PayForm | undefined }>('/c/pay/:id', async (request, reply) => {
    const world = getWorld()
    const session = world.platform.tables['checkout.session'].get(request.params.id)
    if (!session) return send(reply, 404, notice('Something went wrong', 'The page you were looking for could not be found.'))
    const { email, name, card, country, promotion_code } = request.body ?? {}
    const form: PayForm = {
      ...(email ? { email: email.trim() } : {}),
      ...(name ? { name } : {}),
      ...(card ? { card } : {}),
      ...(country ? { country } : {}),
      ...(promotion_code?.trim() ? { promotion_code: promotion_code.trim() } : {}),
    }
    try {
      const result = paySession(world, world.platform, session, form)
      if (result.ok) return reply.redirect(result.redirect, 303)
      return send(reply, 402, checkoutPage(world, session, result.refusal.message, form))
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error
      if (session.status !== 'open') return send(reply, 409, notice('This session is closed', error.message))
      return send(reply, 400, checkoutPage(world, session, error.message, form))
    }
  })

  app.get<{ Params: { account: string; secret: string } }>('/setup/e/:account/:secret', async (request, reply) => {
    const world = getWorld()
    const { account: id, secret } = request.params
    const link = links.onboarding.get(secret)
    const account = world.platform.tables.account.get(id)
    if (!account || !link || link.account !== id)
      return send(reply, 404, notice('This link is not valid', 'Ask the company that sent it for a new one.'))
    if (link.expiresAt <= world.now() || (link.used && !account.details_submitted)) return reply.redirect(link.refreshUrl, 303)
    return send(reply, 200, onboardingPage(world, account, request.url, link.returnUrl))
  })
  app.post<{ Params: { account: string; secret: string } }>('/setup/e/:account/:secret', async (request, reply) => {
    const world = getWorld()
    const { account: id, secret } = request.params
    const link = links.onboarding.get(secret)
    if (!link || link.account !== id || !world.platform.tables.account.has(id))
      return send(reply, 404, notice('This link is not valid', 'Ask the company that sent it for a new one.'))
    if (link.expiresAt <= world.now()) return reply.redirect(link.refreshUrl, 303)
    link.used = true
    completeOnboarding(world, id)
    return reply.redirect(link.returnUrl, 303)
  })

  app.get<{ Params: { account: string; secret: string } }>('/express/:account/:secret', async (request, reply) => {
    const world = getWorld()
    const { account: id, secret } = request.params
    if (links.login.get(secret) !== id || !world.platform.tables.account.has(id))
      return send(reply, 404, notice('This link is not valid', 'Login links work once. Ask for a new one.'))
    links.login.delete(secret)
    return send(reply, 200, expressPage(world, id))
  })

  app.get<{ Params: { id: string; secret: string } }>('/i/:id/:secret', async (request, reply) => {
    const world = getWorld()
    const invoice = world.platform.tables.invoice.get(request.params.id)
    if (!invoice?.hosted_invoice_url?.endsWith(`/${request.params.secret}`))
      return send(reply, 404, notice('Invoice not found', 'Please check the address.'))
    return send(reply, 200, invoicePage(invoice))
  })
  app.get<{ Params: { id: string } }>('/receipts/:id', async (request, reply) => {
    const charge = getWorld().platform.tables.charge.get(request.params.id)
    if (!charge?.receipt_url) return send(reply, 404, notice('Receipt not found', 'Please check the address.'))
    return send(reply, 200, receiptPage(charge))
  })
  app.get('/', async (_request, reply) => reply.redirect('/dashboard', 302))
}

function send(reply: FastifyReply, status: number, body: string) {
  return reply.code(status).header('content-type', 'text/html; charset=utf-8').header('cache-control', 'no-store').send(body)
}

function notice(title: string, text: string): string {
  return page({
    ...ACCENT,
    title,
    body: html`<main class="narrow"><div class="card"><h1>${title}</h1><p class="soft">${text}</p></div></main>`,
  })
}

function merchant(world: World): string {
  return world.platform.tables.account.get(world.platform.id)?.business_profile?.name ?? 'Sandbox'
}

function every(price: Stripe.Price | null): string {
  if (!price?.recurring) return ''
  const { interval, interval_count: count } = price.recurring
  return count === 1 ? ` per ${interval}` : ` every ${count} ${interval}s`
}

function checkoutPage(world: World, session: Stripe.Checkout.Session, problem?: string, entered: PayForm = {}): string {
  const details = world.sessions.get(session.id)!
  const currency = session.currency!
  const total = money(session.amount_total ?? 0, currency)
  const recurring = details.lineItems.find((line) => line.price?.recurring)
  const verb = session.mode === 'subscription' ? 'Subscribe' : `Pay ${total}`
  const customer = world.platform.tables.customer.get(idOf(session.customer) ?? '')
  const email = session.customer_email ?? (session.customer ? customer?.email : null)
  const discount = session.total_details?.amount_discount ?? 0
  const lines: Html[] = details.lineItems.map(
    (line) =>
      html`<div class="line"><span>${line.description}<br><small>${line.quantity} × ${money(line.price?.unit_amount ?? 0, currency)}${every(line.price)}</small></span><span>${money(line.amount_subtotal, currency)}</span></div>`,
  )
  return page({
    ...ACCENT,
    title: `${merchant(world)} — Checkout`,
    body: html`<main class="checkout">
<section class="summary"><div class="inner">
  <p>${session.cancel_url ? html`<a href="${session.cancel_url}">← ${merchant(world)}</a>` : merchant(world)} <span class="test">Test mode</span></p>
  <p class="soft">${session.mode === 'subscription' ? `Subscribe to ${recurring?.description ?? ''}` : `Pay ${merchant(world)}`}</p>
  <h1 class="total">${total}<small>${every(recurring?.price ?? null)}</small></h1>
  ${lines}
  ${discount > 0 ? html`<div class="line"><span>Discount${details.promotionCode ? ` (${details.promotionCode.code})` : ''}</span><span>−${money(discount, currency)}</span></div>` : ''}
  <div class="line sum"><span>Total due today</span><span>${total}</span></div>
</div></section>
<section class="pay"><div class="inner">
  <h2>Contact and payment</h2>
  ${problem ? html`<p class="note bad" role="alert">${problem}</p>` : ''}
  <form method="post">
    <div class="field"><label for="email">E-mail</label><input id="email" name="email" type="email" autocomplete="email" required value="${email ?? entered.email ?? ''}" ${email ? html`readonly` : ''} placeholder="you@example.com"></div>
    <div class="field"><label for="card">Card number</label><input id="card" name="card" inputmode="numeric" autocomplete="off" required value="${entered.card ?? '4242 4242 4242 4242'}"></div>
    <div class="two">
      <div class="field"><label for="exp">Expiry</label><input id="exp" name="exp" value="12 / 34" autocomplete="off"></div>
      <div class="field"><label for="cvc">CVC</label><input id="cvc" name="cvc" value="123" autocomplete="off"></div>
    </div>
    <div class="field"><label for="name">Name on card</label><input id="name" name="name" autocomplete="name" value="${entered.name ?? ''}" placeholder="Full name"></div>
    <div class="field"><label for="country">Country</label><select id="country" name="country">${COUNTRIES.map(([code, name]) => html`<option value="${code}" ${entered.country === code ? html`selected` : ''}>${name}</option>`)}</select></div>
    ${session.allow_promotion_codes ? html`<div class="field"><label for="promotion_code">Promotion code</label><input id="promotion_code" name="promotion_code" value="${entered.promotion_code ?? ''}" autocomplete="off"></div>` : ''}
    <button class="wide">${verb}</button>
  </form>
  <p><small>Test cards: <span class="mono">4242 4242 4242 4242</span> is paid, <span class="mono">4000 0000 0000 0002</span> is declined, <span class="mono">4000 0000 0000 0259</span> is paid and then disputed. No real card is accepted.</small></p>
</div></section>
</main>`,
  })
}

function onboardingPage(world: World, account: Stripe.Account, action: string, returnUrl: string): string {
  const done = account.details_submitted
  return page({
    ...ACCENT,
    title: `${merchant(world)} partners with Stripe`,
    body: html`<main class="narrow"><p><span class="test">Test mode</span></p><div class="card stack">
<h1>${done ? 'Your payout details are complete' : `Get paid by ${merchant(world)}`}</h1>
${
  done
    ? html`<p class="soft">There is nothing more to do.</p><a class="button wide" href="${returnUrl}">Return to ${merchant(world)}</a>`
    : html`<p class="soft">${merchant(world)} partners with Stripe for secure payouts. In test mode nothing needs to be typed: one press fills in a test bank account.</p>
<dl><dt>E-mail</dt><dd>${account.email ?? 'not given'}</dd><dt>Country</dt><dd>${account.country}</dd><dt>Currency</dt><dd>${account.default_currency?.toUpperCase()}</dd><dt>Bank</dt><dd>STRIPE TEST BANK •••• 6789</dd></dl>
<form method="post" action="${action}"><button class="wide">Provide bank details</button></form>
<p><small>By going on you accept the Connected Account Agreement of this test.</small></p>`
}
</div></main>`,
  })
}

function expressPage(world: World, id: string): string {
  const scope = scopeOf(world, id)
  const balance = balanceOf(world, scope)
  const payouts = newestFirst(scope, 'payout')
  return page({
    ...ACCENT,
    title: 'Express dashboard',
    body: html`<main class="wrap stack"><h1>Your earnings from ${merchant(world)}</h1>
<div class="card"><h2>Balance</h2>${balance.available.map((line) => html`<p class="total">${money(line.amount, line.currency)}</p>`)}</div>
<div class="card"><h2>Payouts</h2>${
      payouts.length === 0
        ? html`<p class="empty">No payouts yet.</p>`
        : html`<div class="scroll"><table><thead><tr><th>Payout</th><th>Status</th><th class="number">Amount</th></tr></thead><tbody>${payouts.map((payout) => html`<tr><td class="mono">${payout.id}</td><td>${payout.status}</td><td class="number">${money(payout.amount, payout.currency)}</td></tr>`)}</tbody></table></div>`
    }</div></main>`,
  })
}

function invoicePage(invoice: Stripe.Invoice): string {
  return page({
    ...ACCENT,
    title: `Invoice ${invoice.number ?? ''}`,
    body: html`<main class="narrow"><div class="card"><p><span class="pill ${invoice.status === 'paid' ? 'good' : 'wait'}">${invoice.status}</span></p><h1>${money(invoice.total, invoice.currency)}</h1>
<p class="soft">Invoice ${invoice.number} from ${invoice.account_name} to ${invoice.customer_email}</p>
${invoice.lines.data.map((line) => html`<div class="line"><span>${line.description}</span><span>${money(line.amount, line.currency)}</span></div>`)}
<div class="line sum"><span>Amount paid</span><span>${money(invoice.amount_paid, invoice.currency)}</span></div></div></main>`,
  })
}

function receiptPage(charge: Stripe.Charge): string {
  return page({
    ...ACCENT,
    title: 'Receipt',
    body: html`<main class="narrow"><div class="card"><h1>Receipt</h1><dl><dt>Amount paid</dt><dd>${money(charge.amount, charge.currency)}</dd><dt>Refunded</dt><dd>${money(charge.amount_refunded, charge.currency)}</dd><dt>Card</dt><dd>${charge.payment_method_details?.card?.brand} •••• ${charge.payment_method_details?.card?.last4}</dd><dt>Charge</dt><dd class="mono">${charge.id}</dd></dl></div></main>`,
  })
}
