// The repair of roles over a local Discord: it looks at every server, and sees who left while nobody listened.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../app/testing.ts'
import { programStore } from '../db/programs.ts'
import { guildObjects, memberRoles } from '../db/tables.ts'
import { guildPlugin } from './plugin.ts'
import { type LocalDiscord, localDiscord } from './testing/discord.ts'

const role = 'club:member'
let discord: LocalDiscord
/** Its own program is that of a server which the bot is not in. */
let house: TestHouse
let programId: string
let roleId: string
beforeAll(async () => {
  discord = await localDiscord()
  house = await testHouse([guildPlugin(discord.rest)])
  programId = (await house.db.transaction((tx) => programStore.ensure(tx, { guildId: discord.guildId, name: 'Club' }))).id
  roleId = ((await discord.rest.post(`/guilds/${discord.guildId}/roles`, { body: { name: 'Member' } })) as { id: string }).id
  for (const [program, discordId] of [
    [house.program.id, '1'],
    [programId, roleId],
  ] as const)
    await house.db
      .insert(guildObjects)
      .values({ programId: program, kind: 'role', key: role, discordId, updatedAt: house.clock.now() })
})
afterAll(async () => {
  await house.close()
  await discord.close()
})

const wants = (program: string, userId: string, applied: boolean | null) =>
  house.db.insert(memberRoles).values({
    programId: program,
    userId,
    roleKey: role,
    wanted: true,
    applied,
    reason: 'a test',
    updatedAt: house.clock.now(),
  })
async function repair() {
  await house.loaded.schedules.find(({ id }) => id === 'guild.repair_roles')!.run()
  await house.drain()
}
const toldToHaveLeft = async () =>
  (await house.connection.sql`select payload ->> 'userId' as id from core_outbox where name = 'guild.member_left'`).map(
    ({ id }) => id,
  )

test('a server that the bot was taken out of keeps no other from being repaired', async () => {
  const ada = await discord.member('ada')
  await wants(house.program.id, ada.id, true)
  await wants(programId, ada.id, true)
  await repair()
  expect(await discord.rolesOf(ada.id)).toContain(roleId)
  expect(await toldToHaveLeft()).toEqual([])
})

test('who left while nobody listened is told to have left, once', async () => {
  const grace = await discord.member('grace')
  await wants(programId, grace.id, null)
  await repair()
  expect(await discord.rolesOf(grace.id)).toContain(roleId)
  await discord.control('DELETE', `/guilds/${discord.guildId}/members/${grace.id}`)
  await repair()
  await repair()
  expect(await toldToHaveLeft()).toEqual([grace.id])
})
