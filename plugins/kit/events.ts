// Typed domain events: what plugins tell each other. An event is written to the outbox in the transaction of the fact that it tells.
import { z } from 'zod'
import type { Tx } from '../../db/connect.ts'

export interface DomainEvent<T extends object = object> {
  readonly name: string
  readonly schema: z.ZodType<T & { programId: string }>
}

export type PayloadOf<E> = E extends DomainEvent<infer T> ? T & { programId: string } : never

/** Names an event and the shape of its payload; `programId` is part of every payload. Names are `plugin.what_happened`. */
export function defineEvent<S extends z.ZodRawShape>(name: string, shape: S): DomainEvent<z.output<z.ZodObject<S>>> {
  return { name, schema: z.object({ programId: z.uuid(), ...shape }) as never }
}

/** Writes the event into the outbox within `tx`, once for each payload: it is delivered to every listener after the commit, or never if the transaction fails. */
export type Emit = <T extends object>(
  tx: Tx,
  event: DomainEvent<T>,
  ...payloads: readonly (T & { programId: string })[]
) => Promise<void>

export interface Delivery {
  /** The outbox row's number: the same at a redelivery. */
  readonly id: number
  /** When the fact was committed. */
  readonly at: Date
}

/** One event on its way to one listener. */
export interface Told<T = never> {
  readonly payload: T
  readonly delivery: Delivery
}

export interface Listener {
  readonly id: string
  readonly event: DomainEvent
  readonly handle: (tx: Tx, told: readonly Told[]) => Promise<void>
}

/**
 * Listens to an event. `handle` runs in a transaction that also records that it did, so that a redelivery changes nothing: exactly once in effect.
 * It may read and write rows, emit, and enqueue; it must not call a vendor (enqueue a job for that). Order between events is not promised, and several
 * events and listeners may share a transaction. `id` is stable for ever and starts with the plugin's id.
 */
export function on<T extends object>(
  event: DomainEvent<T>,
  id: string,
  handle: (tx: Tx, payload: T & { programId: string }, delivery: Delivery) => Promise<void>,
): Listener {
  return onAll<T>(event, id, async (tx, told) => {
    for (const { payload, delivery } of told) await handle(tx, payload, delivery)
  })
}

/** As `on`, for a listener on a hot path: it gets what came together at once, and handles it with few statements. */
export function onAll<T extends object>(
  event: DomainEvent<T>,
  id: string,
  handle: (tx: Tx, told: readonly Told<T & { programId: string }>[]) => Promise<void>,
): Listener {
  return { id, event: event as unknown as DomainEvent, handle: handle as unknown as Listener['handle'] }
}

/** A member entered the guild. May be told more than once. */
export const memberJoined = defineEvent('guild.member_joined', { userId: z.string(), username: z.string() })
/** A member left the guild, by themselves or not. May be told more than once, and some time after. */
export const memberLeft = defineEvent('guild.member_left', { userId: z.string() })
/** A direct message was refused by the person's privacy settings; `key` is the key under which it was posted. */
export const directMessageRefused = defineEvent('guild.direct_message_refused', { userId: z.string(), key: z.string() })
/** Someone saved new settings for a plugin. */
export const settingsChanged = defineEvent('program.settings_changed', { plugin: z.string(), actor: z.string() })
