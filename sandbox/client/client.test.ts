// The browser client in a real Chromium, against the local Discord and a small discord.js bot: what a person sees and does.

import {
  ActionRowBuilder,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ButtonBuilder,
  ButtonStyle,
  ChannelSelectMenuBuilder,
  ChannelType,
  CheckboxBuilder,
  CheckboxGroupBuilder,
  Client,
  ContainerBuilder,
  FileUploadBuilder,
  GatewayIntentBits,
  type Interaction,
  LabelBuilder,
  MessageFlags,
  ModalBuilder,
  PermissionFlagsBits,
  RadioGroupBuilder,
  SectionBuilder,
  StringSelectMenuBuilder,
  TextDisplayBuilder,
  TextInputBuilder,
  TextInputStyle,
  UserSelectMenuBuilder,
} from 'discord.js'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createDiscordSandbox, type DiscordSandbox } from '../discord/index.ts'
import { launchBrowser, openPage } from './browser.ts'
import { clientRoutes } from './index.ts'
import { seriousProblems } from './testing.ts'

interface Person {
  id: string
  username: string
  token: string
}

let sandbox: DiscordSandbox
let bot: Client<true>
let browser: Browser
let guildId: string
let owner: Person

beforeAll(async () => {
  sandbox = await createDiscordSandbox({ routes: await clientRoutes() })
  owner = await addPerson('max')
  const guild = await control('POST', '/guilds', { name: 'Partner House', owner_id: owner.id })
  guildId = guild.id
  const application = await control('POST', '/applications', { name: 'Helper', owner_id: owner.id })
  await control('PUT', `/guilds/${guildId}/applications/${application.id}`, {
    permissions: String(PermissionFlagsBits.Administrator),
  })
  bot = await startBot(application.token)
  browser = await launchBrowser()
}, 60_000)

afterEach(async () => {
  for (const context of browser.contexts()) await context.close()
})

afterAll(async () => {
  await browser?.close()
  await bot?.destroy()
  await sandbox?.close()
})

describe('joining', () => {
  test('someone new is invited, joins, and sees the channels that are open to them', async () => {
    const { page, problems } = await openAs(await addPerson('newcomer'))
    await page.getByTestId('join').first().click()
    await page.locator('[data-channel=general]').waitFor()
    expect(await channelsOn(page)).toEqual(['general', 'General'])
    await page.getByText('Welcome to #general!').waitFor()
    expect(problems).toEqual([])
  })

  test('a private channel appears with a lock as soon as the role is granted, and vanishes with it', async () => {
    const { page, person, problems } = await openAsMember('promoted')
    const guild = await bot.guilds.fetch(guildId)
    const role = await guild.roles.create({ name: 'Insiders', colors: { primaryColor: 0x3ba55d }, hoist: true })
    await guild.channels.create({
      name: 'insiders',
      type: ChannelType.GuildText,
      permissionOverwrites: [
        { id: guild.id, deny: PermissionFlagsBits.ViewChannel },
        { id: role.id, allow: PermissionFlagsBits.ViewChannel },
      ],
    })
    expect(await channelsOn(page)).not.toContain('insiders')
    const member = await guild.members.fetch(person.id)
    await member.roles.add(role)
    const row = page.locator('[data-channel=insiders]')
    await row.waitFor()
    expect(await row.getAttribute('aria-label')).toContain('private')
    await page.getByTestId('members').getByText('Insiders — 1').waitFor()
    await member.roles.remove(role)
    await row.waitFor({ state: 'detached' })
    expect(problems).toEqual([])
  })
})

