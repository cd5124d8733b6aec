// When the public API works in the background: sealing and sending every second, forgetting at night.
import { type Clock, type Db, type Programs, type Schedule, schedule, seconds } from '../kit/index.ts'
import type { Delivery } from './deliver.ts'
import type { Feed } from './feed.ts'
import { pruneAnswers } from './once.ts'

export function developerSchedules(parts: {
  db: Db
  clock: Clock
  programs: Programs
  feed: Feed
  delivery: Delivery
}): Schedule[] {
  const { db, clock, programs, feed, delivery } = parts
  return [
    schedule('developer.send', { ms: seconds(1) }, async () => {
      await feed.seal()
      await delivery.askForDue()
    }),
    schedule('developer.prune', { cron: '41 3 * * *' }, async () => {
      await pruneAnswers(db, clock.now())
      for (const { id } of await programs.all(db)) await feed.forget(id)
    }),
  ]
}
