// What partners tells the house.
import { z } from 'zod'
import { defineEvent } from '../kit/index.ts'

const who = { partnerId: z.uuid(), userId: z.string() }

export const partnerRegistered = defineEvent('partners.registered', who)
/** The partner proved that the address is theirs: the first one, or one they changed to. */
export const emailVerified = defineEvent('partners.email_verified', { ...who, email: z.string() })
export const partnerActivated = defineEvent('partners.activated', { ...who, industry: z.string() })
export const partnerLeft = defineEvent('partners.left', who)
/** A partner who had left is in the server again, with the status they had. */
export const partnerReturned = defineEvent('partners.returned', who)
/** An admin stopped the partner: nothing is credited to them or paid out until they are reinstated. */
export const partnerSuspended = defineEvent('partners.suspended', who)
/** An admin ended the suspension: the partner is what they were, or away, if they left meanwhile. */
export const partnerReinstated = defineEvent('partners.reinstated', who)
export const industryChanged = defineEvent('partners.industry_changed', { ...who, from: z.string(), to: z.string() })
