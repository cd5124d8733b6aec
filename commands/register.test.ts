// Registration: what is sent to Discord, and that an unchanged set is recognised in what Discord sends back.
import { expect, test } from 'vitest'
import { type Command, defineCommand } from './define.ts'
import { plain } from './messages.ts'
import { needsSync, toRegistrations } from './register.ts'

const run = async () => plain('ok')
const aCommand = (path: string, more: Partial<Parameters<typeof defineCommand>[0]> = {}): Command =>
  defineCommand({ path, description: `Does ${path}`, access: 'everyone', reply: 'ephemeral', run, ...more })

const house = [
  aCommand('earnings', {
    options: {
      page: { type: 'integer', description: 'Which page', min: 0, max: 9 },
      currency: { type: 'string', description: 'Which', required: true, choices: [{ name: 'Dollar', value: 'USD' }] },
    },
  }),
  aCommand('link create', { options: { name: { type: 'string', description: 'Name', suggest: async () => [] } } }),
  aCommand('link list'),
  aCommand('admin setup', { access: 'admin' }),
  aCommand('admin jobs failed', { access: 'admin' }),
  aCommand('admin jobs retry', { access: 'admin' }),
]
const groups = { link: 'Your links', admin: 'Run the program', 'admin jobs': 'Work that failed' }

/** What Discord returns for a registration: ids, versions, nulls, defaults, and without what is empty. */
function asDiscordReturns(registration: object): object {
  const { options, ...rest } = registration as { options: object[] }
  const option = (value: object): object => {
    const { options: inner, required, choices, ...kept } = value as { options?: object[]; required?: boolean; choices?: object[] }
    return {
      ...kept,
      name_localizations: null,
      ...(required && { required }),
      ...(choices && { choices: choices.map((choice) => ({ name_localizations: null, ...choice })) }),
      ...(inner && inner.length > 0 && { options: inner.map(option) }),
    }
  }
  return {
    id: '1',
    application_id: '2',
    guild_id: '3',
    version: '4',
    name_localizations: null,
    description_localizations: null,
    integration_types: [0],
    nsfw: false,
    contexts: null,
    ...(options.length > 0 && { options: options.map(option) }),
    ...rest,
  }
}

test('commands are grouped by their words, required options come first, and admin commands are hidden from others', () => {
  const [admin, earnings, link] = toRegistrations(house, groups)
  expect(admin).toMatchObject({
    name: 'admin',
    default_member_permissions: '32',
    options: [
      { type: 1, name: 'setup' },
      { type: 2, name: 'jobs', options: [{ name: 'failed' }, { name: 'retry' }] },
    ],
  })
  expect(earnings!.options!.map((option) => option.name)).toEqual(['currency', 'page'])
  expect(link).toMatchObject({ name: 'link', default_member_permissions: null, options: [{ name: 'create' }, { name: 'list' }] })
})

test('nothing is sent when Discord has the same commands, in its own words and order', () => {
  const wanted = toRegistrations(house, groups)
  expect(needsSync(wanted, wanted.map(asDiscordReturns).toReversed())).toBe(false)
})

test.each([
  ['a command is missing', (all: object[]) => all.slice(1)],
  ['there is a command too many', (all: object[]) => [...all, asDiscordReturns(toRegistrations([aCommand('old')], {})[0]!)]],
  ['a description differs', (all: object[]) => all.with(1, { ...all[1], description: 'Other words' })],
  ['it has become open to everyone', (all: object[]) => all.with(0, { ...all[0], default_member_permissions: null })],
  ['an option is missing', (all: object[]) => all.with(1, { ...all[1], options: [] })],
])('commands are sent when %s', (_, change) => {
  const wanted = toRegistrations(house, groups)
  expect(needsSync(wanted, change(wanted.map(asDiscordReturns)))).toBe(true)
})

test('a smallest value of zero is part of the comparison', () => {
  const withMin = (min?: number) =>
    toRegistrations(
      [aCommand('x', { options: { n: { type: 'integer', description: 'n', ...(min !== undefined && { min }) } } })],
      {},
    )
  expect(needsSync(withMin(0), withMin())).toBe(true)
})

test.each([
  ['a group without a description', [aCommand('link create')], {}, 'The command group /link has no description'],
  [
    'a name that is a command and a group',
    [aCommand('link'), aCommand('link create')],
    { link: 'x' },
    '/link is a command and has subcommands too',
  ],
  [
    'a subcommand that is also a group',
    [aCommand('admin jobs'), aCommand('admin jobs retry')],
    { admin: 'x', 'admin jobs': 'x' },
    '/admin jobs is a command and has subcommands too',
  ],
])('%s is refused', (_, commands, descriptions, sentence) => {
  expect(() => toRegistrations(commands, descriptions)).toThrow(sentence)
})
