// Measures the bot: people online in one server who use it at a steady rate through one process, the program as an operator runs it. Says how long the first
// response takes, whether anything was lost, and whether the process grows. The sandbox stands in for Discord; its share of the processor is told beside ours.
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Connection, connect } from '../../db/connect.ts'
import { startEmbedded } from '../../db/embedded.ts'
import { programStore } from '../../db/programs.ts'
import type { Identity } from '../demo/person.ts'
import { startWorld, type World } from '../demo/world.ts'
import type { CrowdOrder, CrowdResult } from './crowd.ts'
import { seedPartners } from './partners.ts'

const linksEach = 12
const warmUpSeconds = 10

interface InteractionsBench extends CrowdResult {
  people: number
  perSecond: number
  seconds: number
  /** Resident memory of the program in bytes, after the warm-up and at the end. */
  rssStart: number
  rssEnd: number
  /** Once a minute of a run that is longer than two. */
  rss?: number[]
  /** Processor time per second of the measurement: 1 is a whole core. */
  cores: { program: number; sandbox: number; people: number }
}

type Flag = string | boolean | undefined

/** @throws Error when an interaction was lost, refused or apologised for */
export async function run(flags: { people?: Flag; rate?: Flag; seconds?: Flag; minutes?: Flag } = {}): Promise<InteractionsBench> {
  const count = Number(flags.people ?? 200)
  const perSecond = Number(flags.rate ?? 50)
  const seconds = flags.minutes ? Number(flags.minutes) * 60 : Number(flags.seconds ?? 60)
  const directory = await mkdtemp(path.join(tmpdir(), 'siso-bench-'))
  const server = await startEmbedded({ directory: path.join(directory, 'postgres') })
  let world: World | undefined
  try {
    world = await startWorld({ dataDirectory: directory, environment: { DATABASE_URL: server.url, LOG_LEVEL: 'warn' } })
    const people = await newPartners(world, server.url, count)
    const order = { ...(await orderIn(world)), people, perSecond, seconds, warmUpSeconds }
    const measured = await measure(world, directory, order)
    const result = { people: count, perSecond, seconds, ...measured }
    if (measured.answered !== measured.sent)
      throw new Error(`${measured.sent - measured.answered} of ${measured.sent} interactions were lost: ${JSON.stringify(result)}`)
    return result
  } finally {
    await world?.close()
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

/** People who joined the server, are active partners with links, and hold the role of partners. */
async function newPartners(world: World, databaseUrl: string, count: number): Promise<Identity[]> {
  await world.admin.run('admin setup')
  const connection = await connect(databaseUrl, { max: 2 })
  try {
    const program = (await programStore.byGuild(connection.db, world.guildId))!
    const role = await partnerRole(world)
    const people: Identity[] = []
    for (let i = 0; i < count; i++) people.push(await world.newPerson(`partner${i}`))
    await seedPartners(
      connection,
      program.id,
      people.map(({ id }) => id),
      linksEach,
    )
    for (const { id } of people) await world.control('PUT', `/sandbox/guilds/${world.guildId}/members/${id}`, { roles: [role] })
    await quiet(connection)
    return people
  } finally {
    await connection.close()
  }
}

/** The role that opens the partners' channels, once the bot has made it. */
async function partnerRole({ admin, guildId }: World): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const roles = await admin.get<{ id: string; name: string }[]>(`/guilds/${guildId}/roles`)
    const role = roles.find(({ name }) => name === 'Partner')
    if (role) return role.id
    await sleep(100)
  }
  throw new Error('the bot made no role “Partner”')
}

/** Waits until everybody's joining was dealt with. */
async function quiet({ sql }: Connection): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const [row] = await sql`select count(*)::int as waiting from core_outbox where done_at is null and available_at <= now()`
    if (row!.waiting === 0) return
    await sleep(100)
  }
}

async function orderIn({
  admin,
  guildId,
  sandbox,
}: World): Promise<Pick<CrowdOrder, 'api' | 'guildId' | 'applicationId' | 'channelId'>> {
  const [application] = (await (await fetch(`${sandbox.discord.url}/sandbox/applications`)).json()) as { id: string }[]
  const channel = admin.channels().find(({ type, name }) => type === 0 && name === 'general')
  return { api: sandbox.urls.discord.api, guildId, applicationId: application!.id, channelId: channel!.id }
}

async function measure(world: World, directory: string, order: CrowdOrder) {
  const orderFile = path.join(directory, 'order.json')
  await writeFile(orderFile, JSON.stringify(order))
  const crowd = fork(fileURLToPath(new URL('./crowd.ts', import.meta.url)), [orderFile], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const output = text(crowd)
  const pids = { program: world.program.pid(), sandbox: process.pid, people: crowd.pid! }
  await Promise.race([
    once(crowd, 'message'),
    once(crowd, 'close').then(() => Promise.reject(new Error('the crowd ended before it began'))),
  ])
  const before = await usage(pids)
  const began = performance.now()
  const rss: number[] = []
  const sampler = setInterval(() => void usage(pids).then(({ program }) => rss.push(program.rss)), 60_000)
  // The crowd's last processor time is taken just before it is done.
  const nearEnd = await Promise.race([sleep(order.seconds * 1000 - 500, undefined), once(crowd, 'close')]).then(() => usage(pids))
  const lasted = (performance.now() - began) / 1000
  const result = JSON.parse(await output) as CrowdResult
  clearInterval(sampler)
  const share = (name: keyof typeof pids) => Math.round(((nearEnd[name].cpu - before[name].cpu) / lasted) * 100) / 100
  return {
    ...result,
    rssStart: before.program.rss,
    rssEnd: (await usage(pids)).program.rss,
    ...(rss.length > 2 && { rss }),
    cores: { program: share('program'), sandbox: share('sandbox'), people: share('people') },
  }
}

async function text(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout!.on('data', (chunk) => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

/** Resident bytes and processor seconds of each process so far, as the system tells them. */
async function usage<N extends string>(pids: Record<N, number>): Promise<Record<N, { rss: number; cpu: number }>> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'pid=,rss=,time=', '-p', Object.values(pids).join(',')])
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  const entries = (Object.entries(pids) as [N, number][]).map(([name, pid]) => {
    const row = rows.find((columns) => Number(columns[0]) === pid)
    return [name, { rss: Number(row?.[1] ?? 0) * 1024, cpu: seconds(row?.[2] ?? '0') }] as const
  })
  return Object.fromEntries(entries) as Record<N, { rss: number; cpu: number }>
}

/** `1-02:03:04`, `02:03:04` or `03:04.05`. */
function seconds(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : ['0', time]
  return clock!.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400
}
