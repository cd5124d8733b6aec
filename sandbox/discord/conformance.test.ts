// The local Discord as a real discord.js client and people over the client wire meet it: logging in, commands, deadlines.

import { ApplicationCommandOptionType, type Interaction, MessageFlags, PermissionFlagsBits } from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Payload, Person } from './person.ts'
import { aBench, aClient, answering, type Bench, refusal } from './testing.ts'

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

const answer = (handler: (interaction: Interaction) => Promise<unknown>) => answering(bench.client, handler)

describe('logging in', () => {
  test('the client knows its guild, channels and own permissions after login', () => {
    expect(bench.client.user.username).toBe('House bot')
    expect(bench.guild.name).toBe('Partner House')
    expect(bench.guild.available).toBe(true)
    expect(bench.guild.members.me?.permissions.has(PermissionFlagsBits.Administrator)).toBe(true)
    expect(bench.guild.channels.cache.map((channel) => channel.name)).toContain('general')
  })

  test('all members can be fetched over the gateway', async () => {
    const members = await bench.guild.members.fetch()
    expect(members.map((member) => member.user.username).sort()).toEqual(['House bot', 'ada', 'owner'])
  })

  test('a wrong token is refused on REST with 401 and code 0, and on the gateway', async () => {
    const wrong = await ada.rest('GET', '/users/@me', undefined, { authorization: 'nonsense' })
    expect(wrong).toMatchObject({ status: 401, body: { message: '401: Unauthorized', code: 0 } })
    await expect(aClient(bench.sandbox, `${Buffer.from(bench.application.id).toString('base64url')}.x.y`)).rejects.toThrow(/token/i)
  })

  test('an unknown route answers 404 with code 0', async () => {
    expect(await ada.rest('GET', '/nothing/here')).toMatchObject({ status: 404, body: { message: '404: Not Found', code: 0 } })
  })

  test('a joining person is seen by the bot', async () => {
    const joined = new Promise<string>((resolve) => bench.client.once('guildMemberAdd', (member) => resolve(member.user.username)))
    await bench.person('newcomer')
    expect(await joined).toBe('newcomer')
  })

  test('compressed sessions (zlib-stream) carry the same packets', async () => {
    const { WebSocket } = await import('ws')
    const { createInflate, constants } = await import('node:zlib')
    const socket = new WebSocket(`${bench.sandbox.gateway}/?v=10&encoding=json&compress=zlib-stream`)
    const inflate = createInflate({ flush: constants.Z_SYNC_FLUSH })
    socket.on('message', (part: Buffer) => inflate.write(part))
    const hello = await new Promise<string>((resolve) => inflate.once('data', (text: Buffer) => resolve(text.toString())))
    expect(JSON.parse(hello)).toMatchObject({ op: 10, d: { heartbeat_interval: expect.any(Number) } })
    socket.terminate()
  })
})

