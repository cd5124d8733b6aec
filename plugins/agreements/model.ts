// The words that the parts of this plugin share: a signature as stored, and what a signing link is or leads to. Types only.
import type { Partner } from '../partners/public.ts'
import type { signatures } from './tables.ts'

export type SignatureRow = typeof signatures.$inferSelect
/** A signature without its PDF. */
export type Signature = Omit<SignatureRow, 'pdf'>

export interface Typed {
  readonly name: string
  readonly consent: boolean
}
export type Problem = 'name' | 'consent'

/** What a signing link is now, and what became of signing through it. */
export type Signing =
  | {
      readonly state: 'open'
      readonly programName: string
      readonly partner: Partner
      readonly typed: Typed
      readonly problems: readonly Problem[]
    }
  | { readonly state: 'signed' | 'already'; readonly programName: string; readonly partner: Partner; readonly signature: Signature }
  | { readonly state: 'expired' | 'closed'; readonly programName: string }
  | { readonly state: 'unknown' }
