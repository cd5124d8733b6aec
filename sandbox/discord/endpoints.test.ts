// Every endpoint of the local Discord, called once as the documentation tells, with each answer and request held against the published schema.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Payload, Person } from './person.ts'
import { aBench, type Bench } from './testing.ts'

let bench: Bench
let owner: Person
let ada: Person
let guild: string
let general: string
let application: string

beforeAll(async () => {
  bench = await aBench()
  owner = bench.owner
  ada = await bench.person('ada')
  guild = `/guilds/${bench.guildId}`
  general = `/channels/${bench.general.id}`
  application = `/applications/${bench.application.id}`
})
afterAll(() => bench.close())

type Caller = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Payload>

/** Calls and gives the body; waits out a rate limit, fails on any other refusal. */
const through =
  (send: () => Bench['bot']): Caller =>
  async (method, path, body, headers) => {
    for (;;) {
      const answer = await send()(method, path, body, headers)
      if (answer.status !== 429) {
        expect([answer.status, answer.body], `${method} ${path}`).toEqual([expect.toSatisfy((status) => status < 300), answer.body])
        return answer.body
      }
      await sleep(answer.body.retry_after * 1000)
    }
  }
const asOwner = through(() => owner.rest)
const asAda = through(() => ada.rest)
const asBot = through(() => bench.bot)

const say = (content: string, channel = general) => asOwner('POST', `${channel}/messages`, { content })
const codeOf = async (answer: Promise<{ body: Payload }>) => (await answer).body.code

describe('people', () => {
  test('a person reads and changes themselves, and sees others', async () => {
    expect(await asAda('PATCH', '/users/@me', { username: 'ada', global_name: 'Ada Lovelace' })).toMatchObject({
      global_name: 'Ada Lovelace',
    })
    expect(await asAda('GET', `/users/${owner.id}`)).toMatchObject({ username: 'owner' })
    expect(await asAda('GET', '/users/@me')).toMatchObject({ id: ada.id })
    expect(await asAda('GET', '/users/@me/connections')).toEqual([])
  })

  test('a person lists their servers and direct messages, and leaves a server', async () => {
    expect(await asAda('GET', '/users/@me/guilds')).toMatchObject([{ id: bench.guildId, owner: false }])
    expect(await asAda('GET', `/users/@me${guild}/member`)).toMatchObject({ user: { id: ada.id } })
    const dm = await asAda('POST', '/users/@me/channels', { recipient_id: bench.application.bot.id })
    expect(await asAda('GET', '/users/@me/channels')).toMatchObject([{ id: dm.id }])
    expect(await asAda('GET', `/channels/${dm.id}/application-command-index`)).toMatchObject({ application_commands: [] })
    const { body: other } = await bench.control('POST', '/guilds', { name: 'Elsewhere', owner_id: owner.id })
    await bench.control('PUT', `/guilds/${other.id}/members/${ada.id}`, {})
    await asAda('DELETE', `/users/@me/guilds/${other.id}`)
    expect(await asAda('GET', '/users/@me/guilds')).toHaveLength(1)
  })

  test('an answer to onboarding and an acknowledged message are taken', async () => {
    await asAda('POST', `${guild}/onboarding-responses`, { onboarding_responses: [] })
    const message = await say('read me')
    expect(await asAda('POST', `${general}/messages/${message.id}/ack`, {})).toEqual({ token: null })
  })
})

