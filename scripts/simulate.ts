// Lives through years of a program in minutes and compares the books with an independent oracle, every day. Exit 1 when anything differs.
import { tmpdir } from 'node:os'
import path from 'node:path'
import { removeEmbedded, startEmbedded } from '../db/embedded.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import { epoch, isPayday, type Size, startOf } from './simulate/plan/calendar.ts'
import { type Outcome, simulate } from './simulate/run.ts'
import type { Seen } from './simulate/tally.ts'

await runScript(async () => {
  const flags = readFlags('npm run simulate -- [--partners N] [--days N] [--seed N] [--json]', {
    partners: { type: 'string', describe: 'how many partners (default 100)' },
    days: { type: 'string', describe: 'how many days (default 180)' },
    seed: { type: 'string', describe: 'another seed is another history (default 1)' },
    json: { type: 'boolean', describe: 'print one JSON object' },
  })
  const size: Size = {
    partners: numberOf('partners', flags.partners, 100),
    days: numberOf('days', flags.days, 180),
    seed: numberOf('seed', flags.seed, 1),
  }
  const stop = new AbortController()
  const run = live(size, Boolean(flags.json), stop.signal)
  onSignal(async () => {
    stop.abort()
    process.exitCode = 130
    await run.catch(() => {})
  })
  await run
})

/** Starts a database, lives through the simulation, tells what came of it, and leaves nothing behind, also when it is stopped. */
async function live(size: Size, json: boolean, signal: AbortSignal): Promise<void> {
  const directory = path.join(tmpdir(), `siso-simulate-${process.pid}`)
  // The cluster is thrown away afterwards, so it need not survive a power cut. Crashes of the program are another matter: the simulation makes them.
  const server = await startEmbedded({ directory, unsafeFast: true })
  try {
    const outcome = await simulate(server.url, size, { signal, onProgress: (day, ms, seen) => showProgress(size, day, ms, seen) })
    if (signal.aborted) {
      process.stderr.write('Stopped before the end; nothing was left behind.\n')
      return
    }
    if (json) console.log(JSON.stringify(outcome))
    else report(outcome)
    if (outcome.ok) return
    process.exitCode = 1
    process.stderr.write(`${repeatOf(outcome)}\n`)
  } finally {
    await server.stop()
    await removeEmbedded(directory)
  }
}

function numberOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 1_000_000)
    throw new ConfigurationError(`--${name} takes a whole number of at least 1, not “${text}”.`)
  return number
}

/** A line when a month is over, and at the end. */
function showProgress({ days }: Size, day: number, ms: number, { sales, refunds, disputes, clicks }: Readonly<Seen>): void {
  const isLast = day + 1 === days
  if (!isLast && !isPayday(day + 1)) return
  const month = new Date(startOf(day)).toISOString().slice(0, 7)
  const seen = `${sales} sales, ${refunds} refunds, ${disputes} disputes, ${clicks} clicks`
  process.stderr.write(`${month}, day ${day + 1} of ${days}: ${seen}; ${(ms / 1000).toFixed(0)} s\n`)
}

function report({ ok, partners, days, seed, events, seen, differences, proof, ms }: Outcome): void {
  const until = new Date(epoch + days * 86_400_000 - 1).toISOString().slice(0, 10)
  console.log(`${partners} partners, ${days} days (until ${until}), seed ${seed}: ${events} events in ${(ms / 1000).toFixed(1)} s.`)
  const kinds = Object.entries(seen).map(
    ([kind, count]) => `${count} ${kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
  )
  console.log(`Seen: ${kinds.join(', ')}; ${proof.transfers} transfers in the ledger.`)
  if (ok) {
    console.log(`The books agree with the oracle to the minor unit; the proof held ${proof.runs} times.`)
    return
  }
  console.log(`They differ on day ${differences[0]?.day ?? days}:`)
  for (const { what, expected, actual } of differences) console.log(`  ${what}: expected ${expected}, found ${actual}`)
}

/** The first day on which anything differs is enough: a shorter plan is the beginning of a longer one. */
function repeatOf({ partners, days, seed, differences }: Outcome): string {
  const until = Math.min(days, (differences[0]?.day ?? days) + 1)
  return `Repeat it: npm run simulate -- --partners ${partners} --days ${until} --seed ${seed}`
}
