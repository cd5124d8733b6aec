// What is on record of single clicks, and how a person who is seen elsewhere can be compared with them: for plugins that judge clicks. Reads only.
import { sql } from 'drizzle-orm'
import { days, type Reader } from '../kit/index.ts'
import type { Links } from './public.ts'
import type { Seals } from './seal.ts'

export function createClickFacts(seals: Seals): Pick<Links, 'clickFacts' | 'marks'> {
  return {
    clickFacts: async (reader: Reader, programId: string, clickId: string) => {
      if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(clickId)) return undefined
      const [row] = await reader.execute<{
        at: string
        paid_by: string | null
        referrer: string | null
        datacentre: boolean
        address: string
        agent: string
      }>(sql`
        select at, paid_by, referrer, datacentre, encode(ip_hash, 'hex') as address, encode(agent_hash, 'hex') as agent
        from links_clicks where at = links_click_at(${clickId}::uuid) and id = ${clickId}::uuid and program_id = ${programId}::uuid`)
      if (!row) return undefined
      const { paid_by: paidBy, referrer, datacentre, address, agent } = row
      const at = new Date(row.at)
      return { at, paidBy, referrer, datacentre, mark: { day: dayOf(at), address, agent } }
    },
    marks: (at, ip, userAgent) =>
      [-1, 0, 1].map((offset) => {
        const day = new Date(at.getTime() + offset * days(1))
        return { day: dayOf(day), address: seals.ofAddress(day, ip), agent: seals.ofAgent(day, userAgent) }
      }),
  }
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)
