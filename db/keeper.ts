// Runs the embedded PostgreSQL server as a child and stops it when standard input closes, which happens however the owner ends. It does nothing else.
import { spawn } from 'node:child_process'

const { command, args, account } = JSON.parse(process.argv[2]!) as {
  command: string
  args: string[]
  account?: { uid: number; gid: number }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
process.stderr.on('error', () => {})

const server = spawn(command, args, { ...account, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
server.stderr.on('data', (chunk) => process.stderr.write(chunk))
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
server.on('close', (code) => process.exit(code ?? 1))
process.stdin.on('end', stop).on('error', stop).resume()

let stopping = false
/** Fast shutdown first; immediate shutdown when that takes too long. */
function stop(): void {
  if (stopping) return
  stopping = true
  server.kill('SIGINT')
  setTimeout(() => server.kill('SIGQUIT'), 8000).unref()
}
