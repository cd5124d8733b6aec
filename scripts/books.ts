// The ledger of a house that runs no hosts: for scripts that read or prove the books.
import type { House } from '../app/boot.ts'
import type { Plugin } from '../plugins/kit/index.ts'
import type { Ledger } from '../plugins/ledger/public.ts'
import { loadEnvironment } from './command.ts'

/** Opens the house as the environment describes it, lets `work` use its ledger, and closes it again. */
export async function withBooks(work: (books: Ledger, house: House) => Promise<void>): Promise<void> {
  const { openHouse } = await import('../app/boot.ts')
  const { createLog } = await import('../app/log.ts')
  const { listPlugins } = await import('./company.ts')
  let books: Ledger | undefined
  const watched = (await listPlugins()).map((plugin): Plugin => {
    if (plugin.id !== 'ledger') return plugin
    const setup = async (context: never) => {
      const parts = await plugin.setup(context)
      books = parts.public as Ledger
      return parts
    }
    return { ...plugin, setup }
  })
  const house = await openHouse({ plugins: watched, environment: loadEnvironment(), log: createLog('silent') })
  try {
    await work(books!, house)
  } finally {
    await house.stop()
  }
}
