// What programs of the company are told of partners: ids, and no personal data.
import { z } from 'zod'
import { publish } from '../developer/public.ts'
import { partnerActivated, partnerLeft, partnerRegistered, partnerReinstated, partnerSuspended } from './events.ts'

const who = { partner_id: z.uuid(), discord_user_id: z.string() }
const example = { partner_id: '01a19b7c-a680-7e68-91c8-bfdddc82883b', discord_user_id: '80351110224678912' }
const whoOf = ({ partnerId, userId }: { partnerId: string; userId: string }) => ({
  partner_id: partnerId,
  discord_user_id: userId,
})

export const publicEvents = [
  publish(partnerRegistered, {
    type: 'partner.registered',
    version: 1,
    describes: 'Somebody registered as a partner.',
    schema: z.object(who),
    example,
    map: whoOf,
  }),
  publish(partnerActivated, {
    type: 'partner.activated',
    version: 1,
    describes: 'A partner has signed and may earn from now on.',
    schema: z.object({ ...who, industry: z.string() }),
    example: { ...example, industry: 'saas' },
    map: (partner) => ({ ...whoOf(partner), industry: partner.industry }),
  }),
  publish(partnerLeft, {
    type: 'partner.left',
    version: 1,
    describes: 'A partner left the server.',
    schema: z.object(who),
    example,
    map: whoOf,
  }),
  publish(partnerSuspended, {
    type: 'partner.suspended',
    version: 1,
    describes: 'The team suspended a partner, who earns nothing and is paid nothing until they are reinstated.',
    schema: z.object(who),
    example,
    map: whoOf,
  }),
  publish(partnerReinstated, {
    type: 'partner.reinstated',
    version: 1,
    describes: 'The team ended the suspension of a partner.',
    schema: z.object(who),
    example,
    map: whoOf,
  }),
]
