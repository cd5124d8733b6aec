// The dashboard at /dashboard: what happened at this Stripe, with a button for everything that a merchant, a bank or a customer may do.

import type { FastifyInstance } from 'fastify'
import type Stripe from 'stripe'
import { courierTools, DASHBOARD_CSS, button as formButton, pill, section, shortTime, topBar } from '../vendor/dashboard.ts'
import { type Html, html, page } from '../vendor/html.ts'
import { balanceOf, fund } from './balance.ts'
import { ACTIONS, advance } from './control.ts'
import { StripeRefusal } from './errors.ts'
import { minorUnits, money } from './money.ts'
import { taxNumberStates } from './taxNumbers.ts'
import type { Courier, Delivery } from './webhooks.ts'
import { idOf, newestFirst, type World } from './world.ts'

const DAY = 86_400

/** Registers the dashboard and the targets of its buttons. */
export function dashboardRoutes(app: FastifyInstance, { getWorld, courier }: { getWorld: () => World; courier: Courier }): void {
  app.get<{ Querystring: { problem?: string } }>('/dashboard', async (request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(dashboard(getWorld(), courier, request.query.problem)),
  )
  app.post<{ Params: { kind: string; id: string; verb: string }; Body: Record<string, string> | undefined }>(
    '/dashboard/:kind/:id/:verb',
    async (request, reply) => {
      const { kind, id, verb } = request.params
      const act = ACTIONS[`${kind}/${verb}`]
      const { amount, ...others } = request.body ?? {}
      const currency = getWorld().platform.tables.charge.get(id)?.currency ?? 'usd'
      return reply.redirect(
        attempt(kind, () => act?.(getWorld(), id, { ...others, ...(amount && { amount: minorUnits(amount, currency) }) })),
        303,
      )
    },
  )
  app.post<{ Body: Record<string, string> | undefined }>('/dashboard/fund', async (request, reply) =>
    reply.redirect(
      attempt('top', () => fund(getWorld(), minorUnits(request.body?.amount ?? '1000', 'usd'), 'usd')),
      303,
    ),
  )
  app.post('/dashboard/day', async (_request, reply) =>
    reply.redirect(
      attempt('top', () => advance(getWorld(), DAY)),
      303,
    ),
  )
  app.post<{ Params: { id: string } }>('/dashboard/resend/:id', async (request, reply) =>
    reply.redirect(
      attempt('events', () => courier.resend(request.params.id)),
      303,
    ),
  )
  app.post<{ Params: { what: string } }>('/dashboard/webhooks/:what', async (request, reply) => {
    const { what } = request.params
    if (what === 'hold') courier.hold()
    if (what === 'release') courier.release()
    if (what === 'shuffle') courier.release('shuffled', { times: 2, seed: Date.now() })
    if (what === 'delay') courier.configure({ delayMs: courier.status().delayMs > 0 ? 0 : 5000 })
    if (what === 'double') courier.configure({ times: courier.status().times > 1 ? 1 : 2 })
    return reply.redirect('/dashboard#events', 303)
  })
}

/** Does it and says where to go on; a refusal is shown on the page. */
function attempt(anchor: string, act: () => unknown): string {
  try {
    act()
    return `/dashboard#${anchor}`
  } catch (error) {
    if (!(error instanceof StripeRefusal)) throw error
    return `/dashboard?problem=${encodeURIComponent(error.message)}#top`
  }
}

const SECTIONS = [
  ['charges', 'Payments'],
  ['disputes', 'Disputes'],
  ['customers', 'Customers'],
  ['subscriptions', 'Subscriptions'],
  ['accounts', 'Accounts'],
  ['transfers', 'Transfers'],
  ['payouts', 'Payouts'],
  ['events', 'Events'],
] as const

function dashboard(world: World, courier: Courier, problem: string | undefined): string {
  const scope = world.platform
  const balance = balanceOf(world, scope)
  const account = scope.tables.account.get(scope.id)!
  const name = account.business_profile?.name ?? 'Sandbox'
  return page({
    title: `${name} — Stripe sandbox`,
    accent: '#4a3fd1',
    accentDark: '#aaa3ff',
    css: DASHBOARD_CSS,
    body: html`${topBar(name, SECTIONS)}
<main class="wrap stack">
${problem ? html`<p class="note bad" role="alert">${problem}</p>` : ''}
<div class="tiles">
${balance.available.map((line, index) => html`<div class="card tile"><small>Available (${line.currency.toUpperCase()})</small><b>${money(line.amount, line.currency)}</b><small>${money(balance.pending[index]?.amount ?? 0, line.currency)} pending</small></div>`)}
<div class="card tile"><small>Payments</small><b>${[...scope.tables.charge.values()].filter((charge) => charge.paid).length}</b><small>${count(scope.tables.refund.size, 'refund')}, ${count(scope.tables.dispute.size, 'dispute')}</small></div>
<div class="card tile"><small>Connected accounts</small><b>${scope.tables.account.size - 1}</b><small>${scope.tables.transfer.size} transfers</small></div>
<div class="card tile"><small>Clock</small><b>${time(world.now())}</b><div class="row">${formButton('/dashboard/day', 'One day on')}${formButton('/dashboard/fund', 'Add $1,000')}</div></div>
</div>
${section(
  'charges',
  'Payments',
  ['Amount', 'Status', 'Customer', 'When', ''],
  newestFirst(scope, 'charge').map((charge) => chargeRow(world, charge)),
)}
${section('disputes', 'Disputes', ['Amount', 'Status', 'Reason', 'When', ''], newestFirst(scope, 'dispute').map(disputeRow))}
${section(
  'checkout',
  'Open checkouts',
  ['Amount', 'Mode', 'When', ''],
  newestFirst(scope, 'checkout.session')
    .filter((session) => session.status === 'open')
    .map(sessionRow),
)}
${section('customers', 'Customers', ['E-mail', 'Name', 'Country', 'Since'], newestFirst(scope, 'customer').map(customerRow))}
${section(
  'subscriptions',
  'Subscriptions',
  ['Amount', 'Status', 'Customer', 'Period ends', ''],
  newestFirst(scope, 'subscription').map((row) => subscriptionRow(world, row)),
)}
${section(
  'accounts',
  'Connected accounts',
  ['Account', 'Status', 'Country', 'Balance', ''],
  newestFirst(scope, 'account')
    .filter((row) => row.id !== scope.id)
    .map((row) => accountRow(world, row)),
)}
${section(
  'transfers',
  'Transfers',
  ['Amount', 'Status', 'To', 'When', ''],
  newestFirst(scope, 'transfer').map((row) => transferRow(world, row)),
)}
${section(
  'payouts',
  'Payouts to banks',
  ['Amount', 'Status', 'Account', 'When', ''],
  [...world.scopes.values()].flatMap((each) => newestFirst(each, 'payout').map((row) => payoutRow(each.id, row))),
)}
${events(courier)}
</main>`,
  })
}

const button = (kind: string, id: string, verb: string, label: string, field?: Html): Html =>
  formButton(`/dashboard/${kind}/${id}/${verb}`, label, id, field)

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const time = (seconds: number): string => shortTime(new Date(seconds * 1000))

function chargeRow(world: World, charge: Stripe.Charge): Html {
  const left = charge.amount_captured - charge.amount_refunded
  const status = !charge.paid
    ? 'declined'
    : charge.disputed
      ? 'disputed'
      : charge.refunded
        ? 'refunded'
        : charge.amount_refunded
          ? 'partly_refunded'
          : 'succeeded'
  const customer = world.platform.tables.customer.get(idOf(charge.customer) ?? '')
  const amountField = html`<input class="amount" name="amount" type="number" min="0.01" step="0.01" max="${left / 100}" placeholder="${(left / 200).toFixed(2)}" aria-label="Amount to refund" required>`
  return html`<tr><td class="number"><b>${money(charge.amount, charge.currency)}</b></td><td>${pill(status)}</td><td>${customer?.email ?? charge.billing_details.email}<div class="id mono">${charge.id}</div></td><td>${time(charge.created)}</td>
<td><div class="row">${charge.paid && left > 0 && !charge.disputed ? html`${button('charges', charge.id, 'refund', 'Refund all')}${button('charges', charge.id, 'refund', 'Refund part', amountField)}${button('charges', charge.id, 'dispute', 'Dispute')}` : ''}</div></td></tr>`
}

function disputeRow(dispute: Stripe.Dispute): Html {
  const open = dispute.status !== 'won' && dispute.status !== 'lost'
  return html`<tr><td class="number"><b>${money(dispute.amount, dispute.currency)}</b></td><td>${pill(dispute.status)}</td><td>${dispute.reason}<div class="id mono">${dispute.id}</div></td><td>${time(dispute.created)}</td><td><div class="row">${open ? html`${button('disputes', dispute.id, 'won', 'Win')}${button('disputes', dispute.id, 'lost', 'Lose')}` : ''}</div></td></tr>`
}

function sessionRow(session: Stripe.Checkout.Session): Html {
  return html`<tr><td class="number"><b>${money(session.amount_total ?? 0, session.currency!)}</b></td><td>${session.mode}<div class="id mono">${session.id.slice(0, 24)}…</div></td><td>${time(session.created)}</td><td><div class="row"><a class="button small" href="/c/pay/${session.id}">Open</a>${button('checkout', session.id, 'expire', 'Expire')}</div></td></tr>`
}

function customerRow(customer: Stripe.Customer): Html {
  return html`<tr><td>${customer.email}<div class="id mono">${customer.id}</div></td><td>${customer.name}</td><td>${customer.address?.country}</td><td>${time(customer.created)}</td></tr>`
}

function subscriptionRow(world: World, row: Stripe.Subscription): Html {
  const item = row.items.data[0]!
  const customer = world.platform.tables.customer.get(idOf(row.customer)!)
  return html`<tr><td class="number"><b>${money((item.price.unit_amount ?? 0) * (item.quantity ?? 1), row.currency)}</b></td><td>${pill(row.status)}</td><td>${customer?.email}<div class="id mono">${row.id}</div></td><td>${time(item.current_period_end)}</td><td><div class="row">${row.status === 'canceled' ? '' : html`${button('subscriptions', row.id, 'renew', 'Renew')}${button('subscriptions', row.id, 'cancel', 'Cancel')}`}</div></td></tr>`
}

const taxNumberField = html`<select name="state" aria-label="What Stripe makes of the tax number">${taxNumberStates.map((state) => html`<option>${state}</option>`)}</select>`

function accountRow(world: World, account: Stripe.Account): Html {
  const status = account.payouts_enabled ? 'active' : account.details_submitted ? 'restricted' : 'incomplete'
  const balance = balanceOf(world, world.scopes.get(account.id)!)
    .available.map((line) => money(line.amount, line.currency))
    .join(', ')
  return html`<tr><td>${account.email ?? '—'}<div class="id mono">${account.id}</div></td><td>${pill(status)}</td><td>${account.country}</td><td class="number">${balance}</td><td><div class="row">${account.details_submitted ? html`${account.payouts_enabled ? button('accounts', account.id, 'restrict', 'Restrict') : ''}${account.country === 'US' ? button('accounts', account.id, 'tax_number', 'Tax number', taxNumberField) : ''}` : button('accounts', account.id, 'onboard', 'Complete onboarding')}</div></td></tr>`
}

function transferRow(world: World, transfer: Stripe.Transfer): Html {
  const status = transfer.reversed ? 'reversed' : transfer.amount_reversed ? 'partly_reversed' : 'paid'
  const account = world.platform.tables.account.get(idOf(transfer.destination)!)
  return html`<tr><td class="number"><b>${money(transfer.amount, transfer.currency)}</b></td><td>${pill(status)}</td><td>${account?.email ?? idOf(transfer.destination)}<div class="id mono">${transfer.id}</div></td><td>${time(transfer.created)}</td><td><div class="row">${transfer.reversed ? '' : button('transfers', transfer.id, 'reverse', 'Reverse')}</div></td></tr>`
}

function payoutRow(account: string, payout: Stripe.Payout): Html {
  return html`<tr><td class="number"><b>${money(payout.amount, payout.currency)}</b></td><td>${pill(payout.status)}</td><td class="mono">${account}<div class="id mono">${payout.id}</div></td><td>${time(payout.created)}</td><td><div class="row">${payout.status === 'in_transit' ? button('payouts', payout.id, 'settle', 'Arrive') : ''}${payout.status === 'failed' ? '' : button('payouts', payout.id, 'fail', 'Fail')}</div></td></tr>`
}

function events(courier: Courier): Html {
  return section(
    'events',
    'Webhook deliveries',
    ['Event', 'State', 'Endpoint', 'Attempts', ''],
    courier.deliveries().map(deliveryRow),
    courierTools('/dashboard/webhooks', courier.status()),
  )
}

function deliveryRow(delivery: Delivery): Html {
  const last = delivery.attempts.at(-1)
  return html`<tr><td>${delivery.type}<div class="id mono">${delivery.event}${delivery.account ? ` · ${delivery.account}` : ''}</div></td><td>${pill(delivery.state)}</td><td class="mono">${delivery.url}</td><td>${delivery.attempts.length}${last ? html` <small>${last.status ?? last.error} · ${last.ms} ms</small>` : ''}</td><td>${formButton(`/dashboard/resend/${delivery.event}`, 'Resend', delivery.event)}</td></tr>`
}
