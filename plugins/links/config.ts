// Where links may lead, how many a partner may have, and how long clicks are kept.
import { z } from 'zod'
import { isDestination } from './destination.ts'

export const config = z.object({
  landingPage: z
    .string()
    .refine(isDestination, { error: 'it must be an https:// address (http:// only for this machine)' })
    .default('https://example.com/')
    .describe('Where links lead unless they name another page.'),
  allowedHosts: z
    .array(
      z
        .string()
        .trim()
        .toLowerCase()
        .regex(/^[a-z0-9.-]+(:\d{1,5})?$/, { error: 'write a host such as shop.example.com, without https:// and without a path' }),
    )
    .max(50)
    .default([])
    .describe('Further hosts that links may lead to, besides that of the landing page, e.g. ["shop.example.com"].'),
  maxLinks: z.int().min(1).max(1000).default(50).describe('How many links a partner may have.'),
  clickDays: z.int().min(90).max(3650).default(730).describe('After how many days clicks are deleted.'),
  rejectedClickDays: z.int().min(1).max(90).default(7).describe('After how many days clicks of bots and previews are deleted.'),
})

export type Config = z.infer<typeof config>
