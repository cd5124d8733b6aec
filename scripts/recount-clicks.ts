// Proves the sums of clicks against the clicks, day by day, and makes those right that are not. With `--check` it changes nothing; exit 1 when something is wrong.
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { loadEnvironment, readFlags, runScript } from './command.ts'

await runScript(async () => {
  const flags = readFlags('npm run recount-clicks -- [--check] [--from 2026-10-01] [--to 2026-10-31] [--json]', {
    check: { type: 'boolean', describe: 'only say what is wrong; exit 1 when something is' },
    from: { type: 'string', describe: 'first day, in the time zone of the program; by default the first whose clicks are kept' },
    to: { type: 'string', describe: 'last day; by default yesterday' },
    json: { type: 'boolean', describe: 'print one JSON object' },
  })
  const [from, to] = [readDay('--from', flags.from), readDay('--to', flags.to)]
  const { openHouse } = await import('../app/boot.ts')
  const { createLog } = await import('../app/log.ts')
  const { listPlugins } = await import('./company.ts')
  const { programStore } = await import('../db/programs.ts')
  const { readSettings } = await import('../db/settings.ts')
  const { config } = await import('../plugins/links/config.ts')
  const { recount } = await import('../plugins/links/recount.ts')
  const house = await openHouse({ plugins: await listPlugins(), environment: loadEnvironment(), log: createLog('silent') })
  const { db } = house.connection
  const total = { days: 0, clicks: 0, wrong: 0 }
  const wrong: object[] = []
  const say = (text: string) => {
    if (!flags.json) console.log(text)
  }
  try {
    for (const { id, name } of await programStore.all(db)) {
      const keeping = { programId: id, ...(await readSettings(db, id, 'links', config)) }
      for await (const found of recount(db, keeping, { from, to, repair: !flags.check, now: house.clock.now() })) {
        const sums = found.wrongDays + found.wrongHours
        total.days++
        total.clicks += found.clicks
        total.wrong += sums
        if (sums > 0) wrong.push(found)
        say(
          `${sums > 0 ? '✗' : '✓'} ${name}, ${found.day}: ${found.clicks} clicks${sums > 0 ? `, ${sums} sums ${flags.check ? 'are wrong' : 'were wrong and are right now'}` : ''}`,
        )
      }
    }
  } finally {
    await house.stop()
  }
  if (flags.json) console.log(JSON.stringify({ ok: total.wrong === 0, repaired: !flags.check, ...total, wrongOn: wrong }))
  else if (total.days === 0) console.log('No day that is over has clicks that are kept as a whole, so there is nothing to count.')
  else
    console.log(
      `${total.days} days, ${total.clicks} clicks, ${total.wrong === 0 ? 'every sum is right.' : `${total.wrong} sums ${flags.check ? 'are wrong; without --check they are made right.' : 'were wrong and are right now.'}`}`,
    )
  if (flags.check && total.wrong > 0) process.exitCode = 1
})

function readDay(flag: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const day = new Date(`${text}T00:00:00Z`)
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)) return text
  throw new ConfigurationError(`${flag} ${text} is no day. Write it as 2026-10-31.`)
}
