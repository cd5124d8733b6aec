// What a database does on this machine: TPC-B with 16 clients, by pgbench where there is one, else by the same statements over our own driver.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import postgres from 'postgres'

export interface Yardstick {
  readonly name: string
  /** Transactions per second. */
  measure(seconds: number): Promise<number>
}

const clients = 16
/** As many branches as clients: with fewer they would only wait for each other. */
const scale = 16

/** Prepares the tables of TPC-B in a database of their own. */
export async function yardstickOn(serverUrl: string): Promise<Yardstick> {
  const url = serverUrl.replace(/\/postgres$/, '/yardstick')
  const admin = postgres(serverUrl, { max: 1, onnotice: () => {} })
  await admin.unsafe('create database yardstick')
  await admin.end()
  const binary = findPgbench()
  return binary ? withPgbench(binary, url) : withDriver(url)
}

function findPgbench(): string | undefined {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => `${debian}/${version}/bin`) : []
  return [...(process.env.PATH ?? '').split(':'), ...versions].map((folder) => `${folder}/pgbench`).find((file) => existsSync(file))
}

async function withPgbench(binary: string, url: string): Promise<Yardstick> {
  const run = promisify(execFile)
  await run(binary, ['--initialize', '--quiet', `--scale=${scale}`, url])
  return {
    name: `pgbench, TPC-B, ${clients} clients, scale ${scale}`,
    measure: async (seconds) => {
      const { stdout } = await run(binary, [`--client=${clients}`, '--jobs=2', `--time=${seconds}`, url])
      return Number(/tps = ([\d.]+)/.exec(stdout)![1])
    },
  }
}

async function withDriver(url: string): Promise<Yardstick> {
  const sql = postgres(url, { max: clients, onnotice: () => {} })
  await sql.unsafe(`
    create table pgbench_branches (bid int primary key, bbalance int, filler char(88)) with (fillfactor = 100);
    create table pgbench_tellers (tid int primary key, bid int, tbalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_accounts (aid int primary key, bid int, abalance int, filler char(84)) with (fillfactor = 100);
    create table pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
    insert into pgbench_branches select i, 0 from generate_series(1, ${scale}) i;
    insert into pgbench_tellers select i, (i - 1) / 10 + 1, 0 from generate_series(1, ${scale * 10}) i;
    insert into pgbench_accounts select i, (i - 1) / 100000 + 1, 0, '' from generate_series(1, ${scale * 100_000}) i;
    analyze`)
  await sql.end()
  const upTo = (count: number) => 1 + Math.floor(Math.random() * count)
  return {
    name: `TPC-B over the postgres driver (pgbench is not installed), ${clients} clients, scale ${scale}`,
    measure: async (seconds) => {
      const db = postgres(url, { max: clients, onnotice: () => {} })
      const until = performance.now() + seconds * 1000
      let done = 0
      const client = async () => {
        for (; performance.now() < until; done++) {
          const [aid, bid, tid, delta] = [upTo(scale * 100_000), upTo(scale), upTo(scale * 10), upTo(10_001) - 5_001]
          await db.begin(async (tx) => {
            await tx`update pgbench_accounts set abalance = abalance + ${delta} where aid = ${aid}`
            await tx`select abalance from pgbench_accounts where aid = ${aid}`
            await tx`update pgbench_tellers set tbalance = tbalance + ${delta} where tid = ${tid}`
            await tx`update pgbench_branches set bbalance = bbalance + ${delta} where bid = ${bid}`
            await tx`insert into pgbench_history (tid, bid, aid, delta, mtime) values (${tid}, ${bid}, ${aid}, ${delta}, current_timestamp)`
          })
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
      await db.end()
      return done / seconds
    },
  }
}
