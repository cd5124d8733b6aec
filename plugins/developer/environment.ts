// The environment variables of the public API.
import { z } from 'zod'
import type { EnvironmentVariable } from '../kit/index.ts'

export const environment: readonly EnvironmentVariable[] = [
  {
    name: 'WEBHOOK_ALLOW_PRIVATE',
    schema: z.enum(['true', 'false'], { error: 'it must be true or false' }).optional(),
    purpose:
      'whether webhooks may go to addresses of private networks and without TLS; leave it unset where admins are not also the operators',
    where: 'true only for a receiver beside this server, or for development',
    example: 'true',
  },
]
