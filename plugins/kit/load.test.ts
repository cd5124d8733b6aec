// Loading: plugins are set up in the order of their needs, and a house that does not fit together says why.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { componentRef } from '../../commands/customId.ts'
import { defineCommand, onComponent } from '../../commands/define.ts'
import { plain } from '../../commands/messages.ts'
import { defineEvent, on } from './events.ts'
import { defineExtensionPoint, extend } from './extensions.ts'
import { defineJob, handle, schedule } from './jobs.ts'
import { inOrderOfNeed, load } from './load.ts'
import { definePlugin, type Parts, type Plugin, type SetupContext } from './plugin.ts'

const aPlugin = (
  id: string,
  requires: readonly Plugin[] = [],
  setup: (context: SetupContext<unknown>) => Parts = () => ({}),
): Plugin => definePlugin({ id, title: id, summary: `${id}.`, requires, setup })
const loading = (plugins: readonly Plugin[]) => load(plugins, () => ({}) as never)

test('each plugin comes after those it requires, otherwise in the given order', () => {
  const a = aPlugin('a')
  const b = aPlugin('b', [a])
  const c = aPlugin('c', [b, a])
  const d = aPlugin('d')
  expect(inOrderOfNeed([c, d, b, a]).map((plugin) => plugin.id)).toEqual(['a', 'b', 'c', 'd'])
})

test('a cycle is named from its first to its last plugin', () => {
  const requires: Plugin[] = []
  const a = aPlugin('a', requires)
  const b = aPlugin('b', [a])
  const c = aPlugin('c', [b])
  requires.push(c)
  expect(() => inOrderOfNeed([aPlugin('outside', [a]), a, b, c])).toThrow('in a cycle: a → c → b → a')
})

test('a requirement that is not listed is named', () => {
  expect(() => inOrderOfNeed([aPlugin('b', [aPlugin('a')])])).toThrow('Plugin b requires a, which is not listed')
})

const rang = defineEvent('bell.rang', {})
const ring = defineJob({ name: 'bell.ring', payload: z.object({}) })
const say = async () => plain('ok')
test.each<[string, Parts, string]>([
  [
    'command',
    { commands: [defineCommand({ path: 'ring', description: 'x', access: 'everyone', reply: 'ephemeral', run: say })] },
    'the command “ring”',
  ],
  [
    'component',
    { components: [onComponent(componentRef('bell.ring'), { access: 'everyone', reply: 'update', run: say })] },
    'the component “bell.ring”',
  ],
  ['listener', { listeners: [on(rang, 'bell.hear', async () => {})] }, 'the listener “bell.hear”'],
  ['job', { jobs: [handle(ring, async () => {})] }, 'the job “bell.ring”'],
  ['schedule', { schedules: [schedule('bell.toll', { ms: 1000 }, async () => {})] }, 'the schedule “bell.toll”'],
])('two plugins with the same %s are refused, and it is named', async (_, parts, named) => {
  await expect(loading([aPlugin('a', [], () => parts), aPlugin('b', [], () => parts)])).rejects.toThrow(named)
})

test('two plugins with the same id are refused', async () => {
  await expect(loading([aPlugin('a'), aPlugin('a')])).rejects.toThrow('Two plugins declare the plugin “a”')
})

test('a plugin uses the public side of what it requires', async () => {
  const well = definePlugin({
    id: 'well',
    title: 'Well',
    summary: 'Gives water.',
    setup: () => ({ public: { draw: () => 'water' } }),
  })
  let drawn = ''
  const garden = aPlugin('garden', [well], ({ use }) => {
    drawn = (use(well) as unknown as { draw(): string }).draw()
    return {}
  })
  await loading([garden, well])
  expect(drawn).toBe('water')
})

test('using a plugin without requiring it is refused, even when it is there', async () => {
  const well = aPlugin('well')
  const garden = aPlugin('garden', [], ({ use }) => {
    use(well)
    return {}
  })
  await expect(loading([well, garden])).rejects.toThrow('Plugin garden uses well without naming it in `requires`')
})

test('what others contribute is complete once all are set up, and cannot be read before', async () => {
  const point = defineExtensionPoint<string>('choir.voice')
  let voices: () => readonly string[] = () => []
  const choir = aPlugin('choir', [], ({ contributions }) => {
    voices = () => contributions(point)
    return {}
  })
  const singer = (id: string) => aPlugin(id, [choir], () => ({ extends: [extend(point, id)] }))
  await loading([choir, singer('alto'), singer('bass')])
  expect(voices()).toEqual(['alto', 'bass'])

  const hasty = aPlugin('hasty', [], ({ contributions }) => {
    contributions(point)
    return {}
  })
  await expect(loading([hasty])).rejects.toThrow('Plugin hasty reads choir.voice during setup')
})

test('plugins stop in the reverse order of their setup', async () => {
  const stopped: string[] = []
  const stopping = (id: string, requires: readonly Plugin[] = []) =>
    aPlugin(id, requires, () => ({ stop: async () => void stopped.push(id) }))
  const a = stopping('a')
  const loaded = await loading([stopping('b', [a]), a])
  await loaded.stop()
  expect(stopped).toEqual(['b', 'a'])
})

test('when one plugin cannot be set up, those before it are stopped again', async () => {
  const stopped: string[] = []
  const first = aPlugin('first', [], () => ({ stop: async () => void stopped.push('first') }))
  const broken = aPlugin('broken', [], () => {
    throw new Error('no key for the cellar')
  })
  await expect(loading([first, broken])).rejects.toThrow('no key for the cellar')
  expect(stopped).toEqual(['first'])
})
