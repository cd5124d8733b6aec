// Clicks in the database: stored many at a time, each once, however often it is tried. Knows nothing of visitors or requests.
import type { Sql } from '../kit/index.ts'
import { sumDaysAgain } from './days.ts'
import type { Rejection } from './tables.ts'
import type { Device } from './targets.ts'

/** A click as it is stored, and as it waits in the spool. Ids are UUIDs, hashes hexadecimal digits, times ISO 8601 in UTC. */
export interface Click {
  readonly id: string
  readonly at: string
  readonly programId: string
  readonly linkId: string
  readonly partnerId: string
  /** The click that the same browser carried in its cookie. */
  readonly previous: string | null
  readonly ipHash: string
  readonly agentHash: string
  readonly rejected: Rejection | null
  readonly subs: Record<string, string> | null
  /** The visitor of this link, for counting once an hour; null when the click cannot count. */
  readonly visit: string | null
  /** The same under the salt of the day before, while the last hour reaches into it. */
  readonly visitBefore: string | null
  readonly device: Device
  readonly country: string | null
  readonly landingPageId: string | null
  readonly referrer: string | null
  readonly campaign: string | null
  readonly paidBy: string | null
  /** Clicks that waited in the spool since before this was recorded do not say it. */
  readonly datacentre?: boolean
}

/**
 * One statement for any number of clicks. A visitor of a link counts when the last count is an hour old; whichever process comes first has the row, so
 * of two clicks at one moment one counts. Rows are taken in the order of their keys: two statements never wait for each other.
 */
const statement = `
  with incoming as materialized (
    select * from unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bytea[], $8::bytea[], $9::text[], $10::jsonb[],
      $11::bytea[], $12::bytea[], $13::links_device[], $14::text[], $15::uuid[], $16::text[], $17::text[], $18::text[], $19::boolean[])
      as c (at, id, program_id, link_id, partner_id, previous, ip_hash, agent_hash, rejected, subs, visit, visit_before,
        device, country, landing_page_id, referrer, campaign, paid_by, datacentre)
  ), counted as (
    insert into links_visits as v (key, counted_at)
    select visit, at from incoming c
    where visit is not null and (visit_before is null or not exists (
      select from links_visits o where o.key = c.visit_before and o.counted_at > c.at - interval '1 hour'))
    order by visit
    on conflict (key) do update set counted_at = excluded.counted_at where v.counted_at <= excluded.counted_at - interval '1 hour'
    returning key
  )
  insert into links_clicks (at, id, program_id, link_id, partner_id, previous, counted, ip_hash, agent_hash, rejected, subs,
    device, country, landing_page_id, referrer, campaign, paid_by, datacentre)
  select at, id, program_id, link_id, partner_id, previous, visit is not null and visit in (select key from counted), ip_hash, agent_hash, rejected, subs,
    device, country, landing_page_id, referrer, campaign, paid_by, datacentre is not null
  from incoming`

/** As the statement, for clicks of which some may be stored already. Looking for them first would cost every click a search, and hardly any comes twice. */
const carefulStatement = `${statement} on conflict do nothing`

/**
 * Stores the clicks, in the order in which they were made and less than an hour apart; those that are stored already change nothing.
 * When it returns, they are committed. @throws what the database throws; then none is stored
 */
export async function storeClicks(sql: Sql, clicks: readonly Click[]): Promise<void> {
  const columns = columnsOf(clicks)
  const store = (text: string) => sql.unsafe(text, columns, { prepare: true })
  try {
    await store(statement)
  } catch (error) {
    if (isMissingMonth(error))
      for (const at of new Set(clicks.map((click) => click.at))) await sql`select links_ensure_month(${at}::timestamptz)`
    else if (!isStoredAlready(error)) throw error
    await store(carefulStatement)
  }
}

/** Stores clicks of the past, and marks the hours and days that were summed up already. */
export async function storeLateClicks(sql: Sql, clicks: readonly Click[]): Promise<void> {
  await storeClicks(sql, clicks)
  const hours = [...new Set(clicks.map(({ at }) => `${at.slice(0, 13)}:00:00Z`))]
  await sql`
    insert into links_stale_hours (hour)
    select hour from unnest(${`{${hours.join()}}`}::timestamptz[]) as h (hour) order by hour on conflict do nothing`
  await sumDaysAgain(sql, clicks)
}

/** Whether the database refuses what it was given, so that trying again is of no use. */
export function isRefusal(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^2[23][0-9A-Z]{3}$/.test(code)
}

const isStoredAlready = (error: unknown): boolean => (error as { code?: unknown }).code === '23505'

function isMissingMonth(error: unknown): boolean {
  const { code, constraint_name } = error as { code?: unknown; constraint_name?: unknown }
  return code === '23514' && constraint_name === undefined
}

/**
 * Postgres reads an array from text; writing that text here is cheaper than having the driver do it value by value. A column that no click has is null as a
 * whole, which costs nothing to read: most have few.
 */
function columnsOf(clicks: readonly Click[]): (string | null)[] {
  const columns = Array.from({ length: 19 }, () => '')
  const has = Array.from({ length: 19 }, () => false)
  const visits = new Set<string>()
  let separator = '{'
  const add = (at: number, text: string | null) => {
    if (text !== null) has[at] = true
    columns[at] += separator + (text ?? 'NULL')
  }
  for (const click of clicks) {
    const isFirst = click.visit !== null && !visits.has(click.visit)
    if (isFirst) visits.add(click.visit)
    add(0, click.at)
    add(1, click.id)
    add(2, click.programId)
    add(3, click.linkId)
    add(4, click.partnerId)
    add(5, click.previous)
    add(6, bytes(click.ipHash))
    add(7, bytes(click.agentHash))
    add(8, click.rejected)
    add(9, click.subs ? quoted(JSON.stringify(click.subs)) : null)
    add(10, isFirst ? bytes(click.visit!) : null)
    add(11, click.visitBefore ? bytes(click.visitBefore) : null)
    add(12, click.device)
    add(13, click.country)
    add(14, click.landingPageId)
    add(15, click.referrer ? quoted(click.referrer) : null)
    add(16, click.campaign ? quoted(click.campaign) : null)
    add(17, click.paidBy)
    add(18, click.datacentre ? 't' : null)
    separator = ','
  }
  return columns.map((column, at) => (has[at] ? `${column}}` : null))
}

const bytes = (hex: string) => `"\\\\x${hex}"`
const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
