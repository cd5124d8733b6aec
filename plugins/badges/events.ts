// What badges tells the house.
import { z } from 'zod'
import { defineEvent } from '../kit/index.ts'

const what = { awardId: z.uuid(), partnerId: z.uuid(), badge: z.string(), period: z.string() }

/** A partner received a badge, by a rule or by an admin. */
export const badgeAwarded = defineEvent('badges.awarded', what)
/** An admin took a badge back. */
export const badgeRevoked = defineEvent('badges.revoked', what)