describe('applications', () => {
  test('a bot reads and changes its application', async () => {
    expect(await asBot('PATCH', '/applications/@me', { tags: ['sales'] })).toMatchObject({ tags: ['sales'] })
    for (const path of ['/applications/@me', '/oauth2/applications/@me', application, `${application}/rpc`])
      expect(await asBot('GET', path)).toMatchObject({ id: bench.application.id, tags: ['sales'] })
    await asBot('PATCH', application, { tags: [] })
    for (const list of ['entitlements', 'skus']) expect(await asBot('GET', `${application}/${list}`)).toEqual([])
    expect(await asBot('GET', `${guild}/integrations`)).toMatchObject([{ application: { id: bench.application.id } }])
  })

  test('the conditions of linked roles are kept', async () => {
    const condition = { type: 2, key: 'sales', name: 'Sales', description: 'Sales of at least' }
    expect(await asBot('PUT', `${application}/role-connections/metadata`, [condition])).toEqual([condition])
    expect(await asBot('GET', `${application}/role-connections/metadata`)).toEqual([condition])
    const six = Array.from({ length: 6 }, (_, index) => ({ ...condition, key: `k${index}` }))
    expect(await codeOf(bench.bot('PUT', `${application}/role-connections/metadata`, six))).toBe(50035)
  })

  test.each([
    ['global', () => `${application}/commands`],
    ['of one server', () => `${application}${guild}/commands`],
  ])('commands that are %s are registered, changed and deleted', async (_, path) => {
    const made = await asBot('POST', path(), { name: 'hello', description: 'Says hello' })
    expect(await asBot('PATCH', `${path()}/${made.id}`, { description: 'Greets' })).toMatchObject({ description: 'Greets' })
    expect(await asBot('GET', `${path()}/${made.id}`)).toMatchObject({ name: 'hello' })
    expect(await asBot('GET', path())).toHaveLength(1)
    await asBot('DELETE', `${path()}/${made.id}`)
    expect(await asBot('PUT', path(), [{ name: 'again', description: 'Anew' }])).toMatchObject([{ name: 'again' }])
  })

  test('an admin decides who may run a command', async () => {
    const [command] = await asBot('PUT', `${application}${guild}/commands`, [{ name: 'pay', description: 'Pays' }])
    const path = `${application}${guild}/commands/${command.id}/permissions`
    await asOwner('PUT', path, { permissions: [{ id: ada.id, type: 2, permission: false }] })
    expect(await asOwner('GET', path)).toMatchObject({ permissions: [{ id: ada.id }] })
    expect(await asOwner('GET', `${application}${guild}/commands/permissions`)).toHaveLength(1)
    expect(await ada.run(bench.guildId, bench.general.id, 'pay')).toMatchObject({ status: 403 })
  })
})

describe('the server', () => {
  test('it is read, previewed and changed', async () => {
    expect(await asOwner('GET', `${guild}?with_counts=true`)).toMatchObject({ approximate_member_count: 3 })
    expect(await asOwner('GET', `${guild}/preview`)).toMatchObject({ name: 'Partner House' })
    expect(await asOwner('PATCH', guild, { name: 'House of Partners' })).toMatchObject({ name: 'House of Partners' })
    expect(await asOwner('GET', `${guild}/onboarding`)).toMatchObject({ enabled: false })
  })

  test.each([
    ['its own', () => guild, () => asOwner],
    ['those of an application', () => application, () => asBot],
  ])('emojis are made, renamed and deleted: %s', async (_, place, caller) => {
    const as = caller()
    const made = await as('POST', `${place()}/emojis`, { name: 'party', image: 'data:image/png;base64,AAAA' })
    expect(await as('PATCH', `${place()}/emojis/${made.id}`, { name: 'feast' })).toMatchObject({ name: 'feast' })
    expect(await as('GET', `${place()}/emojis/${made.id}`)).toMatchObject({ name: 'feast' })
    const all = await as('GET', `${place()}/emojis`)
    expect(all.items ?? all).toHaveLength(1)
    await as('DELETE', `${place()}/emojis/${made.id}`)
  })

  test('the lists that the sandbox keeps empty are there', async () => {
    for (const list of ['stickers', 'auto-moderation/rules']) expect(await asOwner('GET', `${guild}/${list}`)).toEqual([])
    expect(await asOwner('GET', '/sticker-packs')).toEqual({ sticker_packs: [] })
    for (const regions of [`${guild}/regions`, '/voice/regions']) expect(await asOwner('GET', regions)).toHaveLength(1)
    expect(await codeOf(owner.rest('GET', `${guild}/vanity-url`))).toBe(50001)
    await asOwner('PATCH', guild, { features: ['COMMUNITY', 'NEWS', 'VANITY_URL'] })
    expect(await asOwner('GET', `${guild}/vanity-url`)).toEqual({ code: null, uses: 0 })
  })

  test('its audit log is read in pages, with who, what and why', async () => {
    for (const reason of ['one', 'two', 'three'])
      await asOwner('POST', `${guild}/roles`, { name: reason }, { 'x-audit-log-reason': `because%20${reason}` })
    const page = await asOwner('GET', `${guild}/audit-logs?action_type=30&limit=2`)
    expect(page.audit_log_entries.map((entry: Payload) => entry.reason)).toEqual(['because three', 'because two'])
    const before = page.audit_log_entries[1].id
    const older = await asOwner('GET', `${guild}/audit-logs?action_type=30&before=${before}&limit=1`)
    expect(older.audit_log_entries).toMatchObject([{ reason: 'because one', user_id: owner.id }])
  })
})

