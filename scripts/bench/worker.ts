// The measured program of the events bench: the workers alone, as `npm start` runs them with ROLE=worker, with one plugin that listens. Started by events.ts.
import { openHouse } from '../../app/boot.ts'
import { createLog } from '../../app/log.ts'
import { startJobs } from '../../jobs/host.ts'
import { listening } from './happening.ts'

const log = createLog('warn')
const house = await openHouse({ plugins: [listening], environment: process.env, log })
const { connection, clock, loaded } = house
const jobs = await startJobs({ connection, redisUrl: process.env.REDIS_URL, clock, log, loaded })
process.send!({ ready: jobs.store })
process.once('disconnect', async () => {
  await jobs.stop()
  await house.stop()
  process.exit(0)
})
