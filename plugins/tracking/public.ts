// What other plugins may ask of tracking.
import type { Origin } from '../attribution/public.ts'
import type { Reader } from '../kit/index.ts'

export interface Lead {
  readonly id: string
  readonly partnerId: string | null
  readonly occurredAt: Date
  /** Where the click that brought it came from; null when it was no click. */
  readonly origin: Origin | null
}

export interface Tracking {
  /** Leads that occurred in [from, to), oldest first. */
  leads(reader: Reader, programId: string, range: { from: Date; to: Date; partnerId?: string }): Promise<Lead[]>
}
