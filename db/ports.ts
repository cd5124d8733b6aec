// Ports for servers that another process will open.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the ports that systems lend to outgoing connections (Linux from 32768, others from 49152: RFC 6335 and
 * net.ipv4.ip_local_port_range). A port from among those can be lent to somebody before the server opens it, and
 * each time it is down between two runs.
 */
const FIRST = 20_000
const LAST = 32_767

/** A loopback port that nobody listens on, for a server that opens it later. @throws when fifty tries found none free */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = randomInt(FIRST, LAST + 1)
    if (await isFree(port)) return port
  }
  throw new Error(`No free port between ${FIRST} and ${LAST} on 127.0.0.1 was found in fifty tries.`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
