// Suggestions for an option that takes several words of a list, with spaces between them.
import type { Choice } from '../../commands/define.ts'

/** Discord takes values of at most 100 characters. */
const longest = 100

/** What may follow what was typed: each word of the list that is not there yet. With nothing typed, all of them at once come first. */
export function wordCompletions(list: readonly string[], typed: string): Choice<string>[] {
  const words = typed.trimStart().split(/[\s,]+/)
  const last = words.at(-1) ?? ''
  const before = words.slice(0, -1).filter((word) => list.includes(word))
  const longer = list
    .filter((word) => !before.includes(word) && word.startsWith(last))
    .map((word) => [...before, word].join(' '))
    .map((value) => ({ name: value, value }))
  const all = list.join(' ')
  return [...(typed.trim() === '' && list.length > 1 ? [{ name: 'everything', value: all }] : []), ...longer]
    .filter(({ value }) => value.length <= longest)
    .slice(0, 25)
}
