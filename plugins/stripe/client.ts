// The one place that makes a client of Stripe's SDK, and what the plugin asks it for: never within a transaction.
import Stripe from 'stripe'
import { askedEventId, type Fact, type KeptEvent, type ObjectKind, readEvent, readObject } from './facts.ts'
import type { StripeApi } from './service.ts'

/** The version of the API that the client asks in, and that events have to be written in. */
export const apiVersion = Stripe.API_VERSION

export function createClient(env: { secretKey: string; apiUrl: string | undefined }): Stripe {
  const url = env.apiUrl === undefined ? undefined : new URL(env.apiUrl)
  return new Stripe(env.secretKey, {
    apiVersion,
    timeout: 20_000,
    maxNetworkRetries: 1,
    telemetry: false,
    ...(url && {
      host: url.hostname,
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      protocol: url.protocol === 'https:' ? 'https' : 'http',
    }),
  })
}

/** Monthly for a lifetime. */
const mostInvoices = 1_000

export function createApi(stripe: Stripe, hashEmail: (email: string) => string): StripeApi {
  /** Dated by the object's own creation, so that anything an event tells of it counts as newer. */
  const read = (object: { id: string; created: number }): Fact[] => {
    const fact = readObject(object as never, { created: object.created, eventId: askedEventId }, hashEmail)
    return typeof fact === 'object' ? [fact] : []
  }

  const retrieve: Record<ObjectKind, (id: string) => Promise<object>> = {
    payment_intent: (id) => stripe.paymentIntents.retrieve(id),
    charge: (id) => stripe.charges.retrieve(id),
    refund: (id) => stripe.refunds.retrieve(id),
    dispute: (id) => stripe.disputes.retrieve(id),
    'checkout.session': (id) => stripe.checkout.sessions.retrieve(id),
    invoice: (id) => stripe.invoices.retrieve(id),
    invoice_payment: (id) => stripe.invoicePayments.retrieve(id),
    transfer: (id) => stripe.transfers.retrieve(id),
    account: (id) => stripe.accounts.retrieve(id),
  }

  async function originOfIntent(id: string): Promise<Fact[]> {
    const intent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] })
    const charge = typeof intent.latest_charge === 'object' && intent.latest_charge ? read(intent.latest_charge) : []
    const sessions = await stripe.checkout.sessions.list({ payment_intent: id, limit: 10 })
    const invoicePayments = await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: id },
      limit: 10,
    })
    const found = [...read(intent), ...charge, ...sessions.data.flatMap(read), ...invoicePayments.data.flatMap(read)]
    for (const { invoice } of invoicePayments.data)
      found.push(...(await originOfInvoice(typeof invoice === 'string' ? invoice : invoice.id)))
    return found
  }

  async function originOfInvoice(id: string): Promise<Fact[]> {
    const invoice = await stripe.invoices.retrieve(id)
    const of = invoice.parent?.subscription_details?.subscription
    if (!of) return read(invoice as { id: string; created: number })
    const subscription = typeof of === 'string' ? of : of.id
    const sessions = await stripe.checkout.sessions.list({ subscription, limit: 10 })
    // Those before it say which payment of the subscription it is.
    const before = await stripe.invoices
      .list({ subscription, created: { lte: invoice.created }, limit: 100 })
      .autoPagingToArray({ limit: mostInvoices })
    return [invoice, ...before.filter((other) => other.id !== invoice.id)]
      .flatMap((one) => read(one as { id: string; created: number }))
      .concat(sessions.data.flatMap(read))
  }

  return {
    version: apiVersion,
    ownAccount: async () => {
      const account = await stripe.accounts.retrieveCurrent()
      return { id: account.id, name: account.business_profile?.name || account.settings?.dashboard?.display_name || account.id }
    },
    originOf: async (paymentKey) =>
      (await unlessMissing(async () =>
        paymentKey.startsWith('pi_') ? originOfIntent(paymentKey) : read(await stripe.charges.retrieve(paymentKey)),
      )) ?? [],
    invoice: async (id) => (await unlessMissing(async () => read(await stripe.invoices.retrieve(id)))) ?? [],
    paymentsOfInvoice: async (invoice) => {
      const found = await unlessMissing(() => stripe.invoicePayments.list({ invoice, status: 'paid', limit: 100 }))
      return (found?.data ?? []).flatMap(read) as Fact<'invoice_payment'>[]
    },
    promotionCode: (id) => unlessMissing(async () => (await stripe.promotionCodes.retrieve(id)).code),
    promotionOfInvoice: async (invoiceId) => {
      const invoice = await stripe.invoices.retrieve(invoiceId, { expand: ['discounts'] }).catch(unlessRefused)
      for (const discount of invoice?.discounts ?? []) {
        const code = typeof discount === 'object' && 'promotion_code' in discount ? discount.promotion_code : null
        if (code) return typeof code === 'string' ? code : code.id
      }
      return undefined
    },
    // Stripe keeps events for thirty days.
    event: (id): Promise<KeptEvent | undefined> =>
      unlessMissing(async () => readEvent(await stripe.events.retrieve(id), hashEmail, apiVersion).kept),
    object: ({ object, id, created }, eventId) =>
      unlessMissing(async () => readObject({ ...(await retrieve[object](id)) }, { created, eventId }, hashEmail)),
  }
}

/** A discount that is gone since cannot be expanded any more: then there is no code to read. */
function unlessRefused(error: unknown): undefined {
  if (error instanceof Stripe.errors.StripeInvalidRequestError) return undefined
  throw error
}

/** What was asked for; undefined when Stripe has no such thing, or none that the platform may see. */
export async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    const { StripeInvalidRequestError, StripePermissionError } = Stripe.errors
    if (error instanceof StripeInvalidRequestError && error.statusCode === 404) return undefined
    // A connected account that was deleted, or left.
    if (error instanceof StripePermissionError && error.code === 'account_invalid') return undefined
    throw error
  }
}
