// Prints how good the built-in signals of fraud are on the labelled set: what plugins/fraud/README.md publishes. `npm run fraud-quality`.
import { config } from '../plugins/fraud/config.ts'
import { labelledSet, measure } from '../plugins/fraud/evaluation.ts'
import { readFlags, runScript } from './command.ts'

await runScript(async () => {
  const { json, seed } = readFlags('npm run fraud-quality -- [--seed N] [--json]', {
    json: { type: 'boolean', describe: 'print one JSON object' },
    seed: { type: 'string', describe: 'another labelled set (1)' },
  })
  const limits = config.parse({})
  const { precision, recall, profiles } = measure(labelledSet(Number(seed ?? 1), 10_000, limits), limits.threshold)
  if (json) console.log(JSON.stringify({ precision, recall, profiles: Object.fromEntries(profiles) }))
  else {
    console.log(`precision ${precision.toFixed(3)}  recall ${recall.toFixed(3)}`)
    for (const [name, { fraud, all, flagged }] of profiles)
      console.log(`${fraud ? 'fraud ' : 'honest'} ${String(flagged).padStart(5)} of ${String(all).padStart(5)} held  ${name}`)
  }
})
