// Finding, checking and encoding slash commands, and Discord's permission arithmetic on the page.

import { describe, expect, test } from 'vitest'
import { isPrivate, Permission, permissionsOf } from './permissions.js'
import { encode, readLine, runnables, search, wrong } from './slash.js'

const option = (type: number, name: string, extra = {}) => ({ type, name, description: name, ...extra })
const command = (name: string, options: unknown[] = []) => ({
  id: '1',
  application_id: '2',
  version: '3',
  type: 1,
  name,
  description: name,
  options,
})
const all = runnables({
  applications: new Map(),
  commands: [
    command('start', [option(3, 'email', { required: true }), option(4, 'age')]),
    command('admin', [
      option(2, 'partner', {
        options: [option(1, 'show', { options: [option(6, 'user', { required: true })] }), option(1, 'list')],
      }),
    ]),
    command('restart'),
  ] as never,
})
const named = (name: string) => all.find((runnable) => runnable.name === name)!

test('subcommands are offered by their whole name', () =>
  expect(all.map((runnable) => runnable.name)).toEqual(['admin partner list', 'admin partner show', 'restart', 'start']))

test('names that begin with the text come before names that contain it', () => {
  expect(search(all, 'start').map((runnable) => runnable.name)).toEqual(['start', 'restart'])
  expect(search(all, 'show').map((runnable) => runnable.name)).toEqual(['admin partner show'])
})

test('a typed line is read once a whole name and a blank are there', () => {
  expect(readLine(all, '/start')).toBeUndefined()
  expect(readLine(all, '/start email:a@b.example age:7')).toMatchObject({
    runnable: { name: 'start' },
    values: { email: 'a@b.example', age: '7' },
  })
  expect(readLine(all, '/admin partner show user:x')).toMatchObject({
    runnable: { name: 'admin partner show' },
    values: { user: 'x' },
  })
  expect(readLine(all, '/start a@b.example age:7')).toMatchObject({ values: { email: 'a@b.example', age: '7' } })
  expect(readLine(all, '/restart now')).toMatchObject({ values: {} })
})

describe('what an option refuses', () => {
  test.each([
    ['an empty required one', option(3, 'x', { required: true }), '', 'This option is required. Specify a value.'],
    ['an empty optional one is fine', option(3, 'x'), '', undefined],
    ['a word for a number', option(10, 'x'), 'ten', 'This option must be a number.'],
    ['a fraction for a whole number', option(4, 'x'), '1.5', 'This option must be a whole number.'],
    ['too small', option(4, 'x', { min_value: 3 }), '2', 'This option must be at least 3.'],
    ['too long', option(3, 'x', { max_length: 2 }), 'abc', 'This option can have at most 2 characters.'],
    [
      'nothing of the list',
      option(3, 'x', { choices: [{ name: 'A', value: 'a' }] }),
      'B',
      'This option must be one of the choices in the list.',
    ],
    ['nobody', option(6, 'x'), 'someone', 'This option must be a member.'],
  ])('%s', (_, given, typed, problem) => expect(wrong(given, typed, undefined)).toBe(problem))
})

test('a nested command is encoded as Discord nests it, with typed values', () => {
  const { data } = encode(named('admin partner show'), new Map([['user', { text: 'Ada', chosen: { name: 'Ada', value: '77' } }]]))
  expect(data.options).toEqual([
    { type: 2, name: 'partner', options: [{ type: 1, name: 'show', options: [{ type: 6, name: 'user', value: '77' }] }] },
  ])
  expect(encode(named('start'), new Map([['age', { text: '7' }]])).data.options).toEqual([{ type: 4, name: 'age', value: 7 }])
})

test('the focused option goes out as it is typed', () =>
  expect(encode(named('start'), new Map([['email', { text: '' }]]), 'email').data.options).toEqual([
    { type: 3, name: 'email', value: '', focused: true },
  ]))

describe('permissions', () => {
  const guild = (roles: [string, bigint][], memberRoles: string[] = []) =>
    ({
      id: 'g',
      owner_id: 'owner',
      roles: new Map(roles.map(([id, permissions]) => [id, { id, permissions: String(permissions) }])),
      members: new Map([['me', { roles: memberRoles }]]),
    }) as never
  const channel = (overwrites: [string, bigint, bigint][]) =>
    ({
      id: 'c',
      type: 0,
      permission_overwrites: overwrites.map(([id, allow, deny]) => ({ id, type: 0, allow: String(allow), deny: String(deny) })),
    }) as never
  const view = Permission.ViewChannel

  test.each([
    ['@everyone may view', guild([['g', view]]), channel([]), true],
    ['an overwrite closes it', guild([['g', view]]), channel([['g', 0n, view]]), false],
    [
      'a role opens it again',
      guild(
        [
          ['g', view],
          ['r', 0n],
        ],
        ['r'],
      ),
      channel([
        ['g', 0n, view],
        ['r', view, 0n],
      ]),
      true,
    ],
    [
      'the member is decided last',
      guild(
        [
          ['g', view],
          ['r', 0n],
        ],
        ['r'],
      ),
      channel([
        ['r', view, 0n],
        ['me', 0n, view],
      ]),
      false,
    ],
    [
      'an administrator sees all',
      guild(
        [
          ['g', 0n],
          ['r', Permission.Administrator],
        ],
        ['r'],
      ),
      channel([['g', 0n, view]]),
      true,
    ],
  ])('%s', (_, where, what, sees) => expect((permissionsOf(where, 'me', what) & view) !== 0n).toBe(sees))

  test('a channel closed to @everyone bears a lock', () => {
    expect(isPrivate(guild([['g', view]]), channel([['g', 0n, view]]))).toBe(true)
    expect(isPrivate(guild([['g', view]]), channel([]))).toBe(false)
  })
})
