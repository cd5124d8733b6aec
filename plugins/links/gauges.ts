// What operators watch of links: clicks that wait on this machine's disk for the database.
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Gauge } from '../kit/index.ts'
import { spoolIn } from './spool.ts'

export function linkGauges(dataDirectory: string): Gauge[] {
  return [
    {
      name: 'siso_links_spooled_bytes',
      help: 'Clicks that could not be stored and wait on this machine’s disk, in bytes. Above 0 for long: the database is away, or refuses them.',
      read: async () => {
        const directory = spoolIn(dataDirectory)
        const files = await readdir(directory).catch(() => [])
        const sizes = await Promise.all(
          files.map(async (name) => (await stat(path.join(directory, name)).catch(() => undefined))?.size ?? 0),
        )
        return [{ value: sizes.reduce((sum, size) => sum + size, 0) }]
      },
    },
  ]
}
