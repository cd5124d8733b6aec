// The rules of fraud: gather facts, judge a commission once, hold what is suspicious, and let a person decide. Nothing is released without a name and a reason.
import { and, asc, count, desc, eq, or, sql } from 'drizzle-orm'
import { audit } from '../../db/tables.ts'
import { staffChannel } from '../channels/public.ts'
import type { Commissions } from '../commissions/public.ts'
import { type Clock, type DiscordEffects, newId, type Reader, refuseOwn, type Settings, type Tx, UserError } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import { mailboxOf } from './address.ts'
import type { Config } from './config.ts'
import { createJudging, type JudgingPorts, reasonOf, type Suspect } from './judging.ts'
import { clearedMessage, staffCard } from './messages.ts'
import type { FraudSignal } from './public.ts'
import { type Allowance, addresses, allowances, type Case, type CaseState, cases } from './tables.ts'

/** Who decides, and why. */
export interface Decider {
  readonly id: string
  readonly reason: string
}

/** A sale, and a partner who has or had it. */
export interface SaleOf {
  readonly saleId: string
  readonly partnerId: string
}

export interface FraudService {
  /** Judges the commissions, each once: what a second call finds changes nothing. */
  evaluateAll(tx: Tx, suspects: readonly Suspect[]): Promise<void>
  /** Notes an address that the partner uses now. */
  noteAddress(tx: Tx, who: Pick<Partner, 'programId' | 'id' | 'userId' | 'email'>): Promise<void>
  /** The case with this id, or of the commission with this id. @throws UserError when there is none, or it is not of `partnerId` */
  get(reader: Reader, programId: string, id: string, partnerId?: string): Promise<Case>
  /** Open cases; those that were appealed first, then the oldest. */
  queue(reader: Reader, programId: string, page: { limit: number; offset: number }): Promise<{ total: number; cases: Case[] }>
  /** The partner's open cases, oldest first. */
  openOf(reader: Reader, programId: string, partnerId: string): Promise<Case[]>
  /** Ends a case: cleared, the commission goes on; rejected, it is worth nothing, and what was paid of it becomes debt. @throws UserError unless the case is open, when it is their own, or without a reason */
  decide(tx: Tx, programId: string, caseId: string, decision: 'cleared' | 'rejected', by: Decider): Promise<Case>
  /** An admin released the partner's commission by hand: that decides their open cases of the sale, in the admin's name and for the admin's reason. */
  releasedByHand(tx: Tx, programId: string, sale: SaleOf, by: Decider): Promise<void>
  /** The sale was given to this partner, maybe not for the first time: what was decided in a case of theirs about it stands, and an open one holds it again. */
  cameBack(tx: Tx, programId: string, sale: SaleOf): Promise<void>
  /** The partner's side, once per case. @throws UserError when there was an appeal, the case is decided, or the text is empty */
  appeal(tx: Tx, programId: string, caseId: string, partnerId: string, text: string): Promise<Case>
  /** The partner's commissions are no longer held; or, with `otherId`, what connects the two no longer counts. @throws UserError when it is so already, or when one of them decides */
  allow(tx: Tx, programId: string, partnerId: string, otherId: string | undefined, by: Decider): Promise<{ open: number }>
  /** Takes an allowance back. @throws UserError when there is none */
  disallow(tx: Tx, programId: string, partnerId: string, otherId: string | undefined, by: Decider): Promise<void>
  allowed(reader: Reader, programId: string): Promise<Allowance[]>
  /** What the signals of the case saw, in words for the partner. */
  wordsOf(found: Pick<Case, 'findings'>): string[]
}

const reasonLength = { min: 3, max: 500 }
const appealLength = 2000

