// A company's own list of plugins, and the beginning of a plugin of its own.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testHouse, wordsOf } from '../app/testing.ts'
import { tradeIn } from '../plugins/commissions/testing.ts'
import { plugins } from '../plugins/index.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'
import { listPlugins } from './company.ts'
import { createPlugin } from './create-plugin.ts'

let directory: string
const made: string[] = []
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-company-'))
})
afterAll(async () => {
  for (const file of made) await rm(path.dirname(file), { recursive: true, force: true })
  await rm(directory, { recursive: true, force: true })
})

test('without a list of its own a company has the plugins that come with the program', async () => {
  expect(await listPlugins(directory)).toBe(plugins)
})

test('a plugin that was just created runs from the company’s list beside the others', async () => {
  const id = `example${process.pid}`
  made.push(...(await createPlugin(id)))
  const at = (file: string) => JSON.stringify(pathToFileURL(file).href)
  const index = path.resolve('plugins/index.ts')
  await writeFile(
    path.join(directory, 'siso.config.ts'),
    `import { defineConfig, plugins } from ${at(index)}
import { ${id} } from ${at(made.find((file) => file.endsWith('plugin.ts'))!)}
export default defineConfig({ plugins: [...plugins, ${id}] })
`,
  )
  const listed = await listPlugins(directory)
  expect(listed.map((plugin) => plugin.id)).toEqual([...plugins.map((plugin) => plugin.id), id])
  const house = await testHouse(listed as readonly Plugin[])
  const partner = await tradeIn(house).aPartner()
  expect(wordsOf(await house.run(`${id} show`, {}, partner))).toContain('Hello')
  await expect(house.run(`${id} show`, {}, { userId: '100000000000000009' })).rejects.toThrow()
  await house.close()
})

test.each([
  ['exports nothing', 'export const plugins = []'],
  ['lists what is no plugin', 'export default { plugins: [{ id: 7 }] }'],
])('a list that %s is refused with an example of one that works', async (what, text) => {
  const own = await mkdtemp(path.join(directory, `${what.split(' ')[0]}-`))
  await writeFile(path.join(own, 'siso.config.ts'), text)
  await expect(listPlugins(own)).rejects.toThrow('export default defineConfig')
})

test('a list that cannot be read says why', async () => {
  const own = await mkdtemp(path.join(directory, 'broken-'))
  await writeFile(path.join(own, 'siso.config.ts'), "import './nowhere.ts'\nexport default {}")
  await expect(listPlugins(own)).rejects.toThrow(/siso\.config\.ts cannot be read: .*nowhere/)
})

test.each(['Tickets', 'x', '../evil', 'links', 'two words'])('“%s” becomes no plugin', async (id) => {
  await expect(createPlugin(id)).rejects.toThrow(/cannot be a plugin|already/)
})
