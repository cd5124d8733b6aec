// Who could be paid now and who could not: gathers the facts for the gates, of everyone at once. Reads only.
import { and, eq } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import type { Commissions } from '../commissions/public.ts'
import { amongIds, type Clock, type Reader, type Settings, sum } from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { closedGate } from './decide.ts'
import type { MethodRow, PlanLine, Sum } from './model.ts'
import type { GateQuestion, PayoutGate, PayoutProvider } from './public.ts'
import { inSteps } from './steps.ts'
import { methods } from './tables.ts'

/** What goes out whole or not at all: a commission, or all of a payout that is made already. */
interface Piece {
  readonly due: bigint
}

/** Whose money in which currency. */
interface Books {
  readonly partner: Pick<Partner, 'programId' | 'id'>
  readonly currency: string
}

export interface Planner {
  plan(reader: Reader, programId: string, partnerId?: string): Promise<PlanLine[]>
  /**
   * One line anew, over what really is payable, oldest first, and which of it its payout would hold; or over the payout, when it is made already. Nothing of
   * it comes from a plan, which may be minutes old: a method that was changed meanwhile has to wait.
   */
  again<P extends Piece>(
    reader: Reader,
    line: Books,
    pieces: readonly P[],
    config: Config,
    payoutId?: string,
  ): Promise<{ line: PlanLine; held: readonly P[] }>
}

/** What our own gates look at, beside the money that is to be paid. */
interface Standing {
  readonly partner: Partner
  readonly method: MethodRow | undefined
  readonly signed: boolean
  /** What the partner owes in a currency. */
  owes(currency: string): bigint
}

export function createPlanner(needs: {
  clock: Clock
  settings: Settings<Config>
  ledger: Ledger
  partners: Partners
  agreements: Agreements
  commissions: Commissions
  gates: () => readonly PayoutGate[]
  providers: () => readonly PayoutProvider[]
}): Planner {
  const { clock, settings, ledger, partners, agreements, commissions, gates, providers } = needs

  const stepOf = (method: MethodRow | undefined, currency: string): bigint =>
    providers()
      .find(({ id }) => id === method?.provider)
      ?.step?.(currency) ?? 1n

  const plan: Planner['plan'] = async (reader, programId, partnerId) => {
    const [config, waiting] = await Promise.all([settings.of(reader, programId), commissions.payable(reader, programId, partnerId)])
    const standingOf = await standings(reader, programId, new Set(waiting.map((one) => one.partnerId)))
    const all = waiting.map(({ partnerId: id, currency, amount, count: commissions }) => {
      const standing = standingOf(id)
      return { id, standing, currency, step: stepOf(standing.method, currency), payable: { amount, commissions } }
    })
    // One by one only where the whole cannot be paid.
    const uneven = all.filter(({ payable, step }) => payable.amount % step !== 0n)
    const books = uneven.map(({ id, currency }) => ({ partnerId: id, currency }))
    const pieces = books.length > 0 ? await commissions.payableIn(reader, programId, books) : []
    const piecesOf = Map.groupBy(pieces, ({ partnerId: id, currency }) => `${id} ${currency}`)
    const lines = all.map(({ id, standing, currency, step, payable }) => {
      const own = piecesOf.get(`${id} ${currency}`)
      const most = own ? { payable: sumOf(own), most: sumOf(inSteps(own, step)) } : { payable, most: payable }
      return gated(standing, { currency, ...most }, config)
    })
    return askOthers(reader, programId, lines)
  }

  const again: Planner['again'] = async (reader, { partner: { programId, id }, currency }, pieces, config, payoutId) => {
    const standing = (await standings(reader, programId, new Set([id])))(id)
    const held = inSteps(pieces, stepOf(standing.method, currency))
    const line = gated(standing, { currency, payable: sumOf(pieces), most: sumOf(held) }, config)
    const [asked] = await askOthers(reader, programId, [payoutId === undefined ? line : { ...line, payoutId }])
    return { line: asked!, held }
  }

  /** One read of each table, however many are asked about. */
  async function standings(reader: Reader, programId: string, ids: ReadonlySet<string>): Promise<(id: string) => Standing> {
    const partnerIds = [...ids]
    const [known, chosen, debts, signers] = await Promise.all([
      partners.byIds(reader, programId, partnerIds),
      chosenMethods(reader, programId, partnerIds),
      ledger.debtsOf(reader, programId, partnerIds),
      agreements.signersOfCurrent(reader, programId, partnerIds, clock.now()),
    ])
    const partnerById = new Map(known.map((partner) => [partner.id, partner]))
    const methodOf = new Map(chosen.map((method) => [method.partnerId, method]))
    const debtOf = new Map(debts.map(({ partnerId, currency, amount }) => [`${partnerId} ${currency}`, amount]))
    return (id) => {
      const partner = partnerById.get(id)
      if (!partner) throw new Error(`The partner ${id}, who has payable commissions, does not exist`)
      return {
        partner,
        method: methodOf.get(id),
        signed: signers.has(id),
        owes: (currency) => debtOf.get(`${id} ${currency}`) ?? 0n,
      }
    }
  }

  function gated(
    { partner, method, signed, owes }: Standing,
    { currency, payable, most }: { currency: string; payable: Sum; most: Sum },
    config: Config,
  ): PlanLine {
    const step = stepOf(method, currency)
    const money = { currency, amount: payable.amount, most: most.amount, step, debt: owes(currency) }
    const facts = { ...money, method, partnerStatus: partner.status, agreementSigned: signed, now: clock.now() }
    return { partner, currency, ...most, payable, step, method, gate: closedGate(facts, config) }
  }

  /** The gates of other plugins, for whom ours let through. */
  async function askOthers(reader: Reader, programId: string, lines: readonly (PlanLine & GateQuestion)[]): Promise<PlanLine[]> {
    let current = [...lines]
    for (const gate of gates()) {
      const open = current.filter((line) => !line.gate)
      if (open.length === 0) break
      const answers = await gate.closed(reader, programId, open, clock.now())
      const closedFor = new Map(open.map((line, i) => [line, answers[i]]))
      current = current.map((line) => {
        const closed = closedFor.get(line)
        return closed ? { ...line, gate: { gate: 'other', closed } } : line
      })
    }
    return current
  }

  return { plan, again }
}

const sumOf = (pieces: readonly Piece[]): Sum => ({ amount: sum(pieces.map(({ due }) => due)), commissions: pieces.length })

const chosenMethods = (reader: Reader, programId: string, partnerIds: readonly string[]): Promise<MethodRow[]> =>
  reader
    .select()
    .from(methods)
    .where(and(eq(methods.programId, programId), eq(methods.chosen, true), amongIds(methods.partnerId, partnerIds)))
