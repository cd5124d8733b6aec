// The thread that draws: takes drawings, gives the bytes of a PNG or says what went wrong.
import { parentPort } from 'node:worker_threads'
import type { Drawing } from './drawing.ts'
import { pngOf } from './render.ts'

export interface Order {
  readonly number: number
  readonly drawing: Drawing
}
export type Delivery = { readonly number: number; readonly png: Uint8Array } | { readonly number: number; readonly error: string }

parentPort!.on('message', ({ number, drawing }: Order) => {
  try {
    parentPort!.postMessage({ number, png: pngOf(drawing) } satisfies Delivery)
  } catch (error) {
    parentPort!.postMessage({ number, error: String((error as Error).stack ?? error) } satisfies Delivery)
  }
})
