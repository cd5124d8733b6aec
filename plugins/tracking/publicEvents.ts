// What programs of the company are told of leads.
import { z } from 'zod'
import { publish } from '../developer/public.ts'
import { leadAttributed, leadRecorded } from './events.ts'

const schema = z.object({
  lead_id: z.uuid(),
  external_id: z.string().nullable(),
  partner_id: z.uuid().nullable(),
  occurred_at: z.string(),
})
const example = {
  lead_id: '01a19b7c-a680-7029-a526-4f5633c6a9e5',
  external_id: 'lead_1042',
  partner_id: '01a19b7c-a680-7e68-91c8-bfdddc82883b',
  occurred_at: '2026-11-02T09:00:00.000Z',
}
const told = (lead: { leadId: string; externalId: string | null; partnerId: string | null; occurredAt: Date }) => ({
  lead_id: lead.leadId,
  external_id: lead.externalId,
  partner_id: lead.partnerId,
  occurred_at: lead.occurredAt.toISOString(),
})

export const publicEvents = [
  publish(leadRecorded, {
    type: 'lead.recorded',
    version: 1,
    describes: 'A lead was reported for the first time.',
    schema,
    example,
    map: told,
  }),
  publish(leadAttributed, {
    type: 'lead.attributed',
    version: 1,
    describes: 'A lead that was recorded without a partner got one.',
    schema,
    example,
    map: told,
  }),
]
