// The house's own figures for /metrics: work that waits, work that failed, webhooks that were parked or refused, and the queues of this process.
import type { Connection } from '../db/connect.ts'
import type { JobsHost } from '../jobs/host.ts'
import type { Gauge } from '../plugins/kit/gauges.ts'

export function houseGauges({ sql }: Connection, jobs: () => JobsHost | undefined): Gauge[] {
  return [
    {
      name: 'siso_outbox_waiting',
      help: 'Events and jobs that are due and not handled yet. A steady rise means that no worker keeps up.',
      read: async () => {
        const [row] = await sql`
          select count(*)::int as n from core_outbox where done_at is null and failed_at is null and available_at <= now()`
        return [{ value: row!.n }]
      },
    },
    {
      name: 'siso_outbox_age_seconds',
      help: 'For how long the oldest due event or job has waited. Above a minute something is stuck.',
      read: async () => {
        const [row] = await sql`
          select coalesce(extract(epoch from now() - min(available_at)), 0)::float as age
          from core_outbox where done_at is null and failed_at is null and available_at <= now()`
        return [{ value: row!.age }]
      },
    },
    {
      name: 'siso_outbox_failed',
      help: 'Work that was set aside after its last try: see /admin jobs failed.',
      read: async () => {
        const [row] = await sql`select count(*)::int as n from core_outbox where done_at is null and failed_at is not null`
        return [{ value: row!.n }]
      },
    },
    {
      name: 'siso_webhooks_parked',
      help: 'Events of vendors that could not be handled, by vendor: see the vendor’s parked command.',
      labels: ['source'],
      read: async () => {
        const rows = await sql<{ source: string; n: number }[]>`
          select source, count(*) filter (where parked_at is not null and handled_at is null)::int as n from core_webhooks
          where parked_at is not null group by source`
        return rows.map(({ source, n }) => ({ labels: { source }, value: n }))
      },
    },
    {
      name: 'siso_webhooks_refused_today',
      help: 'Deliveries refused at the door today (UTC), by vendor and reason: forged, too old, malformed.',
      labels: ['source', 'reason'],
      read: async () => {
        const rows = await sql<{ source: string; reason: string; n: number }[]>`
          select source, reason, count::int as n from core_webhook_refusals where day = (now() at time zone 'utc')::date`
        return rows.map(({ source, reason, n }) => ({ labels: { source, reason }, value: n }))
      },
    },
    {
      name: 'siso_queue_jobs',
      help: 'Jobs in the queues, by queue and state; of processes that run workers.',
      labels: ['queue', 'state'],
      read: async () =>
        Object.entries((await jobs()?.counts()) ?? {}).flatMap(([queue, states]) =>
          Object.entries(states).map(([state, value]) => ({ labels: { queue, state }, value })),
        ),
    },
  ]
}
