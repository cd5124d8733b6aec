// Hands one outbox row to one target: a listener within its transaction (exactly once in effect), or a job (at least once, recorded after it succeeded).
import { eq } from 'drizzle-orm'
import type { Logger } from 'pino'
import type { Db } from '../db/connect.ts'
import { claimDelivery, closeIfHandled, handledTargets, type OutboxRow, releaseDedupeKey } from '../db/outbox.ts'
import { outbox } from '../db/tables.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Loaded } from '../plugins/kit/load.ts'

export interface Deliverer {
  /** Who has to handle the row: the event's listeners, or the job's handler. */
  targetsOf(row: Pick<OutboxRow, 'kind' | 'name'>): string[]
  /** How often and how fast a target is tried. */
  patienceOf(row: Pick<OutboxRow, 'kind' | 'name'>): { attempts: number; backoffMs: number }
  /** @throws whatever the target throws; the row then stays open */
  deliver(outboxId: number, target: string, attempt: number, signal: AbortSignal): Promise<void>
  /** Closes a row that nobody listens to. */
  closeUnheard(outboxId: number): Promise<void>
}

export function createDeliverer({ db, clock, log, loaded }: { db: Db; clock: Clock; log: Logger; loaded: Loaded }): Deliverer {
  const listeners = new Map(loaded.listeners.map((listener) => [listener.id, listener]))
  const byEvent = Map.groupBy(loaded.listeners, (listener) => listener.event.name)

  const targetsOf: Deliverer['targetsOf'] = (row) =>
    row.kind === 'job' ? [row.name] : (byEvent.get(row.name) ?? []).map((listener) => listener.id)

  const deliver: Deliverer['deliver'] = async (outboxId, target, attempt, signal) => {
    const [row] = await db.select().from(outbox).where(eq(outbox.id, outboxId))
    if (!row || row.doneAt) return
    if (row.kind === 'event') await toListener(row, target)
    else await toJob(row, target, attempt, signal)
    await closeIfHandled(db, outboxId, targetsOf(row), clock.now())
  }

  async function toListener(row: OutboxRow, target: string): Promise<void> {
    const listener = listeners.get(target)
    if (!listener) return log.warn({ target, event: row.name }, 'a listener that no longer exists was asked to handle an event')
    const payload = listener.event.schema.parse(row.payload)
    await db.transaction(async (tx) => {
      if (await claimDelivery(tx, row.id, target, clock.now()))
        await listener.handle(tx, payload as never, { id: row.id, at: row.createdAt })
    })
  }

  async function toJob(row: OutboxRow, target: string, attempt: number, signal: AbortSignal): Promise<void> {
    const handler = loaded.jobs.get(row.name)
    if (!handler) throw new Error(`No plugin handles the job ${row.name}`)
    if ((await handledTargets(db, row.id)).includes(target)) return
    if (row.dedupeKey !== null) await releaseDedupeKey(db, row.id)
    await handler.run(handler.job.payload.parse(row.payload) as never, { id: row.id, attempt, signal })
    await db.transaction((tx) => claimDelivery(tx, row.id, target, clock.now()))
  }

  return {
    targetsOf,
    deliver,
    patienceOf: (row) =>
      row.kind === 'job' ? (loaded.jobs.get(row.name)?.job ?? { attempts: 10, backoffMs: 500 }) : { attempts: 10, backoffMs: 250 },
    closeUnheard: (outboxId) => closeIfHandled(db, outboxId, [], clock.now()),
  }
}
