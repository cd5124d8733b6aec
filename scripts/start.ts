// Production: runs the hosts that ROLE names until it is told to stop. A supervisor with an IPC channel is told when it is ready, and takes it along when it ends.
import { flushCompileCache } from 'node:module'
import { loadEnvironment, onSignal, runScript } from './command.ts'

await runScript(async () => {
  const environment = loadEnvironment()
  const { boot } = await import('../app/boot.ts')
  const { createLog } = await import('../app/log.ts')
  const { listPlugins } = await import('./company.ts')
  const log = createLog(environment.LOG_LEVEL ?? 'info')
  const program = await boot({
    plugins: await listPlugins(),
    environment,
    log,
    onProgress: (what) => {
      log.info(what)
      process.send?.({ progress: what })
    },
  })
  const stop = async () => {
    log.info('stopping: no new work is taken, what runs is finished')
    await program.stop()
    if (process.connected) process.disconnect()
  }
  onSignal(stop)
  process.once('disconnect', () => void stop().finally(() => process.exit(0)))
  process.send?.({ ready: program.address })
  // Node would keep what it compiled at the end, which a killed process does not have.
  flushCompileCache()
})
