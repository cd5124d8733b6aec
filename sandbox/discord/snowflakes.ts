// Discord's ids: 42 bits of milliseconds since 2015 and a counter, so ids sort by time.
// Holds no state of its own beyond the counter of one generator.

const EPOCH = 1420070400000n

/** Makes a generator of unique, increasing snowflakes. `now` returns Unix milliseconds. */
export function createSnowflakes(now: () => number): () => string {
  let last = 0n
  return () => {
    const candidate = (BigInt(Math.max(0, now())) - EPOCH) << 22n
    last = candidate > last ? candidate : last + 1n
    return last.toString()
  }
}

/** Unix milliseconds at which the snowflake was made. */
export function timeOf(id: string): number {
  return Number((BigInt(id) >> 22n) + EPOCH)
}

/** Whether the text is a well-formed snowflake. */
export function isSnowflake(text: string): boolean {
  return /^[1-9]\d{0,19}$/.test(text)
}

/** Orders two ids by age, the older first. */
export function compareIds(a: string, b: string): number {
  const x = BigInt(a)
  const y = BigInt(b)
  return x < y ? -1 : x > y ? 1 : 0
}
