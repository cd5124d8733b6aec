// Faults on demand, the same for every vendor: a test says which requests go wrong, how, and how often. It decides; the servers act on it.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/**
 * What goes wrong.
 * - `status`: the request is refused with that status and the vendor's error body; nothing is applied.
 * - `delay`: the request is handled, its answer comes `ms` later.
 * - `timeout_after_apply`: the request is handled, then the connection is dropped: the client sees an error although it happened.
 * - `timeout_before_apply`: the connection is dropped and nothing is applied.
 */
type FaultKind = 'status' | 'delay' | 'timeout_after_apply' | 'timeout_before_apply'

interface FaultInput {
  /** `"POST /v1/transfers"`, `"/v1/*"` or `"*"`: an optional method and a path in which `*` stands for any text. */
  match: string
  kind: FaultKind
  /** For kind `status`; 500 unless told. */
  status?: number
  /** Milliseconds to wait, for every kind. */
  ms?: number
  /** How many requests it hits before it is spent; 1 unless told. */
  count?: number
}

export interface Fault extends Required<FaultInput> {
  id: string
  remaining: number
}

const KINDS: readonly FaultKind[] = ['status', 'delay', 'timeout_after_apply', 'timeout_before_apply']

/** An armoury of faults. `take` spends one use of the first fault that matches. */
export function createFaults() {
  const faults: Fault[] = []
  let sequence = 0
  return {
    list: (): Fault[] => faults.filter((fault) => fault.remaining > 0),
    clear: (): void => {
      faults.length = 0
    },
    /** Arms a fault. Throws with a sentence when the input makes no sense. */
    add(input: FaultInput): Fault {
      if (typeof input?.match !== 'string' || input.match === '')
        throw new Error('A fault needs `match`, such as "POST /v1/transfers" or "/v1/*".')
      if (!KINDS.includes(input.kind)) throw new Error(`A fault needs a \`kind\`: ${KINDS.join(', ')}.`)
      const count = input.count ?? 1
      const fault: Fault = {
        id: `fault_${++sequence}`,
        match: input.match,
        kind: input.kind,
        status: input.status ?? 500,
        ms: input.ms ?? 0,
        count,
        remaining: count,
      }
      faults.push(fault)
      return fault
    },
    take(method: string, path: string): Fault | undefined {
      const fault = faults.find((candidate) => candidate.remaining > 0 && matches(candidate.match, method, path))
      if (fault) fault.remaining -= 1
      return fault
    },
  }
}

export type Faults = ReturnType<typeof createFaults>

function matches(match: string, method: string, path: string): boolean {
  const [first = '', second] = match.trim().split(/\s+/, 2)
  const [wantedMethod, wantedPath] = second === undefined ? ['*', first] : [first, second]
  if (wantedMethod !== '*' && wantedMethod.toUpperCase() !== method) return false
  const pattern = wantedPath.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${pattern.join('.*')}$`).test(path)
}

/** GET, POST and DELETE /sandbox/faults. */
export function faultRoutes(app: FastifyInstance, faults: Faults): void {
  app.get('/sandbox/faults', async () => ({ faults: faults.list() }))
  app.post('/sandbox/faults', async (request, reply) => {
    try {
      return reply.code(201).send(faults.add(request.body as FaultInput))
    } catch (error) {
      return reply.code(400).send({ error: (error as Error).message })
    }
  })
  app.delete('/sandbox/faults', async (_request, reply) => {
    faults.clear()
    return reply.code(204).send()
  })
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Drops the connection without an answer, as a network failure would. */
export function dropConnection(request: FastifyRequest, reply: FastifyReply): void {
  reply.hijack()
  request.raw.socket.destroy()
}
