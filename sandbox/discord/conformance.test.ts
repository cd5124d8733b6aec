// The local Discord as a real discord.js client and people over the client wire meet it.

import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  AttachmentBuilder,
  ButtonBuilder,
  ButtonStyle,
  ChannelType,
  CheckboxBuilder,
  CheckboxGroupBuilder,
  ComponentType,
  ContainerBuilder,
  EmbedBuilder,
  FileUploadBuilder,
  type Interaction,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  OverwriteType,
  PermissionFlagsBits,
  RadioGroupBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  UserSelectMenuBuilder,
} from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Payload, Person } from './person.ts'
import { aBench, aClient, type Bench } from './testing.ts'

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

/** Lets the bot answer the next interactions with the given handler; what it throws fails the test that awaits `settled`. */
function answer(handler: (interaction: Interaction) => Promise<unknown>): { settled: Promise<unknown> } {
  const settled = new Promise((resolve, reject) => {
    bench.client.on('interactionCreate', (interaction) => handler(interaction).then(resolve, reject))
  })
  settled.catch(() => {})
  return { settled }
}

const button = (id: string) =>
  new ActionRowBuilder<ButtonBuilder>().addComponents(
    new ButtonBuilder().setCustomId(id).setLabel('Press').setStyle(ButtonStyle.Primary),
  )

const inGuild = (message: Payload): Payload => ({ ...message, guild_id: bench.guildId })

const refusal = async (promise: Promise<unknown>): Promise<{ code: unknown; status: unknown; rawError: Payload }> => {
  try {
    await promise
  } catch (error) {
    return error as { code: unknown; status: unknown; rawError: Payload }
  }
  throw new Error('was not refused')
}

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

