// What every command-line script shares: reading flags, one clear sentence for an error a person can act on, and exit codes.
import { enableCompileCache, registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { UserError } from '../plugins/kit/errors.ts'

type FlagSpec = Record<string, { type: 'boolean' | 'string'; default?: boolean | string; describe: string }>
type FlagValues<F extends FlagSpec> = { [K in keyof F]: F[K]['type'] extends 'boolean' ? boolean : string | undefined }

/** Reads `--flag` and `--flag value`. `--help` prints the flags and exits 0. @throws ConfigurationError for an unknown flag */
export function readFlags<const F extends FlagSpec>(usage: string, spec: F): FlagValues<F> {
  const options = Object.fromEntries(
    Object.entries(spec).map(([name, { type, default: fallback }]) => [
      name,
      { type, ...(fallback !== undefined && { default: fallback }) },
    ]),
  )
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } }, strict: true })
    if (values.help) {
      console.log(
        [`Usage: ${usage}`, '', ...Object.entries(spec).map(([name, flag]) => `  --${name.padEnd(14)} ${flag.describe}`)].join(
          '\n',
        ),
      )
      process.exit(0)
    }
    return values as FlagValues<F>
  } catch (error) {
    throw new ConfigurationError(`${(error as Error).message}\nUsage: ${usage}`)
  }
}

/**
 * Runs the script's main function. Errors that a person can act on are printed as their sentence; others with their stack. Either way the exit code is 1.
 * What `main` imports is loaded in less than half the time of what the script imports at its head.
 */
export async function runScript(main: () => Promise<void>): Promise<void> {
  loadQuickly()
  try {
    await main()
  } catch (error) {
    const { DatabaseUnusable } = await import('../db/connect.ts')
    const forPeople = error instanceof ConfigurationError || error instanceof DatabaseUnusable || error instanceof UserError
    const sentence = forPeople ? error.message : aboutDisk(error)
    process.stderr.write(`${sentence ?? (error as Error)?.stack ?? String(error)}\n`)
    process.exitCode = 1
  }
}

const diskTroubles: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use it',
  EPERM: 'this user may not use it',
  EROFS: 'the disk is read-only',
  ENOTDIR: 'a part of the path is a file',
  ENOSPC: 'the disk is full',
}

/** What an operator can do about a file or directory that the system refuses; undefined for other errors. */
function aboutDisk(error: unknown): string | undefined {
  const { code, path } = error as NodeJS.ErrnoException
  const trouble = diskTroubles[code ?? '']
  return path === undefined || trouble === undefined
    ? undefined
    : `${path} cannot be used: ${trouble}. Mend that, or choose another directory with DATA_DIR (with --data-dir for the demo).`
}

/**
 * Keeps what is imported from here on compiled for the next run, if the folder can be written. And spares Node a package.json of 179 kB that it would
 * otherwise read for each of the hundred files of drizzle-orm, which name each other by relative paths that need none of it.
 */
function loadQuickly(): void {
  enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)))
  registerHooks({
    resolve: (specifier, context, next) =>
      /^\.\.?\/.*\.js$/.test(specifier) && context.parentURL?.includes('/node_modules/drizzle-orm/')
        ? { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
        : next(specifier, context),
  })
}

/**
 * Calls `stop` once and ends the process, with the exit code that was set meanwhile, at the first SIGINT, SIGTERM or SIGHUP, or when the npm that started this process is gone (npm's shell passes no signals on); a
 * second signal ends the process at once.
 */
export function onSignal(stop: () => Promise<void>): void {
  let asked = false
  const begin = () => {
    asked = true
    void stop().finally(() => process.exit())
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (asked) process.exit(130)
      begin()
    })
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent && !asked) begin()
  }, 250).unref()
}

/** The environment, with what a `.env` file in the working directory adds. */
export function loadEnvironment(): NodeJS.ProcessEnv {
  try {
    process.loadEnvFile()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new ConfigurationError(`The file .env cannot be read: ${(error as Error).message}`)
  }
  return process.env
}
