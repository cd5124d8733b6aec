// Roles, channels, invites, events, onboarding and the audit log as a real discord.js client and people see them.

import { OverwriteType } from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Payload, Person } from './person.ts'
import { aBench, type Bench, refusal } from './testing.ts'

let bench: Bench
let ada: Person

beforeAll(async () => {
  bench = await aBench()
  ada = await bench.person('ada')
})
afterAll(() => bench.close())
afterEach(() => {
  bench.client.removeAllListeners('interactionCreate')
})

describe('roles, channels and who sees what', () => {
  test('a role grant makes a gated channel appear for the person, and its loss makes it vanish', async () => {
    const role = await bench.guild.roles.create({ name: 'SaaS partner', colors: { primaryColor: 0x00ff00 } })
    const gated = await bench.guild.channels.create({
      name: 'saas',
      permissionOverwrites: [
        { id: bench.guildId, type: OverwriteType.Role, deny: ['ViewChannel'] },
        { id: role.id, type: OverwriteType.Role, allow: ['ViewChannel'] },
      ],
    })
    expect((await ada.rest('GET', `/guilds/${bench.guildId}/channels`)).body.map((one: Payload) => one.id)).not.toContain(gated.id)
    expect(await ada.rest('GET', `/channels/${gated.id}/messages`)).toMatchObject({ status: 403, body: { code: 50001 } })
    const member = await bench.guild.members.fetch(ada.id)
    await member.roles.add(role)
    await ada.next('CHANNEL_CREATE', (data) => data.id === gated.id)
    await gated.send('for partners')
    await ada.next('MESSAGE_CREATE', (data) => data.content === 'for partners')
    await member.roles.remove(role)
    await ada.next('CHANNEL_DELETE', (data) => data.id === gated.id)
    expect((await ada.rest('GET', `/channels/${gated.id}`)).body.code).toBe(50001)
  })

  test('READY shows a person only the channels they may see', async () => {
    const { connectPerson } = await import('./person.ts')
    const hidden = await bench.guild.channels.create({
      name: 'staff',
      permissionOverwrites: [{ id: bench.guildId, deny: ['ViewChannel'] }],
    })
    const late = await connectPerson(bench.sandbox.url, 'late')
    await bench.control('PUT', `/guilds/${bench.guildId}/members/${late.id}`, {})
    const guild = await late.next('GUILD_CREATE')
    const names = guild.channels.map((channel: Payload) => channel.name)
    expect(names).toContain('general')
    expect(names).not.toContain(hidden.name)
    late.close()
  })

  test('unknown things have their own codes', async () => {
    const nothing = '123456789012345678'
    const codes = await Promise.all(
      [
        `/channels/${nothing}`,
        `/guilds/${nothing}`,
        `/users/${nothing}`,
        `/guilds/${bench.guildId}/members/${nothing}`,
        `/guilds/${bench.guildId}/roles/${nothing}`,
        `/channels/${bench.general.id}/messages/${nothing}`,
      ].map(async (path) => (await bench.bot('GET', path)).body.code),
    )
    expect(codes).toEqual([10003, 10004, 10013, 10013, 10011, 10008])
  })

  test('an invite carries roles to whoever accepts it', async () => {
    const role = await bench.guild.roles.create({ name: 'Invited' })
    const { body: invite } = await bench.bot('POST', `/channels/${bench.general.id}/invites`, { max_age: 0, role_ids: [role.id] })
    expect(invite.roles).toMatchObject([{ id: role.id }])
    const guest = await bench.person('guest', false)
    expect(await guest.rest('POST', `/invites/${invite.code}`)).toMatchObject({ status: 200, body: { new_member: true } })
    expect((await bench.guild.members.fetch(guest.id)).roles.cache.has(role.id)).toBe(true)
  })

  test('an invite for named people is unknown to others (10006)', async () => {
    const [named, stranger] = [await bench.person('named', false), await bench.person('stranger', false)]
    const { body: invite } = await bench.bot('POST', `/channels/${bench.general.id}/invites`, {
      target_user_ids: [named.id],
      max_uses: 1,
    })
    expect((await stranger.rest('POST', `/invites/${invite.code}`)).body.code).toBe(10006)
    expect((await named.rest('POST', `/invites/${invite.code}`)).status).toBe(200)
    expect((await named.rest('GET', `/invites/${invite.code}`)).body.code).toBe(10006)
  })

  test('scheduled events are made, started and ended', async () => {
    const event = await bench.guild.scheduledEvents.create({
      name: 'Partner call',
      privacyLevel: 2,
      entityType: 3,
      entityMetadata: { location: 'Stage' },
      scheduledStartTime: Date.now() + 60_000,
      scheduledEndTime: Date.now() + 120_000,
    })
    expect((await ada.rest('PUT', `/guilds/${bench.guildId}/scheduled-events/${event.id}/users/@me`)).status).toBe(200)
    expect((await event.fetchSubscribers()).size).toBe(1)
    await event.setStatus(2)
    await event.setStatus(3)
    expect(await refusal(event.setStatus(2))).toMatchObject({ status: expect.any(Number) })
  })

  test('onboarding needs seven default channels before it can be enabled (350000)', async () => {
    const refused = await bench.bot('PUT', `/guilds/${bench.guildId}/onboarding`, {
      enabled: true,
      default_channel_ids: [bench.general.id],
    })
    expect(refused).toMatchObject({ status: 400, body: { code: 350000 } })
    const channels = await Promise.all(
      Array.from({ length: 6 }, (_, index) => bench.guild.channels.create({ name: `room-${index}` })),
    )
    const ids = [bench.general.id, ...channels.map((channel) => channel.id)]
    const role = await bench.guild.roles.create({ name: 'Retail' })
    const edited = await bench.guild.editOnboarding({
      enabled: true,
      defaultChannels: ids,
      prompts: [
        {
          title: 'Industry',
          options: [{ title: 'Retail', roles: [role.id], channels: [], emoji: '🛒' }],
          singleSelect: true,
          required: true,
          inOnboarding: true,
          type: 0,
        },
      ],
    })
    expect([edited.enabled, edited.prompts.size]).toEqual([true, 1])
    const option = edited.prompts.first()?.options.first()?.id ?? ''
    await ada.rest('POST', `/guilds/${bench.guildId}/onboarding-responses`, { onboarding_responses: [option] })
    expect((await bench.guild.members.fetch({ user: ada.id, force: true })).roles.cache.has(role.id)).toBe(true)
  })

  test('the audit log names what was done, by whom and why', async () => {
    const role = await bench.guild.roles.create({ name: 'Temp', reason: 'for the audit log ✓' })
    const logs = await bench.guild.fetchAuditLogs({ type: 30, limit: 1 })
    expect(logs.entries.first()).toMatchObject({
      targetId: role.id,
      reason: 'for the audit log ✓',
      executorId: bench.application.bot.id,
    })
  })
})

test('every answer and request so far fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
