// The whole program on this machine, against a local Discord, Stripe and mail: to try by hand in a browser, or as a tour that checks the main job.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import { runSteps, type StepResult } from './demo/steps.ts'
import { type Tour, tourSteps } from './demo/tour.ts'
import { startWorld, type World } from './demo/world.ts'

const defaultPort = 4600
const started = performance.now()

await runScript(async () => {
  const flags = readFlags('npm run demo -- [--tour [--json]] [--port N] [--data-dir DIR]', {
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

  let world: World | undefined
  onSignal(async () => world?.close())
  world = await startWorld({
    port,
    dataDirectory: path.resolve(dataDirectory),
    environment,
    onProgress: (what) => say(`  · ${what}`),
  })
  if (!flags.tour) return invite(world)
  try {
    await tour(world, flags.json ?? false)
  } finally {
    await world.close()
  }
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

function invite(world: World): void {
  console.log(`
The SISO Partnership Program is running on this machine. Open

    ${world.sandbox.urls.discord.client}

and try this:
  1. You are mira, who owns the server. Type /admin setup: roles and channels appear.
  2. Become a new person (bottom left → a name → Add), join the server, press “Become a partner” and register.
  3. Open the mail (top right), confirm the address, sign the agreement.
  4. Type /link create and open the link; buy something in the shop and pay with card 4242 4242 4242 4242.
  5. Type /earnings show, then /payout setup. As mira, skip the waiting: /admin commissions hold days:0 apply_to_pending:True and
     /admin settings set setting:payouts methodCoolingHours value:0; then /admin payouts dry-run and /admin payouts run.

Pages: mail ${world.sandbox.urls.sendgrid}/mail · shop ${world.sandbox.urls.shop} · Stripe ${world.sandbox.urls.stripe}/dashboard
The program’s log: ${world.logFile}
Stop with Ctrl+C.`)
}
