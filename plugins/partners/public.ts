// What other plugins may know of partners, and the points where they take part.
import { componentRef } from '../../commands/customId.ts'
import type { Ctx, Precondition } from '../../commands/define.ts'
import { defineExtensionPoint, type Reader, type Tx } from '../kit/index.ts'

/** registered → verified (e-mail) → active (every requirement met) → suspended or left. Who leaves while suspended is suspended. */
export type PartnerStatus = 'registered' | 'verified' | 'active' | 'suspended' | 'left'

export interface Partner {
  readonly id: string
  readonly programId: string
  /** Discord id. */
  readonly userId: string
  readonly name: string
  readonly email: string
  readonly industry: string
  readonly status: PartnerStatus
  readonly registeredAt: Date
  readonly verifiedAt: Date | null
  readonly activatedAt: Date | null
}

/** One of the industries that a partner may choose; in the plugin's settings. */
export interface Industry {
  readonly key: string
  readonly name: string
  readonly emoji: string
}

export interface Partners {
  byUser(reader: Reader, programId: string, userId: string): Promise<Partner | undefined>
  byId(reader: Reader, programId: string, partnerId: string): Promise<Partner | undefined>
  /** Those of the partners that exist, in no order. */
  byIds(reader: Reader, programId: string, partnerIds: readonly string[]): Promise<Partner[]>
  list(reader: Reader, programId: string, filter?: { status?: PartnerStatus }): Promise<Partner[]>
  /** What partners of the program may choose from. */
  industries(reader: Reader, programId: string): Promise<readonly Industry[]>
  /** The partner who runs the command. @throws UserError that points to /start */
  require(reader: Reader, ctx: Ctx): Promise<Partner>
  /** For `access`: whoever has registered. */
  readonly registered: Precondition
  /** For `access`: active partners only; the refusal says which step is missing. */
  readonly active: Precondition
  /** Tells the witnesses that the partner was seen. */
  seen(tx: Tx, sighting: Sighting): Promise<void>
  /** Looks again at the requirements of a verified partner and activates them (emitting `partners.activated`, once) when all are met. */
  reviewActivation(tx: Tx, programId: string, partnerId: string): Promise<void>
}

/** Somebody opened a page that only this partner has the link of, and acted on it. */
export interface Sighting {
  readonly programId: string
  readonly partnerId: string
  readonly userId: string
  readonly at: Date
  readonly ip: string
  readonly userAgent: string
}
/** Told of sightings within the transaction of what the partner did. What is kept of them must not hold the address itself. */
export type Witness = (tx: Tx, sighting: Sighting) => Promise<void>
export const partnerWitness = defineExtensionPoint<Witness>('partners.witness')

/** Something a verified partner must have done before becoming active (signing the agreement, passing a quiz). */
export interface ActivationRequirement {
  readonly id: string
  readonly title: string
  /** What the partner should do next, in one sentence. */
  readonly nextStep: string
  /** The contributor itself tells the partner of this step when the e-mail is verified, so that they are not told twice. */
  readonly announcesItself?: boolean
  /** A button that does the step, or leads to it: shown wherever the partner is told of the step. */
  readonly button?: { readonly customId: string; readonly label: string }
  isMet(reader: Reader, partner: Partner): Promise<boolean>
}
export const activationRequirement = defineExtensionPoint<ActivationRequirement>('partners.activation_requirement')

export interface PartnerCardField {
  readonly name: string
  readonly value: string
}
/** What another plugin says of a partner on the card that admins open; a few lines, because the card holds 4,000 characters. */
export type PartnerCardPart = (reader: Reader, partner: Partner) => Promise<readonly PartnerCardField[]>
export const partnerCardPart = defineExtensionPoint<PartnerCardPart>('partners.card_part')

/** Whether a domain, in lower case, belongs to a throw-away mail service. */
export { isDisposable } from './disposable.ts'
export { isErased, partnerIdOf } from './identity.ts'

/** A button with this id does what /start does: for cards of other plugins. */
export const startButton = componentRef('partners.start')

/** Subjects of /help, for plugins whose commands belong there as well. */
export const partnerHelp = {
  partners: {
    id: 'partnership',
    title: 'Your partnership',
    emoji: '👋',
    about: 'Become a partner, sign the agreement, keep your details right',
  },
  admins: { id: 'partners', title: 'Partners', emoji: '👥', about: 'Who is there, how far they are, and what they achieved' },
}
