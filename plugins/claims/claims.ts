// Late claims: a partner names a sale that should be theirs, with what they know and evidence; an admin decides. The partner never learns whether it exists.
import { and, asc, count, eq, inArray } from 'drizzle-orm'
import { audit } from '../../db/tables.ts'
import type { Attribution, SaleMatch } from '../attribution/public.ts'
import { staffChannel } from '../channels/public.ts'
import {
  type Clock,
  type DiscordEffects,
  days,
  newId,
  parseAmount,
  type Reader,
  readDay,
  refuseOwn,
  type Settings,
  type Tx,
  UserError,
} from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner } from '../partners/public.ts'
import type { Config } from './config.ts'
import { claimDecidedMessage, staffClaimCard } from './messages.ts'
import type { OverrideService } from './overrides.ts'
import { type Claim, claims, type OverrideRow } from './tables.ts'

/** What a partner typed about a sale. */
export interface Typed {
  readonly date: string
  readonly story: string
  readonly order?: string | undefined
  readonly email?: string | undefined
  readonly amount?: string | undefined
  readonly currency?: string | undefined
}
export interface Evidence {
  readonly name: string
  readonly data: Buffer
}
export interface Place {
  readonly timeZone: string
  readonly currency: string
}

export interface ClaimService {
  /** Files a claim. @throws UserError after the deadline, for a day in the future, without anything that tells which sale, or with too many that wait */
  file(tx: Tx, partner: Partner, typed: Typed, evidence: Evidence | undefined, place: Place): Promise<Claim>
  /** @throws UserError before anything was uploaded, when the partner may not file a claim at all just now */
  assertMayFile(reader: Reader, partner: Partner): Promise<void>
  /** @throws UserError when the program has no such claim */
  get(reader: Reader, programId: string, claimId: string): Promise<Claim>
  /** What waits for a decision, oldest first. */
  queue(reader: Reader, programId: string, limit: number): Promise<Claim[]>
  /** Sales that the claim may mean, best first. */
  matches(reader: Reader, claim: Claim): Promise<readonly SaleMatch[]>
  /**
   * Credits the sale to whoever claims it. A sale of nobody's changes hands at once: the partner and the admin are two people. A sale of another partner's
   * needs a second admin: then the claim waits for them. @throws UserError unless the claim is open, or when it is the admin's own
   */
  credit(tx: Tx, programId: string, claimId: string, saleId: string, by: { id: string; reason: string }): Promise<Claim>
  /** @throws UserError unless the claim is open, or without a reason */
  decline(tx: Tx, programId: string, claimId: string, by: { id: string; reason: string }): Promise<Claim>
  /** What was decided about the override that a claim waited for. */
  overrideDecided(tx: Tx, override: OverrideRow, by: string): Promise<void>
}

/** People mistake a day, and shops and Discord live in different time zones. */
const slackMs = days(1)
const shownMatches = 4
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i

