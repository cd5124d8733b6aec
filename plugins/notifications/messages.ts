// What an admin reads about mail. Pure functions.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import type { MailHealth } from './public.ts'
import type { MailRow } from './tables.ts'

const signs = { sent: '✅ sent', waiting: '⏳ waiting', unsent: '⚠️ unsent', refused: '⛔ refused' } as const

export function mailList(rows: readonly MailRow[], health: MailHealth): Message {
  const warning = health.configured
    ? []
    : [
        '**No mail account is configured.** Mails are kept as “unsent” and go out when `SENDGRID_API_KEY` and `MAIL_FROM` are set within a day.',
      ]
  if (rows.length === 0)
    return card({
      title: 'No mails yet',
      body: [...warning, 'The first goes out when someone registers with /start.'],
      tone: toneOf(health),
    })
  return card({
    title: `The last ${rows.length === 1 ? 'mail' : `${rows.length} mails`}`,
    body: [...warning, ...rows.map(line)],
    tone: toneOf(health),
    footer: `Now waiting: ${health.waiting} · unsent: ${health.unsent} · refused: ${health.refused}`,
  })
}

function line(row: MailRow): string {
  const reason = row.reason ? `\n-# ${literal(row.reason)}` : ''
  return `${signs[row.state]} · **${literal(row.subject)}** to ${literal(row.recipient)} ${time(row.finishedAt ?? row.createdAt)}${reason}`
}

function toneOf(health: MailHealth) {
  return !health.configured || health.unsent > 0 ? 'warn' : 'neutral'
}