describe('channels and roles', () => {
  test('channels are made, ordered, typed in, followed and deleted', async () => {
    const { id } = await asOwner('POST', `${guild}/channels`, { name: 'New Room', topic: 'all' })
    await asOwner('PATCH', `${guild}/channels`, [{ id, position: 4 }])
    expect(await asOwner('GET', `/channels/${id}`)).toMatchObject({ name: 'new-room', position: 4 })
    await asOwner('POST', `/channels/${id}/typing`)
    const overwrite = `/channels/${id}/permissions/${ada.id}`
    await asOwner('PUT', overwrite, { type: 1, allow: '0', deny: '1024' })
    expect(await codeOf(ada.rest('GET', `/channels/${id}`))).toBe(50001)
    await asOwner('DELETE', overwrite)
    const news = await asOwner('POST', `${guild}/channels`, { name: 'news', type: 5 })
    const followed = await asOwner('POST', `/channels/${news.id}/followers`, { webhook_channel_id: id })
    const message = await say('for everybody', `/channels/${news.id}`)
    await asOwner('POST', `/channels/${news.id}/messages/${message.id}/crosspost`)
    expect(await asOwner('GET', `/channels/${id}/messages`)).toMatchObject([
      { content: 'for everybody', webhook_id: followed.webhook_id, message_reference: { channel_id: news.id } },
    ])
    await asOwner('DELETE', `/channels/${id}`)
    expect((await asOwner('GET', `${guild}/channels`)).map((channel: Payload) => channel.id)).not.toContain(id)
  })

  test('roles are changed, counted and deleted', async () => {
    const { id } = await asOwner('POST', `${guild}/roles`, { name: 'gold', colors: { primary_color: 0xffd700 } })
    await asOwner('PUT', `${guild}/members/${ada.id}/roles/${id}`)
    expect(await asOwner('PATCH', `${guild}/roles/${id}`, { hoist: true })).toMatchObject({ hoist: true, color: 0xffd700 })
    expect(await asOwner('GET', `${guild}/roles/${id}`)).toMatchObject({ name: 'gold' })
    expect((await asOwner('GET', `${guild}/roles/member-counts`))[id]).toBe(1)
    await asOwner('PATCH', `${guild}/roles`, [{ id, position: 1 }])
    expect((await asOwner('GET', `${guild}/roles`)).map((role: Payload) => role.name)).toContain('gold')
    await asOwner('DELETE', `${guild}/members/${ada.id}/roles/${id}`)
    await asOwner('DELETE', `${guild}/roles/${id}`)
  })

  test('webhooks are listed, renamed by their owner or their token, and deleted', async () => {
    const hook = await asOwner('POST', `${general}/webhooks`, { name: 'Till' })
    const path = `/webhooks/${hook.id}`
    for (const list of [`${general}/webhooks`, `${guild}/webhooks`])
      expect((await asOwner('GET', list)).map((one: Payload) => one.id)).toContain(hook.id)
    expect(await asOwner('PATCH', path, { name: 'Shop' })).toMatchObject({ name: 'Shop' })
    expect(await asOwner('GET', path)).toMatchObject({ name: 'Shop', user: { id: owner.id } })
    const token = `${path}/${hook.token}`
    expect(await asOwner('PATCH', token, { name: 'Desk' })).not.toHaveProperty('user')
    expect(await asOwner('GET', token)).toMatchObject({ name: 'Desk' })
    const sent = await asOwner('POST', `${token}?wait=true`, { content: 'sold', username: 'Till <b>' })
    expect(await asOwner('GET', `${token}/messages/${sent.id}`)).toMatchObject({ author: { username: 'Till <b>', bot: true } })
    expect(await asOwner('PATCH', `${token}/messages/${sent.id}`, { content: 'sold twice' })).toMatchObject({
      content: 'sold twice',
    })
    await asOwner('DELETE', `${token}/messages/${sent.id}`)
    await asOwner('DELETE', token)
    const other = await asOwner('POST', `${general}/webhooks`, { name: 'Other' })
    await asOwner('DELETE', `/webhooks/${other.id}`)
    expect(await codeOf(owner.rest('GET', `/webhooks/${other.id}`))).toBe(10015)
  })
})

