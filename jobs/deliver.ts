// Delivers outbox rows: several together in one transaction, which is the fast way and all or nothing; or one row to one target, which is the patient way.
import { eq } from 'drizzle-orm'
import type { Logger } from 'pino'
import type { Db, Tx } from '../db/connect.ts'
import {
  claimDelivery,
  closeIfHandled,
  closeOnce,
  type DueRow,
  type GatheredRow,
  gather,
  markDone,
  type OutboxRow,
} from '../db/outbox.ts'
import { outbox } from '../db/tables.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { JobHandler } from '../plugins/kit/jobs.ts'
import type { Loaded } from '../plugins/kit/load.ts'

type Kind = Pick<OutboxRow, 'kind' | 'name'>

export interface Deliverer {
  /** Who has to handle the row: the event's listeners, or the job's handler. */
  targetsOf(row: Kind): string[]
  /** How often and how fast a target is tried. */
  patienceOf(row: Kind): { attempts: number; backoffMs: number }
  /** Whether the row is work on the database alone, fit for `deliverTogether`. */
  isInner(row: Kind): boolean
  /** Names of the jobs that are. */
  readonly innerJobs: readonly string[]
  /**
   * Has all targets of the rows, which nobody has handled yet, handle them within `tx`, and what that work asks for in turn as well, and closes them.
   * @throws whatever a target throws; then the transaction must fail
   */
  deliverTogether(tx: Tx, rows: readonly DueRow[]): Promise<void>
  /** One row to one target, once in effect. @throws whatever the target throws; the row then stays open */
  deliver(outboxId: number, target: string, attempt: number, signal: AbortSignal): Promise<void>
  /** The first try of a job that reaches out of the database; records nothing. @throws whatever the job throws */
  runOuter(row: DueRow, signal: AbortSignal): Promise<void>
}

/** How much work that asks for work one transaction follows before it commits. */
const mostRounds = 8

export function createDeliverer({ db, clock, log, loaded }: { db: Db; clock: Clock; log: Logger; loaded: Loaded }): Deliverer {
  const listeners = new Map(loaded.listeners.map((listener) => [listener.id, listener]))
  const byEvent = Map.groupBy(loaded.listeners, (listener) => listener.event.name)
  const innerJobs = [...loaded.jobs.values()].filter(({ within }) => within).map(({ job }) => job.name)
  const inner = new Set(innerJobs)

  const targetsOf: Deliverer['targetsOf'] = (row) =>
    row.kind === 'job' ? [row.name] : (byEvent.get(row.name) ?? []).map((listener) => listener.id)
  const isInner: Deliverer['isInner'] = (row) => row.kind === 'event' || inner.has(row.name)

  const deliverTogether: Deliverer['deliverTogether'] = async (tx, given) => {
    const gathering = gather(tx)
    let rows: readonly GatheredRow[] = given
    for (let round = 1; rows.length > 0; round++) {
      for (const [name, alike] of Map.groupBy(rows, (row) => row.name)) {
        if (alike[0]!.kind === 'job')
          await loaded.jobs.get(name)!.within!(
            tx,
            alike.map((row) => payloadOf(loaded.jobs.get(name)!, row)),
          )
        else
          for (const listener of byEvent.get(name) ?? [])
            await listener.handle(
              tx,
              alike.map((row) => ({
                payload: listener.event.schema.parse(row.payload) as never,
                delivery: { id: row.id, at: row.createdAt },
              })),
            )
      }
      rows = round < mostRounds ? await gathering.take(clock.now(), inner) : []
    }
    const now = clock.now()
    await Promise.all([
      markDone(
        tx,
        given.map(({ id }) => id),
        now,
      ),
      gathering.write(now),
    ])
  }

  const deliver: Deliverer['deliver'] = async (outboxId, target, attempt, signal) => {
    const [row] = await db.select().from(outbox).where(eq(outbox.id, outboxId))
    if (!row || row.doneAt) return
    if (row.kind === 'event') await toListener(row, target)
    else await toJob(row, attempt, signal)
  }

  async function toListener(row: OutboxRow, target: string): Promise<void> {
    const listener = listeners.get(target)
    if (!listener) return log.warn({ target, event: row.name }, 'a listener that no longer exists was asked to handle an event')
    const payload = listener.event.schema.parse(row.payload) as never
    const targets = targetsOf(row)
    const isOnly = targets.length === 1
    await db.transaction(async (tx) => {
      const isClaimed = await (isOnly ? closeOnce : claimDelivery)(tx, row.id, target, clock.now())
      if (isClaimed) await listener.handle(tx, [{ payload, delivery: { id: row.id, at: row.createdAt } }])
    })
    if (!isOnly) await closeIfHandled(db, row.id, targets, clock.now())
  }

  async function toJob(row: OutboxRow, attempt: number, signal: AbortSignal): Promise<void> {
    const handler = handlerOf(row)
    const payload = payloadOf(handler, row)
    if (handler.within)
      return db.transaction(async (tx) => {
        if (await closeOnce(tx, row.id, row.name, clock.now())) await handler.alone(tx, payload)
      })
    await handler.run(payload, { id: row.id, attempt, signal })
    await markDone(db, [row.id], clock.now())
  }

  const handlerOf = ({ name }: Kind): JobHandler => {
    const handler = loaded.jobs.get(name)
    if (!handler) throw new Error(`No plugin handles the job ${name}`)
    return handler
  }

  return {
    targetsOf,
    isInner,
    innerJobs,
    deliverTogether,
    deliver,
    runOuter: async (row, signal) => {
      const handler = handlerOf(row)
      await handler.run!(payloadOf(handler, row), { id: row.id, attempt: 1, signal })
    },
    patienceOf: (row) =>
      row.kind === 'job' ? (loaded.jobs.get(row.name)?.job ?? { attempts: 10, backoffMs: 500 }) : { attempts: 10, backoffMs: 250 },
  }
}

const payloadOf = ({ job }: JobHandler, row: Pick<OutboxRow, 'payload'>): never => job.payload.parse(row.payload) as never
