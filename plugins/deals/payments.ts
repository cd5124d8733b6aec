// The money of a deal is one sale, whether a payment provider reports it, an admin records it, or both: matches the two. Amounts in minor units.
import { and, asc, eq, gte, type SQLWrapper, sql } from 'drizzle-orm'
import type { Attribution, Sale } from '../attribution/public.ts'
import { staffChannel } from '../channels/public.ts'
import { amongIds, type Clock, type DiscordEffects, days, type Reader, refuseOwn, sum, type Tx, UserError } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import { replacedMessage, sameMoneyCard } from './messages.ts'
import type { Money } from './prospect.ts'
import { byHand, type DealService, handPayment } from './service.ts'
import { type Deal, type DealPayment, deals, payments } from './tables.ts'

export interface DealPayments {
  /**
   * A sale was recorded. If a provider reported it and it is of a deal: a payment that names the deal wins it, or takes the place of what an admin had
   * recorded by hand; for a payment of the deal's contact an admin is asked.
   */
  noticed(tx: Tx, programId: string, saleId: string): Promise<void>
  /**
   * As `noticed` for each; sales that no deal speaks for, which are most, cost next to nothing. For one with the very amount of a deal that was recorded by
   * hand an admin is asked, too, once for each deal.
   */
  noticedAll(tx: Tx, programId: string, told: readonly Told[]): Promise<void>
  /** Payments of the deal's contact of which nobody has said whether they are the deal's money, oldest first. */
  open(reader: Reader, programId: string, dealId: string): Promise<DealPayment[]>
  /**
   * Payments of the same money that providers reported since the deal was registered, by whomever, the latest first: somebody else at the company may have
   * paid. Left out are those of its contact, and those that are another deal's money or may be. Kept only once a person says that it is the same.
   */
  alike(reader: Reader, deal: Deal, money: Money): Promise<DealPayment[]>
  /**
   * A person says that this payment is the deal's money; `credited` is the partner whose sale it is. @throws UserError unless it is open or may be alike, and
   * the deal is accepted or won
   */
  same(tx: Tx, programId: string, dealId: string, saleId: string, actor: string): Promise<{ deal: Deal; credited: string | null }>
  /** A person says that it is money beside the deal's. @throws UserError unless it is open */
  other(tx: Tx, programId: string, dealId: string, saleId: string, actor: string): Promise<void>
}

/** What is told of a sale that was recorded. */
type Told = Pick<Sale, 'gross' | 'basis' | 'currency'> & { readonly saleId: string; readonly paidAt: Date }

