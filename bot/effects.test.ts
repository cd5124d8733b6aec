// Roles over a Discord that takes its time: what counts in the end is the last wish.
import type { REST } from '@discordjs/rest'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { programStore } from '../db/programs.ts'
import { guildObjects, memberRoles } from '../db/tables.ts'
import { testDatabase } from '../db/testing.ts'
import { systemClock } from '../plugins/kit/clock.ts'
import { applyRole, createDiscordEffects, createEffectJobs } from './effects.ts'

let database: Connection
let programId: string
const { emit, enqueue } = createOutbox(systemClock)
const effects = createDiscordEffects(systemClock, enqueue)
beforeAll(async () => {
  database = await testDatabase()
  programId = (await database.db.transaction((tx) => programStore.ensure(tx, { guildId: '1', name: 'One' }))).id
  await database.db
    .insert(guildObjects)
    .values({ programId, kind: 'role', key: 'club:member', discordId: '77', updatedAt: new Date() })
})
afterAll(() => database.close())

test('a wish that changes back while Discord is told of the earlier one is fulfilled', async () => {
  const calls: string[] = []
  let answer = () => {}
  const rest = {
    put: async () => void calls.push('put'),
    delete: () => {
      calls.push('delete')
      return new Promise<void>((resolve) => {
        answer = resolve
      })
    },
  } as unknown as REST
  const handler = createEffectJobs({ db: database.db, rest, clock: systemClock, emit }).find(
    ({ job }) => job.name === applyRole.name,
  )!
  const wish = (wanted: boolean) =>
    database.db.transaction((tx) => effects.setRole(tx, { programId, userId: '5', role: 'club:member', wanted, reason: 'a test' }))
  const apply = () =>
    handler.run({ programId, userId: '5', role: 'club:member' } as never, {
      id: 1,
      attempt: 1,
      signal: new AbortController().signal,
    })

  await wish(true)
  await apply()
  await wish(false)
  const slow = apply()
  await expect.poll(() => calls).toEqual(['put', 'delete'])
  await wish(true)
  await apply()
  answer()
  await slow

  expect(calls).toEqual(['put', 'delete', 'put'])
  const [row] = await database.db
    .select()
    .from(memberRoles)
    .where(and(eq(memberRoles.programId, programId), eq(memberRoles.userId, '5')))
  expect(row).toMatchObject({ wanted: true, applied: true })
})
