// What falls due on the sandbox's own clock: polls that end, threads that fall asleep. A clock that jumps makes everything due at the next look.

export interface Alarms {
  /** Runs `run` once the clock shows `at` (Unix milliseconds). */
  set: (at: number, run: () => void) => void
  /** Runs what is due, in order. */
  ring: () => void
  clear: () => void
}

export function createAlarms(now: () => number): Alarms {
  /** The soonest first. */
  let alarms: { at: number; run: () => void }[] = []
  return {
    set: (at, run) => {
      const later = alarms.findIndex((alarm) => alarm.at > at)
      alarms.splice(later === -1 ? alarms.length : later, 0, { at, run })
    },
    ring: () => {
      const time = now()
      while (alarms[0] !== undefined && alarms[0].at <= time) alarms.shift()?.run()
    },
    clear: () => {
      alarms = []
    },
  }
}
