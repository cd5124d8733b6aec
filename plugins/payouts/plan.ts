// Who could be paid now and who could not: gathers the facts for the gates, of everyone at once. Reads only.
import { and, eq } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import type { Commissions } from '../commissions/public.ts'
import { amongIds, type Clock, type Reader, type Settings } from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { closedGate } from './decide.ts'
import type { MethodRow, PlanLine } from './model.ts'
import type { GateQuestion, PayoutGate } from './public.ts'
import { methods } from './tables.ts'

/** Whose money in which currency. */
interface Books {
  readonly partner: Pick<Partner, 'programId' | 'id'>
  readonly currency: string
}

export interface Planner {
  plan(reader: Reader, programId: string, partnerId?: string): Promise<PlanLine[]>
  /**
   * One line anew, over what its payout would really hold; or holds, when it is made already and has an id. Nothing of it comes from a plan, which may be minutes
   * old: a method that was changed meanwhile has to wait.
   */
  again(
    reader: Reader,
    line: Books,
    held: { amount: bigint; commissions: number; payoutId?: string },
    config: Config,
  ): Promise<PlanLine>
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
}): Planner {
  const { clock, settings, ledger, partners, agreements, commissions, gates } = needs

  const plan: Planner['plan'] = async (reader, programId, partnerId) => {
    const [config, waiting] = await Promise.all([settings.of(reader, programId), commissions.payable(reader, programId, partnerId)])
    const standingOf = await standings(reader, programId, new Set(waiting.map((one) => one.partnerId)))
    const lines = waiting.map(({ partnerId: id, currency, amount, count }) => ({
      ...gated(standingOf(id), { currency, amount }, config),
      commissions: count,
    }))
    return askOthers(reader, programId, lines)
  }

  const again: Planner['again'] = async (reader, { partner: { programId, id }, currency }, held, config) => {
    const standingOf = await standings(reader, programId, new Set([id]))
    const { gate, ...line } = gated(standingOf(id), { currency, amount: held.amount }, config)
    const [asked] = await askOthers(reader, programId, [{ ...line, ...held, gate }])
    return asked!
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

  function gated({ partner, method, signed, owes }: Standing, money: { currency: string; amount: bigint }, config: Config) {
    const facts = { ...money, method, partnerStatus: partner.status, agreementSigned: signed, debt: owes(money.currency) }
    return { ...money, partner, method, gate: closedGate({ ...facts, now: clock.now() }, config) }
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

const chosenMethods = (reader: Reader, programId: string, partnerIds: readonly string[]): Promise<MethodRow[]> =>
  reader
    .select()
    .from(methods)
    .where(and(eq(methods.programId, programId), eq(methods.chosen, true), amongIds(methods.partnerId, partnerIds)))
