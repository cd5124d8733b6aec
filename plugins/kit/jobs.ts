// Background work. A job is asked for inside a transaction (an outbox row), runs after the commit, at least once, and is retried with backoff.
import type { z } from 'zod'
import type { Tx } from '../../db/connect.ts'

export interface Job<T = unknown> {
  readonly name: string
  readonly payload: z.ZodType<T>
  /** Tries before the job is set aside for an admin (`/admin jobs`). */
  readonly attempts: number
  /** First pause between tries in ms; it doubles up to a minute. */
  readonly backoffMs: number
}

/** Names a job and the shape of its payload. Names are `plugin.verb_object`. */
export function defineJob<T>(options: { name: string; payload: z.ZodType<T>; attempts?: number; backoffMs?: number }): Job<T> {
  return { attempts: 10, backoffMs: 500, ...options }
}

export interface JobRun {
  /** The outbox row's number: the same at every try, so it is fit to derive idempotency keys from. */
  readonly id: number
  readonly attempt: number
  readonly signal: AbortSignal
}

/** A job that reaches out of the database: at least once. */
export interface OuterJobHandler {
  readonly job: Job
  readonly run: (payload: never, run: JobRun) => Promise<void>
  readonly within?: undefined
}

/** A job on the database alone: once in effect. */
export interface InnerJobHandler {
  readonly job: Job
  readonly within: (tx: Tx, payloads: readonly never[]) => Promise<void>
  /** In place of `within` once it has failed, or was interrupted: for this job by itself. */
  readonly alone: (tx: Tx, payload: never) => Promise<void>
  readonly run?: undefined
}

export type JobHandler = OuterJobHandler | InnerJobHandler

/** Binds a job to its code. It may run twice for one request (a crash between the effect and its record), so it must be idempotent. */
export function handle<T>(job: Job<T>, run: (payload: T, run: JobRun) => Promise<void>): OuterJobHandler {
  return { job: job as unknown as Job, run: run as OuterJobHandler['run'] }
}

/**
 * Binds a job that only touches the database to its code. It runs within a transaction that also records that it did, exactly once in effect, and gets what
 * waits at the same time at once; other work may share the transaction. When that fails, each is tried again by itself, in a transaction of its own: with `alone`
 * if it is given, for work that can then tell what it failed for. As a listener it must not call a vendor.
 */
export function handleWithin<T>(
  job: Job<T>,
  within: (tx: Tx, payloads: readonly T[]) => Promise<void>,
  alone: (tx: Tx, payload: T) => Promise<void> = (tx, payload) => within(tx, [payload]),
): InnerJobHandler {
  return { job: job as unknown as Job, within, alone } as unknown as InnerJobHandler
}

export interface EnqueueOptions {
  programId?: string
  /**
   * While a job of this name and key waits for the program, asking for another changes nothing but that it waits until the asking transaction has ended. Once it
   * runs, asking makes a further one. So a job that was asked for begins after the facts it was asked for are there; two may overlap. A job on the database
   * alone (`handleWithin`) that a listener asks for is done at once, in the listener's transaction, beside one that waits.
   */
  dedupeKey?: string
  /** Not before this time. */
  at?: Date
}

/** Asks for a job within `tx`. */
export interface Enqueue {
  <T>(tx: Tx, job: Job<T>, payload: T, options?: EnqueueOptions): Promise<void>
  /** As many calls, in one statement. */
  many<T>(tx: Tx, job: Job<T>, requests: readonly ({ readonly payload: T } & EnqueueOptions)[]): Promise<void>
}

export interface Schedule {
  /** Stable id, starting with the plugin's id. */
  readonly id: string
  readonly every: { ms: number } | { cron: string; timeZone?: string }
  readonly run: () => Promise<void>
}

/** Repeats work in the background, on one process at a time. Each run must be idempotent and look for what is due, not assume that it ran on time. */
export function schedule(id: string, every: Schedule['every'], run: () => Promise<void>): Schedule {
  return { id, every, run }
}
