// Runs one measurement, scripts/bench/NAME.ts, by its name, and prints what it found. Measurements live in their own files; this one knows none of them.
import { readdir, readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { runScript } from './command.ts'

/** What scripts/bench/NAME.ts exports: measures, and returns what is to be printed. Flags come as they were typed, without the dashes. */
interface Measurement {
  run(flags: Readonly<Record<string, string | boolean | undefined>>): Promise<object>
}

const folder = new URL('./bench/', import.meta.url)

await runScript(async () => {
  const { values, positionals } = parseArgs({ args: pairs(process.argv.slice(2)), strict: false, allowPositionals: true })
  const names = await measurements()
  const [name, ...more] = positionals
  if (name === undefined || !names.includes(name) || more.length > 0)
    throw new ConfigurationError(`Usage: npm run bench -- ${names.join('|')} [--json]`)
  const { json, ...flags } = values
  const { run } = (await import(new URL(`${name}.ts`, folder).href)) as Measurement
  const result = await run(flags as Record<string, string | boolean | undefined>)
  console.log(json ? JSON.stringify(result) : linesOf(result).join('\n'))
})

/** `--seconds 5` reads as `--seconds=5`: flags of measurements are not known here. */
function pairs(args: readonly string[]): string[] {
  const read: string[] = []
  for (const arg of args) {
    const before = read.at(-1)
    if (before?.startsWith('--') && !before.includes('=') && /^[\d.]+$/.test(arg)) read[read.length - 1] = `${before}=${arg}`
    else read.push(arg)
  }
  return read
}

/** Files that export a measurement; the others in the folder are their parts. */
async function measurements(): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => /^[a-z-]+\.ts$/.test(file))
  const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')))
  return files.filter((_, i) => /^export (async )?function run\(/m.test(texts[i]!)).map((file) => file.replace(/\.ts$/, ''))
}

function linesOf(result: object, indent = ''): string[] {
  return Object.entries(result).flatMap(([name, value]) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? [`${indent}${name}:`, ...linesOf(value as object, `${indent}  `)]
      : [`${indent}${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`],
  )
}
