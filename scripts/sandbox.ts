// `npm run sandbox -- --port 4600`: the outside world alone. Prints one JSON line with its addresses and runs until it is stopped.

import { parseArgs } from 'node:util'
import { startSandbox } from '../sandbox/server.ts'

function readArguments(): { port: number; host: string } {
  const { values } = parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' } } })
  const port = Number(values.port ?? 0)
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port must be a whole number from 0 to 65535, not "${values.port}".`)
  return { port, host: values.host ?? '127.0.0.1' }
}

function explain(error: unknown, port: number): string {
  const code = (error as { code?: string } | null)?.code
  if (code === 'EADDRINUSE') return `Port ${port} is already in use. Stop what is using it, or choose another with --port.`
  if (code === 'EACCES') return `Port ${port} may not be opened by this user. Choose one above 1023 with --port.`
  return error instanceof Error ? error.message : String(error)
}

/** npm's shell does not pass signals on: when it is gone, so are we. Without npm, a parent may well end before us. */
function stopWithParent(stop: () => Promise<void>): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) void stop()
  }, 250).unref()
}

let port = 0
try {
  const wanted = readArguments()
  port = wanted.port
  const sandbox = await startSandbox(wanted)
  let stopping = false
  const stop = async (): Promise<void> => {
    if (stopping) return
    stopping = true
    await sandbox.close()
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  stopWithParent(stop)
  process.stdout.write(`${JSON.stringify(sandbox.urls)}\n`)
} catch (error) {
  process.stderr.write(`${explain(error, port)}\n`)
  process.exit(1)
}
