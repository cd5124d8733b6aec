// What the local Discord refuses and how it fails on demand: permissions, hierarchy, limits, rate limits, faults, RESUME.

import { ChannelType, DiscordAPIError, Events, OverwriteType, PermissionFlagsBits } from 'discord.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectPerson, type Payload, type Person } from './person.ts'
import { ALL_INTENTS, aBench, aClient, type Bench } from './testing.ts'
import { createWireCheck } from './wire.ts'

const BOT_PERMISSIONS =
  PermissionFlagsBits.ViewChannel |
  PermissionFlagsBits.SendMessages |
  PermissionFlagsBits.ReadMessageHistory |
  PermissionFlagsBits.ManageRoles |
  PermissionFlagsBits.ManageChannels |
  PermissionFlagsBits.KickMembers |
  PermissionFlagsBits.ManageNicknames

let bench: Bench
let ada: Person

beforeAll(async () => {
  bench = await aBench({ permissions: BOT_PERMISSIONS.toString() })
  ada = await bench.person('ada')
})
afterAll(() => bench.close())

const codeOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'not refused',
    (error: unknown) => (error instanceof DiscordAPIError ? error.code : error),
  )

describe('permissions and hierarchy', () => {
  test('a bot hands out roles below its own and no others (50013)', async () => {
    const below = await bench.guild.roles.create({ name: 'below', permissions: [] })
    const { body: above } = await bench.owner.rest('POST', `/guilds/${bench.guildId}/roles`, { name: 'above' })
    await bench.owner.rest('PATCH', `/guilds/${bench.guildId}/roles`, [{ id: above.id, position: 9 }])
    const member = await bench.guild.members.fetch(ada.id)
    await member.roles.add(below)
    expect(await codeOf(member.roles.add(above.id))).toBe(50013)
    expect(await codeOf(bench.guild.roles.edit(above.id, { name: 'mine' }))).toBe(50013)
    const raised = await bench.bot('PATCH', `/guilds/${bench.guildId}/roles`, [{ id: below.id, position: 9 }])
    expect(raised.body.code).toBe(50013)
  })

  test('a bot orders the roles below its own', async () => {
    const [one, two] = [await bench.guild.roles.create({ name: 'one' }), await bench.guild.roles.create({ name: 'two' })]
    const rank = async () => {
      const roles = await bench.guild.roles.fetch()
      return (roles.get(two.id)?.comparePositionTo(one.id) ?? 0) > 0
    }
    const before = await rank()
    await two.setPosition((await bench.guild.roles.fetch(one.id))?.position ?? 0)
    expect([before, await rank()]).toEqual([false, true])
  })

  test('a bot grants no permission that it does not hold (50013)', async () => {
    expect(await codeOf(bench.guild.roles.create({ name: 'strong', permissions: ['BanMembers'] }))).toBe(50013)
    const overwrite = { id: bench.guildId, type: OverwriteType.Role, allow: ['ManageWebhooks'] as const }
    expect(await codeOf(bench.guild.channels.create({ name: 'strong', permissionOverwrites: [overwrite] }))).toBe(50013)
  })

  test('a managed role and @everyone are nobody’s to give (50028)', async () => {
    const managed = bench.guild.roles.botRoleFor(bench.client.user)
    const member = await bench.guild.members.fetch(ada.id)
    expect(await codeOf(member.roles.add(managed?.id ?? ''))).toBe(50028)
    const everyone = await bench.bot('PUT', `/guilds/${bench.guildId}/members/${ada.id}/roles/${bench.guildId}`)
    expect(everyone.body.code).toBe(50028)
  })

  test('the owner can be neither kicked nor renamed', async () => {
    const owner = await bench.guild.members.fetch(bench.owner.id)
    expect(await codeOf(owner.kick())).toBe(50013)
    expect(await codeOf(owner.setNickname('boss'))).toBe(50013)
  })

  test('what a person may not do is refused: making channels, roles and writing where it is denied', async () => {
    expect((await ada.rest('POST', `/guilds/${bench.guildId}/channels`, { name: 'x' })).body.code).toBe(50013)
    expect((await ada.rest('POST', `/guilds/${bench.guildId}/roles`, { name: 'x' })).body.code).toBe(50013)
    const readOnly = await bench.guild.channels.create({
      name: 'read-only',
      permissionOverwrites: [
        { id: bench.guildId, type: OverwriteType.Role, deny: ['SendMessages'] },
        { id: bench.client.user.id, type: OverwriteType.Member, allow: ['SendMessages', 'ViewChannel'] },
      ],
    })
    expect((await ada.rest('POST', `/channels/${readOnly.id}/messages`, { content: 'hi' })).body.code).toBe(50013)
    await readOnly.send('notice')
    await ada.next('MESSAGE_CREATE', (data) => data.content === 'notice')
  })

  test('a member overwrite beats a role overwrite, which beats @everyone', async () => {
    const { body: role } = await bench.owner.rest('POST', `/guilds/${bench.guildId}/roles`, { name: 'denied' })
    await bench.owner.rest('PUT', `/guilds/${bench.guildId}/members/${ada.id}/roles/${role.id}`)
    const { body: channel } = await bench.owner.rest('POST', `/guilds/${bench.guildId}/channels`, { name: 'order' })
    const sees = async () => (await ada.rest('GET', `/channels/${channel.id}`)).status === 200
    const overwrite = (id: string, type: number, allow: bigint, deny: bigint) =>
      bench.owner.rest('PUT', `/channels/${channel.id}/permissions/${id}`, { type, allow: allow.toString(), deny: deny.toString() })
    const view = PermissionFlagsBits.ViewChannel
    const seen = [await sees()]
    await overwrite(role.id, 0, 0n, view)
    seen.push(await sees())
    await overwrite(ada.id, 1, view, 0n)
    seen.push(await sees())
    await bench.owner.rest('DELETE', `/channels/${channel.id}/permissions/${ada.id}`)
    await overwrite(bench.guildId, 0, view, 0n)
    seen.push(await sees())
    expect(seen).toEqual([true, false, true, false])
  })

  test('a bot without sight of a channel gets no messages from it and may not write (50001)', async () => {
    const { body: hidden } = await bench.owner.rest('POST', `/guilds/${bench.guildId}/channels`, {
      name: 'owners',
      permission_overwrites: [
        { id: bench.guildId, type: 0, allow: '0', deny: PermissionFlagsBits.ViewChannel.toString() },
        { id: bench.client.user.id, type: 1, allow: '0', deny: PermissionFlagsBits.ViewChannel.toString() },
      ],
    })
    const seen: string[] = []
    const listen = (message: { content: string }) => seen.push(message.content)
    bench.client.on(Events.MessageCreate, listen)
    await bench.owner.rest('POST', `/channels/${hidden.id}/messages`, { content: 'secret' })
    await bench.owner.rest('POST', `/channels/${bench.general.id}/messages`, { content: 'open' })
    await expect.poll(() => seen).toEqual(['open'])
    bench.client.off(Events.MessageCreate, listen)
    expect((await bench.bot('POST', `/channels/${hidden.id}/messages`, { content: 'x' })).body.code).toBe(50001)
  })

  test('a timed-out member neither writes nor runs commands', async () => {
    await bench.guild.commands.set([{ name: 'ping', description: 'x' }])
    const until = new Date(Date.now() + 60_000).toISOString()
    await bench.owner.rest('PATCH', `/guilds/${bench.guildId}/members/${ada.id}`, { communication_disabled_until: until })
    expect((await ada.rest('POST', `/channels/${bench.general.id}/messages`, { content: 'x' })).body.code).toBe(50013)
    expect((await ada.run(bench.guildId, bench.general.id, 'ping')).body.code).toBe(50013)
    await bench.owner.rest('PATCH', `/guilds/${bench.guildId}/members/${ada.id}`, { communication_disabled_until: null })
  })

  test('one person’s messages are not another’s to edit (50005) or delete (50013)', async () => {
    const message = await bench.general.send('mine')
    expect((await ada.rest('PATCH', `/channels/${bench.general.id}/messages/${message.id}`, { content: 'x' })).body.code).toBe(
      50005,
    )
    expect((await ada.rest('DELETE', `/channels/${bench.general.id}/messages/${message.id}`)).body.code).toBe(50013)
  })

  test('slow mode makes a person wait (20016) and lets moderators pass', async () => {
    const slow = await bench.guild.channels.create({ name: 'slow', rateLimitPerUser: 60 })
    expect((await ada.rest('POST', `/channels/${slow.id}/messages`, { content: '1' })).status).toBe(200)
    expect(await ada.rest('POST', `/channels/${slow.id}/messages`, { content: '2' })).toMatchObject({
      status: 429,
      body: { code: 20016, retry_after: expect.any(Number) },
    })
    for (const content of ['1', '2'])
      expect((await bench.owner.rest('POST', `/channels/${slow.id}/messages`, { content })).status).toBe(200)
  })

  test('commands of another application’s guild are refused (50001)', async () => {
    const { body: other } = await bench.control('POST', '/applications', { name: 'Stranger' })
    const path = `/applications/${bench.application.id}/guilds/${bench.guildId}/commands`
    expect(await ada.rest('PUT', path, [], { authorization: `Bot ${other.token}` })).toMatchObject({
      status: 403,
      body: { code: 50001 },
    })
  })
})

