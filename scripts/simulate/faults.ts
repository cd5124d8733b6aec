// A database whose transactions sometimes die: in the middle, before the commit, or after it with nobody told. Everything else passes through.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Db } from '../../db/connect.ts'
import { chance } from './random.ts'

export class Crash extends Error {
  override name = 'Crash'
}

export interface Faults {
  readonly db: Db
  /** Repeats `work` until it does not crash; which of its transactions die depends on `name` alone. Other errors pass. */
  survive<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Waits until no transaction runs: work that was given up may still be under way. */
  quiet(): Promise<void>
  crashes(): number
}

const statements: ReadonlySet<string> = new Set(['execute', 'select', 'selectDistinct', 'insert', 'update', 'delete'])

/** @param rate share of transactions that die */
export function faultyDatabase(db: Db, seed: number, rate: number): Faults {
  const scope = new AsyncLocalStorage<{ name: string; count: number }>()
  const running = new Set<Promise<unknown>>()
  let crashes = 0

  function crash(where: string): Crash {
    crashes++
    return new Crash(`the process died ${where}`)
  }

  const transaction: Db['transaction'] = (work, config) => {
    const at = scope.getStore()
    const dice = at ? chance(seed, 'crash', at.name, at.count++) : 1
    const run = dice < rate ? dying(work, config, dice / rate) : db.transaction(work, config)
    const done = run.catch(() => {}).finally(() => running.delete(done))
    running.add(done)
    return run
  }

  async function dying<T>(
    work: Parameters<typeof db.transaction<T>>[0],
    config: Parameters<typeof db.transaction>[1],
    how: number,
  ): Promise<T> {
    if (how < 0.3) {
      await db.transaction(work, config)
      throw crash('after its commit')
    }
    // How many statements it still gets to do; those that need fewer die at the end.
    let left = how < 0.6 ? Number.POSITIVE_INFINITY : Math.floor(((how - 0.6) / 0.4) * 20)
    return db.transaction(async (tx) => {
      const mortal = new Proxy(tx, {
        get: (target, name) => {
          if (!statements.has(String(name)) || left-- > 0) return bound(target, name)
          const error = crash('in the middle of a transaction')
          return () => neverDone(error)
        },
      })
      await work(mortal)
      throw crash('before its commit')
    }, config)
  }

  return {
    db: new Proxy(db, { get: (target, name) => (name === 'transaction' ? transaction : bound(target, name)) }),
    survive: async (name, work) => {
      for (let life = 1; ; life++) {
        try {
          return await scope.run({ name: `${name} ${life}`, count: 0 }, work)
        } catch (error) {
          if (!isCrash(error) || life === 20) throw error
        }
      }
    },
    quiet: async () => {
      while (running.size > 0) await Promise.all(running)
    },
    crashes: () => crashes,
  }
}

/** Who does many things and goes on after one that failed, as after a lost connection, tells of all that failed in the end. */
const isCrash = (error: unknown): boolean =>
  error instanceof Crash || (error instanceof AggregateError && error.errors.every(isCrash))

/** A statement, however it is put together, that fails when it is waited for. As a real one, it does not throw while it is asked for. */
function neverDone(error: Error): unknown {
  const statement: object = new Proxy(
    {},
    {
      get: (_, name) =>
        name === 'then' ? (...given: Parameters<Promise<never>['then']>) => Promise.reject(error).then(...given) : () => statement,
    },
  )
  return statement
}

function bound(target: object, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}
