// For tests of links: partners who may have links, links, and visitors who follow them, with the real plugins.
import { randomBytes } from 'node:crypto'
import { controlsOf, publicUrl, type TestHouse } from '../../app/testing.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { newId, type Plugin } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import type { Click } from './clicks.ts'
import { links } from './plugin.ts'

export const linkPlugins: readonly Plugin[] = [links, agreements, attribution, partners, notifications]

export const browser =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'

export interface TestLink {
  readonly id: string
  readonly partnerId: string
  readonly userId: string
  readonly code: string
  /** `/r/CODE` */
  readonly path: string
}

export interface Visiting {
  readonly method?: 'GET' | 'HEAD'
  readonly ip?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** No click and no sum of any is left; the program is in UTC, and hours count as summed up until `through`. */
export async function forgetAllClicks({ connection: { sql } }: TestHouse, through: string): Promise<void> {
  for (const table of ['links_clicks', 'links_days', 'links_days_summed', 'links_hours', 'links_stale_hours', 'links_seen'])
    await sql.unsafe(`delete from ${table}`)
  await sql`update links_summed set through = ${through}`
  await sql`update core_programs set time_zone = 'UTC'`
}

export function linksIn(house: TestHouse) {
  const { sql } = house.connection
  let count = 0
  /** An active partner; those who have signed did so on the page. */
  const aPartner = async ({ signed = true } = {}) => {
    const partner = { id: newId(house.clock.now()), userId: String(400_000_000_000_000_000n + BigInt(++count)) }
    await sql`
      insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
      values (${partner.id}, ${house.program.id}, ${partner.userId}, 'A Partner', ${`follow${count}@example.com`}, 'saas', 'active', now(), now())`
    if (!signed) return partner
    const page = controlsOf(await house.run('agreement', {}, partner)).find((url) => url.includes('/agreements/'))!
    await house.app.inject({
      method: 'POST',
      remoteAddress: `10.0.${Math.floor(count / 250)}.${(count % 250) + 1}`,
      url: new URL(page).pathname,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'name=Ada+Lovelace&consent=yes',
    })
    return partner
  }
  return {
    aPartner,
    /** A link of a partner of its own, unless one is given; `fields` are columns of links_links. */
    aLink: async (fields: Readonly<Record<string, unknown>> = {}, owner?: { id: string; userId: string }): Promise<TestLink> => {
      const partner = owner ?? (await aPartner())
      const url = controlsOf(await house.run('link create', {}, partner)).find((control) => control.includes('/r/'))!
      const code = url.split('/').at(-1)!
      const [row] = await sql<{ id: string }[]>`select id from links_links where code = ${code}`
      for (const [column, value] of Object.entries(fields)) {
        const text = value instanceof Date ? value.toISOString() : typeof value === 'object' ? JSON.stringify(value) : String(value)
        await sql`update links_links set ${sql({ [column]: text })} where id = ${row!.id}`
      }
      return { id: row!.id, partnerId: partner.id, userId: partner.userId, code, path: `/r/${code}` }
    },
    visit: (path: string, given: Visiting = {}) =>
      house.app.inject({
        url: path.replace(publicUrl, ''),
        method: given.method ?? 'GET',
        remoteAddress: given.ip ?? '203.0.113.7',
        headers: { 'user-agent': browser, ...given.headers },
      }),
    /** The link's clicks, oldest first. */
    clicksOf: (link: { id: string }) =>
      sql<{ id: string; counted: boolean; rejected: string | null; previous: string | null }[]>`
        select * from links_clicks where link_id = ${link.id} order by at, id`,
  }
}

/** A click that counts, of a browser of its own, as it is handed to `storeClicks`. */
export function clickAt(at: Date, of: { id: string; partnerId: string; programId: string }, more: Partial<Click> = {}): Click {
  const browser = randomBytes(8).toString('hex')
  return {
    id: newId(at),
    at: at.toISOString(),
    programId: of.programId,
    linkId: of.id,
    partnerId: of.partnerId,
    previous: null,
    ipHash: browser,
    agentHash: browser,
    rejected: null,
    subs: null,
    visit: randomBytes(16).toString('hex'),
    visitBefore: null,
    device: 'desktop',
    country: null,
    landingPageId: null,
    referrer: null,
    campaign: null,
    paidBy: null,
    ...more,
  }
}

/** Where a redirect leads. */
export function target(answer: { headers: Record<string, unknown> }): URL {
  return new URL(String(answer.headers.location))
}
