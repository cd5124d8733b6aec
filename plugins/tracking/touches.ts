// What leads tell attribution: the clicks that led to a lead of the e-mail address that buys now.
import type { TouchSource } from '../attribution/public.ts'
import type { LeadService } from './leads.ts'

export function leadTouches(leads: Pick<LeadService, 'touches'>): TouchSource {
  return {
    kind: 'click',
    find: async (reader, programId, hints, customer, paidAt) =>
      (await leads.touches(reader, programId, [{ hints, customer, paidAt }]))[0]!,
    findAll: leads.touches,
  }
}
