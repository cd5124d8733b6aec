// What an admin may change about partners.
import { z } from 'zod'
import type { Industry } from './public.ts'

const industry = z.object({
  key: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, { error: 'a key has lower-case letters, digits and dashes' }),
  name: z.string().trim().min(1).max(50),
  emoji: z.string().regex(/^\p{RGI_Emoji}$/v, { error: 'it must be one emoji' }),
})

const defaultIndustries: Industry[] = [
  { key: 'saas', name: 'SaaS & software', emoji: '💻' },
  { key: 'ecommerce', name: 'E-commerce', emoji: '🛒' },
  { key: 'agencies', name: 'Agencies & marketing', emoji: '📣' },
  { key: 'healthcare', name: 'Healthcare', emoji: '🩺' },
  { key: 'real-estate', name: 'Real estate', emoji: '🏠' },
  { key: 'finance', name: 'Finance & insurance', emoji: '💼' },
]

export const config = z.object({
  industries: z
    .array(industry)
    .min(1)
    .max(25)
    .refine((list) => new Set(list.map(({ key }) => key)).size === list.length, { error: 'two industries have the same key' })
    .default(defaultIndustries)
    .describe(
      'What partners choose from; each gets a role and a channel. A list of {key, name, emoji}. Run /admin setup after a change.',
    ),
  blockDisposableMail: z.boolean().default(true).describe('Refuse addresses of throw-away mail services. true or false.'),
})
export type PartnersConfig = z.output<typeof config>
