// Time is handed to every slice, so that a test can set it. Nothing outside this file asks the machine for the time of day.

export interface Clock {
  now(): Date
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() }

/** A clock that stands still until it is moved: for tests and simulations. */
export function manualClock(start: string | Date): Clock & { set(to: string | Date): void; advance(ms: number): void } {
  let current = new Date(start)
  return {
    now: () => new Date(current),
    set: (to) => {
      current = new Date(to)
    },
    advance: (ms) => {
      current = new Date(current.getTime() + ms)
    },
  }
}

export const seconds = (n: number): number => n * 1000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000

/** Whether something would have happened in the future: more than a day ahead, because servers' clocks differ and time zones are forgotten. */
export const isInTheFuture = (at: Date, now: Date): boolean => at.getTime() > now.getTime() + days(1)
