// Interactions over a real gateway with the real client: each gets exactly one answer, whatever happens behind it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { componentRef, customId } from '../commands/customId.ts'
import { type Command, defineCommand, onComponent, textField } from '../commands/define.ts'
import { button, card, modal, plain } from '../commands/messages.ts'
import { type Connection, connect } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { testDatabase } from '../db/testing.ts'
import { systemClock } from '../plugins/kit/clock.ts'
import { UserError } from '../plugins/kit/errors.ts'
import { load } from '../plugins/kit/load.ts'
import { definePlugin } from '../plugins/kit/plugin.ts'
import type { Payload, Person } from '../sandbox/discord/person.ts'
import { type BotHost, startBot } from './host.ts'
import { type LocalDiscord, localDiscord } from './testing/discord.ts'

const form = componentRef('lab.form', ['topic'])
const count = componentRef('lab.count', ['by'])
const fail = componentRef('lab.fail')
let handled: string[] = []

const command = (path: string, reply: Command['reply'], run: Command['run'], more: Partial<Command> = {}): Command =>
  defineCommand({ path, description: `Tries ${path}`, access: 'everyone', reply, run, ...more })
const counter = (shown: string) =>
  card({
    title: `Count ${shown}`,
    rows: [
      [button({ customId: customId(count, { by: '2' }), label: 'Add' }), button({ customId: customId(fail, {}), label: 'Break' })],
    ],
  })
const bug = () => Promise.reject(new Error('the wires are crossed'))
const refusal = () => Promise.reject(new UserError('closed', 'The lab is closed. Come back at nine.'))

const lab = definePlugin({
  id: 'lab',
  title: 'Lab',
  summary: 'Tries things.',
  setup: () => ({
    commands: [
      command('quiet', 'ephemeral', async (ctx) => {
        handled.push(ctx.interactionId)
        return plain(`Hello ${ctx.user.username}`)
      }),
      command('loud', 'public', async () => counter('0')),
      command('pointing', 'ephemeral', async (ctx) => plain(`${ctx.mention('mixed open')} ${ctx.mention('elsewhere')}`)),
      command('quiet-bug', 'ephemeral', bug),
      command('loud-bug', 'public', bug),
      command('form-bug', 'modal', bug),
      command('quiet-refusal', 'ephemeral', refusal),
      command('loud-refusal', 'public', refusal),
      command('for-admins', 'ephemeral', async () => plain('secret'), { access: 'admin' }),
      command('mixed open', 'ephemeral', async () => plain('open')),
      command('mixed shut', 'ephemeral', async () => plain('secret'), { access: 'admin' }),
      command('fill', 'modal', async () =>
        modal({
          customId: customId(form, { topic: 'a:b' }),
          title: 'Fill in',
          fields: [{ kind: 'text', key: 'name', label: 'Name' }],
        }),
      ),
    ],
    commandGroups: { mixed: 'Both' },
    components: [
      onComponent(form, {
        access: 'everyone',
        reply: 'update',
        run: async (_ctx, { topic }, input) =>
          textField(input, 'name') === 'bug' ? bug() : plain(`${topic}: ${textField(input, 'name')}`),
      }),
      onComponent(count, { access: 'everyone', reply: 'update', run: async (_ctx, { by }) => counter(by) }),
      onComponent(fail, { access: 'everyone', reply: 'update', run: bug }),
    ],
  }),
})

let discord: LocalDiscord
let connection: Connection
let bot: BotHost | undefined
let ada: Person
let channelId: string
const lines: string[] = []

async function start(): Promise<BotHost> {
  return startBot({
    connection,
    rest: discord.rest,
    token: discord.token,
    apiUrl: discord.api,
    clock: systemClock,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    loaded: await load([lab], () => ({}) as never),
    emit: createOutbox(systemClock).emit,
  })
}

beforeAll(async () => {
  discord = await localDiscord()
  connection = await testDatabase({ max: 8 })
  bot = await start()
  ada = await discord.member('ada')
  channelId = (await discord.channels()).find((channel) => channel.name === 'general')!.id
})
afterAll(async () => {
  await bot?.stop()
  await discord.close()
  await connection.close()
})
beforeEach(() => {
  handled = []
})

