// Writes the beginning of a new plugin: a folder with a manifest, a command, its words, a README and a test that passes.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { plugins } from '../plugins/index.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { runScript } from './command.ts'

const root = fileURLToPath(new URL('../plugins', import.meta.url))

/**
 * Writes `plugins/ID` and returns the files' paths. Nothing that is there is overwritten.
 * @throws ConfigurationError for an id that cannot be one, or that is taken
 */
export async function createPlugin(id: string): Promise<string[]> {
  if (!/^[a-z][a-z0-9]{2,30}$/.test(id))
    throw new ConfigurationError(
      `“${id}” cannot be a plugin’s id: three to 31 small letters and digits, a letter first, such as “tickets”.`,
    )
  const folder = path.join(root, id)
  if (plugins.some((plugin) => plugin.id === id) || existsSync(folder))
    throw new ConfigurationError(`There is a plugin “${id}” already. Choose another name, or go on with plugins/${id}.`)
  await mkdir(folder)
  const written: string[] = []
  for (const [name, text] of Object.entries(filesOf(id))) {
    const file = path.join(folder, name)
    await writeFile(file, text)
    written.push(file)
  }
  return written
}

function filesOf(id: string): Record<string, string> {
  const title = id[0]!.toUpperCase() + id.slice(1)
  return {
    'plugin.ts': `// ${title}: what it is for, in a sentence.
import { definePlugin } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { ${id}Commands } from './commands.ts'

export const ${id} = definePlugin({
  id: '${id}',
  title: '${title}',
  summary: 'Says what this plugin does for the program.',
  requires: [partners, notifications],
  data: { statement: 'Nothing about people so far.' },
  setup: ({ use }) => ({
    commandGroups: { ${id}: 'What this plugin does' },
    commands: ${id}Commands({ partners: use(partners) }),
  }),
})
`,
    'commands.ts': `// The commands of ${title}. Rules belong into service.ts, words into messages.ts.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Partners } from '../partners/public.ts'
import { greeting } from './messages.ts'

export function ${id}Commands({ partners }: { partners: Partners }): Command[] {
  return [
    defineCommand({
      path: '${id} show',
      description: 'Show what there is',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => greeting(ctx.user.displayName),
    }),
  ]
}
`,
    'messages.ts': `// What ${title} says. Pure.
import { card, literal, type Message } from '../../commands/messages.ts'

export function greeting(name: string): Message {
  return card({ title: \`Hello, \${literal(name)}\`, body: 'There is nothing here yet.' })
}
`,
    [`${id}.test.ts`]: `import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { earningPlugins, tradeIn } from '../commissions/testing.ts'
import { ${id} } from './plugin.ts'

let house: TestHouse
beforeAll(async () => {
  house = await testHouse([...earningPlugins, ${id}])
})
afterAll(() => house.close())

test('a partner is greeted; a stranger is told how to become one', async () => {
  const partner = await tradeIn(house).aPartner()
  expect(wordsOf(await house.run('${id} show', {}, partner))).toContain('Hello')
  await expect(house.run('${id} show', {}, { userId: '100000000000000009' })).rejects.toThrow('/start')
})
`,
    'README.md': `# ${title}

What it is for.

| Command | Who | What |
|---|---|---|
| \`/${id} show\` | registered partners | what there is |

Stores nothing. Needs no permissions in Discord.
`,
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await runScript(async () => {
    const [id = ''] = process.argv.slice(2)
    const written = await createPlugin(id)
    console.log(
      [
        ...written.map((file) => `written: ${path.relative(process.cwd(), file)}`),
        '',
        `Add it to the list in plugins/index.ts (or in siso.config.ts, see docs/own-plugins.md), then: npx vitest run plugins/${id}`,
      ].join('\n'),
    )
  })
