// The mail account's environment variables.
import { z } from 'zod'
import { ConfigurationError, type EnvironmentVariable } from '../kit/index.ts'

const sender = /^[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+$|^[^<>]+<[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+>$/

export const environment: readonly EnvironmentVariable[] = [
  {
    name: 'SENDGRID_API_KEY',
    schema: z
      .string()
      .regex(/^SG\.\S{10,}$/, { error: 'a SendGrid key starts with “SG.”' })
      .optional(),
    purpose: 'sends mail (verification, signed copies); unset, mails are kept as “unsent”',
    where: 'https://app.sendgrid.com → Settings → API Keys, with the permission “Mail Send”',
    example: 'SG.abc…',
  },
  {
    name: 'MAIL_FROM',
    schema: z.string().regex(sender, { error: 'it must be an address, or a name with an address in angle brackets' }).optional(),
    purpose: 'the sender of mails; needed together with SENDGRID_API_KEY, and verified at SendGrid',
    where: 'https://app.sendgrid.com → Settings → Sender Authentication',
    example: 'Example Partners <partners@example.com>',
  },
  {
    name: 'SENDGRID_API_URL',
    schema: z.url({ protocol: /^https?$/, error: 'it must be a http:// or https:// address' }).optional(),
    purpose: 'another base address for SendGrid: the EU region, or a test server',
    where: 'https://api.eu.sendgrid.com/ for EU accounts; else leave it unset',
    example: 'https://api.eu.sendgrid.com/',
  },
]

export interface MailAccount {
  apiKey: string
  from: string
  baseUrl: string | undefined
}

/** The account, or undefined when none is configured. @throws ConfigurationError for a key without a sender */
export function mailAccount(env: Readonly<Record<string, string | undefined>>): MailAccount | undefined {
  if (!env.SENDGRID_API_KEY) return undefined
  if (env.MAIL_FROM) return { apiKey: env.SENDGRID_API_KEY, from: env.MAIL_FROM, baseUrl: env.SENDGRID_API_URL }
  const { purpose, where, example } = environment.find((variable) => variable.name === 'MAIL_FROM')!
  throw new ConfigurationError(
    `MAIL_FROM is missing.\n  What it is for: ${purpose}\n  Where to get it: ${where}\n  Example: MAIL_FROM=${example}`,
  )
}