describe('components and modals', () => {
  test('a button updates its own message', async () => {
    const sent = await bench.general.send({ content: 'count 0', components: [button('count')] })
    answer(async (interaction) => {
      if (interaction.isButton()) await interaction.update({ content: 'count 1', components: [] })
    })
    const message = await ada.next('MESSAGE_CREATE', (data) => data.id === sent.id)
    expect((await ada.press(inGuild(message), 'count')).status).toBe(204)
    expect(await ada.next('MESSAGE_UPDATE', (data) => data.id === sent.id)).toMatchObject({ content: 'count 1', components: [] })
    expect((await ada.press(inGuild(message), 'count')).status).toBe(400)
  })

  test('a string select and a user select deliver their values, and a value outside is refused', async () => {
    const sent = await bench.general.send({
      components: [
        new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
          new StringSelectMenuBuilder()
            .setCustomId('industry')
            .setMaxValues(2)
            .addOptions({ label: 'SaaS', value: 'saas' }, { label: 'Retail', value: 'retail' }),
        ),
        new ActionRowBuilder<UserSelectMenuBuilder>().addComponents(new UserSelectMenuBuilder().setCustomId('who')),
      ],
    })
    const seen: unknown[] = []
    answer(async (interaction) => {
      if (interaction.isStringSelectMenu()) seen.push(interaction.values)
      if (interaction.isUserSelectMenu())
        seen.push(
          interaction.users.map((user) => user.username),
          interaction.members.size,
        )
      if (interaction.isMessageComponent()) await interaction.deferUpdate()
    })
    const message = await ada.next('MESSAGE_CREATE', (data) => data.id === sent.id)
    await ada.press(inGuild(message), 'industry', ['retail', 'saas'])
    await ada.next('INTERACTION_SUCCESS')
    await ada.press(inGuild(message), 'who', [ada.id])
    expect(await ada.press(inGuild(message), 'industry', ['mining'])).toMatchObject({ status: 400, body: { code: 50035 } })
    await expect.poll(() => seen).toEqual([['retail', 'saas'], ['ada'], 1])
  })

  test('a modal with every kind of field comes back filled in', async () => {
    const sent = await bench.general.send({ content: 'apply', components: [button('apply')] })
    const { settled } = answer(async (interaction) => {
      if (interaction.isButton()) {
        const modal = new ModalBuilder()
          .setCustomId('apply-form')
          .setTitle('Apply')
          .addLabelComponents(
            new LabelBuilder()
              .setLabel('Name')
              .setTextInputComponent(new TextInputBuilder().setCustomId('name').setStyle(TextInputStyle.Short).setMaxLength(10)),
            new LabelBuilder()
              .setLabel('Industry')
              .setStringSelectMenuComponent(
                new StringSelectMenuBuilder().setCustomId('industry').addOptions({ label: 'SaaS', value: 'saas' }),
              ),
            new LabelBuilder()
              .setLabel('Plan')
              .setRadioGroupComponent(
                new RadioGroupBuilder().setCustomId('plan').addOptions({ label: 'A', value: 'a' }, { label: 'B', value: 'b' }),
              ),
            new LabelBuilder().setLabel('Consent').setCheckboxComponent(new CheckboxBuilder().setCustomId('consent')),
            new LabelBuilder().setLabel('Proof').setFileUploadComponent(new FileUploadBuilder().setCustomId('proof')),
          )
        await interaction.showModal(modal)
        return undefined
      }
      return undefined
    })
    const message = await ada.next('MESSAGE_CREATE', (data) => data.id === sent.id)
    await ada.press(inGuild(message), 'apply')
    await settled
    const modal = await ada.next('INTERACTION_MODAL_CREATE')
    expect(modal).toMatchObject({ title: 'Apply', custom_id: 'apply-form' })

    bench.client.removeAllListeners('interactionCreate')
    const submitted = answer(async (interaction) => {
      if (!interaction.isModalSubmit()) return null
      await interaction.deferUpdate()
      const { fields } = interaction
      return [
        fields.getTextInputValue('name'),
        fields.getStringSelectValues('industry'),
        fields.getRadioGroup('plan'),
        fields.getCheckbox('consent'),
        fields.getUploadedFiles('proof')?.map((file) => file.name),
      ]
    })
    const fill = (name: string) => ({
      type: 5,
      application_id: bench.application.id,
      guild_id: bench.guildId,
      channel_id: bench.general.id,
      data: {
        id: modal.id,
        custom_id: modal.custom_id,
        attachments: [{ id: '0', filename: 'proof.txt' }],
        components: [
          { type: 18, component: { type: 4, custom_id: 'name', value: name } },
          { type: 18, component: { type: 3, custom_id: 'industry', values: ['saas'] } },
          { type: 18, component: { type: 21, custom_id: 'plan', value: 'b' } },
          { type: 18, component: { type: 23, custom_id: 'consent', value: true } },
          { type: 18, component: { type: 19, custom_id: 'proof', values: ['0'] } },
        ],
      },
    })
    const form = (name: string) => {
      const data = new FormData()
      data.append('payload_json', JSON.stringify(fill(name)))
      data.append('files[0]', new Blob(['proof']), 'proof.txt')
      return data
    }
    expect(await ada.rest('POST', '/interactions', form('A name that is too long'))).toMatchObject({
      status: 400,
      body: { code: 50035 },
    })
    expect((await ada.rest('POST', '/interactions', form('Ada'))).status).toBe(204)
    expect(await submitted.settled).toEqual(['Ada', ['saas'], 'b', true, ['proof.txt']])
  })

  test('a modal cannot answer a modal', async () => {
    await bench.guild.commands.set([{ name: 'form', description: 'x' }])
    const modal = new ModalBuilder()
      .setCustomId('one')
      .setTitle('One')
      .addLabelComponents(
        new LabelBuilder()
          .setLabel('Pick')
          .setCheckboxGroupComponent(new CheckboxGroupBuilder().setCustomId('pick').addOptions({ label: 'A', value: 'a' })),
      )
    const { settled } = answer(async (interaction) => {
      if (interaction.isChatInputCommand()) await interaction.showModal(modal)
      if (!interaction.isModalSubmit()) return new Promise(() => {})
      return bench.bot('POST', `/interactions/${interaction.id}/${interaction.token}/callback`, { type: 9, data: modal.toJSON() })
    })
    await ada.run(bench.guildId, bench.general.id, 'form')
    const shown = await ada.next('INTERACTION_MODAL_CREATE', (data) => data.custom_id === 'one')
    bench.client.removeAllListeners('interactionCreate')
    const second = answer(async (interaction) =>
      bench.bot('POST', `/interactions/${interaction.id}/${(interaction as Payload).token}/callback`, {
        type: 9,
        data: modal.toJSON(),
      }),
    )
    await ada.submit(shown, bench.guildId, [{ type: 18, component: { type: 22, custom_id: 'pick', values: ['a'] } }])
    expect(await second.settled).toMatchObject({ status: 400, body: { code: 50035 } })
    settled.catch(() => {})
  })

  test('Components V2 are kept with ids, and forbid content beside them', async () => {
    const container = new ContainerBuilder()
      .setAccentColor(0x5865f2)
      .addTextDisplayComponents(new TextDisplayBuilder().setContent('# Earnings'))
      .addSeparatorComponents((separator) => separator)
      .addSectionComponents((section) =>
        section
          .addTextDisplayComponents(new TextDisplayBuilder().setContent('Open'))
          .setButtonAccessory(new ButtonBuilder().setCustomId('open').setLabel('Open').setStyle(ButtonStyle.Secondary)),
      )
    const sent = await bench.general.send({ components: [container], flags: MessageFlags.IsComponentsV2 })
    expect(sent.components[0]?.type).toBe(ComponentType.Container)
    expect(sent.flags.has(MessageFlags.IsComponentsV2)).toBe(true)
    const refused = await bench.bot('POST', `/channels/${bench.general.id}/messages`, {
      content: 'x',
      flags: 1 << 15,
      components: [container.toJSON()],
    })
    expect(refused).toMatchObject({
      status: 400,
      body: { code: 50035, errors: { content: { _errors: [{ code: 'MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2' }] } } },
    })
  })

  test.each([
    [
      '41 components',
      { flags: 32768, components: [{ type: 17, components: Array.from({ length: 40 }, () => ({ type: 10, content: 'x' })) }] },
      ['components'],
      'COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED',
    ],
    [
      '4,001 characters of text',
      {
        flags: 32768,
        components: [
          { type: 10, content: 'x'.repeat(3000) },
          { type: 10, content: 'x'.repeat(1001) },
        ],
      },
      ['components'],
      'COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED',
    ],
    [
      'six buttons in a row',
      {
        components: [
          { type: 1, components: Array.from({ length: 6 }, (_, i) => ({ type: 2, style: 1, label: 'x', custom_id: `${i}` })) },
        ],
      },
      ['components', '0', 'components'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    [
      'two equal custom ids',
      {
        components: [
          {
            type: 1,
            components: [
              { type: 2, style: 1, label: 'x', custom_id: 'a' },
              { type: 2, style: 1, label: 'x', custom_id: 'a' },
            ],
          },
        ],
      },
      ['components', '0', 'components', '1', 'custom_id'],
      'COMPONENT_CUSTOM_ID_DUPLICATED',
    ],
    [
      'a custom id of 101 characters',
      { components: [{ type: 1, components: [{ type: 2, style: 1, label: 'x', custom_id: 'a'.repeat(101) }] }] },
      ['components', '0', 'components', '0', 'custom_id'],
      'BASE_TYPE_BAD_LENGTH',
    ],
    ['2,001 characters of content', { content: 'x'.repeat(2001) }, ['content'], 'BASE_TYPE_MAX_LENGTH'],
    ['eleven embeds', { embeds: Array.from({ length: 11 }, () => ({ title: 'x' })) }, ['embeds'], 'BASE_TYPE_MAX_LENGTH'],
    [
      'an embed title of 257 characters',
      { embeds: [{ title: 'x'.repeat(257) }] },
      ['embeds', '0', 'title'],
      'BASE_TYPE_MAX_LENGTH',
    ],
    [
      'embeds of more than 6,000 characters',
      { embeds: [{ description: 'x'.repeat(4000) }, { description: 'x'.repeat(2001) }] },
      ['embeds', '1'],
      'MAX_EMBED_SIZE_EXCEEDED',
    ],
  ])('a message with %s is refused with its path', async (_, body, path, code) => {
    const { status, body: refused } = await bench.bot('POST', `/channels/${bench.general.id}/messages`, body)
    expect([status, refused.code]).toEqual([400, 50035])
    const leaf = (path as string[]).reduce((node: Payload, key) => node?.[key], refused.errors)
    expect(leaf._errors[0].code).toBe(code)
  })

  test('an empty message is refused (50006)', async () => {
    expect(await bench.bot('POST', `/channels/${bench.general.id}/messages`, { content: '  ' })).toMatchObject({
      status: 400,
      body: { code: 50006 },
    })
  })
})

describe('messages', () => {
  test('embeds, files and replies arrive whole', async () => {
    const first = await bench.general.send({
      embeds: [
        new EmbedBuilder()
          .setTitle('Board')
          .setColor(0xff0000)
          .addFields({ name: 'a', value: 'b' })
          .setImage('attachment://chart.png'),
      ],
      files: [
        new AttachmentBuilder(Buffer.from('89504e470d0a1a0a0000000d4948445200000010000000080806', 'hex'), { name: 'chart.png' }),
        new AttachmentBuilder(Buffer.from('text'), { name: 'note.txt' }),
      ],
    })
    expect(first.embeds[0]).toMatchObject({ title: 'Board', color: 0xff0000 })
    expect([...first.attachments.values()].map((file) => file.name)).toEqual(['note.txt'])
    const image = first.embeds[0]?.image?.url ?? ''
    expect((await fetch(image)).headers.get('content-type')).toBe('image/png')
    const reply = await first.reply('agreed')
    expect(reply.reference?.messageId).toBe(first.id)
    expect((await reply.fetchReference()).id).toBe(first.id)
    const edited = await reply.edit('changed')
    expect([edited.content, edited.editedTimestamp !== null]).toEqual(['changed', true])
    await reply.delete()
    expect(await refusal(bench.general.messages.fetch(reply.id))).toMatchObject({ code: 10008 })
  })

  test('the same nonce with enforce_nonce makes one message', async () => {
    const one = await bench.general.send({ content: 'once', nonce: 'payout-1', enforceNonce: true })
    const two = await bench.general.send({ content: 'once', nonce: 'payout-1', enforceNonce: true })
    expect(two.id).toBe(one.id)
  })

  test('allowed_mentions decides who is mentioned', async () => {
    const silent = await bench.general.send({ content: `<@${ada.id}> @everyone`, allowedMentions: { parse: [] } })
    expect([silent.mentions.users.size, silent.mentions.everyone]).toEqual([0, false])
    const named = await bench.general.send({ content: `<@${ada.id}> <@${bench.owner.id}>`, allowedMentions: { users: [ada.id] } })
    expect([...named.mentions.users.keys()]).toEqual([ada.id])
  })

  test('reactions and pins are seen by others', async () => {
    const message = await bench.general.send('react')
    const seen = new Promise<string | null>((resolve) =>
      bench.client.once('messageReactionAdd', (reaction) => resolve(reaction.emoji.name)),
    )
    expect(
      (await ada.rest('PUT', `/channels/${bench.general.id}/messages/${message.id}/reactions/${encodeURIComponent('🎉')}/@me`))
        .status,
    ).toBe(204)
    expect(await seen).toBe('🎉')
    expect((await message.fetch()).reactions.cache.get('🎉')?.count).toBe(1)
    await message.pin()
    expect((await bench.general.messages.fetchPins()).items.map((pin) => pin.message.id)).toContain(message.id)
  })

  test('a DM is delivered, and refused once the person closed it (50007)', async () => {
    const user = await bench.client.users.fetch(ada.id)
    await user.send('welcome')
    const message = await ada.next('MESSAGE_CREATE', (data) => data.content === 'welcome')
    expect(message.guild_id).toBeUndefined()
    const back = new Promise<string>((resolve) => bench.client.once('messageCreate', (received) => resolve(received.content)))
    await ada.rest('POST', `/channels/${message.channel_id}/messages`, { content: 'thanks' })
    expect(await back).toBe('thanks')
    await bench.control('POST', '/faults', { kind: 'dm_closed', user_id: ada.id })
    expect(await refusal(user.send('again'))).toMatchObject({ code: 50007, status: 403 })
    await bench.control('DELETE', '/faults')
    await user.send('open again')
  })

  test('a poll is voted on and ended', async () => {
    const message = await bench.general.send({
      poll: { question: { text: 'Best?' }, answers: [{ text: 'A' }, { text: 'B' }], duration: 1, allowMultiselect: false },
    })
    const voted = new Promise<number>((resolve) => bench.client.once('messagePollVoteAdd', (answered) => resolve(answered.id)))
    expect(
      (await ada.rest('PUT', `/channels/${bench.general.id}/polls/${message.id}/answers/@me`, { answer_ids: ['2'] })).status,
    ).toBe(204)
    expect(await voted).toBe(2)
    await message.poll?.end()
    const ended = await message.fetch(true)
    expect([ended.poll?.resultsFinalized, ended.poll?.answers.get(2)?.voteCount]).toEqual([true, 1])
  })

  test('an announcement is crossposted once', async () => {
    const news = await bench.guild.channels.create({ name: 'news', type: ChannelType.GuildAnnouncement })
    const message = await news.send('launch')
    await message.crosspost()
    expect((await message.fetch(true)).flags.has(MessageFlags.Crossposted)).toBe(true)
    expect(await refusal(message.crosspost())).toMatchObject({ code: 40033 })
  })

  test('a webhook speaks with its own name', async () => {
    const webhook = await bench.general.createWebhook({ name: 'Alerts' })
    const sent = await webhook.send({ content: 'ping', username: 'Watcher' })
    expect(sent.author.username).toBe('Watcher')
    await webhook.editMessage(sent.id, 'pong')
    expect((await webhook.fetchMessage(sent.id)).content).toBe('pong')
    await webhook.delete()
    expect(await refusal(bench.client.fetchWebhook(webhook.id))).toMatchObject({ code: 10015 })
  })
})

describe('threads', () => {
  test('a private thread is for its members and moderators alone', async () => {
    const thread = await bench.general.threads.create({ name: 'ticket 1', type: ChannelType.PrivateThread, invitable: false })
    const eve = await bench.person('eve')
    expect(await eve.rest('GET', `/channels/${thread.id}`)).toMatchObject({ status: 403, body: { code: 50001 } })
    await thread.members.add(ada.id)
    await ada.next('THREAD_CREATE', (data) => data.id === thread.id)
    await thread.send('how can we help')
    await ada.next('MESSAGE_CREATE', (data) => data.channel_id === thread.id && data.content === 'how can we help')
    expect(eve.events.some((event) => event.d?.channel_id === thread.id)).toBe(false)
    await thread.setLocked(true)
    await thread.setArchived(true)
    expect(await ada.rest('POST', `/channels/${thread.id}/messages`, { content: 'hello?' })).toMatchObject({
      status: 403,
      body: { code: 160005 },
    })
  })

  test('mentioning somebody in a private thread brings them in', async () => {
    const thread = await bench.general.threads.create({ name: 'ticket 2', type: ChannelType.PrivateThread })
    await thread.send(`<@${ada.id}> here we are`)
    await ada.next('THREAD_CREATE', (data) => data.id === thread.id)
    expect((await ada.rest('GET', `/channels/${thread.id}/messages`)).body[0].content).toContain('here we are')
  })

  test('a thread starts from a message and shows in the active list', async () => {
    const message = await bench.general.send('topic')
    const thread = await message.startThread({ name: 'discussion' })
    expect(thread.id).toBe(message.id)
    expect((await message.fetch(true)).hasThread).toBe(true)
    expect((await bench.guild.channels.fetchActiveThreads()).threads.has(thread.id)).toBe(true)
    const again = await bench.bot('POST', `/channels/${bench.general.id}/messages/${message.id}/threads`, { name: 'again' })
    expect(again).toMatchObject({ status: 400, body: { code: 160004 } })
  })

  test('a forum post has tags and a first message with its own id', async () => {
    const forum = await bench.guild.channels.create({
      name: 'Help',
      type: ChannelType.GuildForum,
      availableTags: [{ name: 'billing' }],
    })
    const tag = forum.availableTags[0]?.id ?? ''
    const post = await forum.threads.create({ name: 'Where is my payout', message: { content: 'It is late' }, appliedTags: [tag] })
    expect(post.appliedTags).toEqual([tag])
    expect((await post.fetchStarterMessage())?.content).toBe('It is late')
    expect(
      await refusal(forum.threads.create({ name: 'x', message: { content: 'y' }, appliedTags: ['123456789012345678'] })),
    ).toMatchObject({ code: 50035 })
  })
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
