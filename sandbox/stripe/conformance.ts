// Checks what goes over the wire against the declared types of the pinned version: every field, every enum. For tests; it changes nothing.

import { declared, resolve, type TypeNode } from './declarations.ts'

/** Where the type of an object is declared, by its `object` field. */
const DECLARED: Record<string, readonly [file: string, name: string]> = {
  account: ['Accounts', 'Account'],
  account_link: ['AccountLinks', 'AccountLink'],
  balance: ['Balance', 'Balance'],
  balance_transaction: ['BalanceTransactions', 'BalanceTransaction'],
  bank_account: ['BankAccounts', 'BankAccount'],
  capability: ['Capabilities', 'Capability'],
  charge: ['Charges', 'Charge'],
  'checkout.session': ['Checkout/Sessions', 'Session'],
  coupon: ['Coupons', 'Coupon'],
  customer: ['Customers', 'Customer'],
  dispute: ['Disputes', 'Dispute'],
  event: ['Events', 'EventBase'],
  invoice: ['Invoices', 'Invoice'],
  invoice_payment: ['InvoicePayments', 'InvoicePayment'],
  item: ['LineItems', 'LineItem'],
  line_item: ['InvoiceLineItems', 'InvoiceLineItem'],
  login_link: ['LoginLinks', 'LoginLink'],
  payment_intent: ['PaymentIntents', 'PaymentIntent'],
  payment_method: ['PaymentMethods', 'PaymentMethod'],
  payout: ['Payouts', 'Payout'],
  price: ['Prices', 'Price'],
  product: ['Products', 'Product'],
  promotion_code: ['PromotionCodes', 'PromotionCode'],
  refund: ['Refunds', 'Refund'],
  subscription: ['Subscriptions', 'Subscription'],
  subscription_item: ['SubscriptionItems', 'SubscriptionItem'],
  topup: ['Topups', 'Topup'],
  transfer: ['Transfers', 'Transfer'],
  transfer_reversal: ['TransferReversals', 'TransferReversal'],
  webhook_endpoint: ['WebhookEndpoints', 'WebhookEndpoint'],
}

/** Every way in which an API object, list or event departs from its declared type, as sentences with a path; empty when it conforms. */
export function departures(value: unknown): string[] {
  const object = value as { object?: string; deleted?: boolean; data?: unknown }
  if (object.object === 'list') return (object.data as unknown[]).flatMap(departures)
  if (object.deleted) return []
  const place = DECLARED[object.object ?? '']
  if (!place) return [`no declared type for object "${object.object}"`]
  const found = check(value, declared(...place), object.object!)
  if (object.object !== 'event') return found
  const { type, data } = value as { type: string; data: { object: unknown } }
  const known = knownEventTypes().has(type)
  return [
    ...found,
    ...(known ? [] : [`event type "${type}" is not declared`]),
    ...departures(data.object).map((text) => `${type} → ${text}`),
  ]
}

let eventTypes: Set<string> | undefined

function knownEventTypes(): Set<string> {
  eventTypes ??= new Set(literals(declared('WebhookEndpoints', 'WebhookEndpointCreateParams.EnabledEvent')))
  return eventTypes
}

function literals(node: TypeNode): string[] {
  const type = resolve(node)
  if (type.kind === 'literal') return [String(type.value)]
  return type.kind === 'union' ? type.of.flatMap(literals) : []
}

function check(value: unknown, declaredType: TypeNode, path: string): string[] {
  const type = resolve(declaredType)
  switch (type.kind) {
    case 'literal':
      return value === type.value ? [] : [`${path} is ${show(value)}, declared ${show(type.value)}`]
    case 'primitive':
      return checkPrimitive(value, type.name, path)
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((item, index) => check(item, type.of, `${path}[${index}]`))
        : [`${path} is ${show(value)}, declared an array`]
    case 'union':
      return checkUnion(value, type.of, path)
    case 'object':
      return checkObject(value, type, path)
    case 'reference':
      return [`${path}: unresolved type`]
  }
}

function checkObject(value: unknown, type: Extract<TypeNode, { kind: 'object' }>, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path} is ${show(value)}, declared ${type.name || 'an object'}`]
  // An interface without fields stands for "any object", as in an event's data.
  if (type.fields.size === 0 && !type.index) return []
  const record = value as Record<string, unknown>
  const lacking = [...type.fields].flatMap(([name, field]) =>
    field.optional || name in record ? [] : [`${path}.${name} is missing`],
  )
  const present = Object.entries(record).flatMap(([name, child]) => {
    const field = type.fields.get(name)
    if (field) return check(child, field.type, `${path}.${name}`)
    return type.index ? check(child, type.index, `${path}.${name}`) : [`${path}.${name} is not declared`]
  })
  return [...lacking, ...present]
}

function checkUnion(value: unknown, members: readonly TypeNode[], path: string): string[] {
  const resolved = members.map(resolve).flatMap((member) => (member.kind === 'union' ? member.of.map(resolve) : [member]))
  const values = resolved.filter((member) => member.kind === 'literal')
  // The declarations leave every enum open for the future; the sandbox may only say what is known today.
  const open = resolved.some((member) => member.kind === 'primitive' && member.name === 'other')
  if (open && typeof value === 'string')
    return values.some((member) => member.kind === 'literal' && member.value === value)
      ? []
      : [`${path} is ${show(value)}, not one of the declared values`]
  const kind = (value as { object?: string } | null)?.object
  const ofKind = resolved.filter((member) => member.kind === 'object' && kind !== undefined && objectName(member) === kind)
  const candidates = ofKind.length > 0 ? ofKind : resolved
  const outcomes = candidates.map((member) => check(value, member, path))
  return outcomes.find((outcome) => outcome.length === 0) ?? outcomes.sort((a, b) => a.length - b.length)[0]!
}

function objectName(type: TypeNode): unknown {
  const field = type.kind === 'object' ? type.fields.get('object') : undefined
  const literal = field ? resolve(field.type) : undefined
  return literal?.kind === 'literal' ? literal.value : undefined
}

function checkPrimitive(value: unknown, name: string, path: string): string[] {
  const actual = value === null ? 'null' : typeof value
  const fits =
    name === 'unknown' ||
    name === 'any' ||
    (name === 'decimal' ? actual === 'string' : name === 'number' ? actual === 'number' : actual === name)
  return fits ? [] : [`${path} is ${show(value)}, declared ${name}`]
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? 'undefined'
}