export function createDealPayments(needs: {
  clock: Clock
  attribution: Attribution
  discord: DiscordEffects
  notifications: Notifications
  service: DealService
}): DealPayments {
  const { clock, attribution, discord, notifications, service } = needs

  const noticed: DealPayments['noticed'] = async (tx, programId, saleId) => {
    const origin = await attribution.origins(tx, programId, saleId)
    if (!origin || origin.provider === byHand) return
    const decision = (await attribution.decisions(tx, programId, saleId)).at(-1)
    const byContact = decision?.candidates.find(({ kind }) => kind === 'deal')?.reference
    const dealId = origin.hints.deal ?? byContact
    const deal = dealId === undefined ? undefined : await locked(tx, programId, dealId)
    if (!deal || (deal.status !== 'accepted' && deal.status !== 'won')) return
    const how = origin.hints.deal === deal.id ? 'named' : 'contact'
    const sale = (await attribution.sale(tx, programId, saleId))!
    const state = how === 'named' ? 'counted' : 'open'
    const [made] = await tx
      .insert(payments)
      .values(rowOf(deal.id, sale, { how, state }))
      .onConflictDoNothing()
      .returning()
    if (!made) return
    if (how === 'named') await count(tx, deal, sale)
    else if (await isByHand(tx, deal)) await ask(tx, deal, made)
  }

  const noticedAll: DealPayments['noticedAll'] = async (tx, programId, told) => {
    const saleIds = told.map(({ saleId }) => saleId)
    const [decisions, named, handWritten] = await Promise.all([
      attribution.latestDecisions(tx, programId, saleIds),
      attribution.withDealHint(tx, programId, saleIds),
      recordedByHand(tx, programId, told),
    ])
    for (const sale of told) {
      const { saleId } = sale
      if (named.has(saleId) || decisions.get(saleId)?.candidates.some(({ kind }) => kind === 'deal'))
        await noticed(tx, programId, saleId)
      else for (const deal of handWritten) if (mayBe(deal, sale) && (await noticedAlike(tx, deal, saleId))) break
    }
  }

  /** Deals that were won lately with the amount of one of these sales, and of which nobody was asked about a payment like theirs. */
  async function recordedByHand(tx: Tx, programId: string, told: readonly Told[]): Promise<Deal[]> {
    const amounts = `{${told.flatMap(({ gross, basis }) => [gross, basis]).join()}}`
    return tx
      .select()
      .from(deals)
      .where(
        and(
          eq(deals.programId, programId),
          eq(deals.status, 'won'),
          sql`${deals.wonAmount} = any(${amounts}::bigint[])`,
          gte(deals.closedAt, new Date(clock.now().getTime() - days(alikeDays))),
          neverAsked(deals.id),
        ),
      )
      .orderBy(asc(deals.closedAt))
  }

  const neverAsked = (dealId: SQLWrapper) =>
    sql`not exists (select from ${payments} where ${payments.programId} = ${deals.programId} and ${payments.dealId} = ${dealId} and ${payments.how} = 'amount')`

  const mayBe = (deal: Deal, { saleId, gross, basis, currency, paidAt }: Told): boolean =>
    deal.saleId !== saleId &&
    deal.wonCurrency === currency &&
    (deal.wonAmount === gross || deal.wonAmount === basis) &&
    paidAt >= deal.submittedAt

  /** False when there is nothing to ask. */
  async function noticedAlike(tx: Tx, { programId, id }: Deal, saleId: string): Promise<boolean> {
    const [deal] = await tx
      .select()
      .from(deals)
      .where(and(eq(deals.programId, programId), eq(deals.id, id), neverAsked(deals.id)))
      .for('update')
    const sale = (await attribution.sale(tx, programId, saleId))!
    if (deal?.status !== 'won' || !(await isByHand(tx, deal)) || !(await isReported(tx, sale))) return false
    const [made] = await tx
      .insert(payments)
      .values(rowOf(deal.id, sale, { how: 'amount', state: 'open' }))
      .onConflictDoNothing()
      .returning()
    if (made) await ask(tx, deal, made)
    return true
  }

  /** The payment is the deal's money. */
  async function count(tx: Tx, deal: Deal, sale: Sale): Promise<Deal> {
    if (deal.status === 'accepted') return service.winWith(tx, deal, sale)
    return (await isByHand(tx, deal)) ? replace(tx, deal, sale) : deal
  }

  /**
   * What an admin had recorded is lowered by what providers reported of the same deal, as by a refund: reported in full, it is worth nothing, and the
   * payment is the sale. So nothing counts twice, also when a deal is paid in parts: a part takes the place of what it is worth, without tax and shipping.
   * The admin may have written the amount with tax, so in full is what was paid with it. Amounts of two currencies cannot be compared: a payment in another
   * one takes the place of all that was recorded.
   */
  async function replace(tx: Tx, deal: Deal, sale: Sale): Promise<Deal> {
    const counted = await tx
      .select()
      .from(payments)
      .where(and(ofDeal(deal), eq(payments.state, 'counted')))
    const isComparable = counted.every(({ currency }) => currency === deal.wonCurrency)
    const whole = !isComparable || sum(counted.map(({ amount }) => amount)) >= deal.wonAmount!
    const reported = await attribution.salesById(
      tx,
      deal.programId,
      counted.map(({ saleId }) => saleId),
    )
    const refunded = whole ? deal.wonAmount! : sum(reported.map(({ basis }) => basis))
    await attribution.recordPayment(tx, {
      ...handPayment(deal, { amount: deal.wonAmount!, currency: deal.wonCurrency! }),
      refunded,
    })
    const [changed] = whole ? await tx.update(deals).set({ saleId: sale.id }).where(eq(deals.id, deal.id)).returning() : [deal]
    await notifications.tell(tx, {
      programId: deal.programId,
      key: `deals.replaced:${sale.id}`,
      userId: deal.userId,
      message: replacedMessage(deal, sale, whole),
    })
    return changed!
  }

  const isByHand = async (tx: Tx, { programId, saleId }: Deal): Promise<boolean> =>
    saleId !== null && (await attribution.origins(tx, programId, saleId))?.provider === byHand

  const ask = (tx: Tx, deal: Deal, payment: DealPayment): Promise<void> =>
    discord.post(tx, {
      programId: deal.programId,
      key: `deals.payment:${payment.saleId}`,
      channel: staffChannel,
      message: sameMoneyCard(deal, [payment]),
    })

  async function locked(tx: Tx, programId: string, dealId: string): Promise<Deal | undefined> {
    const [deal] = await tx
      .select()
      .from(deals)
      .where(and(eq(deals.programId, programId), eq(deals.id, dealId)))
      .for('update')
    return deal
  }

  /** Settles an open payment. @throws UserError unless it is open */
  async function settle(tx: Tx, programId: string, dealId: string, saleId: string, state: 'counted' | 'other', actor: string) {
    const deal = uuid.test(dealId) ? await locked(tx, programId, dealId) : undefined
    const [settled] =
      deal && uuid.test(saleId)
        ? await tx
            .update(payments)
            .set({ state, decidedBy: actor })
            .where(and(ofDeal(deal), eq(payments.saleId, saleId), eq(payments.state, 'open')))
            .returning()
        : []
    if (deal) refuseOwn('deal', deal.userId, actor)
    if (!deal || !settled)
      throw new UserError(
        'already_decided',
        'Somebody has said already what this payment is; that stands. `/admin deals show` has the deal.',
      )
    if (deal.status === 'won')
      await discord.post(tx, {
        programId,
        key: `deals.payment:${saleId}`,
        channel: staffChannel,
        message: sameMoneyCard(deal, [settled]),
      })
    return deal
  }

  const alike: DealPayments['alike'] = async (reader, { programId, id: dealId, submittedAt }, { amount: gross, currency }) => {
    const clues = { gross, orWithoutTax: true, currency, from: submittedAt, to: clock.now() }
    const found = await attribution.matching(reader, programId, clues, mostAlike)
    const ids = found.map(({ sale }) => sale.id)
    const known = await reader
      .select()
      .from(payments)
      .where(and(eq(payments.programId, programId), amongIds(payments.saleId, ids)))
    const taken = new Set(known.filter((one) => !isFree(one) || one.dealId === dealId).map(({ saleId }) => saleId))
    const left: DealPayment[] = []
    for (const { sale } of found)
      if (!taken.has(sale.id) && sale.net > 0n && (await isReported(reader, sale)))
        left.push(rowOf(dealId, sale, { how: 'amount', state: 'open' }))
    return left
  }

  const isReported = async (reader: Reader, { programId, id }: Sale): Promise<boolean> =>
    (await attribution.origins(reader, programId, id))?.provider !== byHand

  /** Somebody who was asked about a payment that is alike says that it is the deal's: from here on it is one that is open. */
  async function keepAlike(tx: Tx, programId: string, dealId: string, saleId: string): Promise<void> {
    if (!uuid.test(dealId) || !uuid.test(saleId)) return
    const [deal, sale] = [await locked(tx, programId, dealId), await attribution.sale(tx, programId, saleId)]
    if (deal?.status !== 'accepted' || !sale || sale.paidAt < deal.submittedAt || !(await isReported(tx, sale))) return
    const row = rowOf(deal.id, sale, { how: 'amount', state: 'open' })
    await tx
      .insert(payments)
      .values(row)
      .onConflictDoUpdate({
        target: [payments.programId, payments.saleId],
        set: row,
        setWhere: sql`${payments.dealId} <> ${deal.id} and (${payments.state} = 'other' or ${payments.state} = 'open' and ${payments.how} = 'amount')`,
      })
  }

  return {
    noticed,
    alike,
    noticedAll,
    open: (reader, programId, dealId) =>
      reader
        .select()
        .from(payments)
        .where(and(eq(payments.programId, programId), eq(payments.dealId, dealId), eq(payments.state, 'open')))
        .orderBy(asc(payments.paidAt), asc(payments.saleId)),
    same: async (tx, programId, dealId, saleId, actor) => {
      await keepAlike(tx, programId, dealId, saleId)
      const deal = await settle(tx, programId, dealId, saleId, 'counted', actor)
      const sale = (await attribution.sale(tx, programId, saleId))!
      return { deal: await count(tx, deal, sale), credited: sale.partnerId }
    },
    other: async (tx, programId, dealId, saleId, actor) => void (await settle(tx, programId, dealId, saleId, 'other', actor)),
  }
}

/** For so long after a deal was recorded by hand, a payment of its amount may be its money. */
const alikeDays = 90

/** Nobody said that it is the deal's money, and its contact did not pay it: it may be another deal's. */
const isFree = ({ state, how }: DealPayment): boolean => state === 'other' || (state === 'open' && how === 'amount')

/** So many payments of one amount are looked at; an admin is asked about the first few. */
const mostAlike = 25

const rowOf = (
  dealId: string,
  { programId, id: saleId, gross: amount, currency, paidAt }: Sale,
  said: Pick<DealPayment, 'how' | 'state'>,
): DealPayment => ({ programId, saleId, dealId, amount, currency, paidAt, decidedBy: null, ...said })

const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const ofDeal = ({ programId, id }: Deal) => and(eq(payments.programId, programId), eq(payments.dealId, id))
