// Overrides: one admin proposes whose a sale should be, another approves or declines. What an approval means for the sale and the books is one transaction.
import { and, desc, eq } from 'drizzle-orm'
import { audit } from '../../db/tables.ts'
import type { Attribution } from '../attribution/public.ts'
import { staffChannel } from '../channels/public.ts'
import { type Clock, type DiscordEffects, newId, type Reader, refuseOwn, type Tx, UserError } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partners } from '../partners/public.ts'
import { creditedMessage, type Names, overrideCard } from './messages.ts'
import { type OverrideRow, overrides } from './tables.ts'

export interface Proposal {
  readonly programId: string
  readonly saleId: string
  /** Null: to nobody. */
  readonly to: string | null
  readonly reason: string
  readonly proposedBy: string
  readonly claimId?: string
}

export interface OverrideService {
  /** Proposes the change and shows it to the staff. @throws UserError when the sale does not exist, is theirs already, or waits for another decision */
  propose(tx: Tx, proposal: Proposal): Promise<OverrideRow>
  /**
   * Approved, the sale changes hands with everything that hangs on it. @throws UserError unless it is open; for whoever proposed it or would gain by it; when the
   * sale has changed hands since (then the proposal is closed as outdated by the next decision)
   */
  decide(tx: Tx, programId: string, overrideId: string, decision: 'approved' | 'declined', by: string): Promise<OverrideRow>
  /**
   * Changes the sale at once, when two people have agreed already: the partner who claims it, and the admin who approves. @throws UserError as `propose` does, and
   * when the sale changes hands at the same moment
   */
  apply(tx: Tx, proposal: Proposal, approvedBy: string): Promise<void>
  newest(reader: Reader, programId: string, limit: number): Promise<OverrideRow[]>
  /** Discord mentions of the partners that an override names. */
  namesFor(reader: Reader, rows: readonly Pick<OverrideRow, 'programId' | 'fromId' | 'toId'>[]): Promise<Names>
}

export function createOverrideService(needs: {
  clock: Clock
  discord: DiscordEffects
  attribution: Attribution
  partners: Partners
  notifications: Notifications
}): OverrideService {
  const { clock, discord, attribution, partners, notifications } = needs

  const propose: OverrideService['propose'] = async (tx, { programId, saleId, to, reason, proposedBy, claimId }) => {
    const sale = await attribution.sale(tx, programId, saleId)
    if (!sale) throw new UserError('unknown_sale', 'There is no such sale. Choose one from the list that appears while you type.')
    if (sale.partnerId === to)
      throw new UserError('already_theirs', to === null ? 'The sale belongs to nobody already.' : 'The sale is theirs already.')
    const [made] = await tx
      .insert(overrides)
      .values({
        id: newId(clock.now()),
        programId,
        saleId,
        fromId: sale.partnerId,
        toId: to,
        reason,
        claimId: claimId ?? null,
        proposedBy,
        proposedAt: clock.now(),
        state: 'open',
      })
      .onConflictDoNothing()
      .returning()
    if (!made)
      throw new UserError('override_open', 'Another change of this sale waits for a decision. `/admin-sales overrides` shows it.')
    await note(tx, made, proposedBy, 'proposed')
    await show(tx, made)
    return made
  }

  const decide: OverrideService['decide'] = async (tx, programId, overrideId, decision, by) => {
    const [open] = await tx
      .select()
      .from(overrides)
      .where(and(eq(overrides.programId, programId), eq(overrides.id, overrideId)))
      .for('update')
    if (!open) throw new UserError('unknown_override', 'There is no such proposal.')
    if (open.state !== 'open') throw new UserError('already_decided', `This was ${open.state} already; that stands.`)
    if (decision === 'approved' && open.proposedBy === by)
      throw new UserError('second_person_needed', 'You proposed this yourself. Ask another admin to approve it.')
    await refuseOwnGain(tx, open, decision, by)
    const sale = await attribution.sale(tx, programId, open.saleId)
    const outdated = decision === 'approved' && sale?.partnerId !== open.fromId
    if (decision === 'approved' && !outdated) await move(tx, open, by)
    const [decided] = await tx
      .update(overrides)
      .set({ state: outdated ? 'outdated' : decision, decidedBy: by, decidedAt: clock.now() })
      .where(eq(overrides.id, open.id))
      .returning()
    await note(tx, decided!, by, decided!.state)
    await show(tx, decided!)
    return decided!
  }

  /** Approved, it is the gain of who gets the sale; declined, of who keeps it, unless they had proposed to give it away. */
  async function refuseOwnGain(tx: Tx, row: OverrideRow, decision: 'approved' | 'declined', by: string): Promise<void> {
    const gains = decision === 'approved' ? row.toId : row.fromId
    const withdrawn = decision === 'declined' && row.proposedBy === by
    const partner = gains === null || withdrawn ? undefined : await partners.byId(tx, row.programId, gains)
    refuseOwn('sale', partner?.userId, by)
  }

  async function move(tx: Tx, row: OverrideRow, approvedBy: string): Promise<void> {
    const { id, programId, saleId, fromId, toId, reason, proposedBy } = row
    const { from } = await attribution.reassign(tx, programId, saleId, toId, { id, proposedBy, approvedBy, reason })
    if (from !== fromId) throw changedHands()
    const partner = toId && (await partners.byId(tx, programId, toId))
    // Whoever had it hears of it from commissions, with what it changes for them.
    if (partner)
      await notifications.tell(tx, {
        programId,
        key: `claims.credited:${id}`,
        userId: partner.userId,
        message: creditedMessage((await attribution.sale(tx, programId, saleId))!, reason),
      })
  }

  const apply: OverrideService['apply'] = async (tx, proposal, approvedBy) => {
    const made = await propose(tx, proposal)
    const { state } = await decide(tx, proposal.programId, made.id, 'approved', approvedBy)
    if (state !== 'approved') throw changedHands()
  }

  const note = async (tx: Tx, row: OverrideRow, actor: string, what: string) => {
    const { id, programId, saleId, fromId, toId, reason } = row
    const detail = { overrideId: id, saleId, from: fromId, to: toId, reason }
    await tx.insert(audit).values({ programId, actor, action: `claims.override_${what}`, detail, at: clock.now() })
  }

  const namesFor: OverrideService['namesFor'] = async (reader, rows) => {
    const names = new Map<string, string>()
    for (const { programId, fromId, toId } of rows)
      for (const id of [fromId, toId])
        if (id !== null && !names.has(id)) {
          const partner = await partners.byId(reader, programId, id)
          names.set(id, partner ? `<@${partner.userId}>` : 'an unknown partner')
        }
    return (id) => (id === null ? 'nobody' : (names.get(id) ?? 'an unknown partner'))
  }

  /** One card per proposal in the staff channel, which always shows how far it is. */
  async function show(tx: Tx, row: OverrideRow): Promise<void> {
    const sale = (await attribution.sale(tx, row.programId, row.saleId))!
    const message = overrideCard(row, sale, await namesFor(tx, [row]))
    await discord.post(tx, { programId: row.programId, key: `claims.override:${row.id}`, channel: staffChannel, message })
  }

  return {
    propose,
    decide,
    apply,
    namesFor,
    newest: (reader, programId, limit) =>
      reader
        .select()
        .from(overrides)
        .where(eq(overrides.programId, programId))
        .orderBy(desc(overrides.proposedAt), desc(overrides.id))
        .limit(limit),
  }
}

const changedHands = () =>
  new UserError(
    'sale_changed',
    'The sale was credited to somebody else at this very moment, so nothing was changed. Look at it again.',
  )
