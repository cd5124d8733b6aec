// What every plugin promises, checked over all of them: names that do not collide, Discord's limits, tables as they are, settings and commands that are explained.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { APIApplicationCommandOption } from 'discord-api-types/v10'
import { getTableName, is } from 'drizzle-orm'
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core'
import pino from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { buildApp } from '../api/app.ts'
import { houseEnvironment } from '../app/environment.ts'
import { createDiscordEffects } from '../bot/effects.ts'
import { blueprintOf } from '../bot/guild.ts'
import { guildPlugin } from '../bot/plugin.ts'
import { housePlugin } from '../commands/plugin.ts'
import { toRegistrations } from '../commands/register.ts'
import type { Connection } from '../db/connect.ts'
import { createOutbox } from '../db/outbox.ts'
import { programStore } from '../db/programs.ts'
import * as coreTables from '../db/tables.ts'
import { testDatabase } from '../db/testing.ts'
import { createTokens } from '../db/tokens.ts'
import { createWebhookInbox } from '../db/webhooks.ts'
import { createWire } from '../db/wire.ts'
import { plugins } from './index.ts'
import { type Blueprint, definePlugin, manualClock, type Parts, type Plugin } from './kit/index.ts'
import { type Loaded, load } from './kit/load.ts'

/** The house's own two, which every program runs beside the listed ones. */
const own: readonly Plugin[] = [
  guildPlugin({} as never),
  housePlugin({ commands: () => [], plugins: () => [], reconcile: async () => [] }),
]
const all = [...own, ...plugins]
const listed = plugins.map((plugin) => [plugin.id, plugin] as const)
const everyone = all.map((plugin) => [plugin.id, plugin] as const)

/** Recorded exceptions: rows that are nothing but a keyed hash, news from a provider whose program is not known yet, and which hours are summed up. */
const withoutProgram: ReadonlySet<string> = new Set(['links_visits', 'payouts_early_news', 'links_summed', 'links_stale_hours'])

let connection: Connection
let loaded: Loaded
let blueprint: Required<Blueprint>
/** What each plugin contributes, by its id: the parts of its setup. */
const partsOf = new Map<string, Parts>()

beforeAll(async () => {
  connection = await testDatabase()
  const clock = manualClock('2026-11-02T09:00:00Z')
  const { emit, enqueue } = createOutbox(clock)
  const program = await connection.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000001', name: 'SISO' }))
  blueprint = await blueprintOf(connection.db, all, program.id)
  const watched = all.map((plugin) => ({
    ...plugin,
    setup: async (context: never) => {
      const parts = await plugin.setup(context)
      partsOf.set(plugin.id, parts)
      return parts
    },
  }))
  loaded = await load(watched, (plugin) => ({
    db: connection.db,
    clock,
    log: pino({ level: 'silent' }),
    settings: { of: async () => (plugin.config ? plugin.config.parse({}) : {}), changes: async () => [] },
    env: examplesOf(plugin),
    emit,
    enqueue,
    discord: createDiscordEffects(clock, enqueue),
    programs: programStore,
    tokens: createTokens(clock),
    webhooks: createWebhookInbox(clock),
    url: (path) => `http://program.test${path}`,
    secret: () => Buffer.alloc(32),
    wire: createWire(connection),
    dataDirectory: '/nonexistent',
  }))
})
afterAll(async () => {
  await loaded.stop()
  await connection.close()
})

function examplesOf(plugin: Plugin): Record<string, string | undefined> {
  return Object.fromEntries((plugin.environment ?? []).map((variable) => [variable.name, variable.example]))
}

test('the house has plugins, and each has an id of its own', () => {
  expect(plugins.length).toBeGreaterThan(0)
  const ids = all.map((plugin) => plugin.id)
  expect(ids).toEqual([...new Set(ids)])
  for (const id of ids) expect(id).toMatch(/^[a-z][a-z0-9]*$/)
})

