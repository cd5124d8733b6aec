// Delivers webhooks: what is due is claimed, sent outside of any transaction, and noted. An endpoint that fails rests, and is switched off when it fails for days.
import { and, eq, inArray, isNull, lte, or, sql } from 'drizzle-orm'
import { z } from 'zod'
import {
  type Clock,
  type Db,
  type DiscordEffects,
  defineJob,
  type Enqueue,
  hours,
  type JobRun,
  minutes,
  seconds,
  type Tx,
} from '../kit/index.ts'
import type { Endpoint, EndpointService } from './endpoints.ts'
import { told } from './eventRoutes.ts'
import { signedHeaders } from './secrets.ts'
import type { Send, Sent } from './sender.ts'
import { endpoints, events, sends } from './tables.ts'
import { endpointDisabled, unreadableSecret } from './webhookMessages.ts'

export const deliverJob = defineJob({
  name: 'developer.deliver',
  payload: z.object({ programId: z.uuid(), endpointId: z.uuid() }),
  attempts: 3,
})

/** The pauses between attempts, as Standard Webhooks recommends: a bit more than three days in all. */
export const pauses = [seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(14), hours(20), hours(24)] as const

/** An endpoint at which nothing arrives for this long is switched off. */
const patienceMs = hours(72)
/** At once to one endpoint. */
const width = 5
/** A job gives its place to others after this many at once. */
const mostRounds = 20
/** Longer than a message may take. */
const claimMs = minutes(1)
const longestRestMs = minutes(5)

type SendRow = typeof sends.$inferSelect
type EventRow = typeof events.$inferSelect

interface Due {
  readonly send: SendRow
  readonly event: EventRow
}

export interface Delivery {
  /** Asks for a job for every endpoint to which something is due. */
  askForDue(): Promise<void>
  /** Sends what is due to the endpoint. Safe to run twice at once: each message is claimed by one. */
  deliver(programId: string, endpointId: string, signal: JobRun['signal']): Promise<void>
}

interface Parts {
  db: Db
  clock: Clock
  enqueue: Enqueue
  discord: DiscordEffects
  endpoints: Pick<EndpointService, 'secretsOf'>
  send: Send
  /** The channel that admins are told in. */
  channel: string
}

