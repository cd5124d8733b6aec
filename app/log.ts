// The log: one JSON line an event on standard output, with secrets struck out.
import pino, { type DestinationStream, type Logger } from 'pino'

/** A logger at `level`; a level that does not exist counts as info, because the check of LOG_LEVEL comes later and says what is wrong. Tokens, keys, passwords and cookies are struck out wherever they stand in a logged object. */
export function createLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level: level === 'silent' || Object.hasOwn(pino.levels.values, level) ? level : 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: { paths: secretPaths, censor: '[struck out]' },
    },
    destination ?? pino.destination({ fd: 1, sync: false }),
  )
}

const secrets = [
  'token',
  'authorization',
  'password',
  'secret',
  'cookie',
  'apiKey',
  'DISCORD_TOKEN',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'SENDGRID_API_KEY',
  'SECRET_KEY',
  'DATABASE_URL',
  'REDIS_URL',
]
const secretPaths = secrets.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])
