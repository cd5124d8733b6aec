// Effects over a Discord that takes its time, or refuses: what counts in the end is the last wish, and what cannot be is given up.
import { DiscordAPIError, type REST } from '@discordjs/rest'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { card } from '../commands/messages.ts'
import type { Connection } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { programStore } from '../db/programs.ts'
import { guildObjects, memberRoles, messages, outbox } from '../db/tables.ts'
import { testDatabase } from '../db/testing.ts'
import { systemClock } from '../plugins/kit/clock.ts'
import { applyRole, createDiscordEffects, createEffectJobs, sendMessage } from './effects.ts'

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

test('a message to somebody who has left is given up, without a thread that they could not see', async () => {
  const rest = {
    post: async (route: string) => {
      if (route.endsWith('/channels')) return { id: '900' }
      const body = { code: 50278, message: 'Cannot send messages to this user due to having no mutual guilds' }
      throw new DiscordAPIError(body, 50278, 403, 'POST', route, { files: undefined, body: undefined })
    },
  } as unknown as REST
  const handler = createEffectJobs({ db: database.db, rest, clock: systemClock, emit }).find(
    ({ job }) => job.name === sendMessage.name,
  )!
  await database.db.transaction((tx) =>
    effects.direct(tx, {
      programId,
      key: 'test.farewell',
      userId: '6',
      message: card({ title: 'Farewell', body: 'Come back soon.' }),
    }),
  )
  const [wanted] = await database.db.select().from(messages).where(eq(messages.key, 'test.farewell'))
  await handler.run({ id: wanted!.id } as never, { id: 2, attempt: 1, signal: new AbortController().signal })

  const [row] = await database.db.select().from(messages).where(eq(messages.key, 'test.farewell'))
  expect(row).toMatchObject({ state: 'refused', lastError: 'not in the server' })
  expect(await database.db.select().from(outbox).where(eq(outbox.name, 'guild.direct_message_refused'))).toEqual([])
})

test('whoever could not be let into their private thread at first is let in before the message is sent', async () => {
  const calls: string[] = []
  const rest = {
    post: async (route: string) => {
      calls.push(`post ${route}`)
      return { id: route.endsWith('/threads') ? '901' : '902' }
    },
    put: async (route: string) => {
      calls.push(`put ${route}`)
      if (calls.filter((call) => call.startsWith('put')).length === 1) throw new Error('the connection broke')
    },
  } as unknown as REST
  const handler = createEffectJobs({ db: database.db, rest, clock: systemClock, emit }).find(
    ({ job }) => job.name === sendMessage.name,
  )!
  await database.db
    .insert(guildObjects)
    .values({ programId, kind: 'channel', key: 'club:inbox', discordId: '78', updatedAt: new Date() })
  await database.db.transaction((tx) =>
    effects.privateThread(tx, {
      programId,
      key: 'test.thread',
      userId: '7',
      channel: 'club:inbox',
      title: 'Hello',
      message: card({ title: 'Hello' }),
    }),
  )
  const [wanted] = await database.db.select().from(messages).where(eq(messages.key, 'test.thread'))
  const attempt = (number: number) =>
    handler.run({ id: wanted!.id } as never, { id: 3, attempt: number, signal: new AbortController().signal })
  await expect(attempt(1)).rejects.toThrow('the connection broke')
  await attempt(2)
  expect(calls).toEqual([
    'post /channels/78/threads',
    'put /channels/901/thread-members/7',
    'put /channels/901/thread-members/7',
    'post /channels/901/messages',
  ])
})

test('a private thread for somebody who has left is given up', async () => {
  const rest = {
    post: async () => ({ id: '903' }),
    put: async (route: string) => {
      const body = { code: 10007, message: 'Unknown Member' }
      throw new DiscordAPIError(body, 10007, 404, 'PUT', route, { files: undefined, body: undefined })
    },
  } as unknown as REST
  const handler = createEffectJobs({ db: database.db, rest, clock: systemClock, emit }).find(
    ({ job }) => job.name === sendMessage.name,
  )!
  await database.db.transaction((tx) =>
    effects.privateThread(tx, {
      programId,
      key: 'test.thread_of_nobody',
      userId: '8',
      channel: 'club:inbox',
      title: 'Hello',
      message: card({ title: 'Hello' }),
    }),
  )
  const [wanted] = await database.db.select().from(messages).where(eq(messages.key, 'test.thread_of_nobody'))
  await handler.run({ id: wanted!.id } as never, { id: 4, attempt: 1, signal: new AbortController().signal })
  const [row] = await database.db.select().from(messages).where(eq(messages.key, 'test.thread_of_nobody'))
  expect(row).toMatchObject({ state: 'refused', lastError: 'not in the server' })
})
