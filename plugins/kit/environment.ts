// Environment variables as data: each says what it is for, how to get it, and what a good value looks like, so that an error can say all of that.
import type { z } from 'zod'

export interface EnvironmentVariable {
  readonly name: string
  readonly schema: z.ZodType<string | undefined>
  readonly purpose: string
  readonly example: string
  /** Where a person finds the value. */
  readonly where: string
}

/** The configuration cannot be used; the message names each variable, its purpose and an example. */
export class ConfigurationError extends Error {
  override name = 'ConfigurationError'
}

/**
 * Checks the variables and returns their values by name. Empty text counts as unset.
 * @throws ConfigurationError naming every variable that is missing or malformed, never its value
 */
export function readEnvironment(
  variables: readonly EnvironmentVariable[],
  source: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = {}
  const problems: string[] = []
  for (const variable of variables) {
    const given = source[variable.name]?.trim() || undefined
    const result = variable.schema.safeParse(given)
    if (result.success) values[variable.name] = result.data
    else
      problems.push(
        `${variable.name} ${given === undefined ? 'is missing' : `is malformed: ${result.error.issues[0]!.message}`}.\n  What it is for: ${variable.purpose}\n  Where to get it: ${variable.where}\n  Example: ${variable.name}=${variable.example}`,
      )
  }
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'))
  return values
}
