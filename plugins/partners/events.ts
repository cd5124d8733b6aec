// What partners tells the house.
import { z } from 'zod'
import { defineEvent } from '../kit/index.ts'

const who = { partnerId: z.uuid(), userId: z.string() }

export const partnerRegistered = defineEvent('partners.registered', who)
export const emailVerified = defineEvent('partners.email_verified', { ...who, email: z.string() })
export const partnerActivated = defineEvent('partners.activated', { ...who, industry: z.string() })
export const partnerLeft = defineEvent('partners.left', who)
