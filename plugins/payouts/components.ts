// The buttons below runs that wait for a second admin. Each is bound to the run that was shown.
import { z } from 'zod'
import { type Component, onComponent } from '../../commands/define.ts'
import type { AdminTools } from './commands.ts'
import { approvedCard, rejectedCard, shownLines } from './messages.ts'
import type { PayoutService } from './model.ts'
import { approveButton, rejectButton } from './refs.ts'

const runId = z.uuid()
const count = z.coerce.number().int().min(0).catch(0)

export function payoutComponents({ noted, namesOf, service }: AdminTools & { service: PayoutService }): Component[] {
  return [
    onComponent(approveButton, {
      access: 'admin',
      reply: 'update',
      run: async (ctx, { run, seen }) => {
        const { approved, takenBack } = await service.approve(ctx.program.id, runId.parse(run), ctx.user.id, count.parse(seen))
        const detail = { run, payouts: approved.map(({ id }) => id), takenBack: takenBack.map(({ id }) => id) }
        await noted(ctx.program.id, ctx.user.id, 'payouts.approve', detail, ctx.now)
        return approvedCard(approved, takenBack, await namesOf(ctx.program.id, takenBack.slice(0, shownLines)))
      },
    }),
    onComponent(rejectButton, {
      access: 'admin',
      reply: 'update',
      run: async (ctx, { run }) => {
        const rejected = await service.reject(ctx.program.id, runId.parse(run))
        await noted(ctx.program.id, ctx.user.id, 'payouts.reject', { run, payouts: rejected.map(({ id }) => id) }, ctx.now)
        return rejectedCard(rejected)
      },
    }),
  ]
}