describe('members', () => {
  test('they are listed, found, renamed and removed', async () => {
    expect(await asOwner('GET', `${guild}/members?limit=10`)).toHaveLength(3)
    expect(await asOwner('GET', `${guild}/members/search?query=ad&limit=5`)).toMatchObject([{ user: { username: 'ada' } }])
    expect(await asAda('PATCH', `${guild}/members/@me`, { nick: 'Countess' })).toMatchObject({ nick: 'Countess' })
    expect(await asOwner('GET', `${guild}/members/${ada.id}`)).toMatchObject({ nick: 'Countess' })
    expect(await asOwner('PATCH', `${guild}/members/${ada.id}`, { nick: null })).toMatchObject({ nick: null })
    const guest = await bench.person('guest')
    await asOwner('DELETE', `${guild}/members/${guest.id}`)
    expect(await codeOf(owner.rest('GET', `${guild}/members/${guest.id}`))).toBe(10007)
  })

  test('they are banned, one or many, listed in pages with the reason, and let in again', async () => {
    const rude = await bench.person('rude')
    const others = [await bench.person('spam-one'), await bench.person('spam-two')]
    await asOwner('PUT', `${guild}/bans/${rude.id}`, {}, { 'x-audit-log-reason': 'rude' })
    expect(await asOwner('GET', `${guild}/bans/${rude.id}`)).toMatchObject({ reason: 'rude', user: { id: rude.id } })
    const ids = others.map(({ id }) => id)
    expect(await asOwner('POST', `${guild}/bulk-ban`, { user_ids: ids })).toMatchObject({ banned_users: ids })
    expect(await asOwner('GET', `${guild}/bans?limit=1`)).toMatchObject([{ user: { id: rude.id } }])
    expect(await asOwner('GET', `${guild}/bans?after=${rude.id}`)).toHaveLength(2)
    await asOwner('DELETE', `${guild}/bans/${rude.id}`)
    expect(await codeOf(owner.rest('GET', `${guild}/bans/${rude.id}`))).toBe(10026)
  })
})