describe('count limits', () => {
  test('the 51st channel of a category is refused with the path to parent_id', async () => {
    const category = await bench.guild.channels.create({ name: 'full', type: ChannelType.GuildCategory })
    const make = () => bench.owner.rest('POST', `/guilds/${bench.guildId}/channels`, { name: 'c', parent_id: category.id })
    for (let index = 0; index < 50; index++) expect((await make()).status).toBe(201)
    expect((await make()).body).toMatchObject({
      code: 50035,
      errors: { parent_id: { _errors: [{ code: 'CHANNEL_PARENT_MAX_CHANNELS' }] } },
    })
  })

  test('the 251st role is refused (30005)', async () => {
    const { body: guild } = await bench.control('POST', '/guilds', { name: 'Roles', owner_id: bench.owner.id })
    const make = () => bench.owner.rest('POST', `/guilds/${guild.id}/roles`, { name: 'r' })
    let made = 1
    while (made < 250) {
      const { status } = await make()
      if (status === 429) await new Promise((resolve) => setTimeout(resolve, 1000))
      else made++
    }
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await make()).toMatchObject({ status: 400, body: { code: 30005 } })
  })

  test('the 101st command of a guild is refused (30032)', async () => {
    const commands = Array.from({ length: 101 }, (_, index) => ({ name: `c${index}`, description: 'x' }))
    expect(
      (await bench.bot('PUT', `/applications/${bench.application.id}/guilds/${bench.guildId}/commands`, commands)).body.code,
    ).toBe(30032)
  })
})

