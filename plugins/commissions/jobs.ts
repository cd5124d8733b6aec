// Commissions in the background: what has waited long enough becomes payable.
import { z } from 'zod'
import { defineJob, handle, hours, type JobHandler, minutes, type Schedule, schedule } from '../kit/index.ts'
import type { CommissionService } from './service.ts'
import type { StatementService } from './statements.ts'

/** Releases what is due in one program now, without waiting for the schedule. */
export const releaseCommissions = defineJob({ name: 'commissions.release_due', payload: z.object({ programId: z.uuid() }) })

export const commissionJobs = (service: CommissionService): JobHandler[] => [
  handle(releaseCommissions, async ({ programId }) => void (await service.releaseDue(programId))),
]

export const commissionSchedules = (service: CommissionService, statements: StatementService): Schedule[] => [
  schedule('commissions.release', { ms: minutes(1) }, async () => void (await service.releaseDue())),
  schedule('commissions.statements', { ms: hours(1) }, statements.mailDue),
]
