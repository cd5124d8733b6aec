// Sends one payout through its provider so that it cannot be paid twice, whatever breaks in between.
import { type Clock, type Db, formatMoney } from '../kit/index.ts'
import { askState } from './methods.ts'
import type { PayoutService } from './model.ts'
import { PayoutPostponed, type PayoutProvider, PayoutRefused, type ProviderTransfer } from './public.ts'

export interface Sender {
  /** Brings a prepared payout to the provider and records it. @throws whatever may be tried again */
  send(payoutId: string): Promise<void>
  /** Asks the provider about an account and records what it says; one that does not answer for it changes nothing. */
  checkAccount(provider: string, account: string): Promise<void>
}

/**
 * The try is counted and committed before it is made. So if the process dies after the provider took the money and before that was recorded, the next try
 * knows that there may be a transfer, asks the provider for it and adopts what it finds. Two tries at the same time are told apart by the provider, by
 * the idempotency key that it derives from the payout's id.
 */
export function createSender(options: {
  db: Db
  clock: Clock
  service: PayoutService
  providers: () => readonly PayoutProvider[]
}): Sender {
  const { db, clock, service, providers } = options
  return {
    checkAccount: async (providerId, account) => {
      const provider = providers().find(({ id }) => id === providerId)
      const state = provider && (await askState(provider, account, clock))
      if (state) await db.transaction((tx) => service.accountChanged(tx, providerId, account, state))
    },
    send: async (payoutId) => {
      const payout = await db.transaction((tx) => service.countTry(tx, payoutId))
      if (!payout) return
      const provider = providers().find(({ id }) => id === payout.provider)
      const waitFor = (reason: string, options?: { untried: boolean; postponed?: boolean }) =>
        db.transaction((tx) => service.wait(tx, payoutId, reason, options))
      if (!provider) return waitFor(`The payout provider “${payout.provider}” is not set up.`, { untried: true })
      const { programId, amount, currency, destination } = payout
      const request = { programId, payoutId, amount, currency, destination, round: payout.postponed }
      let mayHaveIt = false
      try {
        const found = payout.attempts + payout.postponed > 0 ? await provider.find(request) : undefined
        mayHaveIt = found !== undefined
        const transfer = found ?? (await sendNow())
        if (transfer) await db.transaction((tx) => service.recordSent(tx, payoutId, transfer))
      } catch (error) {
        if (error instanceof PayoutRefused)
          return db.transaction((tx) => service.recordRefused(tx, payoutId, error.message, error.forPartner))
        const said = `${provider.title} did not take it: ${error instanceof Error ? error.message : String(error)}`
        if (error instanceof PayoutPostponed) return waitFor(said, { untried: true, postponed: true })
        await waitFor(said, { untried: !mayHaveIt })
        throw error
      }

      async function sendNow(): Promise<ProviderTransfer | undefined> {
        const available = await provider!.available(currency)
        if (available === undefined || available >= amount) {
          const mayGo = payout!.attempts > 0 || (await db.transaction((tx) => service.mayGo(tx, payoutId)))
          mayHaveIt = mayGo
          return mayGo ? provider!.send(request) : undefined
        }
        const there = formatMoney(available, currency)
        await waitFor(
          `${provider!.title} has ${there} of the ${formatMoney(amount, currency)} needed. Add funds; it is tried again every few minutes.`,
          { untried: true },
        )
        return undefined
      }
    },
  }
}
