// The house's own environment variables; plugins declare theirs in their manifests. Read once, at boot.
import { z } from 'zod'
import type { EnvironmentVariable } from '../plugins/kit/environment.ts'

const httpUrl = z.url({ protocol: /^https?$/, error: 'it must be a http:// or https:// address' })
const optional = <T extends z.ZodType<string>>(schema: T) => schema.optional()

export const houseEnvironment: readonly EnvironmentVariable[] = [
  {
    name: 'DISCORD_TOKEN',
    schema: z
      .string({ error: 'it is needed' })
      .regex(/^[\w.-]{20,}$/, { error: 'a bot token has at least 20 characters: letters, digits, dots, dashes' }),
    purpose: 'logs the bot in to Discord',
    where: 'https://discord.com/developers/applications → your application → Bot → Reset Token',
    example: 'MTA1…three.parts.separated-by-dots',
  },
  {
    name: 'SECRET_KEY',
    schema: z.string({ error: 'it is needed' }).min(32, { error: 'it needs at least 32 characters' }),
    purpose: 'keys the hashes of IP addresses and signs cookies; keep it for as long as the database',
    where: 'make one: openssl rand -base64 48',
    example: 'q7Jm0…(at least 32 random characters)',
  },
  {
    name: 'PUBLIC_URL',
    schema: z.string({ error: 'it is needed' }).pipe(httpUrl),
    purpose: 'the public address of this server, used in every link that is sent out',
    where: 'your domain, as partners reach it',
    example: 'https://partners.example.com',
  },
  {
    name: 'DATABASE_URL',
    schema: optional(z.url({ protocol: /^postgres(ql)?$/, error: 'it must be a postgres:// address' })),
    purpose: 'the PostgreSQL database; unset, an embedded one is started in DATA_DIR',
    where: 'your database provider',
    example: 'postgres://siso:password@localhost:5432/siso',
  },
  {
    name: 'REDIS_URL',
    schema: optional(z.url({ protocol: /^rediss?$/, error: 'it must be a redis:// address' })),
    purpose: 'the queue store; unset, the queue lives in PostgreSQL',
    where: 'your Redis provider',
    example: 'redis://localhost:6379',
  },
  {
    name: 'DATA_DIR',
    schema: z.string().min(1).default('var/data'),
    purpose: 'where the embedded database lives, and what is kept on this machine while the database is away',
    where: 'any directory that this user may write',
    example: 'var/data',
  },
  {
    name: 'HOST',
    schema: z.string().min(1).default('127.0.0.1'),
    purpose: 'the interface that the web server listens on',
    where: '0.0.0.0 inside a container, 127.0.0.1 behind a proxy on the same machine',
    example: '0.0.0.0',
  },
  {
    name: 'PORT',
    schema: z
      .string()
      .regex(/^\d{1,5}$/, { error: 'it must be a number from 0 to 65535' })
      .refine((port) => Number(port) <= 65535, { error: 'it must be a number from 0 to 65535' })
      .default('3000'),
    purpose: 'the port that the web server listens on',
    where: 'any free port',
    example: '3000',
  },
  {
    name: 'ROLE',
    schema: z.enum(['all', 'bot', 'api', 'worker'], { error: 'it must be all, bot, api or worker' }).default('all'),
    purpose: 'which hosts this process runs',
    where: 'all, unless you run several processes',
    example: 'all',
  },
  {
    name: 'LOG_LEVEL',
    schema: z
      .enum(['debug', 'info', 'warn', 'error', 'silent'], { error: 'it must be debug, info, warn, error or silent' })
      .default('info'),
    purpose: 'how much is logged',
    where: 'info in production',
    example: 'info',
  },
  {
    name: 'TRUST_PROXY',
    schema: z.enum(['true', 'false'], { error: 'it must be true or false' }).default('false'),
    purpose: 'whether X-Forwarded-For is believed; only behind a proxy that sets it',
    where: 'true behind nginx, Caddy or a load balancer',
    example: 'true',
  },
  {
    name: 'METRICS_TOKEN',
    schema: optional(z.string().min(16, { error: 'it needs at least 16 characters' })),
    purpose: 'opens GET /metrics to whoever sends it as a bearer token; unset, there are no metrics',
    where: 'make one: openssl rand -hex 24; then give it to Prometheus as its credentials',
    example: '0b6f…(at least 16 random characters)',
  },
  {
    name: 'AUTO_MIGRATE',
    schema: z.enum(['true', 'false'], { error: 'it must be true or false' }).default('true'),
    purpose: 'whether the process brings the database up to date at its start; with false, run `npm run migrate` at deployment',
    where: 'false where several versions run side by side',
    example: 'true',
  },
  {
    name: 'DISCORD_API_URL',
    schema: optional(z.string().pipe(httpUrl)),
    purpose: 'another base address for Discord’s REST API, for tests',
    where: 'leave it unset in production',
    example: 'http://127.0.0.1:4600/api',
  },
]
