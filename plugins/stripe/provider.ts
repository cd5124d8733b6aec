// Pays partners through Stripe Connect: accounts with Stripe's Express dashboard, and transfers from the platform's balance.
import { createHash } from 'node:crypto'
import Stripe from 'stripe'
import { UserError } from '../kit/index.ts'
import { PayoutPostponed, type PayoutProvider, PayoutRefused, type ProviderTransfer } from '../payouts/public.ts'
import { accountShape, stateOf } from './account.ts'
import { unlessMissing } from './client.ts'
import { fromStripe, stepAtStripe, toStripe } from './units.ts'

export function createPayoutProvider(stripe: Stripe): PayoutProvider {
  return {
    id: 'stripe',
    title: 'Stripe (bank account or debit card)',
    onboard: async ({ programId, partnerId, email, account, returnUrl, refreshUrl }) => {
      const known = account === undefined ? undefined : await unlessMissing(() => stripe.accounts.retrieve(account))
      const id = known?.id ?? (await createAccount(stripe, { programId, partnerId, email, insteadOf: account }))
      const link = await stripe.accountLinks.create({
        account: id,
        type: 'account_onboarding',
        return_url: returnUrl,
        refresh_url: refreshUrl,
      })
      return { account: id, url: link.url }
    },
    accountState: async (account) => {
      const found = await unlessMissing(() => stripe.accounts.retrieve(account))
      return found ? stateOf(accountShape.parse(found)) : { ready: false, missing: 'another account, because this one was closed' }
    },
    find: async ({ payoutId }) => {
      const found = await stripe.transfers.list({ transfer_group: payoutId, limit: 10 })
      const transfer = found.data.find(({ metadata }) => metadata.payoutId === payoutId)
      return transfer && toTransfer(transfer)
    },
    send: async ({ programId, payoutId, amount, currency, destination, round }) => {
      try {
        const transfer = await stripe.transfers.create(
          {
            amount: toStripe(amount, currency),
            currency: currency.toLowerCase(),
            destination,
            transfer_group: payoutId,
            metadata: { payoutId, programId },
          },
          { idempotencyKey: round === 0 ? `payout:${payoutId}` : `payout:${payoutId}:${round}` },
        )
        return toTransfer(transfer)
      } catch (error) {
        throw refusalOf(error) ?? error
      }
    },
    available: async (currency) => {
      const balance = await stripe.balance.retrieve()
      const amount = balance.available.find((part) => part.currency.toUpperCase() === currency)?.amount ?? 0
      return fromStripe(amount, currency)
    },
    step: stepAtStripe,
  }
}

/**
 * A second try within a day finds the first one's account: the key is the partner, the address they were onboarded with, and the account that is gone, if this
 * one is instead of it.
 */
async function createAccount(
  stripe: Stripe,
  partner: { programId: string; partnerId: string; email: string; insteadOf: string | undefined },
): Promise<string> {
  const address = createHash('sha256').update(partner.email).digest('hex').slice(0, 16)
  const key = ['account', partner.partnerId, address, ...(partner.insteadOf === undefined ? [] : [partner.insteadOf])]
  const account = await stripe.accounts.create(
    {
      controller: {
        fees: { payer: 'application' },
        losses: { payments: 'application' },
        requirement_collection: 'stripe',
        stripe_dashboard: { type: 'express' },
      },
      capabilities: { transfers: { requested: true } },
      email: partner.email,
      metadata: { partnerId: partner.partnerId, programId: partner.programId },
    },
    { idempotencyKey: key.join(':') },
  )
  return account.id
}

function toTransfer(transfer: Stripe.Transfer): ProviderTransfer {
  return { providerId: transfer.id, state: transfer.reversed ? 'returned' : 'sent' }
}

/**
 * A no for good, or for now when the platform's own account is the reason. Stripe answers every repetition under the same idempotency key with the same
 * refusal, so what was put off is sent under another one. What may be over in a moment (connection, rate limit, Stripe's own errors) is neither, and nor
 * is a reused key, behind which money may already have moved.
 */
function refusalOf(error: unknown): PayoutRefused | PayoutPostponed | undefined {
  if (error instanceof UserError) return new PayoutRefused(error.message)
  if (!(error instanceof Stripe.errors.StripeError) || error.statusCode === 409 || error.statusCode === 429) return undefined
  const { StripeAuthenticationError, StripeInvalidRequestError, StripePermissionError } = Stripe.errors
  const isOurs = error instanceof StripeAuthenticationError || error instanceof StripePermissionError
  if (isOurs || error.code === 'balance_insufficient') return new PayoutPostponed(error.message)
  return error instanceof StripeInvalidRequestError
    ? new PayoutRefused(error.message, 'Stripe did not accept a transfer to your account there.')
    : undefined
}