const run = async (person: Person, name: string, options: unknown[] = []) => {
  const { nonce, status } = await person.run(discord.guildId, channelId, name, options)
  return { nonce, status }
}
const ephemeral = 64
const thinking = 128
const words = (message: Payload) => JSON.stringify(message.components)
/** The message as it stands once “thinking…” is over. */
async function answered(person: Person, nonce: string): Promise<Payload> {
  const first = await person.next('MESSAGE_CREATE', (message) => message.nonce === nonce)
  if ((first.flags & thinking) === 0) return first
  return person.next('MESSAGE_UPDATE', (message) => message.id === first.id && (message.flags & thinking) === 0)
}

async function unfinished(): Promise<number> {
  const [row] = await connection.sql<{ count: number }[]>`
    select count(*)::int from core_interactions where token is not null or finished_at is null`
  return row!.count
}

test('an ephemeral command is answered to its user alone', async () => {
  const { nonce } = await run(ada, 'quiet')
  const answer = await answered(ada, nonce)
  expect(answer.flags & ephemeral).toBe(ephemeral)
  expect(words(answer)).toContain('Hello ada')
  expect((await discord.messages(channelId)).map((message) => message.id)).not.toContain(answer.id)
})

/** What the bot makes of the id that Discord has for /mixed, and of a command that Discord does not have. */
async function pointsToCommands(): Promise<void> {
  const registered = (await discord.rest.get(`/applications/${bot!.applicationId}/guilds/${discord.guildId}/commands`)) as {
    id: string
    name: string
  }[]
  const { id } = registered.find(({ name }) => name === 'mixed')!
  expect(words(await answered(ada, (await run(ada, 'pointing')).nonce))).toContain(`</mixed open:${id}> \`/elsewhere\``)
}

test('commands are pointed to by the ids that Discord gave them', pointsToCommands)

test('a public command is answered to everyone', async () => {
  const { nonce } = await run(ada, 'loud')
  const answer = await answered(ada, nonce)
  expect(answer.flags & ephemeral).toBe(0)
  expect((await discord.messages(channelId)).map((message) => message.id)).toContain(answer.id)
})

test('a button replaces the message that it sits on', async () => {
  const { nonce } = await run(ada, 'loud')
  const message = await answered(ada, nonce)
  await ada.press({ ...message, guild_id: discord.guildId }, customId(count, { by: '2' }))
  const updated = await ada.next(
    'MESSAGE_UPDATE',
    (candidate) => candidate.id === message.id && words(candidate).includes('Count 2'),
  )
  expect(updated.flags & ephemeral).toBe(0)
})

test('a form opens at once, and what was typed arrives under its key with the parameters', async () => {
  await run(ada, 'fill')
  const opened = await ada.next('INTERACTION_MODAL_CREATE')
  const { nonce } = await ada.submit(opened, discord.guildId, [
    { type: 18, component: { type: 4, custom_id: 'name', value: ' Ada ' } },
  ])
  expect(words(await answered(ada, nonce))).toContain('a:b: Ada')
})

describe('what fails', () => {
  test.each([
    ['an ephemeral command', 'quiet-bug'],
    ['a public command', 'loud-bug'],
    ['a command that should have opened a form', 'form-bug'],
  ])('in %s is told to its user alone, with an id that is in the log', async (_, name) => {
    const before = (await discord.messages(channelId)).length
    const { nonce } = await run(ada, name)
    await theIdIsInTheLog(await failureTold(nonce))
    expect(await discord.messages(channelId)).toHaveLength(before)
  })

  test('in a button is told without touching the message', async () => {
    const { nonce } = await run(ada, 'loud')
    const message = await answered(ada, nonce)
    await ada.press({ ...message, guild_id: discord.guildId }, customId(fail, {}))
    await theIdIsInTheLog(await ada.next('MESSAGE_CREATE', (candidate) => words(candidate).includes('went wrong')))
    expect(words((await discord.messages(channelId)).find((candidate) => candidate.id === message.id))).toContain('Count 0')
  })

  test('in a form that came from a command replaces “thinking…”', async () => {
    await run(ada, 'fill')
    const opened = await ada.next('INTERACTION_MODAL_CREATE')
    const { nonce } = await ada.submit(opened, discord.guildId, [
      { type: 18, component: { type: 4, custom_id: 'name', value: 'bug' } },
    ])
    await theIdIsInTheLog(await answered(ada, nonce))
  })

  test.each(['quiet-refusal', 'loud-refusal'])('by refusal in /%s is told in its own words, and is no bug', async (name) => {
    const logged = lines.length
    const { nonce } = await run(ada, name)
    const told = await failureTold(nonce)
    expect(told.flags & ephemeral).toBe(ephemeral)
    expect(words(told)).toContain('The lab is closed. Come back at nine.')
    expect(lines.slice(logged).join()).not.toContain('an interaction failed')
  })

  test('because the database is away is told as well', async () => {
    await expect.poll(unfinished).toBe(0)
    await connection.sql`alter table core_interactions rename to core_interactions_away`
    try {
      const { nonce } = await run(ada, 'quiet')
      await theIdIsInTheLog(await failureTold(nonce))
    } finally {
      await connection.sql`alter table core_interactions_away rename to core_interactions`
    }
  })

  /** The refusal that is seen in the end: the answer itself, or a message beside a public answer that was taken back. */
  async function failureTold(nonce: string): Promise<Payload> {
    const first = await ada.next('MESSAGE_CREATE', (message) => message.nonce === nonce)
    if ((first.flags & thinking) === 0) return first
    if ((first.flags & ephemeral) !== 0)
      return ada.next('MESSAGE_UPDATE', (message) => message.id === first.id && (message.flags & thinking) === 0)
    await ada.next('MESSAGE_DELETE', (message) => message.id === first.id)
    return ada.next(
      'MESSAGE_CREATE',
      (message) => message.id !== first.id && (message.flags & ephemeral) !== 0 && message.id > first.id,
    )
  }

  async function theIdIsInTheLog(told: Payload): Promise<void> {
    expect(told.flags & ephemeral).toBe(ephemeral)
    expect(words(told)).not.toContain('wires')
    const id = /`([\da-f]{8})`/.exec(words(told))![1]
    const entry = lines
      .map((line) => JSON.parse(line) as { errorId?: string; err?: { message: string } })
      .find((line) => line.errorId === id)
    expect(entry?.err?.message).toMatch(/wires are crossed|core_interactions/)
  }
})

