// Who could be paid now and who could not: gathers the facts for the gates. Reads only.
import { and, eq } from 'drizzle-orm'
import type { Agreements } from '../agreements/public.ts'
import type { Commissions } from '../commissions/public.ts'
import type { Clock, Reader, Settings } from '../kit/index.ts'
import type { Balance, Ledger } from '../ledger/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { closedGate, type Gate } from './decide.ts'
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
  /** One line anew, over what its payout would really hold; or holds, when it is made already and has an id. */
  again(
    reader: Reader,
    line: Books,
    held: { amount: bigint; commissions: number; payoutId?: string },
    config: Config,
  ): Promise<PlanLine>
}

/** Questions to other plugins that are under way side by side: enough to keep a connection busy, few enough to leave some to the rest of the house. */
const askedAtOnce = 4

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
    const [config, waiting, known, chosen, balances] = await Promise.all([
      settings.of(reader, programId),
      commissions.payable(reader, programId, partnerId),
      partnerId ? partners.byId(reader, programId, partnerId).then((one) => (one ? [one] : [])) : partners.list(reader, programId),
      chosenMethods(reader, programId, partnerId),
      ledger.balances(reader, programId, partnerId),
    ])
    const partnerById = new Map(known.map((partner) => [partner.id, partner]))
    const methodOf = new Map(chosen.map((method) => [method.partnerId, method]))
    const debts = debtsIn(balances)
    const signed = await signersAmong(
      reader,
      programId,
      waiting.map((one) => one.partnerId),
    )
    const lines = waiting.map(({ partnerId: id, currency, amount, count }) => {
      const partner = partnerById.get(id)
      if (!partner) throw new Error(`The partner ${id}, who has payable commissions, does not exist`)
      const facts = { partner, currency, amount, method: methodOf.get(id) }
      const gate = gateFor({ ...facts, signed: signed.has(id), debt: debts.get(`${id} ${currency}`) ?? 0n }, config)
      return { ...facts, commissions: count, gate }
    })
    return askOthers(reader, programId, lines)
  }

  const again: Planner['again'] = async (reader, { partner: { programId, id }, currency }, held, config) => {
    const [partner, chosen, balances, signed] = await Promise.all([
      partners.byId(reader, programId, id),
      chosenMethods(reader, programId, id),
      ledger.balances(reader, programId, id),
      agreements.hasSignedCurrent(reader, programId, id, clock.now()),
    ])
    if (!partner) throw new Error(`The partner ${id}, who has payable commissions, does not exist`)
    const facts = { partner, currency, amount: held.amount, method: chosen[0] }
    const gate = gateFor({ ...facts, signed, debt: debtsIn(balances).get(`${id} ${currency}`) ?? 0n }, config)
    const [line] = await askOthers(reader, programId, [{ ...facts, ...held, gate }])
    return line!
  }

  function gateFor(
    facts: {
      partner: Partner
      currency: string
      amount: bigint
      method: MethodRow | undefined
      signed: boolean
      debt: bigint
    },
    config: Config,
  ): Gate | null {
    const { partner, signed, ...rest } = facts
    return closedGate({ ...rest, partnerStatus: partner.status, agreementSigned: signed, now: clock.now() }, config)
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

  async function signersAmong(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<Set<string>> {
    const left = [...new Set(partnerIds)]
    const signers = new Set<string>()
    const askNext = async (): Promise<void> => {
      for (let id = left.pop(); id !== undefined; id = left.pop())
        if (await agreements.hasSignedCurrent(reader, programId, id, clock.now())) signers.add(id)
    }
    await Promise.all(Array.from({ length: askedAtOnce }, askNext))
    return signers
  }

  return { plan, again }
}

const chosenMethods = (reader: Reader, programId: string, partnerId?: string): Promise<MethodRow[]> =>
  reader
    .select()
    .from(methods)
    .where(
      and(eq(methods.programId, programId), eq(methods.chosen, true), partnerId ? eq(methods.partnerId, partnerId) : undefined),
    )

const debtsIn = (balances: readonly Balance[]): Map<string, bigint> =>
  new Map(
    balances
      .filter(({ kind }) => kind === 'clawback_debt')
      .map(({ partnerId, currency, amount }) => [`${partnerId} ${currency}`, amount]),
  )
