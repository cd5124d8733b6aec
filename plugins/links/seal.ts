// Hashes of addresses and browsers: keyed, cut short, under a salt that changes every day (UTC). Within a day the same visitor is recognised, beyond it nobody is.
import { createHmac, hash } from 'node:crypto'
import { days } from '../kit/index.ts'

/** Everything in hexadecimal digits. */
export interface Seals {
  /** Eight bytes. */
  ofAddress(at: Date, ip: string): string
  /** Eight bytes. There are few user agents, so they are remembered. */
  ofAgent(at: Date, agent: string): string
  /** Sixteen bytes for a visitor of a link. */
  ofVisit(at: Date, linkId: string, ip: string, agent: string): string
}

const mostRemembered = 5000

export function createSeals(key: Buffer): Seals {
  /** Salts by day. Two days meet in the hour after midnight. */
  const salts = new Map<number, { salt: string; known: Map<string, string> }>()
  const saltOf = (at: Date) => {
    const day = Math.floor(at.getTime() / days(1))
    let found = salts.get(day)
    if (!found) {
      if (salts.size > 3) salts.clear()
      const salt = createHmac('sha256', key)
        .update(new Date(days(day)).toISOString().slice(0, 10))
        .digest('hex')
      found = { salt, known: new Map() }
      salts.set(day, found)
    }
    return found
  }
  // The salt is secret and the digest is cut short, so this is as good as an HMAC, and half the work.
  const sealed = (salt: string, text: string) => hash('sha256', `${salt}|${text}`, 'hex')
  return {
    ofAddress: (at, ip) => sealed(saltOf(at).salt, ip).slice(0, 16),
    ofAgent: (at, agent) => {
      const { salt, known } = saltOf(at)
      const remembered = known.get(agent)
      if (remembered) return remembered
      const seal = sealed(salt, agent).slice(0, 16)
      if (known.size >= mostRemembered) known.clear()
      if (agent.length <= 512) known.set(agent, seal)
      return seal
    },
    ofVisit: (at, linkId, ip, agent) => sealed(saltOf(at).salt, `${linkId}|${ip}|${agent}`).slice(0, 32),
  }
}
