// The kit of the tour: named steps that say what they saw, expectations that say what was expected, and waiting that ends.
import { setTimeout as sleep } from 'node:timers/promises'

export interface StepResult {
  name: string
  ok: boolean
  ms: number
  /** What was seen; when the step failed, what was expected and what was seen instead. */
  saw: string
}

export interface Step<T> {
  name: string
  /** Does the step and returns what was seen, in words. @throws when something else was seen */
  run(tour: T): Promise<string>
}

/** Something other than expected was seen. */
export class Unexpected extends Error {
  override name = 'Unexpected'
  constructor(expected: string, seen: string) {
    super(`expected ${expected}; saw ${seen}`)
  }
}

/** Runs the steps in order and stops at the first that fails. `onResult` is called after each. */
export async function runSteps<T>(
  tour: T,
  steps: readonly Step<T>[],
  onResult: (result: StepResult) => void,
): Promise<StepResult[]> {
  const results: StepResult[] = []
  for (const { name, run } of steps) {
    const started = performance.now()
    const result = await run(tour).then(
      (saw) => ({ ok: true, saw }),
      (error: unknown) => ({ ok: false, saw: error instanceof Error ? error.message : String(error) }),
    )
    results.push({ name, ...result, ms: Math.round(performance.now() - started) })
    onResult(results.at(-1)!)
    if (!result.ok) break
  }
  return results
}

/** @throws Unexpected unless `condition` holds */
export function expect(condition: unknown, expected: string, seen: unknown): asserts condition {
  if (!condition) throw new Unexpected(expected, describe(seen))
}

/**
 * Looks again until `look` returns something, and returns that. A look that throws counts as having seen nothing: the program may be starting again.
 * @throws Unexpected after `timeoutMs` with what the last look saw
 */
export async function until<T>(
  expected: string,
  look: () => Promise<T | undefined | false>,
  seen: () => unknown = () => 'nothing of the kind',
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = await look().catch((error: unknown) => ({ failed: error instanceof Error ? error.message : String(error) }))
    const failed = typeof found === 'object' && found !== null && 'failed' in found ? String(found.failed) : undefined
    if (failed === undefined && found !== undefined && found !== false) return found as T
    if (performance.now() > deadline) throw new Unexpected(`${expected} within ${timeoutMs / 1000} s`, failed ?? describe(seen()))
    await sleep(60)
  }
}

function describe(seen: unknown): string {
  const text = typeof seen === 'string' ? seen : JSON.stringify(seen)
  return text === undefined ? 'nothing' : text.length > 600 ? `${text.slice(0, 600)} …` : text
}
