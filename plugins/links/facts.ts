// What is on record of single clicks, and how a person who is seen elsewhere can be compared with them: for plugins that judge clicks. Reads only.
import { sql } from 'drizzle-orm'
import { days, type Reader } from '../kit/index.ts'
import type { Links } from './public.ts'
import type { Seals } from './seal.ts'
import { isClickId } from './service.ts'

export function createClickFacts(seals: Seals): Pick<Links, 'clickFacts' | 'marks'> {
  return {
    clickFacts: async (reader: Reader, programId: string, clickIds: readonly string[]) => {
      const ids = clickIds.filter(isClickId)
      if (ids.length === 0) return new Map()
      const rows = await reader.execute<{
        id: string
        at: string
        paid_by: string | null
        referrer: string | null
        datacentre: boolean
        address: string
        agent: string
      }>(sql`
        select c.id, c.at, c.paid_by, c.referrer, c.datacentre, encode(c.ip_hash, 'hex') as address, encode(c.agent_hash, 'hex') as agent
        from unnest(${`{${ids.join()}}`}::uuid[]) as asked (id)
        join links_clicks c on c.at = links_click_at(asked.id) and c.id = asked.id
        where c.program_id = ${programId}::uuid`)
      return new Map(
        rows.map(({ id, paid_by: paidBy, referrer, datacentre, address, agent, ...row }) => {
          const at = new Date(row.at)
          return [id, { at, paidBy, referrer, datacentre, mark: { day: dayOf(at), address, agent } }]
        }),
      )
    },
    marks: (at, ip, userAgent) =>
      [-1, 0, 1].map((offset) => {
        const day = new Date(at.getTime() + offset * days(1))
        return { day: dayOf(day), address: seals.ofAddress(day, ip), agent: seals.ofAgent(day, userAgent) }
      }),
  }
}

const dayOf = (at: Date): string => at.toISOString().slice(0, 10)