describe.each(listed)('%s', (id, plugin) => {
  const folder = new URL(`./${id}/`, import.meta.url)
  const read = (name: string) => readFileSync(new URL(name, folder), 'utf8')

  test('has a manifest of at most 60 lines that says what it is in a title and one sentence', () => {
    expect(read('plugin.ts').trimEnd().split('\n').length).toBeLessThanOrEqual(60)
    expect(plugin.title).toMatch(/^\p{Lu}.{2,60}$/u)
    expect(plugin.summary).toMatch(/^\p{Lu}.{10,200}\.$/u)
  })

  test('says what it stores about people', () => {
    expect(plugin.data?.statement ?? '').toMatch(/\w{3,}.+/)
  })

  test('has a README that names each of its commands, settings and events', () => {
    expect(existsSync(new URL('README.md', folder)), `plugins/${id}/README.md is missing`).toBe(true)
    const readme = read('README.md')
    const commands = loaded.commands.filter((command) => command.plugin === id).map((command) => `/${command.path}`)
    const settings = Object.keys(shapeOf(plugin.config))
    const events = existsSync(new URL('events.ts', folder))
      ? [...read('events.ts').matchAll(/defineEvent\('([^']+)'/g)].map((match) => match[1]!)
      : []
    expect([...commands, ...settings].filter((name) => !readme.includes(name))).toEqual([])
    expect(events.filter((name) => !readme.includes(name) && !readme.includes(`\`.${name.split('.')[1]}\``))).toEqual([])
  })

  test('explains every setting and gives it a default', () => {
    for (const [key, field] of Object.entries(shapeOf(plugin.config))) {
      expect(field.safeParse(undefined).success, `${key} has no default`).toBe(true)
      expect(field.description ?? '', `${key} is not described`).toMatch(/.{10,}/)
    }
  })

  test('declares tables of its own that are exactly those of the database', async () => {
    const declared = tablesOf(plugin.tables)
    expect(declared.map(getTableName).filter((name) => !name.startsWith(`${id}_`))).toEqual([])
    const inDatabase = (
      await connection.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE' and table_name like ${`${id}\\_%`}
        and not (select relispartition from pg_class where oid = table_name::regclass)`
    ).map((row) => row.name)
    expect(declared.map(getTableName).toSorted()).toEqual(inDatabase.toSorted())
    for (const table of declared)
      expect(declaredColumns(table), getTableName(table)).toEqual(await actualColumns(getTableName(table)))
  })

  test('scopes each table to a program, by its own column or by a foreign key to or from one that is', async () => {
    const scoped = (table: PgTable) =>
      withoutProgram.has(getTableName(table)) || declaredColumns(table).some((column) => column.name === 'program_id')
    const [inside, outside] = [tablesOf(plugin.tables).filter(scoped), tablesOf(plugin.tables).filter((table) => !scoped(table))]
    const links = await connection.sql<{ child: string; parent: string }[]>`
      select conrelid::regclass::text as child, confrelid::regclass::text as parent from pg_constraint where contype = 'f'`
    const reached = new Set(inside.map(getTableName))
    for (const _ of outside)
      for (const { child, parent } of links) {
        if (reached.has(parent)) reached.add(child)
        if (reached.has(child) && parent.startsWith(`${id}_`)) reached.add(parent)
      }
    expect(outside.map(getTableName).filter((name) => !reached.has(name))).toEqual([])
  })
})

describe.each(everyone)('%s', (id, plugin) => {
  test('names everything that outlives a release after itself', () => {
    const parts = partsOf.get(id)!
    const names = [
      ...(parts.listeners ?? []).map((listener) => listener.id),
      ...(parts.jobs ?? []).map((handler) => handler.job.name),
      ...(parts.schedules ?? []).map((schedule) => schedule.id),
      ...(parts.components ?? []).map((component) => component.ref.id),
    ]
    expect(names.filter((name) => !name.startsWith(`${id}.`))).toEqual([])
    const wish = plugin.blueprint?.((other) => other.config?.parse({}) as never, plugin.config?.parse({}) as never) ?? {}
    const keys = [...(wish.roles ?? []), ...(wish.categories ?? []), ...(wish.channels ?? [])].map((object) => object.key)
    expect(keys.filter((key) => !key.startsWith(`${id}:`))).toEqual([])
  })

  test('explains its environment variables', () => {
    for (const variable of plugin.environment ?? []) {
      expect(variable.name).toMatch(/^[A-Z][A-Z0-9_]+$/)
      expect(variable.purpose.length).toBeGreaterThan(10)
      expect(variable.where.length).toBeGreaterThan(5)
      expect(variable.example).not.toBe('')
    }
  })
})

test('subjects of /help fit their controls, and say the same wherever they are given', () => {
  for (const side of ['partners', 'admins'] as const) {
    const subjects = all.flatMap((plugin) => plugin.help?.[side] ?? [])
    for (const subject of subjects) {
      expect(subject.id).toMatch(/^[a-z][a-z0-9-]{1,30}$/)
      expect(subject.title).toMatch(/^\p{Lu}.{1,40}$/u)
      expect(subject.about.length, subject.title).toBeLessThanOrEqual(100)
      expect(subject.emoji).toMatch(/^\p{RGI_Emoji}$/v)
      expect(subjects.filter(({ id }) => id === subject.id)).toEqual(
        subjects.filter(({ id }) => id === subject.id).map(() => subject),
      )
    }
  }
})

test('no two locks have the same number', () => {
  const sources = ['../db', '.'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(`${folder}/${name}`, import.meta.url), 'utf8')),
  )
  const numbers = sources.flatMap((source) =>
    [...source.matchAll(/\b(?:\w+Lock|lockKey) = ([\d_]+)$/gm)].map(([, number]) => number),
  )
  expect(numbers.length).toBeGreaterThan(3)
  expect(numbers).toEqual([...new Set(numbers)])
})

test('every plugin in this folder is listed', () => {
  const there = folders().filter((name) => existsSync(new URL(`./${name}/plugin.ts`, import.meta.url)))
  expect(plugins.map((plugin) => plugin.id).toSorted()).toEqual(there.toSorted())
})

test('no environment variable is declared twice', () => {
  const names = all.flatMap((plugin) => (plugin.environment ?? []).map((variable) => variable.name))
  expect(names).toEqual([...new Set(names)])
})

describe('the commands', () => {
  type Node = Pick<APIApplicationCommandOption, 'name' | 'description' | 'type'> & {
    options?: Node[]
    choices?: { name: string; value: string | number }[]
    required?: boolean
    autocomplete?: boolean
  }
  const registered = () => toRegistrations(loaded.commands, loaded.commandGroups) as unknown as Node[]
  const nodes = (node: Node): Node[] => [node, ...(node.options ?? []).flatMap(nodes)]
  const subcommandTypes = new Set<number>([1, 2])

  test('are at most 100, each at most 8,000 characters long in all', () => {
    expect(registered().length).toBeLessThanOrEqual(100)
    const lengthOf = (node: Node): number =>
      node.name.length +
      node.description.length +
      (node.choices ?? []).reduce((sum, choice) => sum + choice.name.length + String(choice.value).length, 0) +
      (node.options ?? []).reduce((sum, option) => sum + lengthOf(option), 0)
    for (const command of registered()) expect(lengthOf(command), `/${command.name}`).toBeLessThanOrEqual(8000)
  })

  test('have names and descriptions as Discord takes them', () => {
    for (const node of registered().flatMap(nodes)) {
      expect(node.name).toMatch(/^[-_\p{Ll}\p{N}]{1,32}$/u)
      expect(node.description.length, `description of ${node.name}`).toBeGreaterThan(0)
      expect(node.description.length, `description of ${node.name}`).toBeLessThanOrEqual(100)
    }
  })

  test('have at most 25 options and choices, each name once, required ones first', () => {
    for (const node of registered().flatMap(nodes)) {
      const options = node.options ?? []
      expect(options.length, `options of ${node.name}`).toBeLessThanOrEqual(25)
      expect(options.map((option) => option.name)).toEqual([...new Set(options.map((option) => option.name))])
      const required = options.filter((option) => !subcommandTypes.has(option.type)).map((option) => option.required === true)
      expect(required).toEqual(required.toSorted((a, b) => Number(b) - Number(a)))
      const choices = node.choices ?? []
      expect(choices.length).toBeLessThanOrEqual(25)
      expect(node.autocomplete && choices.length > 0, `${node.name} has choices and suggestions`).toBeFalsy()
      for (const choice of choices) expect(choice.name).toMatch(/^.{1,100}$/s)
    }
  })

  test('belong to a group that is described, and every described group is used', () => {
    const used = new Set(
      loaded.commands.flatMap(({ path }) => path.split(' ').map((_, i, words) => words.slice(0, i + 1).join(' '))),
    )
    expect(Object.keys(loaded.commandGroups).filter((group) => !used.has(group))).toEqual([])
  })

  test('below /admin and /admin-… are for admins, and all that is for admins is there', () => {
    const astray = loaded.commands.filter((command) => (command.access === 'admin') !== /^admin(-[a-z]+)? /.test(command.path))
    expect(astray.map((command) => command.path)).toEqual([])
  })

  test('suggest without failing when nothing is typed and nothing is there', async () => {
    const program = (await programStore.all(connection.db))[0]!
    const ctx = {
      program,
      user: { id: '100000000000000001', username: 'ada', displayName: 'Ada' },
      member: { roleIds: [], isAdmin: true },
      channelId: '1',
      locale: 'en-US',
      interactionId: '1',
      now: new Date('2026-11-02T09:00:00Z'),
      mention: (path: string) => `\`/${path}\``,
      progress: async () => {},
      followUp: async () => {},
    }
    for (const { path, options } of loaded.commands)
      for (const [name, option] of Object.entries(options))
        if (option.type === 'string' && option.suggest)
          for (const choice of await option.suggest(ctx, '')) {
            expect(String(choice.value).length, `/${path} ${name}`).toBeGreaterThan(0)
            expect(String(choice.value).length, `/${path} ${name}`).toBeLessThanOrEqual(100)
          }
  })
})

describe('the blueprint', () => {
  const repeated = (names: readonly string[]) => names.filter((name, i) => names.indexOf(name) !== i)

  test('has every key once, and no two roles or channels that could be taken for each other', () => {
    expect(repeated(blueprint.roles.map((role) => role.key))).toEqual([])
    expect(repeated(blueprint.categories.map((category) => category.key))).toEqual([])
    expect(repeated(blueprint.channels.map((channel) => channel.key))).toEqual([])
    expect(repeated(blueprint.roles.map((role) => role.name.toLowerCase()))).toEqual([])
    expect(repeated(blueprint.categories.map((category) => category.name.toLowerCase()))).toEqual([])
    expect(repeated(blueprint.channels.map((channel) => channel.name.toLowerCase()))).toEqual([])
  })

  test('points only to roles and categories that exist', () => {
    const roles = new Set(blueprint.roles.map((role) => role.key))
    const categories = new Set(blueprint.categories.map((category) => category.key))
    for (const channel of blueprint.channels) {
      expect(categories, channel.key).toContain(channel.category)
      if (typeof channel.seenBy === 'object') for (const role of channel.seenBy.roles) expect(roles, channel.key).toContain(role)
    }
  })

  test('is within Discord’s limits, with channel names as Discord writes them', () => {
    expect(blueprint.roles.length).toBeLessThanOrEqual(200)
    expect(blueprint.channels.length + blueprint.categories.length).toBeLessThanOrEqual(450)
    for (const category of blueprint.categories)
      expect(blueprint.channels.filter((channel) => channel.category === category.key).length).toBeLessThanOrEqual(50)
    for (const channel of blueprint.channels) {
      if (channel.kind !== 'voice') expect(channel.name).toBe(channel.name.toLowerCase().replaceAll(' ', '-'))
      expect(channel.name.length).toBeLessThanOrEqual(100)
      expect((channel.topic ?? '').length).toBeLessThanOrEqual(1024)
    }
    for (const { name } of [...blueprint.roles, ...blueprint.categories]) expect(name).toMatch(/^.{1,100}$/u)
  })
})

test('every route says who may use it, and no two plugins claim the same address', async () => {
  const app = await buildApp({ loaded, log: pino({ level: 'silent' }), readiness: async () => ({}) })
  await app.close()
})

describe('the database', () => {
  test('has the core tables as the program sees them', async () => {
    const declared = tablesOf(coreTables)
    for (const table of declared)
      expect(declaredColumns(table), getTableName(table)).toEqual(await actualColumns(getTableName(table)))
    const inDatabase = (
      await connection.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables
      where table_schema = 'public' and table_type = 'BASE TABLE' and table_name like 'core\\_%'`
    ).map((row) => row.name)
    expect(declared.map(getTableName).toSorted()).toEqual(inDatabase.filter((name) => name !== 'core_migrations').toSorted())
  })

  test('has no table that belongs to nobody', async () => {
    const rows = await connection.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`
    const owners = new Set(['core', ...folders()])
    expect(rows.map((row) => row.name).filter((name) => !owners.has(name.split('_')[0]!))).toEqual([])
  })
})

test('this check notices a plugin that breaks its promises', async () => {
  const table = tablesOf(coreTables)[0]!
  const wrong = declaredColumns(table).map((column, i) => (i === 0 ? { ...column, nullable: !column.nullable } : column))
  expect(wrong).not.toEqual(await actualColumns(getTableName(table)))
  const bare = definePlugin({
    id: 'bare',
    title: 'Bare',
    summary: 'Bare.',
    config: z.object({ size: z.int() }) as never,
    setup: () => ({}),
  })
  expect(shapeOf(bare.config).size!.safeParse(undefined).success).toBe(false)
})

/** The folders beside this file that hold, or will hold, a plugin. */
function folders(): string[] {
  return readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'kit')
    .map((entry) => entry.name)
}

interface Column {
  name: string
  type: string
  nullable: boolean
}

function tablesOf(tables: Readonly<Record<string, unknown>> = {}): PgTable[] {
  return Object.values(tables).filter((table): table is PgTable => is(table, PgTable))
}

function shapeOf(config: z.ZodType | undefined): Record<string, z.ZodType> {
  return config instanceof z.ZodObject ? (config.shape as Record<string, z.ZodType>) : {}
}

function declaredColumns(table: PgTable): Column[] {
  return getTableConfig(table)
    .columns.map((column) => ({ name: column.name, type: column.getSQLType(), nullable: !column.notNull }))
    .toSorted(byName)
}

async function actualColumns(table: string): Promise<Column[]> {
  const rows = await connection.sql<Column[]>`
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable
    from pg_attribute a where a.attrelid = ${table}::regclass and a.attnum > 0 and not a.attisdropped`
  return rows.map((row) => ({ ...row })).toSorted(byName)
}

function byName(a: Column, b: Column): number {
  return a.name < b.name ? -1 : 1
}

describe('.env.example', () => {
  const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  test.each(
    [...houseEnvironment, ...plugins.flatMap((plugin) => plugin.environment ?? [])].map((variable) => [variable.name] as const),
  )('%s is there, with a comment above its group', (name) => expect(example).toMatch(new RegExp(`^#?${name}=`, 'm')))
})
