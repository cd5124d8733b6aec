// Payouts that run by themselves once a month. When is a pure function; running is what an admin's command does, too.
import { eq } from 'drizzle-orm'
import { audit } from '../../db/tables.ts'
import { staffChannel } from '../channels/public.ts'
import {
  type Clock,
  type Db,
  type DiscordEffects,
  type Month,
  monthOf,
  type Program,
  type Programs,
  type Settings,
} from '../kit/index.ts'
import type { Config } from './config.ts'
import { scheduleActor } from './decide.ts'
import { scheduledRunMessage } from './messages.ts'
import type { PayoutService } from './model.ts'
import { schedules } from './tables.ts'

export interface Seen {
  readonly day: number
  readonly doneMonth: Month | null
}

/**
 * Whether payouts are due today, once a month from `day` on (0 is never). A day missed while nothing was running is made up for later in the month; a day
 * that had passed already when it was set begins with the next month. A month that comes back, as when the program moves to a time zone further west, is done.
 */
export function stepOf(seen: Seen | undefined, day: number, today: { month: Month; day: number }): Seen & { due: boolean } {
  const setTooLate = seen?.day !== day && today.day > day
  const doneMonth = day > 0 && setTooLate ? today.month : (seen?.doneMonth ?? null)
  return { day, doneMonth, due: day > 0 && today.day >= day && (doneMonth ?? '') < today.month }
}

export function createScheduler(needs: {
  db: Db
  clock: Clock
  settings: Settings<Config>
  programs: Programs
  discord: DiscordEffects
  service: PayoutService
}): { runDue(): Promise<void> } {
  const { db, clock, settings, programs, discord, service } = needs

  async function look(program: Program): Promise<void> {
    const { scheduleDay } = await settings.of(db, program.id)
    const [seen] = await db.select().from(schedules).where(eq(schedules.programId, program.id))
    if (scheduleDay === 0 && !seen) return
    const now = clock.now()
    const today = { month: monthOf(now, program.timeZone), day: dayOf(now, program.timeZone) }
    const step = stepOf(seen, scheduleDay, today)
    if (!step.due) return remember(program, step)
    // Marked as done only afterwards: a run that broke off is run again, and pays nobody twice.
    const run = await service.run(program.id, scheduleActor)
    await db.transaction(async (tx) => {
      const detail = { prepared: run.prepared.length, skipped: run.skipped.length }
      await tx.insert(audit).values({ programId: program.id, actor: scheduleActor, action: 'payouts.run', detail, at: now })
      const message = scheduledRunMessage(run)
      await discord.post(tx, { programId: program.id, key: `payouts.scheduled:${today.month}`, channel: staffChannel, message })
    })
    await remember(program, { ...step, doneMonth: today.month })
  }

  async function remember(program: Program, { day, doneMonth }: Seen): Promise<void> {
    const row = { day, doneMonth, updatedAt: clock.now() }
    await db
      .insert(schedules)
      .values({ programId: program.id, ...row })
      .onConflictDoUpdate({ target: schedules.programId, set: row })
  }

  return {
    runDue: async () => {
      const failures: unknown[] = []
      for (const program of await programs.all(db)) await look(program).catch((error) => failures.push(error))
      if (failures.length > 0) throw new AggregateError(failures, `monthly payouts could not be run (programs: ${failures.length})`)
    },
  }
}

const dayOf = (at: Date, timeZone: string): number =>
  Number(new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', { timeZone, day: 'numeric' }).format(at))
