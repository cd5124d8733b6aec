// Pays partners through PayPal Payouts: one batch for each payout, so that a payout can be found again by the id that we gave its batch.
import { type Db, UserError } from '../kit/index.ts'
import { PayoutPostponed, type PayoutProvider, PayoutRefused, type SendRequest } from '../payouts/public.ts'
import { stepAtPayPal, toPayPal } from './amounts.ts'
import { type Batches, senderBatchIdOf, unclear } from './batches.ts'
import { type BatchOrder, earlierBatch, type PayPalApi, PayPalRefusal } from './client.ts'
import { isReady, notReady, type PageLinks, type Receivers } from './receivers.ts'
import { outcomeOf } from './states.ts'

export const providerId = 'paypal'

export function createPayoutProvider(ports: {
  db: Db
  api: PayPalApi
  batches: Batches
  receivers: Receivers
  links: PageLinks
  url: (path: string) => string
  programName: (programId: string) => Promise<string>
}): PayoutProvider {
  const { db, api, batches, receivers, links, url, programName } = ports

  /**
   * PayPal's id of the one batch with our id: a new one, or that of an earlier try. @throws PayoutRefused when PayPal says no for good, PayoutPostponed
   * for an empty balance or a missing permission, which an admin mends. A limit is over one day, and so is silence.
   */
  async function sendOrAdopt(order: BatchOrder): Promise<string> {
    try {
      return await api.createBatch(order)
    } catch (error) {
      if (!(error instanceof PayPalRefusal)) throw error
      const earlier = earlierBatch(error)
      if (earlier?.batchId !== undefined) return earlier.batchId
      // There is a batch, and the money may be in it: whatever its code, that is no refusal of the payout.
      if (earlier) throw error
      if (error.status === 400 && error.code === 'VALIDATION_ERROR') throw new PayoutRefused(error.message)
      if (error.status === 401 || error.status === 403 || error.code === 'INSUFFICIENT_FUNDS')
        throw new PayoutPostponed(error.message)
      throw error
    }
  }

  /** The amount as PayPal writes it. @throws PayoutRefused when PayPal has no such amount */
  function payableValue({ amount, currency }: SendRequest): string {
    try {
      return toPayPal(amount, currency)
    } catch (error) {
      throw error instanceof UserError ? new PayoutRefused(error.message) : error
    }
  }

  return {
    id: providerId,
    title: 'PayPal',
    onboard: async ({ programId, partnerId, account, returnUrl, refreshUrl }) => {
      const receiver = await receivers.openFor({ programId, partnerId }, account)
      const link = links.seal({ programId, receiverId: receiver.id, returnUrl, refreshUrl })
      return { account: receiver.id, url: url(`/paypal/address?link=${link}`) }
    },
    accountState: async (account) => {
      const receiver = await receivers.byId(db, account)
      return isReady(receiver) ? { ready: true, missing: '', places: [{ name: receiver.email, isDefault: true }] } : notReady
    },
    find: async ({ payoutId }) => {
      const { batchId } = (await batches.of(db, payoutId)) ?? {}
      // Unknown: then `send` asks, since PayPal refuses our id a second time and names the batch that has it.
      if (!batchId) return undefined
      return { providerId: batchId, state: outcomeOf(await api.batch(batchId)) === 'returned' ? 'returned' : 'sent' }
    },
    send: async (request) => {
      const { programId, payoutId, destination, currency } = request
      const value = payableValue(request)
      const receiver = await receivers.find(db, programId, destination)
      if (!receiver?.email) {
        if (await batches.of(db, payoutId)) throw unclear(senderBatchIdOf(payoutId))
        throw new PayoutRefused(
          'The PayPal address that it was meant for is not there any more. The partner can give another with /payout setup.',
        )
      }
      const isFirst = !(await batches.of(db, payoutId))
      const senderBatchId = await batches.noteTry({ programId, payoutId, receiverId: receiver.id })
      const note = `Your payout from ${await programName(programId)}`
      try {
        const batchId = await sendOrAdopt({ senderBatchId, receiver: receiver.email, value, currency, note })
        await batches.noteBatch(payoutId, batchId)
        return { providerId: batchId, state: 'sent' }
      } catch (error) {
        if (error instanceof PayoutRefused || (isFirst && error instanceof PayoutPostponed)) await batches.noteRefused(payoutId)
        throw error
      }
    },
    available: (currency) => api.balance(currency),
    step: stepAtPayPal,
  }
}
