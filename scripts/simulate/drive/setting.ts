// What the parts of the driver share: the house, its faults, who the admins are, and how a command is run until it is answered.
import type { OfflineHouse } from '../../../app/offline.ts'
import type { Message, Modal } from '../../../commands/messages.ts'
import { UserError } from '../../../plugins/kit/index.ts'
import type { Faults } from '../faults.ts'
import type { Size } from '../plan/calendar.ts'
import { chance } from '../random.ts'

export interface Setting {
  readonly house: OfflineHouse
  readonly faults: Faults
  readonly size: Size
  /** Counts what the house refused because it may not be. */
  refused(): void
}

export const boss = { isAdmin: true, userId: '1', username: 'boss' }
export const second = { isAdmin: true, userId: '2', username: 'second' }

/** Work on as many partners, or customers, at the same time. */
const lanes = 5

/** Runs what people do until it does not crash. A refusal is an answer, too: undefined. */
export function attempt(setting: Setting, name: string, work: () => Promise<Answer>): Promise<Answer | undefined> {
  return orRefused(setting, () => setting.faults.survive(name, work))
}

/** As `attempt`, for what would be done twice if it were repeated after its answer was lost: nothing crashes meanwhile. */
export const attemptOnce = (setting: Setting, work: () => Promise<Answer>): Promise<Answer | undefined> => orRefused(setting, work)

type Answer = Message | Modal

async function orRefused(setting: Setting, work: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    setting.refused()
    return undefined
  }
}

/** Does the items of one lane in turn and the lanes side by side. */
export async function inLanes<T>(items: readonly T[], laneOf: (item: T) => string, run: (item: T) => Promise<void>): Promise<void> {
  const byLane = Map.groupBy(items, (item) => Math.floor(chance('lane', laneOf(item)) * lanes))
  await Promise.all(
    [...byLane.values()].map(async (lane) => {
      for (const item of lane) await run(item)
    }),
  )
}

/** The first link or custom id in an answer that fits. @throws Error when there is none */
export function controlIn(answer: Message | Modal | undefined, wanted: RegExp): string {
  const found = wanted.exec(JSON.stringify(answer ?? ''))?.[1]
  if (!found) throw new Error(`Nothing in the answer fits ${wanted}: ${JSON.stringify(answer)}`)
  return found
}
