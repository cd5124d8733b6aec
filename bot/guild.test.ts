// The guild is brought to what the plugins want and left alone when it is so; messages and roles follow their rows.
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { card } from '../commands/messages.ts'
import type { Connection } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { type Program, programStore } from '../db/programs.ts'
import { writeSetting } from '../db/settings.ts'
import { guildObjects, memberRoles, messages, outbox } from '../db/tables.ts'
import { testDatabase } from '../db/testing.ts'
import { systemClock } from '../plugins/kit/clock.ts'
import { definePlugin, type Plugin } from '../plugins/kit/plugin.ts'
import { createDiscordEffects, createEffectJobs } from './effects.ts'
import { reconcileGuild } from './guild.ts'
import { type LocalDiscord, localDiscord } from './testing/discord.ts'

const config = z.object({ roleName: z.string().default('Partner').describe('Name of the role') })
const club: Plugin = definePlugin({
  id: 'club',
  title: 'Club',
  summary: 'A club.',
  config,
  setup: () => ({}),
  blueprint: (_, own: z.output<typeof config>) => ({
    roles: [{ key: 'club:partner', name: own.roleName, color: 0x5865f2, hoist: true }],
    categories: [
      { key: 'club:second', name: 'Back room', order: 20 },
      { key: 'club:first', name: 'Front room', order: 10 },
    ],
    channels: [
      {
        key: 'club:welcome',
        name: 'welcome',
        kind: 'text',
        category: 'club:first',
        topic: 'Hello',
        seenBy: 'everyone',
        writtenBy: 'staff',
        notice: card({ title: 'Welcome to the club' }),
      },
      {
        key: 'club:lounge',
        name: 'lounge',
        kind: 'text',
        category: 'club:second',
        seenBy: { roles: ['club:partner'] },
        writtenBy: 'all',
      },
      { key: 'club:news', name: 'news', kind: 'announcement', category: 'club:first', seenBy: 'everyone', writtenBy: 'staff' },
    ],
  }),
})

const { emit, enqueue } = createOutbox(systemClock)
const effects = createDiscordEffects(systemClock, enqueue)
let discord: LocalDiscord
let connection: Connection
let program: Program

beforeEach(async () => {
  discord = await localDiscord({ channels: ['general', 'lounge'] })
  connection = await testDatabase()
  program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: discord.guildId, name: 'SISO' }))
})
afterEach(async () => {
  await discord.close()
  await connection.close()
})

const reconcile = async (options: { dryRun?: boolean } = {}) => {
  const changes = await reconcileGuild({
    db: connection.db,
    rest: discord.rest,
    clock: systemClock,
    discord: effects,
    enqueue,
    plugins: [club],
    program,
    ...options,
  })
  return changes.map(({ action, kind, key }) => `${action} ${kind} ${key}`)
}
/** Runs the effect jobs that are asked for, as the queue would. */
async function settle(): Promise<void> {
  const handlers = new Map(
    createEffectJobs({ db: connection.db, rest: discord.rest, clock: systemClock, emit }).map((made) => [made.job.name, made]),
  )
  const rows = await connection.db.delete(outbox).returning()
  for (const row of rows.toSorted((a, b) => a.id - b.id))
    await handlers.get(row.name)?.run(row.payload as never, { id: row.id, attempt: 1, signal: new AbortController().signal })
}
const snapshot = async () => JSON.stringify([await discord.roles(), await discord.channels()])
const idOf = async (key: string) => (await connection.db.select().from(guildObjects).where(eq(guildObjects.key, key)))[0]!.discordId
const channel = async (key: string) => {
  const id = await idOf(key)
  return (await discord.channels()).find((candidate) => candidate.id === id)!
}

test('a dry run tells every change and makes none', async () => {
  const before = await snapshot()
  const told = await reconcile({ dryRun: true })
  expect(told).toEqual([
    'create role club:partner',
    'create category club:first',
    'create category club:second',
    'create channel club:welcome',
    'update channel club:lounge',
    'create channel club:news',
  ])
  expect(await snapshot()).toBe(before)
  expect(await connection.db.select().from(guildObjects)).toEqual([])
  expect(await connection.db.select().from(outbox)).toEqual([])
  expect(await reconcile()).toEqual(told)
})