export function createFraudService(ports: {
  clock: Clock
  discord: DiscordEffects
  settings: Settings<Config>
  partners: Pick<Partners, 'byIds'>
  attribution: JudgingPorts['attribution']
  links: JudgingPorts['links']
  payouts: JudgingPorts['payouts']
  commissions: Pick<Commissions, 'hold' | 'release' | 'void'>
  notifications: Pick<Notifications, 'tell'>
  signals: () => readonly FraudSignal[]
}): FraudService {
  const { clock, discord, partners, attribution, commissions, notifications, signals } = ports

  const evaluateAll = createJudging({
    ...ports,
    wordsOf: (found) => wordsOf(found),
    showStaff: (tx, found) => showStaff(tx, found),
  })

  const noteAddress: FraudService['noteAddress'] = async (tx, { programId, id: partnerId, userId, email }) => {
    await tx
      .insert(addresses)
      .values({
        programId,
        partnerId,
        userId,
        address: attribution.hashEmail(email),
        mailbox: attribution.hashEmail(mailboxOf(email)),
        firstSeenAt: clock.now(),
      })
      .onConflictDoNothing()
  }

  const get: FraudService['get'] = async (reader, programId, id, partnerId) => {
    const key = id.trim()
    const [found] = uuid.test(key)
      ? await reader
          .select()
          .from(cases)
          .where(and(eq(cases.programId, programId), or(eq(cases.id, key), eq(cases.commissionId, key))))
      : []
    if (!found || (partnerId !== undefined && found.partnerId !== partnerId))
      throw new UserError('unknown_case', 'There is no such case. Choose one from the list that appears while you type.')
    return found
  }

  async function lockOpen(tx: Tx, programId: string, id: string, partnerId?: string): Promise<Case> {
    const { id: caseId } = await get(tx, programId, id, partnerId)
    const [found] = await tx
      .select()
      .from(cases)
      .where(and(eq(cases.programId, programId), eq(cases.id, caseId)))
      .for('update')
    if (found!.state === 'noted') throw new UserError('not_open', 'Nothing is held in this case, so there is nothing to decide.')
    if (found!.state !== 'open') throw new UserError('already_decided', `This case was ${found!.state} already; that stands.`)
    return found!
  }

  const decide: FraudService['decide'] = async (tx, programId, id, decision, by) => {
    const open = await lockOpen(tx, programId, id)
    refuseOwn('fraud case', open.userId, by.id)
    const decided = await close(tx, open, decision, by)
    // Of a rejection the partner hears from commissions, with what it changes for them.
    if (decision === 'rejected') {
      await takeBack(tx, decided)
      await forgetOfErased(tx, decided)
      return decided
    }
    const released = await commissions.release(tx, programId, open.commissionId, reasonOf(open))
    const held = open.held && released
    const isErased = await forgetOfErased(tx, decided)
    if (held && !isErased)
      await notifications.tell(tx, {
        programId,
        key: `fraud:decided:${open.id}`,
        userId: open.userId,
        message: clearedMessage(decided),
      })
    return { ...decided, held }
  }

  /** A case outlives the erasure of its person only until it is decided. Says whether it was such a case. */
  async function forgetOfErased(tx: Tx, { id, programId, partnerId, userId }: Case): Promise<boolean> {
    const [partner] = await partners.byIds(tx, programId, [partnerId])
    const isErased = partner?.userId !== userId
    if (isErased) await tx.delete(cases).where(eq(cases.id, id))
    return isErased
  }

  /** Records the decision, in the audit and on the card. What it means for the commission is the caller's. */
  async function close(tx: Tx, open: Case, decision: 'cleared' | 'rejected', by: Decider): Promise<Case> {
    const reason = checkedReason(by.reason)
    const [decided] = await tx
      .update(cases)
      .set({ state: decision, decidedBy: by.id, decidedAt: clock.now(), decisionReason: reason })
      .where(eq(cases.id, open.id))
      .returning()
    const { id: caseId, programId, commissionId } = open
    await note(tx, programId, by.id, `fraud.${decision}`, { caseId, commissionId, reason })
    await showStaff(tx, decided!)
    return decided!
  }

  const casesOfSale = (tx: Tx, programId: string, { saleId, partnerId }: SaleOf, state: CaseState): Promise<Case[]> =>
    tx
      .select()
      .from(cases)
      .where(and(eq(cases.programId, programId), eq(cases.saleId, saleId), eq(cases.partnerId, partnerId), eq(cases.state, state)))
      .orderBy(asc(cases.id))
      .for('update')

  const cameBack: FraudService['cameBack'] = async (tx, programId, sale) => {
    for (const rejected of await casesOfSale(tx, programId, sale, 'rejected')) await takeBack(tx, rejected)
    for (const open of await casesOfSale(tx, programId, sale, 'open'))
      await commissions.hold(tx, programId, open.commissionId, reasonOf(open))
  }

  /** The partner has heard of the release from commissions. */
  const releasedByHand: FraudService['releasedByHand'] = async (tx, programId, sale, by) => {
    const open = await casesOfSale(tx, programId, sale, 'open')
    for (const one of open) await forgetOfErased(tx, await close(tx, one, 'cleared', by))
  }

  /** An admin may have voided the commission by hand before, or the sale is another partner's: then it is worth nothing already. */
  async function takeBack(tx: Tx, rejected: Case): Promise<void> {
    const { programId, commissionId, decidedBy, decisionReason } = rejected
    try {
      await commissions.void(tx, programId, commissionId, reasonOf(rejected), { actor: decidedBy!, note: decisionReason! })
    } catch (refusal) {
      if (!(refusal instanceof UserError && refusal.code === 'voided')) throw refusal
    }
  }

  const appeal: FraudService['appeal'] = async (tx, programId, id, partnerId, text) => {
    const open = await lockOpen(tx, programId, id, partnerId)
    if (open.appeal !== null)
      throw new UserError('already_appealed', 'You have appealed in this case already. The team has your words and will decide.')
    if (text.length === 0 || text.length > appealLength)
      throw new UserError('bad_appeal', `Tell in your words what happened, in at most ${appealLength} characters.`)
    const [appealed] = await tx
      .update(cases)
      .set({ appeal: text, appealedAt: clock.now() })
      .where(eq(cases.id, open.id))
      .returning()
    await showStaff(tx, appealed!)
    return appealed!
  }

  const pairOf = (partnerId: string, otherId: string | undefined) => {
    if (otherId === undefined) return { partnerId, otherId: null }
    if (otherId === partnerId) throw new UserError('same_partner', 'Name two different partners, or leave the second out.')
    return partnerId < otherId ? { partnerId, otherId } : { partnerId: otherId, otherId: partnerId }
  }

  const allow: FraudService['allow'] = async (tx, programId, partnerId, otherId, by) => {
    const reason = checkedReason(by.reason)
    const named = await partners.byIds(tx, programId, otherId === undefined ? [partnerId] : [partnerId, otherId])
    for (const { userId } of named) refuseOwn('allowance', userId, by.id)
    const now = clock.now()
    const [made] = await tx
      .insert(allowances)
      .values({ id: newId(now), programId, ...pairOf(partnerId, otherId), reason, allowedBy: by.id, allowedAt: now })
      .onConflictDoNothing()
      .returning()
    if (!made) throw new UserError('already_allowed', 'That is allowed already. `/admin fraud allowed` shows by whom.')
    await note(tx, programId, by.id, 'fraud.allow', { partnerId, ...(otherId && { otherId }), reason })
    return { open: (await openOf(tx, programId, partnerId)).length }
  }

  const disallow: FraudService['disallow'] = async (tx, programId, partnerId, otherId, by) => {
    const reason = checkedReason(by.reason)
    const pair = pairOf(partnerId, otherId)
    const gone = await tx
      .delete(allowances)
      .where(
        and(
          eq(allowances.programId, programId),
          eq(allowances.partnerId, pair.partnerId),
          sql`${allowances.otherId} is not distinct from ${pair.otherId}::uuid`,
        ),
      )
      .returning()
    if (gone.length === 0) throw new UserError('not_allowed', 'There is no such allowance. `/admin fraud allowed` shows all.')
    await note(tx, programId, by.id, 'fraud.disallow', { partnerId, ...(otherId && { otherId }), reason })
  }

  const openOf: FraudService['openOf'] = (reader, programId, partnerId) =>
    reader
      .select()
      .from(cases)
      .where(and(eq(cases.programId, programId), eq(cases.partnerId, partnerId), eq(cases.state, 'open')))
      .orderBy(asc(cases.openedAt), asc(cases.id))

  const wordsOf: FraudService['wordsOf'] = ({ findings }) => {
    const known = new Map(signals().map((signal) => [signal.id, signal]))
    return findings.map(({ signal, evidence }) => known.get(signal)?.describe(evidence) ?? `${signal.replaceAll('_', ' ')}.`)
  }

  /** One card per case in the staff channel, which always shows how far it is. */
  const showStaff = (tx: Tx, found: Case): Promise<void> =>
    discord.post(tx, {
      programId: found.programId,
      key: `fraud:case:${found.id}`,
      channel: staffChannel,
      message: staffCard(found, wordsOf(found)),
    })

  const note = async (tx: Tx, programId: string, actor: string, action: string, detail: Record<string, unknown>) => {
    await tx.insert(audit).values({ programId, actor, action, detail, at: clock.now() })
  }

  return {
    evaluateAll,
    noteAddress,
    get,
    decide,
    releasedByHand,
    cameBack,
    appeal,
    allow,
    disallow,
    openOf,
    wordsOf,
    queue: async (reader, programId, { limit, offset }) => {
      const open = and(eq(cases.programId, programId), eq(cases.state, 'open' satisfies CaseState))
      const [all] = await reader.select({ total: count() }).from(cases).where(open)
      const rows = await reader
        .select()
        .from(cases)
        .where(open)
        .orderBy(sql`${cases.appealedAt} asc nulls last`, asc(cases.openedAt), asc(cases.id))
        .limit(limit)
        .offset(offset)
      return { total: all!.total, cases: rows }
    },
    allowed: (reader, programId) =>
      reader
        .select()
        .from(allowances)
        .where(eq(allowances.programId, programId))
        .orderBy(desc(allowances.allowedAt), desc(allowances.id)),
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function checkedReason(reason: string): string {
  const text = reason.trim()
  const length = [...text].length
  if (length < reasonLength.min || length > reasonLength.max)
    throw new UserError('bad_reason', `Say why, in ${reasonLength.min} to ${reasonLength.max} characters.`)
  return text
}
