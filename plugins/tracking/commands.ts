// What admins see of tracking: the script for their pages, and refunds that wait for their sale or do not fit it.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Db, Settings } from '../kit/index.ts'
import type { Config } from './config.ts'
import { parkedRefunds, scriptTag } from './messages.ts'
import type { PaymentService } from './payments.ts'

const shown = 15

interface Parts {
  db: Db
  settings: Settings<Config>
  url: (path: string) => string
  payments: PaymentService
}

export function trackingCommands({ db, settings, url, payments }: Parts): Command[] {
  return [
    defineCommand({
      path: 'admin-api script',
      description: 'The script for your own pages, and which sites may use it',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => scriptTag(url('/t.js'), ctx.program.id, (await settings.of(db, ctx.program.id)).origins),
    }),
    defineCommand({
      path: 'admin-api refunds parked',
      description: 'Refunds that wait for their sale, or do not fit it',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await payments.refundPage(db, ctx.program.id, { limit: shown + 1, state: 'parked' })
        return parkedRefunds(rows.slice(0, shown), rows.length > shown)
      },
    }),
  ]
}
