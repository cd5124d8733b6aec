import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { defineCommand } from '../commands/define.ts'
import { card } from '../commands/messages.ts'
import { defineEvent, on } from '../plugins/kit/events.ts'
import { definePlugin } from '../plugins/kit/plugin.ts'
import { type TestHouse, testHouse, wordsOf } from './testing.ts'

const waved = defineEvent('greeter.waved', { who: z.string() })
const heard: string[] = []
const greeter = definePlugin({
  id: 'greeter',
  title: 'Greeter',
  summary: 'Says hello.',
  setup: ({ db, emit }) => ({
    commands: [
      defineCommand({
        path: 'wave',
        description: 'Wave at everyone',
        access: 'everyone',
        reply: 'public',
        run: async (ctx) => {
          await db.transaction((tx) => emit(tx, waved, { programId: ctx.program.id, who: ctx.user.username }))
          return card({ title: `Hello, ${ctx.user.displayName}` })
        },
      }),
    ],
    listeners: [on(waved, 'greeter.hear', async (_tx, { who }) => void heard.push(who))],
  }),
})

let house: TestHouse
beforeAll(async () => {
  house = await testHouse([greeter])
})
afterAll(() => house.close())

test('a command answers, and its event reaches the listener once', async () => {
  expect(wordsOf(await house.run('wave', {}, { username: 'grace' }))).toContain('Hello, grace')
  await house.drain()
  await house.drain()
  expect(heard).toEqual(['grace'])
})
