// For tests of what earns and pays: partners who have signed, and sales through them, with the real plugins.
import { controlsOf, type TestHouse } from '../../app/testing.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { type CanonicalPayment, touchSource } from '../attribution/public.ts'
import { definePlugin, extend, minutes, newId, type Plugin, sum } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import type { PartnerAccount } from '../ledger/public.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { commissions } from './plugin.ts'

/** Stands for whoever records clicks: the click id of a payment is the id of the partner it belongs to. */
const clicks = definePlugin({
  id: 'clicks',
  title: 'Clicks',
  summary: 'Finds the partner of a payment, for tests.',
  setup: ({ clock }) => ({
    extends: [
      extend(touchSource, {
        kind: 'click',
        find: async (_reader, _programId, { clickId }) =>
          clickId
            ? [{ kind: 'click', partnerId: clickId, at: new Date(clock.now().getTime() - minutes(1)), reference: clickId }]
            : [],
      }),
    ],
  }),
})

export const earningPlugins: readonly Plugin[] = [notifications, partners, agreements, attribution, ledger, commissions, clicks]

export interface TestPartner {
  readonly id: string
  readonly userId: string
  readonly username: string
  readonly email: string
}

export interface Trade {
  /** An active partner who has signed; with `signed: false` one who has not signed what is current. */
  aPartner(options?: { signed?: boolean }): Promise<TestPartner>
  sign(partner: TestPartner): Promise<void>
  /** Records a payment of $100.00 through the partner, or the same payment with what changed. Events wait for `drain`. */
  record(payment: CanonicalPayment): Promise<string>
  aPayment(partner: { id: string } | undefined, change?: Partial<CanonicalPayment>): CanonicalPayment
  /** Balances of the partner in natural sign, those that are not zero. */
  balances(partner: { id: string }, currency?: string): Promise<Record<string, bigint>>
  /** Findings of the proof; empty when the books hold. */
  findings(): Promise<readonly object[]>
}

export function tradeIn(house: TestHouse): Trade {
  let count = 0
  async function sign(partner: TestPartner): Promise<void> {
    const answer = await house.run('agreement', {}, partner)
    const link = controlsOf(answer).find((url) => url.includes('/agreements/'))!
    const page = await house.app.inject({
      method: 'POST',
      remoteAddress: `10.0.${Math.floor(count / 250)}.${(count % 250) + 1}`,
      url: new URL(link).pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({ name: 'A Partner', consent: 'yes' }).toString(),
    })
    if (page.statusCode !== 200) throw new Error(`signing answered ${page.statusCode}: ${page.body}`)
    await house.drain()
  }
  return {
    sign,
    aPartner: async ({ signed = true } = {}) => {
      const number = ++count
      const partner = {
        id: newId(house.clock.now()),
        userId: String(200_000_000_000_000_000n + BigInt(number)),
        username: `partner${number}`,
        email: `partner${number}@example.com`,
      }
      await house.connection
        .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
        values (${partner.id}, ${house.program.id}, ${partner.userId}, ${`Partner ${number}`}, ${partner.email}, 'saas', 'active', now(), now())`
      if (signed) await sign(partner)
      return partner
    },
    record: async (payment) => (await house.db.transaction((tx) => house.use(attribution).recordPayment(tx, payment))).saleId,
    aPayment: (partner, change = {}) => {
      const number = ++count
      return {
        programId: house.program.id,
        provider: 'test',
        paymentKey: `pay_${number}`,
        gross: 10_000n,
        tax: 0n,
        shipping: 0n,
        currency: 'USD',
        refunded: 0n,
        dispute: 'none',
        customer: { key: `cus_${number}`, emailHash: undefined, country: 'DE' },
        hints: partner ? { clickId: partner.id } : {},
        product: 'Course',
        paidAt: house.clock.now(),
        ...change,
      }
    },
    balances: async (partner, currency = 'USD') =>
      Object.fromEntries(
        (await house.use(ledger).balances(house.db, house.program.id, partner.id))
          .filter((balance) => balance.currency === currency && balance.amount !== 0n)
          .map(({ kind, amount }) => [kind, amount]),
      ),
    findings: async () => (await house.use(ledger).prove(house.db, house.program.id)).findings,
  }
}

/** Stands for payouts: posts and marks what a payout of everything payable in USD would. `onItsWay` happens before it is paid or returned. */
export async function payFor(
  house: TestHouse,
  partner: { id: string },
  until: 'in_payout' | 'paid' | 'returned' = 'paid',
  onItsWay?: () => Promise<void>,
): Promise<void> {
  const programId = house.program.id
  const service = house.use(commissions)
  const move = (
    from: PartnerAccount,
    to: PartnerAccount,
    state: 'in_payout' | 'paid' | 'payable',
    ids: readonly string[],
    due: bigint,
  ) =>
    house.db.transaction(async (tx) => {
      await house.use(ledger).post(tx, {
        programId,
        key: `test:${newId()}`,
        reason: { in_flight: 'payout_prepared', paid: 'payout_confirmed' }[to as string] ?? 'payout_returned',
        subject: { type: 'payout', id: partner.id },
        entries: [
          { account: { kind: from, partnerId: partner.id, currency: 'USD' }, amount: due },
          { account: { kind: to, partnerId: partner.id, currency: 'USD' }, amount: -due },
        ],
      })
      await service.setState(
        tx,
        { programId, partnerId: partner.id, currency: 'USD' },
        ids,
        state,
        state === 'payable' ? 'payout_returned' : null,
      )
    })
  const taken = await house.db.transaction((tx) => service.takePayable(tx, programId, partner.id, 'USD'))
  const due = sum(taken.map((commission) => commission.due))
  const ids = taken.map(({ id }) => id)
  if (due === 0n) return
  await move('payable', 'in_flight', 'in_payout', ids, due)
  await onItsWay?.()
  if (until === 'paid') await move('in_flight', 'paid', 'paid', ids, due)
  if (until === 'returned') await move('in_flight', 'payable', 'payable', ids, due)
  await house.drain()
}
