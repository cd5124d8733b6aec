// Leads: somebody who is no customer yet. Recorded once, credited by the rule of attribution, binding nobody. Knows no HTTP.
import { and, asc, desc, eq, gte, lt, sql } from 'drizzle-orm'
import type { Asked, Attribution, Pointer, Touch } from '../attribution/public.ts'
import { amongTexts, type Clock, type Emit, newId, type Reader, type Tx } from '../kit/index.ts'
import { leadAttributed, leadRecorded } from './events.ts'
import type { Tracking } from './public.ts'
import { leads } from './tables.ts'
import { whenReported } from './times.ts'

export type LeadRow = typeof leads.$inferSelect

export interface NewLead {
  readonly programId: string
  readonly externalId: string | undefined
  readonly email: string | undefined
  readonly clickId: string | undefined
  readonly coupon: string | undefined
  readonly metadata: Readonly<Record<string, string>>
  readonly occurredAt: Date | undefined
}

export interface LeadService extends Tracking {
  /**
   * Records the lead unless it is known, by its external id or, without one, by its e-mail address. A known lead without a partner is decided again when it
   * comes with a click or coupon that it did not have.
   */
  record(tx: Tx, lead: NewLead): Promise<{ lead: LeadRow; created: boolean }>
  /** Newest first; `before` is the id of the last one seen. */
  page(reader: Reader, programId: string, page: { before?: string; limit: number }): Promise<LeadRow[]>
  byId(reader: Reader, programId: string, id: string): Promise<LeadRow | undefined>
  /** Clicks that led to a lead of this e-mail address: they may have led to its purchase as well. */
  touches(reader: Reader, programId: string, asked: readonly Asked[]): Promise<Touch[][]>
}

interface Parts {
  clock: Clock
  emit: Emit
  attribution: Pick<Attribution, 'pointsTo' | 'hashEmail'>
}

export function createLeadService({ clock, emit, attribution }: Parts): LeadService {
  /** Reports of one lead at the same moment follow each other. Locks are taken in sorted order. */
  async function lock(tx: Tx, { programId, externalId }: NewLead, emailHash: string | null): Promise<void> {
    const names = [`email ${emailHash}`, `lead ${externalId}`].map((name) => `tracking ${programId} ${name}`)
    for (const name of names) await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`)
  }

  async function known(tx: Tx, { programId, externalId }: NewLead, emailHash: string | null): Promise<LeadRow | undefined> {
    const same = externalId === undefined ? eq(leads.emailHash, emailHash!) : eq(leads.externalId, externalId)
    const [row] = await tx
      .select()
      .from(leads)
      .where(and(eq(leads.programId, programId), same))
      .orderBy(asc(leads.id))
      .limit(1)
    return row
  }

  async function create(tx: Tx, given: NewLead, emailHash: string | null): Promise<LeadRow> {
    const now = clock.now()
    const { programId, clickId, coupon } = given
    const occurredAt = whenReported(given.occurredAt, now)
    const pointer = await attribution.pointsTo(tx, {
      programId,
      hints: hintsOf({ clickId, coupon }),
      emailHash: emailHash ?? undefined,
      at: occurredAt,
    })
    const row: LeadRow = {
      id: newId(now),
      programId,
      externalId: given.externalId ?? null,
      emailHash,
      clickId: clickId ?? null,
      coupon: coupon ?? null,
      ...winnerOf(pointer),
      metadata: given.metadata,
      occurredAt,
      recordedAt: now,
    }
    await tx.insert(leads).values(row)
    await emit(tx, leadRecorded, { ...told(row), partnerId: row.partnerId })
    return row
  }

  async function refine(tx: Tx, row: LeadRow, given: NewLead): Promise<LeadRow> {
    const clickId = row.clickId ?? given.clickId
    const coupon = row.coupon ?? given.coupon
    if (row.partnerId || (clickId === (row.clickId ?? undefined) && coupon === (row.coupon ?? undefined))) return row
    const { programId, occurredAt } = row
    const emailHash = row.emailHash ?? undefined
    const pointer = await attribution.pointsTo(tx, { programId, hints: hintsOf({ clickId, coupon }), emailHash, at: occurredAt })
    const change = { clickId: clickId ?? null, coupon: coupon ?? null, ...winnerOf(pointer) }
    await tx
      .update(leads)
      .set(change)
      .where(and(eq(leads.programId, programId), eq(leads.id, row.id)))
    const updated = { ...row, ...change }
    if (pointer) await emit(tx, leadAttributed, { ...told(updated), partnerId: pointer.partnerId })
    return updated
  }

  return {
    record: async (tx, given) => {
      const emailHash = given.email === undefined ? null : attribution.hashEmail(given.email)
      await lock(tx, given, emailHash)
      const before = await known(tx, given, emailHash)
      return before
        ? { lead: await refine(tx, before, given), created: false }
        : { lead: await create(tx, given, emailHash), created: true }
    },
    page: (reader, programId, { before, limit }) =>
      reader
        .select()
        .from(leads)
        .where(and(eq(leads.programId, programId), before === undefined ? undefined : lt(leads.id, before)))
        .orderBy(desc(leads.id))
        .limit(limit),
    byId: async (reader, programId, id) =>
      (
        await reader
          .select()
          .from(leads)
          .where(and(eq(leads.programId, programId), eq(leads.id, id)))
      )[0],
    leads: (reader, programId, { from, to, partnerId }) =>
      reader
        .select({ id: leads.id, partnerId: leads.partnerId, occurredAt: leads.occurredAt, origin: leads.origin })
        .from(leads)
        .where(
          and(
            eq(leads.programId, programId),
            gte(leads.occurredAt, from),
            lt(leads.occurredAt, to),
            partnerId === undefined ? undefined : eq(leads.partnerId, partnerId),
          ),
        )
        .orderBy(asc(leads.occurredAt), asc(leads.id)),
    touches: async (reader, programId, asked) => {
      const hashes = new Set(asked.flatMap(({ customer }) => customer.emailHash ?? []))
      const rows = await reader
        .select()
        .from(leads)
        .where(and(eq(leads.programId, programId), amongTexts(leads.emailHash, hashes), eq(leads.wonKind, 'click')))
      return asked.map(({ customer, hints }) => {
        const own = rows.filter((row) => row.emailHash === customer.emailHash && row.wonBy !== hints.clickId)
        return [...new Map(own.map((row) => [row.wonBy, row])).values()].map(({ partnerId, wonAt, wonBy, origin }) => ({
          kind: 'click',
          partnerId: partnerId!,
          at: wonAt!,
          reference: wonBy!,
          ...(origin && { origin }),
        }))
      })
    },
  }
}

/** What points to a partner, without what was not given. */
export function hintsOf({ clickId, coupon }: { clickId: string | null | undefined; coupon: string | null | undefined }) {
  return { ...(clickId && { clickId }), ...(coupon && { coupon }) }
}

function winnerOf(pointer: Pointer | undefined): Pick<LeadRow, 'partnerId' | 'wonKind' | 'wonBy' | 'wonAt' | 'origin'> {
  if (!pointer) return { partnerId: null, wonKind: null, wonBy: null, wonAt: null, origin: null }
  return {
    partnerId: pointer.partnerId,
    wonKind: pointer.kind,
    wonBy: pointer.reference,
    wonAt: pointer.at,
    origin: pointer.origin,
  }
}

const told = ({ programId, id, externalId, occurredAt }: LeadRow) => ({ programId, leadId: id, externalId, occurredAt })
