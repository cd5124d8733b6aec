// The bank of the simulation: a payout provider that keeps its own truth, times out before and after it took the money, and pays twice when asked twice.
import { commissions } from '../../plugins/commissions/plugin.ts'
import { tierSource } from '../../plugins/commissions/public.ts'
import { definePlugin, extend } from '../../plugins/kit/index.ts'
import { payouts } from '../../plugins/payouts/plugin.ts'
import { type PayoutProvider, PayoutRefused, payoutProvider, type SendRequest } from '../../plugins/payouts/public.ts'
import { paydayBefore, type Size } from './plan/calendar.ts'
import { type Fate, fateOf, isPoor } from './plan/fates.ts'
import { shuffled } from './random.ts'

export const bankId = 'simulated_bank'

export interface Word {
  readonly providerId: string
  readonly outcome: 'paid' | 'returned'
}

export interface Bank {
  readonly plugin: ReturnType<typeof definePlugin>
  /** What the bank tells on this day, in the order in which it tells it. */
  wordsOn(day: number): Word[]
  /** What it paid out and did not get back, by `partner currency`. */
  transferred(): Map<string, bigint>
}

interface Taken {
  readonly providerId: string
  readonly partner: string
  readonly currency: string
  readonly payday: number
  readonly amount: bigint
  words: { on: number; outcome: 'paid' | 'returned' }[]
}

export function createBank(
  size: Size,
  world: {
    today: () => number
    /** Hands over a confirmation at once, before the answer to the request. */
    tellEarly: (word: Word) => Promise<void>
    /** The tier of a partner, by their id. */
    tierOf: (partnerId: string) => string | null
  },
): Bank {
  const { today, tellEarly } = world
  const taken: Taken[] = []
  const ofPayout = new Map<string, Taken>()
  const tries = new Map<string, number>()

  const fateFor = ({ destination, currency }: SendRequest): Fate =>
    fateOf(size, partnerAt(destination), currency, paydayBefore(today()))

  function take({ payoutId, destination, currency, amount }: SendRequest, fate: Fate): Taken {
    const made: Taken = {
      providerId: `tr_${taken.length + 1}`,
      partner: partnerAt(destination),
      currency,
      payday: paydayBefore(today()),
      amount,
      words: [],
    }
    const wordOn = today() + (fate.early && fate.troubles.includes('after') ? 0 : fate.daysToWord)
    made.words.push({ on: wordOn, outcome: fate.word })
    if (fate.toldTwice) made.words.push({ on: wordOn + 3, outcome: fate.word })
    if (fate.word === 'paid' && fate.comesBack !== undefined) made.words.push({ on: wordOn + fate.comesBack, outcome: 'returned' })
    taken.push(made)
    ofPayout.set(payoutId, made)
    return made
  }

  const provider: PayoutProvider = {
    id: bankId,
    title: 'Simulated Bank',
    onboard: async ({ account, email }) => {
      const id = account ?? `acct_${email.split('@')[0]}`
      return { account: id, url: `https://bank.example/${id}` }
    },
    accountState: async () => ({ ready: true, missing: '' }),
    find: async ({ payoutId }) => {
      const found = ofPayout.get(payoutId)
      return found && { providerId: found.providerId, state: 'sent' }
    },
    send: async (request) => {
      const fate = fateFor(request)
      if (fate.stuck === 'silent' && today() === paydayBefore(today())) throw new Error('the bank does not answer')
      const nth = tries.get(request.payoutId) ?? 0
      tries.set(request.payoutId, nth + 1)
      const trouble = fate.troubles[nth]
      if (trouble === 'before') throw new Error('the connection broke before the bank took it')
      if (fate.refused) throw new PayoutRefused('The account is closed.')
      const made = take(request, fate)
      if (trouble === 'after') {
        if (fate.early) await tellEarly({ providerId: made.providerId, outcome: fate.word })
        throw new Error('the connection broke after the bank took it')
      }
      return { providerId: made.providerId, state: 'sent' }
    },
    available: async (currency) => (isPoor(size, currency, today()) ? 0n : 10n ** 15n),
  }

  return {
    plugin: definePlugin({
      id: 'simulated',
      title: 'Simulated bank',
      summary: 'A payout provider that goes wrong on purpose, and tiers for partners.',
      requires: [commissions, payouts],
      setup: () => ({
        extends: [
          extend(payoutProvider, provider),
          extend(tierSource, { id: 'simulated', tierOf: async (_reader, _programId, partnerId) => world.tierOf(partnerId) }),
        ],
      }),
    }),
    wordsOn: (day) => {
      const nameOf = ({ partner, currency, payday }: Taken) => `${partner} ${currency} ${payday}`
      const due = taken.filter(({ words }) => words.some(({ on }) => on === day))
      return shuffled(due, nameOf, size.seed, 'bank', day).flatMap(({ providerId, words }) =>
        words.filter(({ on }) => on === day).map(({ outcome }) => ({ providerId, outcome })),
      )
    },
    transferred: () => {
      const found = new Map<string, bigint>()
      for (const { partner, currency, amount, words } of taken) {
        const back = words.some(({ on, outcome }) => outcome === 'returned' && on <= today())
        const own = `${partner} ${currency}`
        if (!back) found.set(own, (found.get(own) ?? 0n) + amount)
      }
      return found
    },
  }
}

const partnerAt = (destination: string): string => destination.replace(/^acct_/, '')
