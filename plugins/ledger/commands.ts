// The ledger's command: prove the books now.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Db } from '../kit/index.ts'
import { proofCard } from './messages.ts'
import type { LedgerService } from './service.ts'

export function ledgerCommands({ db, service }: { db: Db; service: LedgerService }): Command[] {
  return [
    defineCommand({
      path: 'admin ledger proof',
      description: 'Check every amount in the books against every other',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        await service.seal(db)
        return proofCard(await service.prove(db, ctx.program.id))
      },
    }),
  ]
}
