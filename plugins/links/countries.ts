// Which country an address belongs to, from a database file on this machine. Nobody is asked over the network, and the address is kept nowhere.
import { fileURLToPath } from 'node:url'
import maxmind, { type CountryResponse, type Reader } from 'maxmind'
import type { Logger } from 'pino'

export interface Countries {
  /**
   * ISO 3166, two capital letters; null when no country is known for the address. A promise only at the first visitors, while the file is being read.
   * Never throws.
   */
  of(ip: string): string | null | Promise<string | null>
}

/** GeoLite2 Country by MaxMind, which comes with the program. */
const bundled = '@ip-location-db/geolite2-country-mmdb/geolite2-country.mmdb'
const mostRemembered = 20_000

/** As the bundled file says it, and as MaxMind's own files do. */
type Entry = CountryResponse & { readonly country_code?: string }

/** `file` in MaxMind's format (mmdb); without it the bundled one. A file that cannot be read is logged, and no country is known. */
export function createCountries({ file, log }: { file: string | undefined; log: Logger }): Countries {
  let reader: Reader<Entry> | null | undefined
  let reading: Promise<void> | undefined

  const read = async () => {
    try {
      reader = await maxmind.open<Entry>(file ?? fileURLToPath(import.meta.resolve(bundled)), { cache: { max: mostRemembered } })
    } catch (error) {
      log.error({ err: error, file }, 'the file of countries cannot be read: no click gets a country')
      reader = null
    }
  }
  const lookUp = (ip: string): string | null => {
    if (!reader) return null
    // An address of the old kind in the clothes of the new.
    const plain = ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip
    try {
      const entry = reader.get(plain)
      const code = entry?.country_code ?? entry?.country?.iso_code
      return code && /^[A-Z]{2}$/.test(code) ? code : null
    } catch {
      return null
    }
  }
  return {
    of: (ip) => {
      if (reader !== undefined) return lookUp(ip)
      reading ??= read()
      return reading.then(() => lookUp(ip))
    },
  }
}
