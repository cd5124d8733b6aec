// The house without its hosts, for tests: real plugins on a database of the test's own, and what people read of its answers.
import type { Message, Modal } from '../commands/messages.ts'
import { testDatabase } from '../db/testing.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'
import { type OfflineHouse, type OfflineOptions, offlineHouse } from './offline.ts'

export { publicUrl, type Visitor } from './offline.ts'

export type TestHouse = OfflineHouse

/** Sets the plugins up (list those required, too). `environment` goes to the plugins unchecked. */
export async function testHouse(plugins: readonly Plugin[], options: OfflineOptions = {}): Promise<TestHouse> {
  return offlineHouse(await testDatabase({ max: 10 }), plugins, options)
}

/** How many statements `work` sends to the house's database. */
export async function statementsOf({ connection }: TestHouse, work: () => Promise<unknown>): Promise<number> {
  const options = connection.sql.options as { debug: unknown }
  let statements = 0
  options.debug = () => statements++
  try {
    await work()
  } finally {
    options.debug = undefined
  }
  return statements
}

/** Every text in a message or modal, joined: for assertions about what a person reads. */
export function wordsOf(answer: Message | Modal): string {
  const words: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item)
    else if (value && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) {
        if (['content', 'label', 'title', 'placeholder', 'description'].includes(key) && typeof inner === 'string')
          words.push(inner)
        else visit(inner)
      }
  }
  visit('custom_id' in answer ? [{ title: answer.title }, answer.components] : answer.components)
  return words.join('\n')
}

/** Custom ids and link URLs of the controls in a message, in order. */
export function controlsOf(answer: Message | Modal): string[] {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(item)
    else if (value && typeof value === 'object')
      for (const [key, inner] of Object.entries(value)) {
        if ((key === 'custom_id' || key === 'url') && typeof inner === 'string') found.push(inner)
        else visit(inner)
      }
  }
  visit(answer.components)
  return found
}
