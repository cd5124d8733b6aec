// Lives through years of a program in minutes and compares the books with an independent oracle, every day. Exit 1 when anything differs.
import { tmpdir } from 'node:os'
import path from 'node:path'
import { removeEmbedded, startEmbedded } from '../db/embedded.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import type { Size } from './simulate/plan.ts'
import { type Outcome, simulate } from './simulate/run.ts'

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
  const directory = path.join(tmpdir(), `siso-simulate-${process.pid}`)
  // The cluster is thrown away afterwards, so it need not survive a power cut. Crashes of the program are another matter: the simulation makes them.
  const server = await startEmbedded({ directory, unsafeFast: true })
  const close = async () => {
    await server.stop()
    await removeEmbedded(directory)
  }
  onSignal(close)
  try {
    const outcome = await simulate(server.url, size, { onProgress: (day, ms) => showProgress(size, day, ms) })
    if (flags.json) console.log(JSON.stringify(outcome))
    else report(outcome)
    if (!outcome.ok) process.exitCode = 1
  } finally {
    await close()
  }
})

function numberOf(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > 1_000_000)
    throw new ConfigurationError(`--${name} takes a whole number of at least 1, not “${text}”.`)
  return number
}

function showProgress({ days }: Size, day: number, ms: number): void {
  if ((day + 1) % 10 !== 0 && day + 1 !== days) return
  process.stderr.write(
    `${process.stderr.isTTY ? '\r' : ''}day ${day + 1} of ${days}, ${(ms / 1000).toFixed(0)} s${process.stderr.isTTY ? '' : '\n'}`,
  )
  if (process.stderr.isTTY && day + 1 === days) process.stderr.write('\n')
}

function report(outcome: Outcome): void {
  const { ok, partners, days, seed, events, crashes, differences, proof, ms } = outcome
  console.log(
    `${partners} partners, ${days} days, seed ${seed}: ${events} events, ${crashes} crashes, ${proof.transfers} transfers, ${(ms / 1000).toFixed(1)} s.`,
  )
  if (ok) {
    console.log(`The books agree with the oracle to the minor unit; the proof held ${proof.runs} times.`)
    return
  }
  const day = differences[0]?.day ?? days
  console.log(`They differ on day ${day}:`)
  for (const { what, expected, actual } of differences) console.log(`  ${what}: expected ${expected}, found ${actual}`)
  console.log(`Repeat it: npm run simulate -- --partners ${partners} --days ${day + 1} --seed ${seed}`)
}
