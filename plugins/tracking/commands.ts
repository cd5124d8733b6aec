// What admins see of tracking: refunds that wait for their sale or do not fit it.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Db } from '../kit/index.ts'
import { parkedRefunds } from './messages.ts'
import type { PaymentService } from './payments.ts'

const shown = 15

export function trackingCommands({ db, payments }: { db: Db; payments: PaymentService }): Command[] {
  return [
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