describe('rate limits', () => {
  test('answers carry the headers of their bucket', async () => {
    const { headers } = await bench.bot('GET', `/channels/${bench.general.id}`)
    for (const name of ['limit', 'remaining', 'reset', 'reset-after', 'bucket'])
      expect(headers.get(`x-ratelimit-${name}`)).not.toBeNull()
  })

  test('a third rename of a channel within ten minutes is refused with 429 and the time to wait', async () => {
    const { body: channel } = await bench.owner.rest('POST', `/guilds/${bench.guildId}/channels`, { name: 'numbers' })
    const rename = (name: string) => bench.owner.rest('PATCH', `/channels/${channel.id}`, { name })
    expect([(await rename('one')).status, (await rename('two')).status]).toEqual([200, 200])
    const third = await rename('three')
    expect(third).toMatchObject({ status: 429, body: { global: false, retry_after: expect.any(Number) } })
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(500)
  })

  test('the 51st request of a bot within a second is refused globally', async () => {
    await new Promise((resolve) => setTimeout(resolve, 1100))
    const answers = await Promise.all(Array.from({ length: 60 }, () => bench.bot('GET', '/users/@me')))
    const refused = answers.filter((answer) => answer.status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]?.body.global).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 1100))
  })
})

describe('faults on demand', () => {
  test('a status fault meets as many calls as asked and then no more', async () => {
    await bench.control('POST', '/faults', { kind: 'status', route: '/users/@me', method: 'GET', status: 503, count: 2 })
    const statuses = [
      await ada.rest('GET', '/users/@me'),
      await ada.rest('GET', '/users/@me'),
      await ada.rest('GET', '/users/@me'),
    ].map((answer) => answer.status)
    expect(statuses).toEqual([503, 503, 200])
  })

  test('discord.js survives a 500 and a 429 that were asked for', async () => {
    await bench.control('POST', '/faults', { kind: 'status', route: '/channels/*/messages', method: 'POST', status: 500, count: 1 })
    await bench.control('POST', '/faults', { kind: 'rate', route: '/channels/*/messages', method: 'POST', ms: 200, count: 1 })
    expect((await bench.general.send('through')).content).toBe('through')
  })

  test('a delay holds a call back', async () => {
    await bench.control('POST', '/faults', { kind: 'delay', route: '/gateway', ms: 300, count: 1 })
    const before = Date.now()
    await ada.rest('GET', '/gateway')
    expect(Date.now() - before).toBeGreaterThanOrEqual(290)
  })

  test('after a dropped socket the client resumes and gets what it missed, once', async () => {
    const seen: string[] = []
    bench.client.on(Events.MessageCreate, (message) => seen.push(message.content))
    const resumed = new Promise((resolve) => bench.client.once(Events.ShardResume, resolve))
    await bench.control('POST', '/faults', { kind: 'gateway_drop' })
    await ada.rest('POST', `/channels/${bench.general.id}/messages`, { content: 'while away' })
    await resumed
    await expect.poll(() => seen).toEqual(['while away'])
    bench.client.removeAllListeners(Events.MessageCreate)
  })

  test('after an invalid session the client identifies anew', async () => {
    const again = new Promise((resolve) => bench.client.once(Events.ShardReady, resolve))
    await bench.control('POST', '/faults', { kind: 'invalid_session' })
    await again
    await bench.general.send('back')
  }, 15_000)

  test('a replay delivers the same interaction a second time', async () => {
    await bench.guild.commands.set([{ name: 'ping', description: 'x' }])
    const ids: string[] = []
    bench.client.on(Events.InteractionCreate, (interaction) => {
      ids.push(interaction.id)
      if (interaction.isChatInputCommand() && ids.length === 1) void interaction.reply('pong')
    })
    await ada.run(bench.guildId, bench.general.id, 'ping')
    await ada.next('MESSAGE_CREATE', (data) => data.content === 'pong')
    await bench.control('POST', '/faults', { kind: 'replay', count: 1, event: 'INTERACTION_CREATE' })
    await expect.poll(() => ids.length).toBe(2)
    expect(new Set(ids).size).toBe(1)
    bench.client.removeAllListeners(Events.InteractionCreate)
  })
})

