// Payouts through Stripe: what partners do about their accounts, and what Stripe tells of accounts and transfers, subject by subject in its order.
import { errandOf } from '../plan/accounts.ts'
import type { LifeKind } from '../plan/lives.ts'
import type { Connect, Subject } from '../stripe/connect.ts'
import { controlIn, type Setting } from './setting.ts'
import type { StripeDoor } from './stripe.ts'
import type { Work } from './work.ts'

/** A partner, with the ways in which they deal with the program. */
export interface Visitor {
  readonly partner: string
  readonly isActive: boolean
  /** Runs `/payout setup` for Stripe. */
  setUp(): ReturnType<Setting['house']['run']>
  /** Opens a page of the program. */
  open(url: string): Promise<{ statusCode: number; headers: { location?: string | string[] | undefined } }>
}

export interface StripeAccounts {
  /** The partner does what the plan says about their account, or something becomes of it. */
  change(visitor: Visitor, kind: LifeKind, day: number): Promise<void>
  /** In the evening those come back from Stripe's page who do. */
  comeBack(): Promise<void>
  /** Brings what Stripe tells on this day, and has the program ask about the accounts of what came back. */
  bring(day: number): Promise<void>
}

export function createStripeAccounts({ size }: Setting, connect: Connect, door: StripeDoor, work: Work): StripeAccounts {
  let away: Visitor[] = []

  async function setUp(visitor: Visitor, isSlow: boolean): Promise<void> {
    const { partner } = visitor
    controlIn(await visitor.setUp(), new RegExp(`"url":"(https://connect.stripe.test/acct_${partner})"`))
    if (!isSlow) return
    const { statusCode, headers } = await visitor.open(connect.pagesOf(partner).refreshUrl)
    if (statusCode !== 303 || !String(headers.location).startsWith('https://connect.stripe.test/'))
      throw new Error(`${partner} got no other page of Stripe: ${statusCode}`)
  }

  /** What is about one subject comes one by one, what is about different ones together. */
  async function inRounds(subjects: readonly Subject[], name: string, afterwards?: () => Promise<void>): Promise<void> {
    const rounds: Subject[][] = []
    const seen = new Map<string, number>()
    for (const subject of subjects) {
      const nth = seen.get(subject.name) ?? 0
      seen.set(subject.name, nth + 1)
      rounds[nth] = [...(rounds[nth] ?? []), subject]
    }
    for (const [i, round] of rounds.entries()) {
      await door.deliver(
        round.map(({ event }) => event),
        `${name} ${i}`,
      )
      await afterwards?.()
    }
  }

  return {
    change: async (visitor, kind, day) => {
      const { partner, isActive } = visitor
      const errand = errandOf(size, partner, { kind, day, look: connect.lookOf(partner), isActive })
      if (errand.setsUp) await setUp(visitor, errand.isSlow)
      for (const change of errand.changes) if (change !== 'begun') connect.change(partner, change, day)
      if (errand.comesBack) away.push(visitor)
    },
    comeBack: async () => {
      const back = away
      away = []
      for (const { partner, open } of back) {
        const { statusCode } = await open(connect.pagesOf(partner).returnUrl)
        if (statusCode !== 200) throw new Error(`the way back from Stripe answered ${statusCode} to ${partner}`)
      }
    },
    bring: async (day) => {
      await inRounds(connect.transferNews(day), `transfers ${day}`, () => work.deliverChecks(day))
      await inRounds(connect.accountNews(day), `accounts ${day}`)
    },
  }
}
