// The measured program of the sales bench: web server and workers in one process, all plugins, as `npm start` runs them, but without Discord: nobody
// logs in, and messages are taken as sent. Started by sales.ts with a port of its own.
import { buildApp } from '../../api/app.ts'
import { listen } from '../../api/server.ts'
import { openHouse } from '../../app/boot.ts'
import { createLog } from '../../app/log.ts'
import { startJobs } from '../../jobs/host.ts'
import { plugins } from '../../plugins/index.ts'
import type { JobHandler } from '../../plugins/kit/jobs.ts'

const log = createLog('error')
const house = await openHouse({ plugins, environment: process.env, log })
const { connection, clock, loaded } = house
const said = (handler: JobHandler): JobHandler =>
  handler.run && handler.job.name.startsWith('guild.') ? { ...handler, run: async () => {} } : handler
const quiet = { ...loaded, jobs: new Map([...loaded.jobs].map(([name, handler]) => [name, said(handler)])) }
const jobs = await startJobs({ connection, redisUrl: process.env.REDIS_URL, clock, log, loaded: quiet })
const app = await buildApp({ loaded, log, readiness: async () => ({}) })
process.send!({ ready: await listen(app, { host: '127.0.0.1', port: 0 }) })
process.on('message', (message) => {
  if (message === 'cpu') process.send!({ cpu: process.cpuUsage() })
})
process.once('disconnect', async () => {
  await app.close()
  await jobs.stop()
  await house.stop()
  process.exit(0)
})
