// Hands drawings to the thread that draws, which is started when it is first needed and ended when nothing was drawn for a while.
import { Worker } from 'node:worker_threads'
import { minutes } from '../../kit/index.ts'
import type { Drawing } from './drawing.ts'
import type { Delivery, Order } from './worker.ts'

export interface Painter {
  /** The bytes of a PNG. @throws Error when it cannot be drawn in time */
  paint(drawing: Drawing): Promise<Buffer>
  stop(): Promise<void>
}

/** Far longer than a drawing takes on a slow machine, far shorter than Discord waits for a deferred reply. */
const patienceMs = 60_000
const idleMs = minutes(5)

export function createPainter(): Painter {
  const waiting = new Map<number, { resolve: (png: Buffer) => void; reject: (error: Error) => void }>()
  let worker: Worker | undefined
  let count = 0
  let idle: NodeJS.Timeout | undefined

  function end(error?: Error): Promise<unknown> {
    const ending = worker
    worker = undefined
    clearTimeout(idle)
    for (const { reject } of waiting.values()) reject(error ?? new Error('the thread that draws was ended'))
    waiting.clear()
    return ending?.terminate() ?? Promise.resolve()
  }

  function begin(): Worker {
    const begun = new Worker(new URL('./worker.ts', import.meta.url))
    begun.on('message', (delivery: Delivery) => {
      const order = waiting.get(delivery.number)
      waiting.delete(delivery.number)
      if ('png' in delivery) order?.resolve(Buffer.from(delivery.png))
      else order?.reject(new Error(delivery.error))
    })
    begun.on('error', (error: Error) => {
      if (worker === begun) void end(error)
    })
    // Nobody’s process stays alive for it.
    begun.unref()
    return begun
  }

  return {
    paint: (drawing) =>
      new Promise((resolve, reject) => {
        worker ??= begin()
        clearTimeout(idle)
        idle = setTimeout(() => void end(), idleMs).unref()
        const number = ++count
        const patience = setTimeout(() => void end(new Error(`nothing was drawn in ${patienceMs} ms`)), patienceMs)
        const settle =
          <T>(how: (value: T) => void) =>
          (value: T) => {
            clearTimeout(patience)
            how(value)
          }
        waiting.set(number, { resolve: settle(resolve), reject: settle(reject) })
        worker.postMessage({ number, drawing } satisfies Order)
      }),
    stop: async () => {
      await end()
    },
  }
}
