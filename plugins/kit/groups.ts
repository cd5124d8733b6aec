// Doing together what comes together: many small requests share one statement or commit. Holds nothing back: while one group is under way, the next gathers.

/**
 * Gives each item to `work` together with whatever else waits, one group at a time, and returns the item's own result (`work` returns one for each, in
 * order). When a group fails, its items are tried one by one, so that each has an error of its own.
 */
export function inGroups<T, R>(work: (items: readonly T[]) => Promise<readonly R[]>, most = 200): (item: T) => Promise<R> {
  interface Waiting {
    readonly item: T
    resolve(result: R): void
    reject(error: unknown): void
  }
  let waiting: Waiting[] = []
  let underway = false

  const settle = async (group: readonly Waiting[]): Promise<void> => {
    try {
      const results = await work(group.map(({ item }) => item))
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!)
    } catch (error) {
      if (group.length === 1) return group[0]!.reject(error)
      for (const one of group) await settle([one])
    }
  }

  const run = async (): Promise<void> => {
    // What arrives in the same turn of the event loop comes along.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const group = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await settle(group)
    }
    underway = false
  }

  return (item) =>
    new Promise<R>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (underway) return
      underway = true
      void run()
    })
}

/**
 * Has `work` do all of the items, `most` at a time, and one by one where that fails: what cannot be done keeps nothing else from being done. Returns what was
 * thrown for each that could not.
 */
export async function failuresOf<T>(
  items: readonly T[],
  most: number,
  work: (items: readonly T[]) => Promise<void>,
): Promise<unknown[]> {
  const one = inGroups(async (group: readonly T[]) => {
    await work(group)
    return group
  }, most)
  const outcomes = await Promise.allSettled(items.map(one))
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
}
