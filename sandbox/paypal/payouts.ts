// PayPal's payout batches and items: what is accepted, what is refused, and the states an item may take. It knows nothing of HTTP or webhooks.

import { randomBytes } from 'node:crypto'

export const ITEM_STATES = [
  'SUCCESS',
  'FAILED',
  'PENDING',
  'UNCLAIMED',
  'RETURNED',
  'ONHOLD',
  'BLOCKED',
  'REFUNDED',
  'REVERSED',
  'CANCELED',
  'DENIED',
] as const
export type ItemState = (typeof ITEM_STATES)[number]

/** From which states an item may go where. Final states lead nowhere but back to the sender. */
const NEXT: Record<ItemState, readonly ItemState[]> = {
  PENDING: ['SUCCESS', 'FAILED', 'UNCLAIMED', 'ONHOLD', 'BLOCKED', 'DENIED', 'CANCELED'],
  ONHOLD: ['SUCCESS', 'FAILED', 'BLOCKED', 'DENIED', 'CANCELED'],
  UNCLAIMED: ['SUCCESS', 'RETURNED', 'CANCELED'],
  SUCCESS: ['REFUNDED', 'REVERSED'],
  FAILED: [],
  RETURNED: [],
  BLOCKED: [],
  REFUNDED: [],
  REVERSED: [],
  CANCELED: [],
  DENIED: [],
}
/** Where an item may go from where it is. */
export const statesAfter = (state: ItemState): readonly ItemState[] => NEXT[state]

/** States in which the money is the sender's again. */
const BACK: ReadonlySet<ItemState> = new Set(['FAILED', 'RETURNED', 'BLOCKED', 'REFUNDED', 'REVERSED', 'CANCELED', 'DENIED'])

export interface Amount {
  currency: string
  value: string
}

export interface PayoutItem {
  payout_item_id: string
  transaction_id?: string
  transaction_status: ItemState
  payout_item_fee: Amount
  payout_batch_id: string
  sender_batch_id: string
  payout_item: {
    recipient_type: string
    amount: Amount
    receiver: string
    note?: string
    sender_item_id?: string
    recipient_wallet: string
  }
  time_processed?: string
  errors?: { name: string; message: string; information_link: string; details: never[]; links: never[] }
}

export interface PayoutBatch {
  payout_batch_id: string
  batch_status: 'PENDING' | 'PROCESSING' | 'SUCCESS' | 'DENIED' | 'CANCELED'
  time_created: string
  time_completed?: string
  sender_batch_header: Record<string, string>
  items: PayoutItem[]
}

/** A refusal in PayPal's shape. */
export class PayPalRefusal extends Error {
  readonly status: number
  readonly code: string
  readonly details: readonly object[]
  constructor(status: number, code: string, message: string, details: readonly object[] = []) {
    super(message)
    this.name = 'PayPalRefusal'
    this.status = status
    this.code = code
    this.details = details
  }
}

/** Random upper-case letters and digits, as in PayPal's identifiers. */
export function payPalId(length: number): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}

/** Decimal places of a currency by ISO 4217; PayPal itself takes HUF and TWD without any. */
function exponentOf(currency: string): number {
  if (currency === 'HUF' || currency === 'TWD') return 0
  return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
}

/** Minor units of an amount as PayPal writes it. */
export function minorUnits({ currency, value }: Amount): bigint {
  const [whole = '0', fraction = ''] = value.split('.')
  return BigInt(whole + fraction.padEnd(exponentOf(currency), '0'))
}

