// The words that the parts of this plugin share: a partner as stored, the steps to activation, and what forms and links lead to. No effects.
import { UserError } from '../kit/index.ts'
import type { Refusal } from './details.ts'
import type { PartnerStatus } from './public.ts'
import type { partners } from './tables.ts'

export type PartnerRow = typeof partners.$inferSelect

export interface Who {
  readonly programId: string
  /** Discord id. */
  readonly userId: string
}

export type Outcome =
  | {
      readonly kind: 'saved'
      readonly partner: PartnerRow /** Where a verification mail went, if one did. */
      readonly mailed: string | undefined
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'already'; readonly partner: PartnerRow }

export interface Step {
  readonly title: string
  readonly done: boolean
  /** What to do, in one sentence. */
  readonly hint: string
  readonly button?: { readonly customId: string; readonly label: string } | undefined
}

export type Verification =
  | { readonly state: 'verified' | 'used'; readonly programName: string; readonly next: Step | undefined }
  | { readonly state: 'good' | 'expired' | 'taken'; readonly programName: string; readonly email: string }
  | { readonly state: 'unknown' }

/** The status apart from having left. */
export function statusOf(partner: PartnerRow): Exclude<PartnerStatus, 'left'> {
  return partner.status === 'left' ? partner.statusBeforeLeft! : partner.status
}

export const noPartner = (userId: string): UserError =>
  new UserError('no_partner', `<@${userId}> has not registered. They can do so with /start.`)

/** How far the partner has come, whatever became of them since: somebody who is suspended goes on from there afterwards. */
export function progressOf({ verifiedAt, activatedAt }: PartnerRow): 'registered' | 'verified' | 'active' {
  if (activatedAt) return 'active'
  return verifiedAt ? 'verified' : 'registered'
}

/** The address whose verification is awaited. */
export function unverifiedAddress(partner: PartnerRow): string | undefined {
  return partner.pendingEmail ?? (partner.verifiedAt ? undefined : partner.email)
}
