// Makes clicks safe before their answer leaves: many with one commit, or, while the database is away, in the spool. Decides nothing about a click.
import type { Logger } from 'pino'
import { hours, type Sql, within } from '../kit/index.ts'
import { type Click, isRefusal, storeClicks, storeLateClicks } from './clicks.ts'
import type { Spool } from './spool.ts'
import type { Watch } from './watch.ts'

export interface Recorder {
  /** True once the click is committed or on this machine's disk; false when it could be put nowhere. Never rejects. */
  record(click: Click): Promise<boolean>
  /** Brings what is in the spool to the database. */
  replay(): Promise<void>
  /** Waits for the clicks that were handed in. */
  stop(): Promise<void>
}

interface Waiting {
  readonly click: Click
  readonly done: (safe: boolean) => void
}

/** While one commit is on its way the next can be filled and sent; more would only make them smaller. */
const commitsAtOnce = 2
/** A commit costs as much as storing twenty clicks: fewer wait for the one before. */
const worthAnother = 24
const mostAtOnce = 500
/** How long a visitor waits for the database before the spool takes the click. */
const patienceMs = 1000
/** How long bringing a portion of the spool may take before the database counts as away again. */
const replayPatienceMs = 15_000

export function createRecorder(parts: { sql: () => Sql; spool: Spool; watch: Watch; log: Logger }): Recorder {
  const { sql, spool, watch, log } = parts
  const queue: Waiting[] = []
  let underway = 0
  let gathering = false
  let replaying: Promise<void> | undefined
  let again = false
  let idle: (() => void) | undefined
  let stopping = false

  /** Whatever arrives in one turn of the event loop shares a commit; under load also what arrives while the commits before it are on their way. */
  const gather = () => {
    const enough = underway === 0 ? 1 : worthAnother
    if (gathering || underway >= commitsAtOnce || queue.length < enough) return
    gathering = true
    setImmediate(() => {
      gathering = false
      void send(queue.splice(0, mostAtOnce))
    })
  }

  const send = async (batch: readonly Waiting[]) => {
    underway++
    const clicks = batch.map(({ click }) => click)
    const stored = await store(clicks)
    const safe = stored || (await keep(clicks))
    for (const { done } of batch) done(safe)
    underway--
    gather()
    if (underway === 0 && queue.length === 0) idle?.()
  }

  const store = async (clicks: readonly Click[]) => {
    if (watch.isAway) return false
    try {
      // A statement that is late may still be carried out: the click's id makes sure that it is stored once.
      await within(patienceMs, storeClicks(sql(), clicks))
      return true
    } catch (error) {
      if (isRefusal(error)) log.error({ err: error, clicks: clicks.length }, 'the database refused clicks')
      else watch.failed(error)
      return false
    }
  }

  const keep = async (clicks: readonly Click[]) => {
    try {
      await spool.append(clicks.map((click) => JSON.stringify(click)))
      // While the database is away, its return brings them. Otherwise nothing would.
      if (!watch.isAway) void replay()
      return true
    } catch (error) {
      log.error({ err: error, clicks: clicks.length }, 'clicks could not be kept on this machine')
      return false
    }
  }

  const bring = async (lines: readonly string[]) => {
    for (const clicks of withinAnHour(lines.flatMap((line) => readClick(line, log))))
      try {
        await within(replayPatienceMs, storeLateClicks(sql(), clicks))
      } catch (error) {
        if (!isRefusal(error)) throw error
        for (const click of clicks)
          await within(replayPatienceMs, storeLateClicks(sql(), [click])).catch((refusal: unknown) => {
            if (!isRefusal(refusal)) throw refusal
            log.error({ err: refusal, click }, 'the database refuses a click for good')
          })
      }
  }

  const replay = async (): Promise<void> => {
    if (replaying) {
      again = true
      return replaying
    }
    replaying = (async () => {
      try {
        do {
          again = false
          await spool.replay(bring)
        } while (again && !stopping)
      } catch (error) {
        if ('syscall' in (error as Error) && 'path' in (error as Error)) log.error({ err: error }, 'the spool cannot be read')
        else watch.failed(error)
      } finally {
        replaying = undefined
      }
    })()
    return replaying
  }

  return {
    record: (click) =>
      new Promise((done) => {
        queue.push({ click, done })
        gather()
      }),
    replay,
    stop: async () => {
      stopping = true
      if (queue.length > 0 || underway > 0)
        await new Promise<void>((resolve) => {
          idle = resolve
        })
      await replaying
      await spool.close()
    },
  }
}

/** Counting looks back one hour, and a portion of clicks is counted at one moment: so no portion spans more. */
function withinAnHour(clicks: readonly Click[]): Click[][] {
  const portions: Click[][] = []
  for (const click of clicks.toSorted((a, b) => (a.at < b.at ? -1 : 1))) {
    const portion = portions.at(-1)
    if (portion && Date.parse(click.at) - Date.parse(portion[0]!.at) < hours(1)) portion.push(click)
    else portions.push([click])
  }
  return portions
}

/** The click of a line; none when the line was cut off, which happens to the last one when the machine stops in the middle of it. */
function readClick(line: string, log: Logger): Click[] {
  try {
    return [JSON.parse(line) as Click]
  } catch {
    log.warn({ length: line.length }, 'a line of the spool was cut off; nobody was told that it was safe')
    return []
  }
}
