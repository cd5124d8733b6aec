// The whole program on this machine, against a local Discord, Stripe and mail: to try by hand in a browser, or as a tour that checks the main job.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import type { DemoHost } from './demo/host.ts'
import { runSteps, type StepResult } from './demo/steps.ts'
import type { Tour } from './demo/tour.ts'
import type { World } from './demo/world.ts'

const defaultPort = 4600
const started = performance.now()

await runScript(async () => {
  const flags = readFlags('npm run demo -- [--seed | --tour [--json]] [--port N] [--data-dir DIR]', {
    seed: { type: 'boolean', describe: 'begin with 60 partners and three months behind them instead of an empty server' },
    tour: { type: 'boolean', describe: 'do the main job unattended and check every step; exit 0 or the failing step' },
    json: { type: 'boolean', describe: 'with --tour: print one JSON object instead of lines' },
    port: { type: 'string', describe: `port of the browser client (default ${defaultPort}, or any free one with --tour)` },
    'data-dir': {
      type: 'string',
      describe: 'where the database and the log go (default var/demo, or var/tour); emptied at the start',
    },
  })
  const port = portOf(flags.port, flags.tour ? 0 : defaultPort)
  const dataDirectory = flags['data-dir'] ?? fileURLToPath(new URL(flags.tour ? '../var/tour' : '../var/demo', import.meta.url))
  const environment = Object.fromEntries(
    ['DATABASE_URL', 'REDIS_URL'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  )
  const say = flags.json ? () => {} : (line: string) => console.log(line)

  if (flags.seed && flags.tour)
    throw new ConfigurationError('--seed and --tour do not go together: the tour begins with an empty server.')
  const options = {
    port,
    dataDirectory: path.resolve(dataDirectory),
    environment,
    onProgress: (what: string) => say(`  · ${what}`),
  }
  if (flags.tour) {
    let world: World | undefined
    onSignal(async () => world?.close())
    const { startWorld } = await import('./demo/world.ts')
    world = await startWorld(options)
    try {
      return await tour(world, flags.json ?? false)
    } finally {
      await world.close()
    }
  }
  let demo: DemoHost | undefined
  onSignal(async () => demo?.close())
  const { startDemo } = await import('./demo/host.ts')
  const { fullSize } = await import('./demo/history/write.ts')
  demo = await startDemo({ ...options, ...(flags.seed && { history: fullSize }) })
  invite(demo.world)
})

function portOf(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const port = Number(text)
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    throw new ConfigurationError(`“${text}” is not a port. Use a number from 0 to 65535, for example --port ${defaultPort}.`)
  return port
}

async function tour(world: World, json: boolean): Promise<void> {
  const show = (result: StepResult) => {
    if (!json)
      console.log(`${result.ok ? '✓' : '✗'} ${result.name} (${result.ms} ms)\n    ${result.saw.replaceAll('\n', '\n    ')}`)
  }
  const { tourSteps } = await import('./demo/tour.ts')
  const state: Tour = { world }
  const steps = await runSteps(state, tourSteps, show)
  const ok = steps.length === tourSteps.length && steps.every((step) => step.ok)
  const totalMs = Math.round(performance.now() - started)
  if (json) console.log(JSON.stringify({ ok, bootMs: world.bootMs, totalMs, steps }))
  else
    console.log(
      ok
        ? `\nAll ${steps.length} steps passed in ${(totalMs / 1000).toFixed(1)} s.`
        : `\nStopped at “${steps.at(-1)!.name}”. The program’s log is in ${world.logFile}.`,
    )
  if (!ok) process.exitCode = 1
}

function invite({ sandbox: { urls }, history, logFile }: World): void {
  if (history)
    console.log(
      `\nThree months were written in ${(history.ms / 1000).toFixed(1)} s:\n${Object.entries(history.figures)
        .map(([what, figure]) => `  ${figure.padStart(8)}  ${what}`)
        .join('\n')}`,
    )
  console.log(`
The SISO Partnership Program is running on this machine. Open

    ${urls.discord.client}

You are mira, who owns the server. The guide on the right says what to do, why, and as whom, and ticks what has happened.

Pages: mail ${urls.sendgrid}/mail · shop ${urls.shop} · Stripe ${urls.stripe}/dashboard · PayPal ${urls.paypal}/dashboard
The program’s log: ${logFile}
Stop with Ctrl+C.`)
}
