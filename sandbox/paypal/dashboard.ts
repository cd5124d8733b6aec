// The dashboard at /dashboard: balances, payout batches and their items, webhooks, with a button for whatever PayPal or a receiver may do.

import type { FastifyInstance } from 'fastify'
import { button, courierTools, DASHBOARD_CSS, pill, section, shortTime, topBar } from '../vendor/dashboard.ts'
import { type Html, html, page } from '../vendor/html.ts'
import {
  type Amount,
  decimal,
  ITEM_STATES,
  type ItemState,
  type PayoutBatch,
  type PayoutItem,
  type Payouts,
  PayPalRefusal,
  statesAfter,
} from './payouts.ts'
import type { PayPalCourier, WebhookDelivery } from './webhooks.ts'

interface Parts {
  payouts: () => Payouts
  courier: PayPalCourier
  process: (batch: PayoutBatch) => void
  move: (item: PayoutItem, state: ItemState) => void
  /** Whether batches wait for a person; sets it first when told. */
  byHand: (wanted?: boolean) => boolean
  now: () => Date
}

/** What is done to an item to bring it into a state. */
const VERBS: Record<ItemState, string> = {
  PENDING: 'Wait',
  SUCCESS: 'Pay',
  FAILED: 'Fail',
  UNCLAIMED: 'Leave unclaimed',
  RETURNED: 'Return',
  ONHOLD: 'Hold',
  BLOCKED: 'Block',
  DENIED: 'Deny',
  CANCELED: 'Cancel',
  REFUNDED: 'Refund',
  REVERSED: 'Reverse',
}

const SECTIONS = [
  ['items', 'Payouts'],
  ['batches', 'Batches'],
  ['events', 'Events'],
] as const

/** Registers the dashboard and the targets of its buttons. */
export function dashboardRoutes(app: FastifyInstance, parts: Parts): void {
  const { payouts, courier, byHand } = parts
  app.get<{ Querystring: { problem?: string } }>('/dashboard', async (request, reply) =>
    reply.header('content-type', 'text/html; charset=utf-8').send(dashboard(parts, request.query.problem)),
  )
  app.post<{ Params: { id: string; state: string } }>('/dashboard/items/:id/:state', async (request, reply) => {
    const item = payouts().item(request.params.id)
    const state = ITEM_STATES.find((candidate) => candidate === request.params.state)
    return reply.redirect(
      attempt('items', () => {
        if (!item || !state) throw new PayPalRefusal(404, 'INVALID_RESOURCE_ID', 'There is no such payout any more.')
        parts.move(item, state)
      }),
      303,
    )
  })
  app.post<{ Params: { id: string } }>('/dashboard/batches/:id/process', async (request, reply) => {
    const batch = payouts().batches.get(request.params.id)
    if (batch?.batch_status === 'PENDING') parts.process(batch)
    return reply.redirect('/dashboard#batches', 303)
  })
  app.post('/dashboard/by-hand', async (_request, reply) => {
    byHand(!byHand())
    return reply.redirect('/dashboard#batches', 303)
  })
  app.post<{ Params: { id: string } }>('/dashboard/resend/:id', async (request, reply) => {
    courier.resend(request.params.id)
    return reply.redirect('/dashboard#events', 303)
  })
  app.post<{ Params: { what: string } }>('/dashboard/webhooks/:what', async (request, reply) => {
    const { what } = request.params
    if (what === 'hold') courier.hold()
    if (what === 'release') courier.release()
    if (what === 'shuffle') courier.release(true)
    if (what === 'delay') courier.configure({ delayMs: courier.status().delayMs > 0 ? 0 : 5000 })
    if (what === 'double') courier.configure({ times: courier.status().times > 1 ? 1 : 2 })
    return reply.redirect('/dashboard#events', 303)
  })
}

/** Does it and says where to go on; a refusal is shown on the page. */
function attempt(anchor: string, act: () => void): string {
  try {
    act()
    return `/dashboard#${anchor}`
  } catch (error) {
    if (!(error instanceof PayPalRefusal)) throw error
    return `/dashboard?problem=${encodeURIComponent(error.message)}#top`
  }
}

