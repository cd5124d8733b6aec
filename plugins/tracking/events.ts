// What tracking tells the house.
import { z } from 'zod'
import { defineEvent, instantField } from '../kit/index.ts'

const lead = { leadId: z.uuid(), externalId: z.string().nullable(), occurredAt: instantField }

/** A lead was reported for the first time; `partnerId` is null when nobody can be credited. */
export const leadRecorded = defineEvent('tracking.lead_recorded', { ...lead, partnerId: z.uuid().nullable() })
/** A lead that was recorded without a partner got one, because it was reported again with a click or coupon. */
export const leadAttributed = defineEvent('tracking.lead_attributed', { ...lead, partnerId: z.uuid() })
