// The environment variable of links: whose opinion counts on which country an address is in.
import { z } from 'zod'
import type { EnvironmentVariable } from '../kit/index.ts'

export const environment: readonly EnvironmentVariable[] = [
  {
    name: 'COUNTRY_DATABASE',
    schema: z.string().min(1).optional(),
    purpose: 'a file in MaxMind’s format (.mmdb) that tells visitors’ countries; unset, the one that came with the program',
    where: 'https://www.maxmind.com → GeoLite2 or GeoIP2 Country, renewed by their geoipupdate',
    example: '/var/lib/GeoIP/GeoLite2-Country.mmdb',
  },
]
