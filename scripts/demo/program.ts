// The program as a process of its own, started exactly as in production: `scripts/start.ts` and environment variables.
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../../plugins/kit/environment.ts'

export interface RunningProgram {
  readonly pid: number
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>
  /** Ends it as a power cut would. */
  kill(): Promise<void>
}

export interface ProgramOptions {
  environment: Readonly<Record<string, string>>
  /** Where its log lines go. */
  logFile: string
  onProgress?: (what: string) => void
}

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Starts the program and resolves when it is ready. @throws ConfigurationError with what the program said when it ends before that */
export async function startProgram({ environment, logFile, onProgress }: ProgramOptions): Promise<RunningProgram> {
  await mkdir(path.dirname(logFile), { recursive: true })
  const log = createWriteStream(logFile, { flags: 'a' })
  const child = spawn(process.execPath, [path.join(root, 'scripts/start.ts')], {
    cwd: root,
    env: { PATH: process.env.PATH, NODE_OPTIONS: process.env.NODE_OPTIONS, ...environment } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let complaint = ''
  child.stdout!.pipe(log)
  child.stderr!.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-4000)
    log.write(chunk)
  })
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: { ready?: string; progress?: string }) => {
      if (message.progress) onProgress?.(message.progress)
      if (message.ready !== undefined) resolve()
    })
    child.once('error', reject)
    child.once('close', (code) =>
      reject(
        new ConfigurationError(
          `The program ended with code ${code} before it was ready.\n${complaint.trim() || `Its log is in ${logFile}.`}`,
        ),
      ),
    )
  })
  return {
    pid: child.pid!,
    stop: () => end(child, 'SIGTERM', ended),
    kill: () => end(child, 'SIGKILL', ended),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await ended
  clearTimeout(patience)
}