export function createDelivery({ db, clock, enqueue, discord, endpoints: service, send, channel }: Parts): Delivery {
  async function claim(programId: string, endpointId: string): Promise<{ endpoint: Endpoint; due: Due[] } | undefined> {
    const now = clock.now()
    return db.transaction(async (tx) => {
      const [endpoint] = await tx
        .select()
        .from(endpoints)
        .where(and(eq(endpoints.programId, programId), eq(endpoints.id, endpointId)))
      if (!endpoint || endpoint.disabledAt || (endpoint.restUntil && endpoint.restUntil > now)) return undefined
      const rows = await tx
        .select()
        .from(sends)
        .where(
          and(
            eq(sends.programId, programId),
            eq(sends.endpointId, endpointId),
            eq(sends.state, 'pending'),
            lte(sends.nextAt, now),
            or(isNull(sends.claimedUntil), lte(sends.claimedUntil, now)),
          ),
        )
        .orderBy(sends.nextAt, sends.position)
        // One that just failed is tried alone until it answers again.
        .limit(endpoint.failures > 0 ? 1 : width)
        .for('update', { skipLocked: true })
      if (rows.length === 0) return undefined
      const positions = rows.map((row) => row.position)
      await tx
        .update(sends)
        .set({ claimedUntil: new Date(now.getTime() + claimMs) })
        .where(and(eq(sends.programId, programId), eq(sends.endpointId, endpointId), inArray(sends.position, positions)))
      const told = await tx
        .select()
        .from(events)
        .where(and(eq(events.programId, programId), inArray(events.position, positions)))
      const byPosition = new Map(told.map((event) => [event.position, event]))
      return { endpoint, due: rows.map((row) => ({ send: row, event: byPosition.get(row.position)! })) }
    })
  }

  async function attempt(endpoint: Endpoint, { event }: Due): Promise<Sent> {
    const body = JSON.stringify(told(event))
    const secrets = service.secretsOf(endpoint)
    if (secrets.length === 0) return { ok: false, status: undefined, result: unreadableSecret }
    return send(endpoint.url, signedHeaders({ id: event.id, at: clock.now(), body }, secrets), body)
  }

  /** Notes what came of the attempts. Returns false when the endpoint is to be left alone for now. */
  async function note(endpoint: Endpoint, outcomes: readonly { due: Due; sent: Sent }[]): Promise<boolean> {
    const now = clock.now()
    return db.transaction(async (tx) => {
      const [fresh] = await tx
        .select()
        .from(endpoints)
        .where(and(eq(endpoints.programId, endpoint.programId), eq(endpoints.id, endpoint.id)))
        .for('update')
      if (!fresh) return false
      for (const { due, sent } of outcomes)
        await tx
          .update(sends)
          .set(after(due.send, sent, now))
          .where(
            and(eq(sends.programId, endpoint.programId), eq(sends.endpointId, endpoint.id), eq(sends.position, due.send.position)),
          )
      const succeeded = outcomes.some(({ sent }) => sent.ok)
      const failures = succeeded ? 0 : fresh.failures + outcomes.length
      const failingSince = succeeded ? null : (fresh.failingSince ?? now)
      const reason = failingSince && reasonToStop(failingSince, outcomes, now)
      await tx
        .update(endpoints)
        .set({
          failures,
          failingSince,
          restUntil: succeeded ? null : new Date(now.getTime() + Math.min(seconds(5) * 2 ** Math.min(failures, 10), longestRestMs)),
          ...(succeeded && { lastSuccessAt: now }),
          ...(reason && { disabledAt: now, disabledReason: reason }),
        })
        .where(and(eq(endpoints.programId, endpoint.programId), eq(endpoints.id, endpoint.id)))
      if (reason && !fresh.disabledAt) await tellAdmins(tx, fresh, reason, now)
      return succeeded
    })
  }

  async function tellAdmins(tx: Tx, endpoint: Endpoint, reason: string, now: Date): Promise<void> {
    const { programId, id, url } = endpoint
    await discord.post(tx, {
      programId,
      key: `developer.disabled:${id}:${now.getTime()}`,
      channel,
      message: endpointDisabled(url, reason, endpoint.lastSuccessAt),
    })
  }

  return {
    askForDue: async () => {
      const now = clock.now().toISOString()
      const rows = await db.execute<{ id: string; program_id: string }>(sql`
        select e.id, e.program_id from developer_endpoints e
        where e.disabled_at is null and (e.rest_until is null or e.rest_until <= ${now}::timestamptz) and exists (
          select from developer_sends s where s.endpoint_id = e.id and s.state = 'pending' and s.next_at <= ${now}::timestamptz
            and (s.claimed_until is null or s.claimed_until <= ${now}::timestamptz))`)
      for (const { id, program_id: programId } of rows)
        await db.transaction((tx) =>
          enqueue(tx, deliverJob, { programId, endpointId: id }, { programId, dedupeKey: `developer.deliver ${id}` }),
        )
    },
    deliver: async (programId, endpointId, signal) => {
      for (let round = 0; round < mostRounds && !signal.aborted; round++) {
        const claimed = await claim(programId, endpointId)
        if (!claimed) return
        const { endpoint, due } = claimed
        const outcomes = await Promise.all(due.map(async (one) => ({ due: one, sent: await attempt(endpoint, one) })))
        if (!(await note(endpoint, outcomes))) return
      }
    },
  }
}

/** What an attempt makes of the message: delivered, to be tried again, or given up. */
function after(send: SendRow, sent: Sent, now: Date): Partial<SendRow> {
  const attempts = send.attempts + 1
  const common = { attempts, claimedUntil: null, firstAt: send.firstAt ?? now, lastResult: sent.result }
  if (sent.ok) return { ...common, state: 'delivered', endedAt: now }
  const pause = pauses[attempts - 1]
  return pause === undefined ? { ...common, state: 'failed', endedAt: now } : { ...common, nextAt: new Date(now.getTime() + pause) }
}

/** Why nothing more is to be sent to the endpoint: it says that it is gone, or nothing arrived for days. */
function reasonToStop(failingSince: Date, outcomes: readonly { sent: Sent }[], now: Date): string | undefined {
  if (outcomes.some(({ sent }) => sent.status === 410)) return 'it answered 410 Gone'
  const given = now.getTime() - failingSince.getTime() >= patienceMs
  return given ? `nothing arrived for three days; the last attempt: ${outcomes[0]!.sent.result}` : undefined
}