describe('intents and payloads', () => {
  test('without the message content intent a bot reads only what concerns it', async () => {
    const { body: other } = await bench.control('POST', '/applications', { name: 'Quiet bot' })
    await bench.control('PUT', `/guilds/${bench.guildId}/applications/${other.id}`, { permissions: '8' })
    const quiet = await aClient(bench.sandbox, other.token, { intents: ALL_INTENTS.filter((intent) => intent !== 32768) })
    const seen: string[] = []
    quiet.on(Events.MessageCreate, (message) => seen.push(message.content))
    await ada.rest('POST', `/channels/${bench.general.id}/messages`, { content: 'private talk' })
    await ada.rest('POST', `/channels/${bench.general.id}/messages`, { content: `<@${other.bot.id}> hello` })
    await expect.poll(() => seen).toEqual(['', `<@${other.bot.id}> hello`])
    await quiet.destroy()
  })

  test('gateway payloads fit the published schema where it has one', async () => {
    const wire = createWireCheck()
    const watcher = await connectPerson(bench.sandbox.url, 'watcher')
    const raw: { t: string; d: Payload }[] = []
    bench.client.on(Events.Raw, (packet: { t: string; d: Payload }) => raw.push(packet))
    await bench.control('PUT', `/guilds/${bench.guildId}/members/${watcher.id}`, {})
    await bench.guild.commands.set([{ name: 'ping', description: 'x', options: [{ type: 6, name: 'who', description: 'x' }] }])
    await watcher.run(bench.guildId, bench.general.id, 'ping', [{ type: 6, name: 'who', value: ada.id }])
    await expect.poll(() => raw.some((packet) => packet.t === 'INTERACTION_CREATE')).toBe(true)
    await watcher.rest('POST', `/channels/${bench.general.id}/messages`, { content: 'hello' })
    await watcher.next('MESSAGE_CREATE', (data) => data.content === 'hello')
    for (const { t, d } of [...raw, ...watcher.events]) {
      if (t === 'GUILD_CREATE') {
        wire.check('GuildResponse', d)
        for (const channel of d.channels) wire.check('GuildChannelResponse', channel)
        for (const member of d.members) wire.check('GuildMemberResponse', member)
        for (const thread of d.threads) wire.check('ThreadResponse', thread)
        expect(d.unavailable).toBe(false)
      }
      if (t === 'MESSAGE_CREATE' || t === 'MESSAGE_UPDATE') wire.check('MessageResponse', d)
      if (t === 'GUILD_MEMBER_ADD') wire.check('GuildMemberResponse', d)
      if (t === 'CHANNEL_CREATE' && d.guild_id) wire.check('GuildChannelResponse', d)
      if (t === 'INTERACTION_CREATE' && d.token) {
        wire.check('GuildMemberResponse', d.member)
        wire.check('GuildChannelResponse', d.channel)
        for (const user of Object.values(d.data.resolved.users)) wire.check('UserResponse', user)
        expect(d).toMatchObject({
          version: 1,
          context: 0,
          authorizing_integration_owners: { 0: bench.guildId },
          entitlements: [],
          guild_locale: 'en-US',
        })
        expect(BigInt(d.app_permissions) & PermissionFlagsBits.ManageRoles).not.toBe(0n)
      }
    }
    bench.client.removeAllListeners(Events.Raw)
    watcher.close()
    expect(wire.problems).toEqual([])
  })
})

describe('the port', () => {
  test('a reset forgets everybody', async () => {
    const other = await aBench()
    await other.control('POST', '/reset')
    expect((await other.owner.rest('GET', '/users/@me')).status).toBe(401)
    expect((await other.control('GET', '/guilds')).body).toEqual([])
    await other.close()
  })

  test('what is no JSON, too big or sent to an unknown version is refused as Discord does', async () => {
    const post = (path: string, body: string) =>
      fetch(`${bench.sandbox.url}${path}`, {
        method: 'POST',
        headers: { authorization: ada.token, 'content-type': 'application/json' },
        body,
      }).then(async (answer) => [answer.status, ((await answer.json()) as Payload).code])
    expect(await post(`/api/v10/channels/${bench.general.id}/messages`, '{nonsense')).toEqual([400, 50109])
    expect(await post(`/api/v3/channels/${bench.general.id}/messages`, '{}')).toEqual([400, 50041])
  })
})

test('every answer and request so far fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