describe('messages', () => {
  test('reactions are listed in pages, taken back and cleared', async () => {
    const { id } = await say('react to me')
    const at = `${general}/messages/${id}/reactions`
    for (const emoji of ['👍', '🎉', '👀'].map(encodeURIComponent)) {
      await asAda('PUT', `${at}/${emoji}/@me`)
      await asOwner('PUT', `${at}/${emoji}/@me`)
    }
    const [thumb, party, eyes] = ['👍', '🎉', '👀'].map(encodeURIComponent)
    const [first] = await asOwner('GET', `${at}/${thumb}?limit=1`)
    expect(await asOwner('GET', `${at}/${thumb}?after=${first.id}`)).toHaveLength(1)
    await asAda('DELETE', `${at}/${thumb}/@me`)
    await asOwner('DELETE', `${at}/${party}/${ada.id}`)
    await asOwner('DELETE', `${at}/${eyes}`)
    const left = await asOwner('GET', `${general}/messages/${id}`)
    expect(left.reactions.map((one: Payload) => [one.emoji.name, one.count, one.me])).toEqual([
      ['👍', 1, true],
      ['🎉', 1, true],
    ])
    await asOwner('DELETE', at)
    expect(await asOwner('GET', `${general}/messages/${id}`)).not.toHaveProperty('reactions')
  })

  test('messages are pinned by the old and the new way, and deleted in bulk', async () => {
    const [first, second] = [await say('pin me'), await say('and me')]
    await asOwner('PUT', `${general}/pins/${first.id}`)
    await asOwner('PUT', `${general}/messages/pins/${second.id}`)
    expect(await asOwner('GET', `${general}/pins`)).toHaveLength(2)
    expect((await asOwner('GET', `${general}/messages/pins`)).items[0].message.id).toBe(second.id)
    await asOwner('DELETE', `${general}/pins/${first.id}`)
    await asOwner('DELETE', `${general}/messages/pins/${second.id}`)
    expect(await asOwner('PATCH', `${general}/messages/${first.id}`, { content: 'was pinned' })).toMatchObject({
      content: 'was pinned',
    })
    const third = await say('not for long')
    await asOwner('DELETE', `${general}/messages/${third.id}`)
    await asOwner('POST', `${general}/messages/bulk-delete`, { messages: [first.id, second.id] })
    expect(await codeOf(owner.rest('GET', `${general}/messages/${first.id}`))).toBe(10008)
  })

  test('who voted is told, and a vote is changed', async () => {
    const answers = ['Red', 'Blue'].map((text) => ({ poll_media: { text } }))
    const { id } = await asOwner('POST', `${general}/messages`, { poll: { question: { text: 'Which?' }, answers, duration: 1 } })
    const poll = `${general}/polls/${id}/answers`
    await asAda('PUT', `${poll}/@me`, { answer_ids: ['1'] })
    await asAda('PUT', `${poll}/@me`, { answer_ids: ['2'] })
    expect(await asOwner('GET', `${poll}/1`)).toEqual({ users: [] })
    expect(await asOwner('GET', `${poll}/2`)).toMatchObject({ users: [{ id: ada.id }] })
  })

  test('a file is uploaded ahead of its message, within the limits', async () => {
    const ask = (file_size: number) =>
      owner.rest('POST', `${general}/attachments`, { files: [{ id: 7, filename: 'a<b>.txt', file_size }] })
    expect(await codeOf(ask(11 * 1024 * 1024))).toBe(50035)
    const [place] = (await ask(5)).body.attachments
    const put = (body: string | Buffer<ArrayBuffer>) => fetch(place.upload_url, { method: 'PUT', body })
    expect((await put(Buffer.alloc(11 * 1024 * 1024))).status).toBe(413)
    expect((await put('hello')).status).toBe(200)
    const attachments = [{ id: '0', filename: 'a<b>.txt', uploaded_filename: place.upload_filename }]
    const sent = await asOwner('POST', `${general}/messages`, { attachments })
    expect(await (await fetch(sent.attachments[0].url)).text()).toBe('hello')
  })
})