describe('messages', () => {
  test('what two people write reaches the other at once, and markup from people is text', async () => {
    const ann = await openAsMember('ann')
    const ben = await openAsMember('ben')
    await say(ann.page, 'Hello **Ben** <img src=x onerror="document.title=1"> ||secret||')
    const message = ben.page.getByTestId('message').filter({ hasText: 'Hello Ben' })
    await message.waitFor()
    expect(await message.getByTestId('content').textContent()).toContain('<img src=x onerror="document.title=1">')
    expect(await message.locator('strong').textContent()).toBe('Ben')
    await message.getByLabel('Spoiler').click()
    expect(await message.getByTestId('content').textContent()).toContain('secret')
    await message.hover()
    await message.getByLabel('React with 👍').click()
    await ann.page.getByRole('button', { name: '👍, 1 reaction', exact: true }).waitFor()
    expect([...ann.problems, ...ben.problems]).toEqual([])
  })

  test('a mention in another channel marks the channel until it is opened', async () => {
    const { page, person } = await openAsMember('mentioned')
    const guild = await bot.guilds.fetch(guildId)
    const channel = await guild.channels.create({ name: 'elsewhere', type: ChannelType.GuildText })
    const row = page.locator('[data-channel=elsewhere]')
    await row.waitFor()
    await channel.send({ content: `<@${person.id}> look` })
    await expect.poll(() => row.getAttribute('aria-label')).toBe('elsewhere, text channel, unread, 1 mentions')
    await row.click()
    await page.getByText('@mentioned look').waitFor()
    await expect.poll(() => row.getAttribute('aria-label')).toBe('elsewhere, text channel')
  })
})

