// The commands with which admins suspend a partner and let them go on.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import { type Db, UserError } from '../kit/index.ts'
import { standing } from './messages.ts'
import { reinstateAnswer, suspendAnswer } from './suspensionMessages.ts'
import type { Suspensions } from './suspensions.ts'

const shortestReason = 3

export function suspensionCommands({ db, suspensions }: { db: Db; suspensions: Suspensions }): Command[] {
  const user = { type: 'user', description: 'The partner', required: true } as const
  const whom = ({ program }: Ctx, { id: userId }: { id: string }) => ({ programId: program.id, userId })
  return [
    defineCommand({
      path: 'admin partners suspend',
      description: 'Stop a partner: links, codes, roles and payouts rest until you reinstate them',
      options: {
        user,
        reason: { type: 'string', description: 'Why; the partner reads it', required: true, min: shortestReason, max: 300 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const because = options.reason.trim()
        if (because.length < shortestReason)
          throw new UserError('no_reason', 'The partner reads the reason, so it has to say something. Please write one.')
        const { partner, changed } = await db.transaction((tx) =>
          suspensions.suspend(tx, whom(ctx, options.user), because, ctx.user.id),
        )
        return suspendAnswer(partner, changed)
      },
    }),
    defineCommand({
      path: 'admin partners reinstate',
      description: 'End the suspension of a partner',
      options: { user },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { partner, changed, next } = await db.transaction((tx) =>
          suspensions.reinstate(tx, whom(ctx, options.user), ctx.user.id),
        )
        return reinstateAnswer(partner, standing(partner), next, changed)
      },
    }),
  ]
}
