// The environment variables of links: whose opinion counts on which country an address is in, and which belong to data centres.
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
  {
    name: 'DATACENTRE_RANGES',
    schema: z.string().min(1).optional(),
    purpose:
      'a text file with one range of addresses a line that belong to data centres; clicks from there are marked for the fraud check',
    where: 'clouds publish theirs, such as https://ip-ranges.amazonaws.com/ip-ranges.json; keep the file current with a timer',
    example: '/etc/siso/datacentres.txt',
  },
]