describe('commands', () => {
  test('the picker describes commands, and one is run with the keyboard alone', async () => {
    const { page, problems } = await openAsMember('typist')
    await page.getByTestId('composer').pressSequentially('/gre')
    const option = page.getByTestId('slash-picker').getByRole('option')
    expect(await option.textContent()).toContain('Says hello')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Ada')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Enter')
    const answer = page.getByTestId('message').filter({ hasText: 'Bonjour, Ada' })
    await answer.waitFor()
    expect(await answer.getByTestId('used-command').textContent()).toMatch(/typist\s*used\s*\/greet/)
    expect(problems).toEqual([])
  })

  test('a whole line with named options is understood as it is typed', async () => {
    const { page } = await openAsMember('liner')
    await page.getByTestId('composer').pressSequentially('/greet name:Grace Hopper language:fr')
    await page.keyboard.press('Enter')
    await page.getByText('Bonjour, Grace Hopper').waitFor()
  })

  test('a line that was typed before the commands are known is read when they are', async () => {
    const { page, problems, tellCommands } = await openBeforeCommands('early')
    await page.getByTestId('composer').pressSequentially('/greet name:Edsger Dij')
    tellCommands()
    await page.getByTestId('command-bar').waitFor()
    await page.keyboard.type('kstra language:fr')
    await page.keyboard.press('Enter')
    await page.getByText('Bonjour, Edsger Dijkstra').waitFor()
    expect(problems).toEqual([])
  })

  test('a line that was finished before the commands are known is run when they are, and is never posted', async () => {
    const { page, tellCommands } = await openBeforeCommands('earliest')
    await page.getByTestId('composer').pressSequentially('/greet name:Grace Murray language:fr')
    await page.keyboard.press('Enter')
    await page.getByText('Loading commands…').waitFor()
    tellCommands()
    await page.getByText('Bonjour, Grace Murray').waitFor()
    expect(await page.getByText('/greet name:').count()).toBe(0)
  })

  test('the beginning of an option’s name that was typed before the commands are known opens no other option', async () => {
    const { page, tellCommands } = await openBeforeCommands('swift')
    await page.getByTestId('composer').pressSequentially('/count t')
    await page.keyboard.press('Tab')
    tellCommands()
    await page.getByTestId('command-bar').waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.type('8')
    await page.keyboard.press('Enter')
    await page.getByText('Counted from nothing to 8').waitFor()
  })

  test('the blank that was typed last is not lost when the commands arrive', async () => {
    const { page, tellCommands } = await openBeforeCommands('between')
    await page.getByTestId('composer').pressSequentially('/greet name:Jean ')
    tellCommands()
    await page.getByTestId('command-bar').waitFor()
    await page.keyboard.type('Bartik ')
    await page.keyboard.press('Enter')
    await page.getByText('Hello, Jean Bartik', { exact: true }).waitFor()
  })

  test('where every option is optional, what is pasted or written on a phone is read like what is typed', async () => {
    const { page } = await openAsMember('paster', { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } })
    await page.getByTestId('composer').pressSequentially('/count ')
    await page.keyboard.insertText('to:12')
    await page.getByTestId('run-command').click()
    await page.getByText('Counted from nothing to 12').waitFor()
  })

  test('the beginning of an option’s name opens no other option', async () => {
    const { page } = await openAsMember('beginner')
    await page.getByTestId('composer').pressSequentially('/count t')
    await page.getByTestId('command-bar').waitFor()
    expect(await page.getByTestId('option-input').count()).toBe(0)
    await page.keyboard.press('Tab')
    await page.keyboard.type('9')
    expect(await page.getByTestId('option-input').evaluateAll((all) => all.map((input) => input.ariaLabel))).toEqual(['to'])
    await page.keyboard.press('Enter')
    await page.getByText('Counted from nothing to 9').waitFor()
  })

  test('a file that Discord would not take is refused where it is chosen, for a command as for a form', async () => {
    const { page, problems } = await openAsMember('heavy')
    const huge = { name: 'huge.csv', mimeType: 'text/csv', buffer: Buffer.alloc(10 * 1024 * 1024 + 1) }
    await page.getByTestId('composer').pressSequentially('/count list:')
    await page.locator('input[data-option=list]').setInputFiles(huge)
    await page.getByText('huge.csv is larger than 10 MB.').waitFor()
    expect(await page.getByTestId('command-bar').getByText('Choose a file').count()).toBe(1)
    await page.keyboard.press('Escape')
    await page.reload()
    await run(page, 'profile')
    await page.getByTestId('modal').locator('input[type=file]').setInputFiles(huge)
    await page.getByText('huge.csv is larger than 10 MB.').waitFor()
    expect(await page.getByTestId('modal').getByText('Drop files here').count()).toBe(1)
    expect(problems).toEqual([])
  })

  test('text that begins no option’s name is the first option’s', async () => {
    const { page } = await openAsMember('plain')
    await page.getByTestId('composer').pressSequentially('/count 3')
    await page.keyboard.press('Enter')
    await page.getByText('Counted from 3 to nothing').waitFor()
  })

  test('a channel is on screen before the next key is handled, however late the page draws', async () => {
    const { page } = await openAsMember('quick')
    const guild = await bot.guilds.fetch(guildId)
    await guild.channels.create({ name: 'next', type: ChannelType.GuildText })
    await page.locator('[data-channel=next]').waitFor()
    const shown = await page.evaluate(async () => {
      globalThis.requestAnimationFrame = () => 0
      document.querySelector<HTMLElement>('[data-channel=next]')?.click()
      await new Promise((resolve) => setTimeout(resolve))
      return document.querySelector('main')?.getAttribute('aria-label')
    })
    expect(shown).toBe('next')
  })

  test('a missing required option is named and nothing is sent', async () => {
    const { page } = await openAsMember('hasty')
    await page.getByTestId('composer').pressSequentially('/greet ')
    await page.keyboard.press('Enter')
    expect(await page.getByRole('alert').textContent()).toBe('This option is required. Specify a value.')
    await page.keyboard.press('Escape')
    await page.getByTestId('composer').waitFor()
  })

  test('a subcommand asks the bot for choices while the option is typed', async () => {
    const { page } = await openAsMember('searcher')
    await page.getByTestId('composer').pressSequentially('/links show page:pri')
    await page.getByTestId('option-choice').filter({ hasText: 'Pricing' }).click()
    await page.getByTestId('run-command').click()
    await page.getByText('You chose pricing-page').waitFor()
  })

  test('a command that the bot never answers is told after three seconds', async () => {
    const { page } = await openAsMember('patient')
    await run(page, 'silence')
    const failed = page.getByTestId('command-failed')
    await failed.waitFor({ timeout: 10_000 })
    expect(await failed.textContent()).toBe('The application did not respond')
    await page.getByRole('button', { name: 'Dismiss message' }).click()
    await failed.waitFor({ state: 'detached' })
  })

  test('a command that only managers may use is offered to managers alone', async () => {
    const { page } = await openAsMember('outsider')
    await page.getByTestId('composer').fill('/s')
    const offered = page.getByTestId('slash-picker').getByRole('option')
    await offered.first().waitFor()
    expect(await offered.evaluateAll((options) => options.map((option) => option.getAttribute('data-command')))).toEqual([
      'silence',
      'slow',
      'links show',
    ])
    const manager = await openAs(owner)
    await manager.page.getByTestId('composer').fill('/s')
    await manager.page.locator('[data-command=settings]').waitFor()
  })

  test('a deferred answer is thinking until it is there', async () => {
    const { page } = await openAsMember('thinker')
    await run(page, 'slow')
    await page.getByTestId('thinking').filter({ hasText: 'Helper is thinking…' }).waitFor()
    await page.getByText('Thought about it').waitFor()
    expect(await page.getByTestId('thinking').count()).toBe(0)
  })

  test('a command on a message is found under Apps', async () => {
    const { page } = await openAsMember('reporter')
    await say(page, 'Something odd')
    await page.getByTestId('message').filter({ hasText: 'Something odd' }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Apps' }).click()
    await page.getByRole('menuitem', { name: 'Report' }).click()
    await page.getByText('Reported: Something odd').waitFor()
  })
})

