// A chapter of the recorded past: what one plugin adds to it. New plugins add a chapter to the list in chapters/index.ts and nothing else.
import type { Past } from './past.ts'
import type { Story } from './story.ts'

export interface Happening {
  readonly day: number
  /** Hour of the day, 0 to 23; on one day the earlier comes first, and what is of the same hour in the order of the chapters. */
  readonly hour: number
  run(past: Past): Promise<void>
}

export interface Chapter {
  /** Id of the plugin whose use it shows. */
  readonly plugin: string
  happenings(story: Story): Happening[]
  /** Queries for the summary, each with one figure, by what the figure is. They may name no time and no id: two runs give the same. */
  readonly figures: Readonly<Record<string, string>>
}

/** Once every day at this hour. */
export function daily(story: Story, hour: number, run: (past: Past, day: number) => Promise<void>): Happening[] {
  return Array.from({ length: story.days }, (_, day) => ({ day, hour, run: (past) => run(past, day) }))
}
