// Components and modals as a real discord.js client sends them and people use them.

import {
  ActionRowBuilder,
  ButtonBuilder,
  ButtonStyle,
  CheckboxBuilder,
  CheckboxGroupBuilder,
  ComponentType,
  ContainerBuilder,
  FileUploadBuilder,
  type Interaction,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  RadioGroupBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  UserSelectMenuBuilder,
} from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Payload, Person } from './person.ts'
import { aBench, answering, type Bench } from './testing.ts'

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

const button = (id: string) =>
  new ActionRowBuilder<ButtonBuilder>().addComponents(
    new ButtonBuilder().setCustomId(id).setLabel('Press').setStyle(ButtonStyle.Primary),
  )

const inGuild = (message: Payload): Payload => ({ ...message, guild_id: bench.guildId })

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

test('every answer and request so far fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