/** An amount of minor units as PayPal writes it; the other way round. */
export function decimal(amount: bigint, currency: string): string {
  const digits = exponentOf(currency)
  const text = amount.toString().padStart(digits + 1, '0')
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

const SENDER_BATCH_DAYS = 30

interface Given {
  sender_batch_header?: { sender_batch_id?: unknown; email_subject?: unknown; email_message?: unknown; recipient_type?: unknown }
  items?: Array<{
    recipient_type?: unknown
    amount?: { value?: unknown; currency?: unknown }
    receiver?: unknown
    note?: unknown
    sender_item_id?: unknown
  }>
}

/** The sender's account: its batches and its balance (minor units by currency). */
export function createPayouts(now: () => Date, funds: Record<string, number>) {
  const batches = new Map<string, PayoutBatch>()
  const balance = new Map(Object.entries(funds).map(([currency, amount]) => [currency, BigInt(amount)]))

  function add(currency: string, amount: bigint): void {
    balance.set(currency, (balance.get(currency) ?? 0n) + amount)
  }

  /** Takes a batch, or refuses it whole. A `sender_batch_id` is good once in 30 days. */
  function create(given: Given): PayoutBatch {
    const senderBatchId = readHeader(given)
    const items = readItems(given)
    const since = now().getTime() - SENDER_BATCH_DAYS * 86_400_000
    const twin = [...batches.values()].find(
      (batch) => batch.sender_batch_header.sender_batch_id === senderBatchId && Date.parse(batch.time_created) > since,
    )
    if (twin)
      throw new PayPalRefusal(400, 'USER_BUSINESS_ERROR', 'User business error.', [
        {
          field: 'SENDER_BATCH_ID',
          location: 'body',
          issue: 'Batch with given sender_batch_id already exists',
          link: [{ href: `/v1/payments/payouts/${twin.payout_batch_id}`, rel: 'self', method: 'GET' }],
        },
      ])
    const totals = new Map<string, bigint>()
    for (const { amount } of items) totals.set(amount.currency, (totals.get(amount.currency) ?? 0n) + minorUnits(amount))
    for (const [currency, total] of totals)
      if ((balance.get(currency) ?? 0n) < total)
        throw new PayPalRefusal(422, 'INSUFFICIENT_FUNDS', 'Sender does not have sufficient funds. Please add funds and retry.')
    for (const [currency, total] of totals) add(currency, -total)
    const id = payPalId(13)
    const batch: PayoutBatch = {
      payout_batch_id: id,
      batch_status: 'PENDING',
      time_created: now().toISOString(),
      sender_batch_header: Object.fromEntries(
        Object.entries(given.sender_batch_header ?? {}).map(([key, value]) => [key, String(value)]),
      ),
      items: items.map((item) => ({
        payout_item_id: payPalId(13),
        transaction_status: 'PENDING',
        payout_item_fee: { currency: item.amount.currency, value: exponentOf(item.amount.currency) === 0 ? '0' : '0.00' },
        payout_batch_id: id,
        sender_batch_id: senderBatchId,
        payout_item: item,
      })),
    }
    batches.set(id, batch)
    return batch
  }

  /** Moves an item to a state; refuses what PayPal's life cycle does not know. Money that comes back is the sender's again. */
  function move(item: PayoutItem, state: ItemState): PayoutItem {
    if (!NEXT[item.transaction_status].includes(state))
      throw new PayPalRefusal(400, 'ITEM_INCORRECT_STATUS', `An item that is ${item.transaction_status} cannot become ${state}.`)
    item.transaction_status = state
    item.time_processed = now().toISOString()
    item.transaction_id ??= payPalId(17)
    if (BACK.has(state)) {
      add(item.payout_item.amount.currency, minorUnits(item.payout_item.amount))
      const failed = state === 'FAILED' || state === 'BLOCKED' || state === 'DENIED'
      if (failed)
        item.errors = {
          name: 'RECEIVER_UNREGISTERED',
          message: 'Receiver is unregistered',
          information_link: 'https://developer.paypal.com/docs/api/payments.payouts-batch/v1/#errors',
          details: [],
          links: [],
        }
    }
    return item
  }

  return {
    batches,
    balance,
    create,
    move,
    item: (id: string): PayoutItem | undefined =>
      [...batches.values()].flatMap((batch) => batch.items).find((item) => item.payout_item_id === id),
  }
}

export type Payouts = ReturnType<typeof createPayouts>

function validation(field: string, issue: string): PayPalRefusal {
  return new PayPalRefusal(400, 'VALIDATION_ERROR', 'Invalid request - see details', [{ field, location: 'body', issue }])
}

function readHeader(given: Given): string {
  const id = given.sender_batch_header?.sender_batch_id
  if (typeof id !== 'string' || id === '') throw validation('sender_batch_header.sender_batch_id', 'Required field is missing')
  if (id.length > 256) throw validation('sender_batch_header.sender_batch_id', 'Value is too long (max length 256)')
  return id
}

function readItems(given: Given): Array<PayoutItem['payout_item']> {
  if (!Array.isArray(given.items) || given.items.length === 0) throw validation('items', 'Required field is missing')
  if (given.items.length > 15_000) throw validation('items', 'A batch may have at most 15,000 items')
  return given.items.map((item, index) => {
    const at = `items[${index}]`
    const type = item.recipient_type ?? given.sender_batch_header?.recipient_type ?? 'EMAIL'
    if (type !== 'EMAIL' && type !== 'PHONE' && type !== 'PAYPAL_ID')
      throw validation(`${at}.recipient_type`, 'Must be EMAIL, PHONE or PAYPAL_ID')
    if (typeof item.receiver !== 'string' || item.receiver === '') throw validation(`${at}.receiver`, 'Required field is missing')
    if (type === 'EMAIL' && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(item.receiver))
      throw validation(`${at}.receiver`, 'Receiver is invalid or does not match with type')
    const { currency, value } = item.amount ?? {}
    if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
      throw validation(`${at}.amount.currency`, 'Currency is invalid')
    const digits = exponentOf(currency)
    if (
      typeof value !== 'string' ||
      !new RegExp(digits === 0 ? '^\\d{1,12}$' : `^\\d{1,12}(\\.\\d{1,${digits}})?$`).test(value) ||
      minorUnits({ currency, value }) <= 0n
    )
      throw validation(`${at}.amount.value`, 'Amount is invalid')
    return {
      recipient_type: type,
      amount: { currency, value },
      receiver: item.receiver,
      ...(typeof item.note === 'string' ? { note: item.note } : {}),
      ...(typeof item.sender_item_id === 'string' ? { sender_item_id: item.sender_item_id } : {}),
      recipient_wallet: 'PAYPAL',
    }
  })
}
