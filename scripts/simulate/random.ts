// Chance that is a function of a seed and of what it is asked about, so that each part of a simulation can be repeated alone. No state, no Math.random.

/** A number in [0, 1) that depends on its keys alone. */
export function chance(...keys: readonly (string | number)[]): number {
  let hash = 0x811c9dc5
  for (const character of keys.join('\u001f')) {
    hash ^= character.codePointAt(0)!
    hash = Math.imul(hash, 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash ^= hash >>> 16
  // A second round: FNV alone leaves neighbouring keys too much alike.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0) / 2 ** 32
}

export interface Dice {
  /** A number in [0, 1). */
  roll(): number
  /** True with this probability. */
  maybe(probability: number): boolean
  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number
  pick<T>(from: readonly T[]): T
}

/** Dice whose throws depend on the keys and on how often they were thrown. */
export function diceOf(...keys: readonly (string | number)[]): Dice {
  const name = keys.join('\u001f')
  let thrown = 0
  const roll = () => chance(name, thrown++)
  return {
    roll,
    maybe: (probability) => roll() < probability,
    between: (from, to) => from + Math.floor(roll() * (to - from + 1)),
    pick: (from) => from[Math.floor(roll() * from.length)]!,
  }
}

/** The items in an order that depends on the keys and each item's name alone, however they were ordered before. */
export function shuffled<T>(items: readonly T[], nameOf: (item: T) => string, ...keys: readonly (string | number)[]): T[] {
  return items
    .map((item) => ({ item, name: nameOf(item), place: chance(...keys, nameOf(item)) }))
    .sort((a, b) => a.place - b.place || (a.name < b.name ? -1 : 1))
    .map(({ item }) => item)
}
