// The visitors of the redirect's bench: keep-alive connections that each ask, wait for the answer, and ask again. Runs as a process of its own; prints one JSON line.
import { appendFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

export interface LoadOrder {
  port: number
  paths: string[]
  connections: number
  ms: number
  /** Node's own HTTP client, or (the default) plain sockets that cost a third of it and so leave more of the machine to what is measured. */
  client?: 'http' | 'sockets'
  /** Each path once, in order, instead of at random until the time is over. */
  once?: boolean
  /** Ends when the server has gone, and not only when the time is over. Plain sockets only. */
  untilGone?: boolean
  /** Append the id of every click that was answered to this file, at once. */
  journal?: string
}

export interface LoadResult {
  /** Answers of any kind, and among them redirects that carry a click id. */
  answers: number
  clicks: number
  /** Answers by status. A connection that broke in the middle of an answer counts under `broken`, an answer that did not come under `late`. */
  statuses: Record<string, number>
  perSecond: number
  p50: number
  p99: number
  slowest: number
  /** Waits in hundredths of a millisecond, and how many waited so long; from the shortest. */
  waits: [hundredths: number, count: number][]
}

/** As visitors come: many addresses, some hundred browsers. */
const headers = Array.from({ length: 300 }, (_, i) => ({
  host: 'bench.test',
  accept: 'text/html,application/xhtml+xml',
  'user-agent': `Mozilla/5.0 (${['Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7', 'X11; Linux x86_64'][i % 3]}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${120 + (i % 25)}.0.${i}.0 Safari/537.36`,
}))
const heads = headers.map((fields) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join(''),
)
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!
const octet = () => Math.floor(Math.random() * 254) + 1
const someAddress = () => `${octet()}.${octet()}.${octet()}.${octet()}`

/** Nobody waits longer for a redirect. */
const patienceMs = 30_000

async function load(order: LoadOrder): Promise<LoadResult> {
  const times: number[] = []
  const statuses: Record<string, number> = {}
  let clicks = 0
  let next = 0
  const begin = performance.now()
  const end = begin + order.ms
  const nextPath = () => {
    if (order.once) return order.paths[next++]
    return performance.now() < end ? pick(order.paths) : undefined
  }
  const seen = (status: string, head: string, ms: number) => {
    statuses[status] = (statuses[status] ?? 0) + 1
    times.push(ms)
    const mark = head.indexOf('siso_cid=')
    if (status !== '302' || mark < 0) return
    clicks++
    if (order.journal) appendFileSync(order.journal, `${head.slice(mark + 9, mark + 45)}\n`)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: order.connections })
  const isOver = () => order.untilGone === true || (!order.once && performance.now() >= end)
  await Promise.all(
    Array.from({ length: order.connections }, () =>
      order.client === 'http' ? httpVisitor(agent, order.port, nextPath, seen) : visitor(order.port, nextPath, seen, isOver),
    ),
  )
  agent.destroy()
  const seconds = (performance.now() - begin) / 1000
  times.sort((a, b) => a - b)
  const at = (share: number) => round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)
  return {
    answers: times.length,
    clicks,
    statuses,
    perSecond: Math.round(times.length / seconds),
    p50: at(0.5),
    p99: at(0.99),
    slowest: at(1),
    waits: [...Map.groupBy(times, (ms) => Math.round(ms * 100))].map(([hundredths, those]) => [hundredths, those.length]),
  }
}

type Seen = (status: string, head: string, ms: number) => void

/** One connection after the other to the same server; a new one is opened when the server closes it. */
async function visitor(port: number, nextPath: () => string | undefined, seen: Seen, isOver: () => boolean): Promise<void> {
  while ((await converse(port, nextPath, seen)) && !isOver()) await sleep(20)
}

/** Asks until there is nothing more to ask, which gives false, or the connection closes, which gives true. */
function converse(port: number, nextPath: () => string | undefined, seen: Seen): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let asked = 0
    let pending = false
    const ask = () => {
      const path = nextPath()
      if (!path) {
        socket.end()
        return resolve(false)
      }
      pending = true
      asked = performance.now()
      socket.write(`GET ${path} HTTP/1.1\r\n${pick(heads)}x-forwarded-for: ${someAddress()}\r\n\r\n`)
    }
    socket.setEncoding('latin1')
    socket.on('connect', ask)
    socket.setTimeout(patienceMs, () => {
      if (pending) seen('late', '', performance.now() - asked)
      pending = false
      socket.destroy()
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const head = text.slice(0, headEnd)
      // A redirect has no body.
      const length = head.startsWith('302', 9) ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (text.length < headEnd + 4 + length) return
      text = ''
      pending = false
      seen(head.slice(9, 12), head, performance.now() - asked)
      ask()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      if (pending) seen('broken', '', performance.now() - asked)
      resolve(true)
    })
  })
}

async function httpVisitor(agent: Agent, port: number, nextPath: () => string | undefined, seen: Seen): Promise<void> {
  for (let path = nextPath(); path; path = nextPath()) {
    const asked = performance.now()
    await new Promise<void>((resolve) => {
      const answered = (status: string, head: string) => {
        seen(status, head, performance.now() - asked)
        resolve()
      }
      get(
        { agent, port, path: path!, host: '127.0.0.1', headers: { ...pick(headers), 'x-forwarded-for': someAddress() } },
        (response) => {
          response.on('end', () => answered(String(response.statusCode), response.headers.location ?? ''))
          response.resume()
        },
      ).on('error', () => answered('broken', ''))
    })
  }
}

const round = (ms: number) => Math.round(ms * 100) / 100

if (import.meta.main) {
  // Whoever sent the visitors has gone.
  process.once('disconnect', () => process.exit())
  const result = await load(JSON.parse(process.argv[2]!) as LoadOrder)
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
}