describe('components and modals', () => {
  test('a modal is checked, submitted, and answered for this person alone', async () => {
    const { page, problems } = await openAsMember('applicant')
    const watcher = await openAsMember('watcher')
    await run(page, 'apply')
    const modal = page.getByRole('dialog', { name: 'Apply' })
    await modal.getByTestId('modal-submit').click()
    expect(await modal.getByRole('alert').allInnerTexts()).toEqual([
      'This field is required',
      'This field is required',
      'This field is required',
    ])
    await modal.getByLabel('Full name').fill('Ada Lovelace')
    await modal.getByRole('combobox', { name: 'Industry' }).click()
    await page.getByRole('option', { name: 'SaaS' }).click()
    await modal.getByText('Euro').click()
    await modal.getByTestId('modal-submit').click()
    const answer = page.getByTestId('message').filter({ hasText: 'Ada Lovelace in saas, paid in eur' })
    await answer.waitFor()
    await answer.getByText('Only you can see this').waitFor()
    expect(await modal.count()).toBe(0)
    await say(watcher.page, 'I see nothing')
    expect(await watcher.page.getByText('paid in eur').count()).toBe(0)
    await answer.getByRole('button', { name: 'Dismiss message' }).click()
    await answer.waitFor({ state: 'detached' })
    expect([...problems, ...watcher.problems]).toEqual([])
  })

  test('people, channels, boxes and files of a modal reach the bot', async () => {
    const { page, person, problems } = await openAsMember('filler')
    await run(page, 'profile')
    const modal = page.getByRole('dialog', { name: 'Profile' })
    await modal.getByRole('combobox', { name: 'Mentor' }).click()
    await page.getByRole('textbox', { name: 'Search options' }).fill('filler')
    await page.keyboard.press('Enter')
    await modal.getByRole('combobox', { name: 'Place' }).click()
    await page.getByRole('option', { name: 'general' }).first().click()
    await modal.getByText('Contests').click()
    await modal.getByText('Webinars').click()
    await modal.getByText('I agree').click()
    await modal
      .getByLabel('Proof')
      .setInputFiles({ name: 'proof.txt', mimeType: 'text/plain', buffer: Buffer.from('twelve bytes') })
    await modal.getByTestId('modal-submit').click()
    await page.getByText(`${person.id} general contests,webinars true proof.txt 12`).waitFor()
    expect(problems).toEqual([])
  })

  test('a file that someone sends is shown with its name and size', async () => {
    const { page, problems } = await openAsMember('sender')
    await page
      .getByTestId('composer-files')
      .setInputFiles({ name: 'numbers.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b') })
    await page.getByRole('button', { name: 'Send message' }).click()
    const message = page.getByTestId('message').filter({ hasText: 'numbers.csv' })
    await message.waitFor()
    expect(await message.textContent()).toContain('3 bytes')
    expect(problems).toEqual([])
  })

  test('buttons and selects of a card work, and a failed press is told on the message', async () => {
    const { page, problems } = await openAsMember('presser')
    await run(page, 'card')
    const card = page.getByTestId('message').filter({ hasText: 'Your card' }).last()
    await card.getByRole('button', { name: 'Count' }).click()
    await card.getByText('Pressed 1 times').waitFor()
    await card.getByRole('combobox').click()
    await page.getByRole('option', { name: 'Blue' }).click()
    await page.getByText('You like blue').waitFor()
    await card.getByRole('button', { name: 'Broken' }).click()
    await expect.poll(() => card.getByRole('button', { name: 'Count' }).isDisabled()).toBe(true)
    await card.getByTestId('interaction-failed').waitFor({ timeout: 10_000 })
    expect(problems).toEqual([])
  })
})

