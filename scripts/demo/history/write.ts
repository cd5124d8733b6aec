// Writes the recorded past: lives through the story day by day with every chapter, and sums it up. The sandbox's clock and the program's are the same.
import type { Happening } from './chapter.ts'
import { chapters } from './chapters/index.ts'
import { openPast, type Past, type PastClock, pastClock, type Stage } from './past.ts'
import { type Size, storyOf } from './story.ts'

export interface Summary {
  /** Figures by what they are; the same for the same size and seed. */
  readonly figures: Readonly<Record<string, string>>
  readonly ms: number
}

/** What `--seed` writes. */
export const fullSize: Size = { partners: 60, days: 91, seed: 1 }

const dayMs = 86_400_000
const hourMs = 3_600_000
const lanes = 4

/** The clock of a past of so many days that ends with yesterday. */
export function clockBefore({ days }: Size): PastClock {
  return pastClock(Math.floor(Date.now() / dayMs) * dayMs - days * dayMs)
}

export async function writeHistory(stage: Stage, size: Size, onProgress: (what: string) => void): Promise<Summary> {
  const started = performance.now()
  const story = storyOf(size)
  const past = await openPast(stage, onProgress)
  try {
    const happenings = chapters.flatMap((chapter) => chapter.happenings(story))
    const byDay = Map.groupBy(happenings, ({ day }) => day)
    for (let day = 0; day < size.days; day++) {
      if (day % 7 === 0) onProgress(`writing the past: day ${day + 1} of ${size.days}`)
      const byHour = Map.groupBy(byDay.get(day) ?? [], ({ hour }) => hour)
      for (const hour of [...byHour.keys()].sort((a, b) => a - b)) {
        stage.clock.forwardTo(stage.clock.start + day * dayMs + hour * hourMs + minuteOf(day, hour) * 60_000)
        await together(byHour.get(hour)!, past)
        await past.settle()
      }
    }
    const figures: Record<string, string> = {}
    for (const { figures: wanted } of chapters)
      for (const [what, query] of Object.entries(wanted)) figures[what] = await past.figure(query)
    return { figures, ms: Math.round(performance.now() - started) }
  } finally {
    await past.close()
  }
}

/** Nobody lives by the full hour. */
const minuteOf = (day: number, hour: number): number => (day * 37 + hour * 11) % 50

/** What happens within one hour happens side by side, in a few lanes. */
async function together(happenings: readonly Happening[], past: Past): Promise<void> {
  const waiting = happenings.values()
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const happening of waiting) await happening.run(past)
    }),
  )
}