describe('threads', () => {
  test('archived threads, their members and search', async () => {
    const open = await asOwner('POST', `${general}/threads`, { name: 'Open', type: 11, auto_archive_duration: 60 })
    const secret = await asOwner('POST', `${general}/threads`, { name: 'Secret', type: 12 })
    const members = `/channels/${open.id}/thread-members`
    await asOwner('PUT', `${members}/${ada.id}`)
    expect(await asOwner('GET', `${members}?with_member=true`)).toHaveLength(2)
    expect(await asOwner('GET', `${members}/${ada.id}?with_member=true`)).toMatchObject({ member: { user: { id: ada.id } } })
    await asOwner('DELETE', `${members}/${ada.id}`)
    expect((await asOwner('GET', `${guild}/threads/active`)).threads).toHaveLength(2)
    expect(await asOwner('GET', `${general}/threads/search?name=open`)).toMatchObject({ threads: expect.any(Array) })
    for (const { id } of [open, secret]) await asOwner('PATCH', `/channels/${id}`, { archived: true })
    const archived = async (path: string) =>
      (await asOwner('GET', `${general}/${path}`)).threads.map((thread: Payload) => thread.name)
    expect(await archived('threads/archived/public')).toEqual(['Open'])
    expect(await archived('threads/archived/private')).toEqual(['Secret'])
    expect(await archived('users/@me/threads/archived/private')).toEqual(['Secret'])
    await asOwner('DELETE', `/channels/${secret.id}`)
  })
})

describe('invites and events', () => {
  test('an invite is read, listed, opened for named people, and revoked', async () => {
    const { code } = await asOwner('POST', `${general}/invites`, { max_age: 3600, unique: true })
    for (const path of [`${general}/invites`, `${guild}/invites`])
      expect((await asOwner('GET', path)).map((invite: Payload) => invite.code)).toContain(code)
    expect(await asAda('GET', `/invites/${code}`)).toMatchObject({ guild: { id: bench.guildId } })
    const users = `/invites/${code}/target-users`
    const form = new FormData()
    form.append('target_users_file', new Blob([`user_id\n${ada.id}`], { type: 'text/csv' }), 'people.csv')
    await asOwner('PUT', users, form)
    await asOwner('PUT', `${users}/${owner.id}`)
    const list = await fetch(`${bench.sandbox.api}/v10${users}`, { headers: { authorization: owner.token } })
    expect((await list.text()).split('\n')).toEqual(['user_id', ada.id, owner.id])
    await asOwner('DELETE', `${users}/${owner.id}`)
    expect(await asOwner('GET', `${users}/job-status`)).toMatchObject({ status: 2, total_users: 1 })
    await asOwner('DELETE', `/invites/${code}`)
    expect(await codeOf(ada.rest('GET', `/invites/${code}`))).toBe(10006)
  })

  test('an event is read, found interesting, listed in pages and deleted', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    const voice = (await asOwner('GET', `${guild}/channels`)).find((channel: Payload) => channel.type === 2).id
    const events = `${guild}/scheduled-events`
    const body = { name: 'Q&A', privacy_level: 2, entity_type: 2, channel_id: voice, scheduled_start_time: soon }
    const { id } = await asOwner('POST', events, body)
    await asAda('PUT', `${events}/${id}/users/@me`)
    expect(await asOwner('GET', `${events}?with_user_count=true`)).toMatchObject([{ user_count: 1 }])
    expect(await asOwner('GET', `${events}/${id}/users?with_member=true&after=0`)).toMatchObject([{ user_id: ada.id }])
    await asAda('DELETE', `${events}/${id}/users/@me`)
    expect(await asOwner('PATCH', `${events}/${id}`, { status: 2 })).toMatchObject({ status: 2 })
    expect(await asOwner('GET', `${events}/${id}?with_user_count=true`)).toMatchObject({ user_count: 0 })
    await asOwner('DELETE', `${events}/${id}`)
    expect(await asOwner('GET', events)).toEqual([])
  })
})

/** Called by the conformance suite as a discord.js client and people call them, with the same check of the wire. */
const WITH_A_CLIENT =
  /^(POST|PUT) .*(\/interactions|\/callback|\/invites\/:code$|onboarding$|\/expire|\/messages\/:message\/threads)/

test('every endpoint was called and answered, here or by the conformance suite', () => {
  const missing = bench.sandbox.endpoints.filter((endpoint) => !bench.answered.has(endpoint) && !WITH_A_CLIENT.test(endpoint))
  expect(missing).toEqual([])
})

test('every answer and request fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