function dashboard({ payouts, courier, byHand, now }: Parts, problem: string | undefined): string {
  const { balance, batches } = payouts()
  const all = [...batches.values()].reverse()
  const items = all.flatMap((batch) => batch.items.map((item) => ({ item, batch })))
  const count = (state: ItemState) => items.filter(({ item }) => item.transaction_status === state).length
  return page({
    title: 'PayPal sandbox',
    accent: '#1546a0',
    accentDark: '#8fb8ff',
    css: DASHBOARD_CSS,
    body: html`${topBar('PayPal', SECTIONS)}
<main class="wrap stack">
${problem ? html`<p class="note bad" role="alert">${problem}</p>` : ''}
<div class="tiles">
${[...balance].map(([currency, amount]) => html`<div class="card tile"><small>Balance (${currency})</small><b>${money({ currency, value: decimal(amount, currency) })}</b></div>`)}
<div class="card tile"><small>Paid</small><b>${count('SUCCESS')}</b><small>${items.length} payouts in ${all.length} batches</small></div>
<div class="card tile"><small>Unclaimed or held</small><b>${count('UNCLAIMED') + count('ONHOLD')}</b><small>${count('FAILED') + count('RETURNED')} failed or returned</small></div>
<div class="card tile"><small>Clock</small><b>${shortTime(now())}</b></div>
</div>
${section(
  'items',
  'Payouts',
  ['Amount', 'Status', 'Receiver', 'When', ''],
  items.map(({ item, batch }) => itemRow(item, batch)),
)}
${section('batches', 'Batches', ['Batch', 'Status', 'Payouts', 'When', ''], all.map(batchRow), html`<div class="row">${button('/dashboard/by-hand', byHand() ? 'Process batches by themselves' : 'Process batches by hand')}</div>`)}
${section('events', 'Webhook deliveries', ['Event', 'State', 'When', 'Attempts', ''], courier.deliveries.toReversed().map(deliveryRow), courierTools('/dashboard/webhooks', courier.status()))}
</main>`,
  })
}

function itemRow(item: PayoutItem, batch: PayoutBatch): Html {
  const { receiver, amount, note } = item.payout_item
  const verbs = statesAfter(item.transaction_status).map((state) =>
    button(`/dashboard/items/${item.payout_item_id}/${state}`, VERBS[state], receiver),
  )
  return html`<tr><td class="number"><b>${money(amount)}</b></td><td>${pill(item.transaction_status)}</td><td>${receiver}<div class="id mono">${item.payout_item_id}${note ? ` · ${note}` : ''}</div></td><td>${shortTime(new Date(item.time_processed ?? batch.time_created))}</td><td><div class="row">${verbs}</div></td></tr>`
}

function batchRow(batch: PayoutBatch): Html {
  const waits = batch.batch_status === 'PENDING'
  return html`<tr><td class="mono">${batch.payout_batch_id}<div class="id">${batch.sender_batch_header.email_subject}</div></td><td>${pill(batch.batch_status)}</td><td>${batch.items.length}</td><td>${shortTime(new Date(batch.time_created))}</td><td>${waits ? button(`/dashboard/batches/${batch.payout_batch_id}/process`, 'Process', batch.payout_batch_id) : ''}</td></tr>`
}

function deliveryRow(delivery: WebhookDelivery): Html {
  const last = delivery.attempts.at(-1)
  return html`<tr><td>${delivery.type}<div class="id mono">${delivery.event}</div></td><td>${pill(delivery.state)}</td><td>${shortTime(new Date(delivery.at))}</td><td>${delivery.attempts.length}${last ? html` <small>${last.status ?? last.error}</small>` : ''}</td><td>${button(`/dashboard/resend/${delivery.event}`, 'Resend', delivery.event)}</td></tr>`
}

function money({ currency, value }: Amount): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(Number(value))
}
