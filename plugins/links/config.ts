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
  domains: z
    .array(
      z
        .string()
        .trim()
        .toLowerCase()
        .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, {
          error: 'write a domain such as go.example.com, without https:// and without a path',
        }),
    )
    .max(10)
    .default([])
    .describe('Domains of your own that point to this server, e.g. ["go.example.com"]: a link is then go.example.com/CODE, too.'),
  privateAddresses: z
    .boolean()
    .default(false)
    .describe('Whether links may lead to addresses inside a private network, besides the landing page itself.'),
  cookies: z
    .enum(['always', 'consent', 'never'])
    .default('always')
    .describe(
      'Whether a followed link leaves a cookie: always unless the visitor said no (siso_consent=0), only with consent (siso_consent=1), or never.',
    ),
  defaultLinks: z
    .array(z.string().trim().min(1).max(50))
    .max(10)
    .default(['default'])
    .describe(
      'Links that partners get when they become active, each for the landing page of this name; "default" for the page meant for them. [] for none.',
    ),
  maxLinks: z.int().min(1).max(1000).default(50).describe('How many links a partner may have.'),
  clickDays: z.int().min(90).max(3650).default(730).describe('After how many days clicks are deleted.'),
  rejectedClickDays: z
    .int()
    .min(1)
    .max(90)
    .default(7)
    .describe('After how many days clicks of bots, and those on closed links, are deleted.'),
})

export type Config = z.infer<typeof config>
