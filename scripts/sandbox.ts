// `npm run sandbox -- --port 4600`: the outside world alone. Prints one JSON line with its addresses and runs until it is stopped.

import { parseArgs } from 'node:util'
import { startSandbox } from '../sandbox/server.ts'
import { onSignal } from './command.ts'

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

let port = 0
try {
  const wanted = readArguments()
  port = wanted.port
  const sandbox = await startSandbox(wanted)
  onSignal(() => sandbox.close())
  process.stdout.write(`${JSON.stringify(sandbox.urls)}\n`)
} catch (error) {
  process.stderr.write(`${explain(error, port)}\n`)
  process.exit(1)
}
