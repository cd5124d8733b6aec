// For sources whose rows keep partner_id, and in origin what is known of the click that led to them: pieces of SQL that every such source needs.
import { type SQL, sql } from 'drizzle-orm'
import { amongTexts } from '../kit/index.ts'

/** What of a `FigureQuestion` matters here. */
interface Apart {
  readonly timeZone: string
  readonly by?: string
  readonly keys?: readonly (string | null)[]
  readonly daily?: boolean
}

/** The value of the dimension that is asked for, in a row with the columns `partner_id` and `origin` (attribution's `Origin` as jsonb). */
export function originKey({ by }: Apart): SQL {
  if (by === undefined) return sql`null`
  return by === 'partner' ? sql`partner_id::text` : sql`case when origin is not null then coalesce(origin ->> ${by}, '') end`
}

/** The day of the column at which the fact counts, when days are asked for. */
export function dayKey({ daily, timeZone }: Apart, at: SQL): SQL {
  return daily ? sql`(${at} at time zone ${timeZone})::date::text` : sql`null`
}

/** Whether the column `key` is among the values that are asked for. */
export function isAmongKeys({ keys }: Apart): SQL {
  if (!keys) return sql`true`
  const listed = amongTexts(
    sql`key`,
    keys.filter((key) => key !== null),
  )
  return keys.includes(null) ? sql`(${listed} or key is null)` : listed
}