test('running it again changes nothing, and says so', async () => {
  await reconcile()
  const before = await snapshot()
  expect(await reconcile()).toEqual([])
  expect(await snapshot()).toBe(before)
})

test('channels stand in their categories, and are seen and written in by whom they are for', async () => {
  await reconcile()
  const [welcome, lounge, partner] = [await channel('club:welcome'), await channel('club:lounge'), await idOf('club:partner')]
  expect(welcome.parent_id).toBe(await idOf('club:first'))
  const view = 1n << 10n
  const send = 1n << 11n
  const of = (found: typeof lounge, id: string) => {
    const overwrite = (found.permission_overwrites ?? []).find((candidate) => candidate.id === id)
    return { allow: BigInt(overwrite?.allow ?? 0), deny: BigInt(overwrite?.deny ?? 0) }
  }
  expect(of(lounge, discord.guildId).deny & view).toBe(view)
  expect(of(lounge, partner).allow & view).toBe(view)
  expect(of(lounge, partner).deny & send).toBe(0n)
  expect(of(welcome, discord.guildId).deny & send).toBe(send)
  expect(of(welcome, discord.botId).allow & send).toBe(send)
})

test('a person without the role does not see the gated channel; with it, they do', async () => {
  await reconcile()
  const ada = await discord.member('ada')
  const lounge = await idOf('club:lounge')
  const look = async () => (await ada.rest('GET', `/channels/${lounge}/messages`)).status
  expect(await look()).toBe(403)
  await connection.db.transaction((tx) =>
    effects.setRole(tx, { programId: program.id, userId: ada.id, role: 'club:partner', wanted: true, reason: 'joined the club' }),
  )
  await settle()
  expect(await look()).toBe(200)
  expect(await discord.rolesOf(ada.id)).toEqual([await idOf('club:partner')])
})

test('what stands there under the same name is taken over instead of made twice', async () => {
  const found = (await discord.channels()).find((candidate) => candidate.name === 'lounge')!
  await reconcile()
  expect(await idOf('club:lounge')).toBe(found.id)
  expect((await discord.channels()).filter((candidate) => candidate.name === 'lounge')).toHaveLength(1)
})

test.each<[string, (lounge: { id: string }) => [string, unknown], string]>([
  ['someone opened a gated channel', ({ id }) => [`/channels/${id}`, { permission_overwrites: [] }], 'its permissions differ'],
  ['someone renamed a channel', ({ id }) => [`/channels/${id}`, { name: 'chill' }], 'its name is “chill”'],
  ['someone moved a channel', ({ id }) => [`/channels/${id}`, { parent_id: null }], 'it stands in another category'],
])('when %s, it is mended, and the reason is told', async (_, change, because) => {
  await reconcile()
  const before = await snapshot()
  const [path, body] = change(await channel('club:lounge'))
  await discord.owner.rest('PATCH', path, body)
  const changes = await reconcileGuild({
    db: connection.db,
    rest: discord.rest,
    clock: systemClock,
    discord: effects,
    enqueue,
    plugins: [club],
    program,
  })
  expect(changes).toMatchObject([{ action: 'update', key: 'club:lounge', because }])
  expect(await snapshot()).toBe(before)
})

test('a role that was given permissions loses them again', async () => {
  await reconcile()
  await discord.rest.patch(`/guilds/${discord.guildId}/roles/${await idOf('club:partner')}`, { body: { permissions: '8' } })
  expect(await reconcile()).toEqual(['update role club:partner'])
  expect((await discord.roles()).find((role) => role.name === 'Partner')?.permissions).toBe('0')
})

test('what was deleted is made again, and its message is posted again', async () => {
  await reconcile()
  await settle()
  await discord.rest.delete(`/channels/${await idOf('club:welcome')}`)
  expect(await reconcile()).toEqual(['create channel club:welcome'])
  await settle()
  expect(await discord.messages(await idOf('club:welcome'))).toHaveLength(1)
})

test('another name in the settings renames the same role', async () => {
  await reconcile()
  const before = await idOf('club:partner')
  await connection.db.transaction((tx) => writeSetting(tx, program.id, 'club', config, 'roleName', 'Member'))
  expect(await reconcile()).toEqual(['update role club:partner'])
  expect(await idOf('club:partner')).toBe(before)
  expect((await discord.roles()).find((role) => role.id === before)?.name).toBe('Member')
})

