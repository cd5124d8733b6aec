// What operators see of the public API: events and webhooks that do not go out. Changes nothing.
import { and, isNotNull, isNull, sql } from 'drizzle-orm'
import type { Check, Db, Gauge } from '../kit/index.ts'
import { endpoints, sends, unsealed } from './tables.ts'

const counts = (db: Db) => ({
  unpublished: () => db.$count(unsealed, isNotNull(unsealed.problem)),
  waiting: () => db.$count(sends, sql`${sends.state} = 'pending'`),
  off: () => db.$count(endpoints, isNotNull(endpoints.disabledAt)),
  failing: () => db.$count(endpoints, and(isNull(endpoints.disabledAt), sql`${endpoints.failures} > 0`)),
})

export function developerGauges(db: Db): Gauge[] {
  const { unpublished, waiting, off, failing } = counts(db)
  return [
    {
      name: 'siso_developer_unpublished',
      help: 'Events that could not be published; above 0 there is a bug in a mapping, named in the log.',
      read: async () => [{ value: await unpublished() }],
    },
    {
      name: 'siso_developer_webhooks_waiting',
      help: 'Webhooks that wait to be sent or sent again.',
      read: async () => [{ value: await waiting() }],
    },
    {
      name: 'siso_developer_endpoints',
      help: 'Endpoints of webhooks that are failing or were switched off. See /admin-api webhooks list.',
      labels: ['state'],
      read: async () => [
        { labels: { state: 'failing' }, value: await failing() },
        { labels: { state: 'off' }, value: await off() },
      ],
    },
  ]
}

export function developerChecks(db: Db): Check[] {
  const { unpublished, off } = counts(db)
  return [
    {
      title: 'Public API: events and webhooks',
      run: async () => {
        const [bad, disabled] = [await unpublished(), await off()]
        const findings = [
          bad > 0 &&
            `${bad} events could not be published; the log names the mapping that fails, and they are tried again every hour.`,
          disabled > 0 &&
            `${disabled} webhooks are switched off: /admin-api webhooks list says why, and a replay switches one on again.`,
        ].filter((line) => typeof line === 'string')
        return findings.length > 0 ? findings.join(' ') : undefined
      },
    },
  ]
}
