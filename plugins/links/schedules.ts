// What links do by themselves: sum clicks up, make room for the next months, and forget what has been kept long enough.
import { type Clock, type Db, days, hours, minutes, type Programs, type Schedule, type Settings, schedule } from '../kit/index.ts'
import type { Config } from './config.ts'
import { sumDays } from './days.ts'
import { forgetClicks, prepareMonths, sumAgain, sumUp } from './hours.ts'
import { forgetImports } from './manage/import.ts'

export function linkSchedules(parts: { db: Db; clock: Clock; programs: Programs; settings: Settings<Config> }): Schedule[] {
  const { db, clock, programs, settings } = parts
  const daysAgo = (count: number) => new Date(clock.now().getTime() - days(count))
  return [
    schedule('links.sum_up', { ms: minutes(5) }, () => sumUp(db, clock.now())),
    schedule('links.sum_days', { ms: minutes(10) }, () => sumDays(db, clock.now())),
    // Whatever was wrong with a sum of the last days is right again the next day.
    schedule('links.sum_again', { ms: days(1) }, () => db.transaction((tx) => sumAgain(tx, daysAgo(3), daysAgo(1)))),
    schedule('links.prepare_months', { ms: days(1) }, () => prepareMonths(db, clock.now())),
    schedule('links.forget_imports', { ms: hours(6) }, () => db.transaction((tx) => forgetImports(tx, daysAgo(1)))),
    schedule('links.forget_clicks', { ms: hours(6) }, async () => {
      // Nothing is deleted before it is summed up.
      await sumDays(db, clock.now())
      const keeping = []
      for (const { id } of await programs.all(db)) keeping.push({ programId: id, ...(await settings.of(db, id)) })
      await forgetClicks(db, keeping, clock.now())
    }),
  ]
}
