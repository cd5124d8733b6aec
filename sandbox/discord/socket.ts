// One WebSocket of the gateway: plain text or one zlib stream, and what comes in.

import { constants, createDeflate } from 'node:zlib'
import type { RawData, WebSocket } from 'ws'
import type { Wire } from './store.ts'

export interface Socket {
  send: (text: string) => void
  close: (code: number, reason: string) => void
  terminate: () => void
}

export function createSocket(socket: WebSocket, compressed: boolean): Socket {
  const common = {
    close: (code: number, reason: string) => socket.close(code, reason),
    terminate: () => socket.terminate(),
  }
  if (!compressed) return { ...common, send: (text) => socket.send(text) }
  const deflate = createDeflate()
  let parts: Buffer[] = []
  deflate.on('data', (part: Buffer) => parts.push(part))
  socket.on('close', () => deflate.destroy())
  return {
    ...common,
    send: (text) => {
      deflate.write(text)
      deflate.flush(constants.Z_SYNC_FLUSH, () => {
        const message = Buffer.concat(parts)
        parts = []
        if (message.length > 0) socket.send(message)
      })
    },
  }
}

export function parse(raw: RawData): { op: number; d: Wire } | null {
  try {
    const packet = JSON.parse(raw.toString()) as { op?: unknown; d?: unknown }
    if (typeof packet !== 'object' || packet === null || typeof packet.op !== 'number') return null
    return { op: packet.op, d: (typeof packet.d === 'object' && packet.d !== null ? packet.d : {}) as Wire }
  } catch {
    return null
  }
}