test('an admin’s subcommand beside open ones is refused to others and answered to an admin', async () => {
  const shut = [{ type: 1, name: 'shut', options: [] }]
  const refused = await run(ada, 'mixed', shut)
  expect(words(await answered(ada, refused.nonce))).toContain('This is for admins of the server')
  const allowed = await run(discord.owner, 'mixed', shut)
  expect(words(await answered(discord.owner, allowed.nonce))).toContain('secret')
})

test('a control of an older version is answered with what to do', async () => {
  await discord.rest.post(`/channels/${channelId}/messages`, {
    body: {
      flags: 1 << 15,
      components: card({ title: 'Old', rows: [[button({ customId: 'lab.count:1:2:3', label: 'x' })]] }).components,
    },
  })
  const message = await ada.next('MESSAGE_CREATE', (candidate) => words(candidate).includes('Old'))
  await ada.press({ ...message, guild_id: discord.guildId }, 'lab.count:1:2:3')
  expect(words(await ada.next('MESSAGE_UPDATE', (candidate) => words(candidate).includes('older version')))).toContain(
    'Run the command again',
  )
})

test('an interaction that the gateway delivers twice is handled once', async () => {
  const { nonce } = await run(ada, 'quiet')
  await answered(ada, nonce)
  const errors = lines.filter((line) => line.includes('an interaction')).length
  await discord.control('POST', '/faults', { kind: 'replay', event: 'INTERACTION_CREATE', count: 1 })
  const { nonce: later } = await run(ada, 'loud')
  await answered(ada, later)
  expect(handled).toHaveLength(1)
  expect(lines.filter((line) => line.includes('an interaction'))).toHaveLength(errors)
})

test('who leaves is noticed, though the bot has never heard of them', async () => {
  const grace = await discord.member('grace')
  await bot!.stop()
  // Discord names no members to a bot that comes, so this one does not know grace.
  bot = await start()
  await discord.control('DELETE', `/guilds/${discord.guildId}/members/${grace.id}`)
  const left = () => connection.sql`
    select 1 from core_outbox where name = 'guild.member_left' and payload ->> 'userId' = ${grace.id}`
  await expect.poll(async () => (await left()).length, { timeout: 5000 }).toBe(1)
})

test('a server whose commands Discord does not take keeps the bot from serving no other', async () => {
  const { id: other } = (await discord.control('POST', '/guilds', { name: 'Other', owner_id: discord.owner.id })) as { id: string }
  const [application] = (await discord.control('GET', '/applications')) as { id: string }[]
  await bot!.stop()
  await discord.control('PUT', `/guilds/${other}/applications/${application!.id}`, { permissions: '8' })
  await discord.control('POST', '/faults', { kind: 'status', route: `/guilds/${other}/commands`, status: 403, count: 1 })
  bot = await start()
  expect(words(await answered(ada, (await run(ada, 'quiet')).nonce))).toContain('Hello ada')
  expect(lines.some((line) => line.includes('it is tried again') && line.includes(other))).toBe(true)
})

