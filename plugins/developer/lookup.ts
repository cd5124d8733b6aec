// Looks up where a webhook goes: public addresses only, so that nobody makes this server knock on doors of its own network.
import { type LookupAddress, type LookupOptions, lookup } from 'node:dns'
import { isPublicAddress } from '../kit/index.ts'

export class ForbiddenAddress extends Error {
  override name = 'ForbiddenAddress'
  constructor() {
    super('the address leads into a private network')
  }
}

type LookupCallback = (error: Error | null, address: string | LookupAddress[], family?: number) => void

/**
 * Looks a host up as the system does, and refuses it when any of its addresses is not public. Given to the connection itself, so that the address that was checked
 * is the one that is connected to.
 */
export function publicLookup(hostname: string, options: LookupOptions, callback: LookupCallback): void {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    if (error) return callback(error, [])
    if (found.length === 0 || !found.every(({ address }) => isPublicAddress(address))) return callback(new ForbiddenAddress(), [])
    if (options.all) return callback(null, found)
    callback(null, found[0]!.address, found[0]!.family)
  })
}