describe('the page', () => {
  test('switching person reconnects as that person', async () => {
    const { page } = await openAsMember('first')
    await addPerson('second')
    await page.getByTestId('switch-person').click()
    await page.locator('[data-testid=person][data-username=second]').click()
    await page.locator('[data-testid=switch-person][data-username=second]').waitFor()
    await page.getByTestId('join').first().waitFor()
  })

  test('a wrong token is told and someone else can be chosen', async () => {
    const { page } = await openPage(browser, `${sandbox.url}/client/?token=wrong`)
    await page.getByText('This person is no longer known here.').waitFor()
    await page.locator('[data-testid=person][data-username=max]').click()
    await page.locator('[data-testid=channel]').first().waitFor()
  })

  test('a dropped connection heals and misses nothing', async () => {
    const { page, person } = await openAsMember('dropped')
    await page.locator('[data-channel=general]').click()
    await control('POST', '/faults', { kind: 'gateway_drop', user_id: person.id })
    const guild = await bot.guilds.fetch(guildId)
    const channel = guild.channels.cache.find((candidate) => candidate.name === 'general')
    if (channel?.type !== ChannelType.GuildText) throw new Error('no general channel')
    await channel.send('Sent while you were away')
    await page.getByText('Sent while you were away').waitFor()
  })

  test('on a phone the channels are in a drawer and nothing overflows', async () => {
    const { page } = await openAsMember('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
    const channel = page.locator('[data-channel=general]').first()
    expect(await channel.isVisible()).toBe(false)
    await page.getByLabel('Open channel list').click()
    await channel.click()
    await page.getByTestId('composer').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390)
  })

  test('axe finds no serious problem with messages, a card and a modal on screen', async () => {
    const { page } = await openAsMember('reader')
    await run(page, 'card')
    await page.getByTestId('message').filter({ hasText: 'Your card' }).last().waitFor()
    expect(await seriousProblems(page)).toEqual([])
    await run(page, 'apply')
    await page.getByTestId('modal').waitFor()
    expect(await seriousProblems(page)).toEqual([])
  })
})

// ---- people and pages ----