test('no token of a finished interaction is kept', async () => {
  const [row] = await connection.sql<{ count: number }[]>`select count(*)::int from core_interactions`
  expect(row!.count).toBeGreaterThan(5)
  await expect.poll(unfinished).toBe(0)
})

describe('across processes', () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  test('an interaction that a killed process had begun gets a word from the next one, and its commands cost no new registration', async () => {
    await bot!.stop()
    bot = undefined
    const child = await aBotThatHangs()
    const { nonce } = await run(ada, 'quiet')
    const waiting = await ada.next('MESSAGE_CREATE', (message) => message.nonce === nonce)
    expect(waiting.flags & thinking).toBe(thinking)
    child.kill('SIGKILL')
    await once(child, 'exit')
    const logged = lines.length
    bot = await start()
    const told = await ada.next('MESSAGE_UPDATE', (message) => message.id === waiting.id)
    expect(told.flags & thinking).toBe(0)
    expect(words(told)).toContain('We were interrupted')
    expect(lines.slice(logged).join()).not.toContain('commands were brought up to date')
    expect(words(await answered(ada, (await run(ada, 'quiet')).nonce))).toContain('Hello ada')
    await pointsToCommands()
  })

  /** The same bot in a process of its own, with the same commands, whose handlers never finish. */
  async function aBotThatHangs(): Promise<ChildProcess> {
    const from = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const registrations = JSON.stringify((await load([lab], () => ({}) as never)).commands)
    const script = `
      const { connect } = await import(${from('../db/connect.ts')})
      const { startBot } = await import(${from('./host.ts')})
      const { createOutbox } = await import(${from('../db/outbox.ts')})
      const { systemClock } = await import(${from('../plugins/kit/clock.ts')})
      const { REST } = await import('@discordjs/rest')
      const { default: pino } = await import('pino')
      const run = () => new Promise(() => {})
      await startBot({
        connection: await connect(${JSON.stringify(connection.url)}),
        rest: new REST({ version: '10', api: ${JSON.stringify(discord.api)} }).setToken(${JSON.stringify(discord.token)}),
        token: ${JSON.stringify(discord.token)},
        apiUrl: ${JSON.stringify(discord.api)},
        clock: systemClock,
        log: pino({ level: 'silent' }),
        loaded: { commands: ${registrations}.map((command) => ({ ...command, run })), commandGroups: { mixed: 'Both' }, components: new Map() },
        emit: createOutbox(systemClock).emit,
      })
      console.log('ready')`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      cwd: new URL('..', import.meta.url),
    })
    children.push(child)
    await once(child.stdout!, 'data')
    return child
  }
})

describe('a gateway lock that is lost', () => {
  const breakLock = () =>
    connection.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'siso-gateway' and datname = current_database()`
  const online = async () => ((await discord.control('GET', '/applications')) as { online: boolean }[])[0]!.online
  /** Whether the database takes new connections; the open ones stay. */
  const letIn = async (allowed: boolean) => {
    const { pathname } = new URL(connection.url)
    const server = await connect(connection.url.replace(pathname, '/postgres'), { max: 1 })
    await server.sql.unsafe(`alter database ${pathname.slice(1)} allow_connections ${allowed}`)
    await server.close()
  }
  const arrivals = () => lines.filter((line) => line.includes('the bot is on Discord')).length

  test('makes the bot leave and come back, however often', async () => {
    for (let round = 0; round < 2; round++) {
      const before = arrivals()
      await breakLock()
      await expect.poll(arrivals, { timeout: 10_000 }).toBe(before + 1)
      await expect.poll(() => bot!.state()).toBe('ok')
      expect(words(await answered(ada, (await run(ada, 'quiet')).nonce))).toContain('Hello ada')
    }
    await bot!.stop()
    expect(await online()).toBe(false)
    bot = await start()
  })

  test('is taken again once the database lets anyone in again', async () => {
    const before = arrivals()
    await letIn(false)
    await breakLock()
    await expect
      .poll(() => lines.filter((line) => line.includes('could not return to Discord yet')).length, { timeout: 10_000 })
      .toBeGreaterThan(0)
    expect(bot!.state()).toBe('not connected to Discord')
    await letIn(true)
    await expect.poll(arrivals, { timeout: 10_000 }).toBe(before + 1)
    expect(words(await answered(ada, (await run(ada, 'quiet')).nonce))).toContain('Hello ada')
  })
})