describe('commands', () => {
  test('a guild command is registered, found in the index, run and answered ephemerally for its user alone', async () => {
    await bench.guild.commands.set([{ name: 'hello', description: 'Says hello' }])
    answer(async (interaction) => {
      if (!interaction.isChatInputCommand()) return
      const reply = await interaction.reply({
        content: `Hello ${interaction.user.username}`,
        flags: MessageFlags.Ephemeral,
        withResponse: true,
      })
      expect(reply.resource?.message?.content).toBe('Hello ada')
    })
    expect(await ada.run(bench.guildId, bench.general.id, 'hello')).toMatchObject({ status: 204 })
    const message = await ada.next('MESSAGE_CREATE', (data) => data.content === 'Hello ada')
    expect(message).toMatchObject({
      flags: 64,
      author: { id: bench.application.bot.id },
      type: 20,
      interaction_metadata: { type: 2, user: { id: ada.id } },
    })
    const history = await ada.rest('GET', `/channels/${bench.general.id}/messages`)
    expect(history.body.map((one: Payload) => one.id)).not.toContain(message.id)
    expect(bench.owner.events.some((event) => event.t === 'MESSAGE_CREATE' && event.d.id === message.id)).toBe(false)
  })

  test('a deferred answer shows as thinking and is filled in by the edit', async () => {
    answer(async (interaction) => {
      if (!interaction.isChatInputCommand()) return
      await interaction.deferReply({ flags: MessageFlags.Ephemeral })
      await interaction.editReply('done')
      await interaction.followUp({ content: 'and more', flags: MessageFlags.Ephemeral })
    })
    await ada.run(bench.guildId, bench.general.id, 'hello')
    const thinking = await ada.next('MESSAGE_CREATE', (data) => (data.flags & 128) !== 0)
    expect(thinking).toMatchObject({ content: '', flags: 192 })
    expect(await ada.next('MESSAGE_UPDATE', (data) => data.id === thinking.id)).toMatchObject({ content: 'done', flags: 64 })
    expect(await ada.next('MESSAGE_CREATE', (data) => data.content === 'and more')).toMatchObject({
      flags: 64,
      message_reference: { message_id: thinking.id },
    })
  })

  test('options arrive typed and resolved', async () => {
    await bench.guild.commands.set([
      {
        name: 'give',
        description: 'Options of every kind',
        options: [
          {
            type: ApplicationCommandOptionType.Subcommand,
            name: 'all',
            description: 'All of them',
            options: [
              { type: ApplicationCommandOptionType.User, name: 'who', description: 'x', required: true },
              {
                type: ApplicationCommandOptionType.Integer,
                name: 'count',
                description: 'x',
                min_value: 1,
                max_value: 5,
                required: true,
              },
              { type: ApplicationCommandOptionType.Channel, name: 'where', description: 'x' },
              { type: ApplicationCommandOptionType.Attachment, name: 'file', description: 'x' },
              {
                type: ApplicationCommandOptionType.String,
                name: 'size',
                description: 'x',
                choices: [{ name: 'Small', value: 's' }],
              },
            ],
          },
        ],
      },
    ])
    const { settled } = answer(async (interaction) => {
      if (!interaction.isChatInputCommand()) return null
      await interaction.reply('ok')
      const { options } = interaction
      return [
        options.getSubcommand(),
        options.getMember('who') !== null,
        options.getUser('who')?.username,
        options.getInteger('count'),
        options.getChannel('where')?.name,
        options.getAttachment('file')?.name,
        options.getString('size'),
      ]
    })
    const index = await ada.rest('GET', `/guilds/${bench.guildId}/application-command-index`)
    const command = index.body.application_commands.find((one: Payload) => one.name === 'give')
    const form = new FormData()
    const options = [
      { type: 6, name: 'who', value: bench.owner.id },
      { type: 4, name: 'count', value: 3 },
      { type: 7, name: 'where', value: bench.general.id },
      { type: 11, name: 'file', value: '0' },
      { type: 3, name: 'size', value: 's' },
    ]
    const sent = (values: unknown[]) => ({
      type: 2,
      application_id: bench.application.id,
      guild_id: bench.guildId,
      channel_id: bench.general.id,
      session_id: ada.sessionId,
      data: {
        version: command.version,
        id: command.id,
        name: 'give',
        type: 1,
        options: [{ type: 1, name: 'all', options: values }],
        attachments: [{ id: '0', filename: 'note.txt' }],
      },
    })
    form.append('payload_json', JSON.stringify(sent(options)))
    form.append('files[0]', new Blob(['hi'], { type: 'text/plain' }), 'note.txt')
    expect((await ada.rest('POST', '/interactions', form)).status).toBe(204)
    expect(await settled).toEqual(['all', true, 'owner', 3, 'general', 'note.txt', 's'])

    const tooMany = await ada.rest('POST', '/interactions', sent([options[0], { type: 4, name: 'count', value: 9 }]))
    expect(tooMany).toMatchObject({
      status: 400,
      body: {
        code: 50035,
        errors: { data: { options: { 0: { options: { 1: { value: { _errors: [{ code: 'NUMBER_TYPE_MAX' }] } } } } } } },
      },
    })
    const missing = await ada.rest('POST', '/interactions', sent([options[0]]))
    expect(missing).toMatchObject({ status: 400, body: { code: 50035 } })
  })

  test('autocomplete choices come back to the asking person', async () => {
    await bench.guild.commands.set([
      {
        name: 'find',
        description: 'x',
        options: [{ type: ApplicationCommandOptionType.String, name: 'term', description: 'x', autocomplete: true }],
      },
    ])
    answer(async (interaction) => {
      if (interaction.isAutocomplete()) await interaction.respond([{ name: `For ${interaction.options.getFocused()}`, value: 'v' }])
    })
    const asked = await ada.run(bench.guildId, bench.general.id, 'find', [{ type: 3, name: 'term', value: 'ab', focused: true }], 4)
    expect(asked.status).toBe(204)
    expect(await ada.next('APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE', (data) => data.nonce === asked.nonce)).toMatchObject({
      choices: [{ name: 'For ab', value: 'v' }],
    })
  })

  test('user and message context menus reach the bot with their targets', async () => {
    await bench.guild.commands.set([
      { name: 'Inspect user', type: 2 },
      { name: 'Inspect message', type: 3 },
    ])
    const target = await bench.general.send('look at me')
    const seen: unknown[] = []
    answer(async (interaction) => {
      if (interaction.isUserContextMenuCommand()) seen.push(interaction.targetUser.username)
      if (interaction.isMessageContextMenuCommand()) seen.push(interaction.targetMessage.content)
      if (interaction.isContextMenuCommand()) await interaction.reply('ok')
    })
    const index = await ada.rest('GET', `/guilds/${bench.guildId}/application-command-index`)
    for (const [name, targetId] of [
      ['Inspect user', bench.owner.id],
      ['Inspect message', target.id],
    ]) {
      const command = index.body.application_commands.find((one: Payload) => one.name === name)
      const sent = {
        type: 2,
        application_id: bench.application.id,
        guild_id: bench.guildId,
        channel_id: bench.general.id,
        data: { id: command.id, version: command.version, name, type: command.type, target_id: targetId },
      }
      expect((await ada.rest('POST', '/interactions', sent)).status).toBe(204)
    }
    await ada.next('MESSAGE_CREATE', (data) => data.type === 23)
    await ada.next('MESSAGE_CREATE', (data) => data.type === 23)
    expect(seen.sort()).toEqual(['look at me', 'owner'])
  })

  test('default_member_permissions keeps a member out (50013) and lets the owner in', async () => {
    await bench.guild.commands.set([{ name: 'admin', description: 'x', default_member_permissions: '32' }])
    answer(async (interaction) => (interaction.isChatInputCommand() ? interaction.reply('ok') : null))
    expect(await ada.run(bench.guildId, bench.general.id, 'admin')).toMatchObject({ status: 403, body: { code: 50013 } })
    expect((await bench.owner.run(bench.guildId, bench.general.id, 'admin')).status).toBe(204)
  })

  test.each([
    ['a capital letter in the name', { name: 'Bad', description: 'x' }, ['name'], 'APPLICATION_COMMAND_INVALID_NAME'],
    ['no description', { name: 'ok' }, ['description'], 'BASE_TYPE_REQUIRED'],
    ['a description of 101 characters', { name: 'ok', description: 'x'.repeat(101) }, ['description'], 'BASE_TYPE_BAD_LENGTH'],
    [
      '26 options',
      {
        name: 'ok',
        description: 'x',
        options: Array.from({ length: 26 }, (_, i) => ({ type: 3, name: `o${i}`, description: 'x' })),
      },
      ['options'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'a required option after an optional one',
      {
        name: 'ok',
        description: 'x',
        options: [
          { type: 3, name: 'a', description: 'x' },
          { type: 3, name: 'b', description: 'x', required: true },
        ],
      },
      ['options', '1'],
      'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
    ],
    [
      'two options of one name',
      {
        name: 'ok',
        description: 'x',
        options: [
          { type: 3, name: 'a', description: 'x' },
          { type: 3, name: 'a', description: 'x' },
        ],
      },
      ['options', '1', 'name'],
      'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
    ],
  ])('a command with %s is refused with its path', async (_, body, path, code) => {
    const { status, body: refused } = await bench.bot(
      'POST',
      `/applications/${bench.application.id}/guilds/${bench.guildId}/commands`,
      body,
    )
    expect(status).toBe(400)
    expect(refused.code).toBe(50035)
    const leaf = path.reduce((node: Payload, key) => node?.[key], refused.errors)
    expect(leaf._errors[0].code).toBe(code)
  })
})

describe('deadlines and acknowledgements', () => {
  test('an interaction that nobody answers fails after three seconds, and a late answer is refused (10062)', async () => {
    await bench.guild.commands.set([{ name: 'slow', description: 'x' }])
    let late: Interaction | undefined
    answer(async (interaction) => {
      late = interaction
    })
    const { nonce } = await ada.run(bench.guildId, bench.general.id, 'slow')
    await ada.next('INTERACTION_FAILURE', (data) => data.nonce === nonce, 4000)
    expect(late?.isChatInputCommand()).toBe(true)
    if (late?.isChatInputCommand()) expect(await refusal(late.reply('too late'))).toMatchObject({ code: 10062, status: 404 })
  })

  test('a second acknowledgement is refused (40060)', async () => {
    const { settled } = answer(async (interaction) => {
      if (!interaction.isChatInputCommand()) return null
      await interaction.reply('first')
      return bench.bot('POST', `/interactions/${interaction.id}/${interaction.token}/callback`, {
        type: 4,
        data: { content: 'second' },
      })
    })
    await ada.run(bench.guildId, bench.general.id, 'slow')
    expect(await settled).toMatchObject({ status: 400, body: { code: 40060 } })
  })

  test('the token dies after fifteen minutes (50027)', async () => {
    let now = Date.now()
    const other = await aBench({ sandbox: { clock: () => now } })
    try {
      await other.guild.commands.set([{ name: 'later', description: 'x' }])
      const replied = new Promise<Interaction>((resolve) =>
        other.client.on('interactionCreate', async (interaction) => {
          if (interaction.isChatInputCommand()) await interaction.reply('now')
          resolve(interaction)
        }),
      )
      await other.owner.run(other.guildId, other.general.id, 'later')
      const interaction = await replied
      now += 15 * 60_000 + 1000
      if (interaction.isChatInputCommand())
        expect(await refusal(interaction.followUp('late'))).toMatchObject({ code: 50027, status: 401 })
    } finally {
      await other.close()
    }
  })
})

test('every answer and request so far fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