export function createClaimService(needs: {
  clock: Clock
  settings: Settings<Config>
  discord: DiscordEffects
  attribution: Attribution
  notifications: Notifications
  overrides: OverrideService
}): ClaimService {
  const { clock, settings, discord, attribution, notifications, overrides } = needs
  const waits = (programId: string) => and(eq(claims.programId, programId), inArray(claims.state, ['open', 'waiting']))

  const assertMayFile: ClaimService['assertMayFile'] = async (reader, { programId, id }) => {
    const { deadlineDays, maxOpen } = await settings.of(reader, programId)
    if (deadlineDays === 0)
      throw new UserError('no_claims', 'This program takes no claims. Open a ticket if you think that a sale is missing.')
    const [own] = await reader
      .select({ claims: count() })
      .from(claims)
      .where(and(waits(programId), eq(claims.partnerId, id)))
    if (own!.claims >= maxOpen)
      throw new UserError(
        'too_many_claims',
        `${own!.claims} of your claims wait for a decision, and ${maxOpen} is the most. You hear of each here; then you can claim more.`,
      )
  }

  const file: ClaimService['file'] = async (tx, partner, typed, evidence, { timeZone, currency }) => {
    await assertMayFile(tx, partner)
    const { programId, id: partnerId, userId } = partner
    const now = clock.now()
    const { deadlineDays } = await settings.of(tx, programId)
    const [paidFrom, paidTo] = [readDay(typed.date, timeZone, 0), readDay(typed.date, timeZone, 1)]
    if (paidFrom > now)
      throw new UserError('future_date', 'That day is still to come. Write the day of the purchase, as 2026-12-31.')
    if (paidTo.getTime() + days(deadlineDays) < now.getTime())
      throw new UserError('too_late', `A purchase can be claimed for ${deadlineDays} days, and that day is longer ago.`)
    const order = typed.order?.trim()
    const email = typed.email?.trim()
    const amount = typed.amount?.trim()
    if (!order && !email && !amount)
      throw new UserError('no_clue', 'Say which purchase it was: its order number, the customer’s e-mail address, or the amount.')
    if (email && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email))
      throw new UserError('bad_email', `“${email}” is not an e-mail address. Write it as the customer did at the checkout.`)
    const code = (typed.currency?.trim() || currency).toUpperCase()
    const gross = amount ? parseAmount(amount, code) : null
    if (gross !== null && gross <= 0n) throw new UserError('bad_amount', 'The amount must be more than zero, such as 120.00.')
    const [made] = await tx
      .insert(claims)
      .values({
        id: newId(now),
        programId,
        partnerId,
        userId,
        paidFrom,
        paidTo,
        reference: order || null,
        emailHash: email ? attribution.hashEmail(email) : null,
        gross,
        currency: gross === null ? null : code,
        story: typed.story.trim(),
        evidence: evidence?.data ?? null,
        evidenceName: evidence ? evidence.name.slice(-200) : null,
        filedAt: now,
        state: 'open',
      })
      .returning()
    await show(tx, made!)
    return made!
  }

  const get: ClaimService['get'] = async (reader, programId, claimId) => {
    const [found] = uuid.test(claimId)
      ? await reader
          .select()
          .from(claims)
          .where(and(eq(claims.programId, programId), eq(claims.id, claimId)))
      : []
    if (!found) throw new UserError('unknown_claim', 'There is no such claim. `/admin-sales claims` shows what waits.')
    return found
  }

  const matches: ClaimService['matches'] = (reader, { programId, reference, emailHash, gross, currency, paidFrom, paidTo }) =>
    attribution.matching(
      reader,
      programId,
      {
        ...(reference !== null && { reference }),
        ...(emailHash !== null && { emailHash }),
        ...(gross !== null && currency !== null && { gross, currency }),
        from: new Date(paidFrom.getTime() - slackMs),
        to: new Date(paidTo.getTime() + slackMs),
      },
      shownMatches,
    )

  async function locked(tx: Tx, programId: string, claimId: string, by: string): Promise<Claim> {
    const { id } = await get(tx, programId, claimId)
    const [claim] = await tx
      .select()
      .from(claims)
      .where(and(eq(claims.programId, programId), eq(claims.id, id)))
      .for('update')
    if (claim!.state === 'waiting')
      throw new UserError('waits_for_second', 'Another admin has agreed; the card of the change waits for a second one.')
    if (claim!.state !== 'open') throw new UserError('already_decided', `This claim was ${claim!.state} already; that stands.`)
    refuseOwn('claim', claim!.userId, by)
    return claim!
  }

  const credit: ClaimService['credit'] = async (tx, programId, claimId, saleId, by) => {
    const claim = await locked(tx, programId, claimId, by.id)
    const sale = uuid.test(saleId) ? await attribution.sale(tx, programId, saleId) : undefined
    if (!sale) throw new UserError('unknown_sale', 'There is no such sale any more. Open the claim again.')
    const proposal = { programId, saleId, to: claim.partnerId, reason: by.reason, claimId: claim.id }
    if (sale.partnerId === null) {
      await overrides.apply(tx, { ...proposal, proposedBy: claim.userId }, by.id)
      return close(tx, claim, { state: 'approved', saleId, decidedBy: by.id, reason: by.reason })
    }
    await overrides.propose(tx, { ...proposal, proposedBy: by.id })
    return change(tx, claim, { state: 'waiting', saleId, reason: by.reason })
  }

  const decline: ClaimService['decline'] = async (tx, programId, claimId, by) =>
    close(tx, await locked(tx, programId, claimId, by.id), { state: 'declined', decidedBy: by.id, reason: by.reason })

  const overrideDecided: ClaimService['overrideDecided'] = async (tx, { programId, claimId, state, proposedBy }, by) => {
    const claim = claimId === null ? undefined : await get(tx, programId, claimId)
    if (claim?.state !== 'waiting') return
    // The sale went to somebody else meanwhile, or whoever agreed took it back: the claim is looked at anew.
    if (state === 'outdated' || (state === 'declined' && by === proposedBy))
      return void (await change(tx, claim, { state: 'open', saleId: null, reason: null }))
    const approved = state === 'approved'
    await close(tx, claim, {
      state: approved ? 'approved' : 'declined',
      decidedBy: by,
      reason: approved ? claim.reason : 'A second admin looked at it and did not agree to change whose sale it is.',
    })
  }

  async function change(tx: Tx, claim: Claim, to: Partial<Claim>): Promise<Claim> {
    const [changed] = await tx.update(claims).set(to).where(eq(claims.id, claim.id)).returning()
    await show(tx, changed!)
    return changed!
  }

  async function close(
    tx: Tx,
    claim: Claim,
    to: Pick<Claim, 'decidedBy' | 'reason'> & { state: 'approved' | 'declined'; saleId?: string },
  ): Promise<Claim> {
    const closed = await change(tx, claim, { ...to, decidedAt: clock.now() })
    const { programId, id, userId, state, reason } = closed
    const detail = { claimId: id, saleId: closed.saleId, reason }
    await tx.insert(audit).values({ programId, actor: closed.decidedBy!, action: `claims.${state}`, detail, at: clock.now() })
    await notifications.tell(tx, { programId, key: `claims.decided:${id}`, userId, message: claimDecidedMessage(closed) })
    return closed
  }

  /** One card per claim in the staff channel, which always shows how far it is. */
  const show = (tx: Tx, claim: Claim): Promise<void> =>
    discord.post(tx, {
      programId: claim.programId,
      key: `claims.claim:${claim.id}`,
      channel: staffChannel,
      message: staffClaimCard(claim),
    })

  return {
    file,
    assertMayFile,
    get,
    matches,
    credit,
    decline,
    overrideDecided,
    queue: (reader, programId, limit) =>
      reader.select().from(claims).where(waits(programId)).orderBy(asc(claims.filedAt), asc(claims.id)).limit(limit),
  }
}