async function control(method: string, path: string, body: unknown) {
  const response = await fetch(`${sandbox.url}/sandbox${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

const addPerson = (username: string): Promise<Person> => control('POST', '/people', { username })

async function openAs(person: Person, options = {}) {
  const opened = await openPage(browser, `${sandbox.url}/client/?token=${encodeURIComponent(person.token)}`, options)
  await opened.page.locator('[data-testid=app][data-status=ready]').waitFor()
  return { ...opened, person }
}

async function openAsMember(username: string, options = {}) {
  const person = await addPerson(username)
  await control('PUT', `/guilds/${guildId}/members/${person.id}`, {})
  const opened = await openAs(person, options)
  await opened.page.getByTestId('composer').waitFor()
  return opened
}

/** As `openAsMember`, and the page does not know the commands before `tellCommands`. */
async function openBeforeCommands(username: string) {
  const opened = await openAsMember(username)
  const { promise: told, resolve: tellCommands } = Promise.withResolvers<void>()
  await opened.page.route('**/application-command-index', async (route) => {
    await told
    await route.continue()
  })
  await opened.page.reload()
  return { ...opened, tellCommands }
}

const channelsOn = (page: Page) => page.getByTestId('channel').locator('.channel-name').allInnerTexts()

async function say(page: Page, text: string): Promise<void> {
  await page.getByTestId('composer').fill(text)
  await page.keyboard.press('Enter')
  await page
    .locator('[data-testid=message]:not([data-local])')
    .filter({ hasText: text.slice(0, 5) })
    .last()
    .waitFor()
}

async function run(page: Page, command: string): Promise<void> {
  await page.getByTestId('composer').pressSequentially(`/${command} `)
  await page.getByTestId('run-command').click()
}

// ---- the bot ----

async function startBot(token: string): Promise<Client<true>> {
  const client = new Client({ intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMembers], rest: { api: sandbox.api } })
  client.on('interactionCreate', (interaction) => void answer(interaction))
  await client.login(token)
  const ready = await new Promise<Client<true>>((resolve) =>
    client.isReady() ? resolve(client) : client.once('clientReady', resolve),
  )
  const text = ApplicationCommandOptionType.String
  await ready.application.commands.set(
    [
      {
        name: 'greet',
        description: 'Says hello',
        options: [
          { type: text, name: 'name', description: 'Whom to greet', required: true },
          {
            type: text,
            name: 'language',
            description: 'In which language',
            choices: [
              { name: 'French', value: 'fr' },
              { name: 'English', value: 'en' },
            ],
          },
        ],
      },
      {
        name: 'links',
        description: 'Your links',
        options: [
          {
            type: ApplicationCommandOptionType.Subcommand,
            name: 'show',
            description: 'Shows a link',
            options: [{ type: text, name: 'page', description: 'Which page', required: true, autocomplete: true }],
          },
        ],
      },
      {
        name: 'count',
        description: 'Counts',
        options: [
          { type: text, name: 'from', description: 'The first number' },
          { type: text, name: 'to', description: 'The last number' },
          { type: ApplicationCommandOptionType.Attachment, name: 'list', description: 'Numbers in a file' },
        ],
      },
      { name: 'silence', description: 'Never answers' },
      { name: 'slow', description: 'Answers later' },
      { name: 'settings', description: 'For managers', defaultMemberPermissions: PermissionFlagsBits.ManageGuild },
      { name: 'apply', description: 'Opens a form' },
      { name: 'profile', description: 'Opens a longer form' },
      { name: 'card', description: 'Shows a card' },
      { name: 'Report', type: ApplicationCommandType.Message },
    ],
    guildId,
  )
  return ready
}

let pressed = 0

async function answer(interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) {
    const pages = [
      { name: 'Pricing', value: 'pricing-page' },
      { name: 'Home', value: 'home-page' },
    ]
    await interaction.respond(
      pages.filter((page) => page.name.toLowerCase().includes(interaction.options.getFocused().toLowerCase())),
    )
  } else if (interaction.isMessageContextMenuCommand()) {
    const content = (await interaction.channel?.messages.fetch(interaction.targetId))?.content
    await interaction.reply({ content: `Reported: ${content}`, flags: MessageFlags.Ephemeral })
  } else if (interaction.isModalSubmit() && interaction.customId === 'profile') {
    const { fields } = interaction
    const file = fields.getUploadedFiles('proof', true).first()
    const mentor = fields.getSelectedUsers('mentor', true).first()?.id
    const place = fields.getSelectedChannels('place', true).first()
    const topics = fields.getCheckboxGroup('topics').join(',')
    const content = `${mentor} ${place && 'name' in place ? place.name : ''} ${topics} ${fields.getCheckbox('agree')} ${file?.name} ${file?.size}`
    await interaction.reply({ content, flags: MessageFlags.Ephemeral })
  } else if (interaction.isModalSubmit()) {
    const industry = interaction.fields.getStringSelectValues('industry')[0]
    await interaction.reply({
      content: `${interaction.fields.getTextInputValue('name')} in ${industry}, paid in ${interaction.fields.getRadioGroup('currency')}`,
      flags: MessageFlags.Ephemeral,
    })
  } else if (interaction.isButton() && interaction.customId === 'count') {
    pressed += 1
    await interaction.update({ components: card(`Pressed ${pressed} times`), flags: MessageFlags.IsComponentsV2 })
  } else if (interaction.isStringSelectMenu()) {
    await interaction.reply({ content: `You like ${interaction.values[0]}`, flags: MessageFlags.Ephemeral })
  } else if (interaction.isChatInputCommand()) {
    await answerCommand(interaction)
  }
}

async function answerCommand(
  interaction: Extract<Interaction, { commandName: string; commandType: ApplicationCommandType.ChatInput }>,
): Promise<void> {
  if (!interaction.isChatInputCommand()) return
  const { options } = interaction
  switch (interaction.commandName) {
    case 'greet':
      await interaction.reply(`${options.getString('language') === 'fr' ? 'Bonjour' : 'Hello'}, ${options.getString('name', true)}`)
      break
    case 'links':
      await interaction.reply({ content: `You chose ${options.getString('page', true)}`, flags: MessageFlags.Ephemeral })
      break
    case 'count':
      await interaction.reply(`Counted from ${options.getString('from') ?? 'nothing'} to ${options.getString('to') ?? 'nothing'}`)
      break
    case 'slow':
      await interaction.deferReply({ flags: MessageFlags.Ephemeral })
      await new Promise((resolve) => setTimeout(resolve, 700))
      await interaction.editReply('Thought about it')
      break
    case 'apply':
      await interaction.showModal(form())
      break
    case 'profile':
      await interaction.showModal(longForm())
      break
    case 'card':
      pressed = 0
      await interaction.reply({ components: card('Not pressed yet'), flags: MessageFlags.IsComponentsV2 })
      break
  }
}

function form(): ModalBuilder {
  const industry = new StringSelectMenuBuilder()
    .setCustomId('industry')
    .addOptions({ label: 'SaaS', value: 'saas' }, { label: 'Retail', value: 'retail' })
  const currency = new RadioGroupBuilder()
    .setCustomId('currency')
    .addOptions({ label: 'Dollar', value: 'usd' }, { label: 'Euro', value: 'eur' })
  return new ModalBuilder()
    .setCustomId('apply')
    .setTitle('Apply')
    .addLabelComponents(
      new LabelBuilder()
        .setLabel('Full name')
        .setTextInputComponent(new TextInputBuilder().setCustomId('name').setStyle(TextInputStyle.Short).setMinLength(2)),
      new LabelBuilder().setLabel('Industry').setStringSelectMenuComponent(industry),
      new LabelBuilder().setLabel('Currency').setRadioGroupComponent(currency),
    )
}

function longForm(): ModalBuilder {
  const topics = new CheckboxGroupBuilder()
    .setCustomId('topics')
    .setMinValues(2)
    .setMaxValues(3)
    .addOptions(
      { label: 'News', value: 'news' },
      { label: 'Contests', value: 'contests' },
      { label: 'Webinars', value: 'webinars' },
    )
  return new ModalBuilder()
    .setCustomId('profile')
    .setTitle('Profile')
    .addLabelComponents(
      new LabelBuilder().setLabel('Mentor').setUserSelectMenuComponent(new UserSelectMenuBuilder().setCustomId('mentor')),
      new LabelBuilder()
        .setLabel('Place')
        .setChannelSelectMenuComponent(new ChannelSelectMenuBuilder().setCustomId('place').setChannelTypes(ChannelType.GuildText)),
      new LabelBuilder().setLabel('Topics').setCheckboxGroupComponent(topics),
      new LabelBuilder().setLabel('I agree').setCheckboxComponent(new CheckboxBuilder().setCustomId('agree')),
      new LabelBuilder().setLabel('Proof').setFileUploadComponent(new FileUploadBuilder().setCustomId('proof')),
    )
}

function card(text: string): [ContainerBuilder] {
  const button = (id: string, label: string, style: ButtonStyle.Primary | ButtonStyle.Danger) =>
    new ButtonBuilder().setCustomId(id).setLabel(label).setStyle(style)
  return [
    new ContainerBuilder()
      .setAccentColor(0x3ba55d)
      .addSectionComponents(
        new SectionBuilder()
          .addTextDisplayComponents(new TextDisplayBuilder().setContent(`## Your card\n${text}`))
          .setButtonAccessory(button('count', 'Count', ButtonStyle.Primary)),
      )
      .addActionRowComponents(
        new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
          new StringSelectMenuBuilder()
            .setCustomId('colour')
            .setPlaceholder('Pick a colour')
            .addOptions({ label: 'Blue', value: 'blue' }, { label: 'Red', value: 'red' }),
        ),
      )
      .addActionRowComponents(new ActionRowBuilder<ButtonBuilder>().addComponents(button('broken', 'Broken', ButtonStyle.Danger))),
  ]
}
