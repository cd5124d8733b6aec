import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from './connect.ts'
import { prune } from './retention.ts'
import { testDatabase } from './testing.ts'

let database: Connection
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

test('what is finished and old is deleted; what is open, young or set aside, and every event, is kept', async () => {
  const { sql, db } = database
  await sql`insert into core_interactions (id, application_id, created_at, finished_at) values ('old', 'a', '2026-01-01', '2026-01-01'), ('open', 'a', '2026-01-01', null), ('young', 'a', '2026-03-01T11:00Z', '2026-03-01T11:00Z')`
  await sql`insert into core_outbox (kind, name, payload, done_at) values ('job', 'old', '{}', '2026-01-01'), ('job', 'open', '{}', null), ('event', 'event', '{}', '2026-01-01')`
  await sql`insert into core_deliveries (outbox_id, target) select id, 'listener' from core_outbox`
  await sql`insert into core_webhooks (source, event_id, type, body, received_at, handled_at) values ('s', 'old', 't', '{}', '2025-01-01', '2025-01-01'), ('s', 'parked', 't', '{}', '2025-01-01', null)`

  await sql`insert into core_webhooks (source, event_id, type, body, received_at, parked_at, park_reason, handled_at, set_aside_at, set_aside_by, set_aside_reason) values ('s', 'aside', 't', '{}', '2025-01-01', '2025-01-01', 'odd', '2025-01-01', '2025-01-01', '1', 'a test')`

  expect(await prune(db, new Date('2026-03-01T12:00:00Z'))).toEqual({
    interactions: 1,
    jobs: 1,
    deliveries: 1,
    tokens: 0,
    webhooks: 1,
  })
  const left =
    await sql`select id from core_interactions union all select name from core_outbox union all select event_id from core_webhooks`
  expect(left.map((row) => row.id).sort()).toEqual(['aside', 'event', 'open', 'open', 'parked', 'young'])
})
