// /help over the whole house and beyond: everybody reaches exactly the commands that they may use, whatever plugins there are, within Discord's limits.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, type Visitor, wordsOf } from '../app/testing.ts'
import { tradeIn } from '../plugins/commissions/testing.ts'
import { plugins } from '../plugins/index.ts'
import { definePlugin, type Plugin } from '../plugins/kit/plugin.ts'
import { defineCommand } from './define.ts'
import type { Message } from './messages.ts'
import { plain } from './messages.ts'
import { housePlugin } from './plugin.ts'

const aHouse = async (listed: readonly Plugin[]): Promise<TestHouse> => {
  let house: TestHouse | undefined
  const own = housePlugin({
    commands: () => house!.loaded.commands,
    plugins: () => house!.loaded.plugins,
    reconcile: async () => [],
  })
  house = await testHouse([own, ...listed])
  return house
}

interface Node {
  type: number
  custom_id?: string
  content?: string
  options?: { value: string; label: string }[]
  components?: Node[]
}
function nodesOf({ components }: Message): Node[] {
  const walk = (node: Node): Node[] => [node, ...(node.components ?? []).flatMap(walk)]
  return (components as Node[]).flatMap(walk)
}
const selectsOf = (message: Message) => nodesOf(message).filter(({ options }) => options)
const mentionsOf = (message: Message) => [...wordsOf(message).matchAll(/`\/([^`]+)`/g)].map((match) => match[1]!)

function expectWithinLimits(message: Message): void {
  const nodes = nodesOf(message)
  expect(nodes.length).toBeLessThanOrEqual(40)
  expect(nodes.reduce((sum, { content }) => sum + (content?.length ?? 0), 0)).toBeLessThanOrEqual(4000)
  expect(nodes.some(({ content }) => content?.includes('…'))).toBe(false)
  for (const { options } of selectsOf(message)) expect(options!.length).toBeLessThanOrEqual(25)
}

/** Opens every subject, and every page of it, from the overview on; the commands that were read, by subject. */
async function everythingIn(house: TestHouse, visitor: Visitor): Promise<Map<string, string[]>> {
  const read = new Map<string, string[]>()
  const overview = (await house.run('help', {}, visitor)) as Message
  expectWithinLimits(overview)
  for (const { custom_id: id, options } of selectsOf(overview))
    for (const { value, label } of options!) {
      const found: string[] = []
      let page = (await house.press(id!, { values: [value] }, visitor)) as Message
      for (let turn = 0; turn < 20; turn++) {
        expectWithinLimits(page)
        // The first words of a page are the title and what the subject is about.
        found.push(...mentionsOf(page))
        const next = controlsOf(page).find(
          (control) => control.startsWith('house.help_subject:') && control.endsWith(`:${turn + 1}`),
        )
        if (!next || found.includes(mentionsOf((await house.press(next, {}, visitor)) as Message)[0]!)) break
        page = (await house.press(next, {}, visitor)) as Message
      }
      read.set(`${id!.split(':')[1]}: ${label}`, found)
    }
  return read
}

const stranger = { userId: '400000000000000001' }
const sorted = (paths: Iterable<string>) => [...paths].toSorted()

describe('in the whole house', () => {
  let house: TestHouse
  let partner: Visitor
  beforeAll(async () => {
    house = await aHouse(plugins)
    partner = await tradeIn(house).aPartner()
  })
  afterAll(() => house.close())
  const paths = (usable: (access: unknown) => boolean) =>
    sorted(house.loaded.commands.filter(({ access }) => usable(access)).map(({ path }) => path))

  test('an active partner finds every command but those for admins, each once', async () => {
    const read = await everythingIn(house, partner)
    expect(sorted([...read.values()].flat())).toEqual(paths((access) => access !== 'admin'))
    expect([...read.keys()].every((subject) => subject.startsWith('partners: '))).toBe(true)
  })

  test('an admin who is a partner finds all commands, those for admins apart', async () => {
    const read = await everythingIn(house, { ...partner, isAdmin: true })
    expect(sorted([...read.values()].flat())).toEqual(paths(() => true))
    for (const [subject, commands] of read)
      expect(
        commands.every((path) => path.startsWith('admin') === subject.startsWith('admins: ')),
        subject,
      ).toBe(true)
  })

  test('a stranger finds what is open to everyone, and reads what opens the rest', async () => {
    const read = await everythingIn(house, stranger)
    expect(sorted([...read.values()].flat())).toEqual(paths((access) => access === 'everyone'))
    expect(wordsOf(await house.run('help', {}, stranger))).toMatch(/🔒 .*\/start/)
    expect(wordsOf(await house.run('help', {}, partner))).not.toContain('🔒 ')
  })

  test('plugins that belong together share a subject', async () => {
    const read = await everythingIn(house, partner)
    expect(read.get('partners: Links and codes')).toEqual(expect.arrayContaining(['link create', 'coupon create']))
    expect([...read.keys()].length).toBeLessThanOrEqual(12)
  })

  test('a subject that is gone, or not for this person, leads back to the overview', async () => {
    for (const control of ['house.help_subject:partners:former:0', 'house.help_subject:admins:payouts:0'])
      expect(wordsOf(await house.press(control, {}, partner))).toContain('What you can do in SISO')
    expect(wordsOf(await house.press('house.help_choose:admins:0', { values: ['payouts'] }, partner))).not.toContain('admin')
  })
})

test('a plugin that says nothing of subjects has one by its title, and however many there are, all is reached', async () => {
  const many = Array.from({ length: 60 }, (_, i) =>
    definePlugin({
      id: `lab${i}`,
      title: `Laboratory ${i}`,
      summary: `${'Tries one thing after another. '.repeat(6)}.`,
      setup: () => ({
        commandGroups: { [`lab${i}`]: 'Tries', [`admin-lab${i}`]: 'Tries' },
        commands: [`lab${i}`, `admin-lab${i}`].flatMap((root) =>
          Array.from({ length: i === 7 ? 60 : 1 }, (_, j) =>
            defineCommand({
              path: `${root} try-${j}`,
              description: 'x'.repeat(100),
              access: root.startsWith('admin') ? 'admin' : 'everyone',
              reply: 'ephemeral',
              run: async () => plain('tried'),
            }),
          ),
        ),
      }),
    }),
  )
  const house = await aHouse(many)
  try {
    const read = await everythingIn(house, { isAdmin: true })
    expect(sorted([...read.values()].flat())).toEqual(sorted(house.loaded.commands.map(({ path }) => path)))
    expect(read.get('partners: Laboratory 59')).toEqual(['lab59 try-0'])
  } finally {
    await house.close()
  }
})