test('a notice is posted once, and edited when its words change', async () => {
  await reconcile()
  await settle()
  await reconcile()
  await settle()
  const welcome = await idOf('club:welcome')
  const [posted, ...more] = await discord.messages(welcome)
  expect(more).toEqual([])
  await connection.db.transaction((tx) =>
    effects.post(tx, {
      programId: program.id,
      key: 'notice:club:welcome',
      channel: 'club:welcome',
      message: card({ title: 'New words' }),
    }),
  )
  await settle()
  const [edited, ...others] = await discord.messages(welcome)
  expect(others).toEqual([])
  expect(edited!.id).toBe(posted!.id)
  expect(JSON.stringify(edited!.components)).toContain('New words')
})

test('two revisions on their way at the same time end as one message with the newer words', async () => {
  await reconcile()
  const say = (title: string) =>
    connection.db.transaction((tx) =>
      effects.post(tx, { programId: program.id, key: 'board', channel: 'club:welcome', message: card({ title }) }),
    )
  await settle()
  const [send] = createEffectJobs({ db: connection.db, rest: discord.rest, clock: systemClock, emit }).slice(-1)
  await say('first')
  const [row] = await connection.db.select().from(messages).where(eq(messages.key, 'board'))
  const run = () => send!.run({ id: row!.id } as never, { id: 1, attempt: 1, signal: new AbortController().signal })
  const one = run()
  await say('second')
  await Promise.all([one, run(), run()])
  const standing = (await discord.messages(await idOf('club:welcome'))).filter((message) =>
    /first|second/.test(JSON.stringify(message.components)),
  )
  expect(standing).toHaveLength(1)
  expect(JSON.stringify(standing[0]!.components)).toContain('second')
})

test('a crash after the message was sent and before it was recorded does not post it twice', async () => {
  await reconcile()
  await settle()
  await connection.db.update(messages).set({ state: 'wanted', messageId: null, sentRevision: 0 })
  const [row] = await connection.db.select().from(messages)
  const [send] = createEffectJobs({ db: connection.db, rest: discord.rest, clock: systemClock, emit }).slice(-1)
  await send!.run({ id: row!.id } as never, { id: 1, attempt: 2, signal: new AbortController().signal })
  expect(await discord.messages(await idOf('club:welcome'))).toHaveLength(1)
})

test('a wish that came before its channel and role existed is fulfilled once they do', async () => {
  const ada = await discord.member('ada')
  await connection.db.transaction(async (tx) => {
    await effects.post(tx, { programId: program.id, key: 'early', channel: 'club:lounge', message: card({ title: 'Early bird' }) })
    await effects.setRole(tx, { programId: program.id, userId: ada.id, role: 'club:partner', wanted: true, reason: 'early' })
  })
  await expect(settle()).rejects.toThrow('run /admin setup')
  await reconcile()
  await settle()
  expect(JSON.stringify(await discord.messages(await idOf('club:lounge')))).toContain('Early bird')
  expect(await discord.rolesOf(ada.id)).toHaveLength(1)
})

test.each([
  [
    'who is not in the server',
    async () => ((await discord.control('POST', '/people', { username: 'grace' })) as { id: string }).id,
  ],
  ['whose account is gone', async () => '100000000000000009'],
])('a role for someone %s waits without failing', async (_, someone) => {
  await reconcile()
  const userId = await someone()
  await connection.db.transaction((tx) =>
    effects.setRole(tx, { programId: program.id, userId, role: 'club:partner', wanted: true, reason: 'far away' }),
  )
  await settle()
  expect(await connection.db.select().from(memberRoles)).toMatchObject([
    { wanted: true, applied: null, lastError: 'not in the server' },
  ])
})

test('a refused direct message is told to the house, and nothing is tried again', async () => {
  const ada = await discord.member('ada')
  await discord.control('PATCH', `/people/${ada.id}`, { dm_closed: true })
  await connection.db.transaction((tx) =>
    effects.direct(tx, { programId: program.id, key: 'hello', userId: ada.id, message: card({ title: 'Psst' }) }),
  )
  await settle()
  expect(await connection.db.select().from(messages)).toMatchObject([{ key: 'hello', state: 'refused' }])
  expect(await connection.db.select().from(outbox)).toMatchObject([
    { kind: 'event', name: 'guild.direct_message_refused', payload: { userId: ada.id, key: 'hello' } },
  ])
})
