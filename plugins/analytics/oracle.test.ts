// Every figure against an independent oracle: thousands of random clicks, sales and refunds over a change of the clocks and a month's end, folded one by one.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { commissions } from '../commissions/plugin.ts'
import { type TestPartner, tradeIn } from '../commissions/testing.ts'
import { developer } from '../developer/plugin.ts'
import { addDays, days, hours, minutes, newId } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { links } from '../links/plugin.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { tracking } from '../tracking/plugin.ts'
import type { Figures } from './definitions.ts'
import { daysOf, type Period, periodBefore } from './periods.ts'
import { analytics } from './plugin.ts'
import { type CountFigure, type Dimension, dimensions } from './public.ts'
import type { Report } from './report.ts'

interface Click {
  id: string
  at: Date
  linkId: string
  partnerId: string
  counted: boolean
  browser: string
  campaign: string | null
  page: string | null
  country: string | null
  device: string | null
  referrer: string | null
}

interface Fact {
  at: Date
  /** In the program's time zone. */
  day?: string
  partnerId: string
  click: Click | undefined
  counts?: Partial<Record<CountFigure, number>>
  currency?: string
  money?: { revenue?: bigint; commission?: bigint }
}

/** A generator that gives the same numbers every time. */
let state = 20_261_101
const random = () => {
  state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
  return state / 2_147_483_648
}
const upTo = (count: number) => Math.floor(random() * count)
const oneOf = <T>(list: readonly T[]): T => list[upTo(list.length)]!

const begin = new Date('2026-10-20T00:00:00Z')
const now = new Date('2026-11-19T17:40:00Z')
let house: TestHouse
let people: TestPartner[]
const clicks: Click[] = []
const clickOfSale = new Map<string, Click>()
const leads: { at: Date; partnerId: string; click: Click | undefined }[] = []

beforeAll(async () => {
  house = await testHouse(
    [notifications, partners, agreements, attribution, links, ledger, commissions, developer, tracking, analytics],
    {
      now: begin.toISOString(),
    },
  )
  Object.assign(house.program, { timeZone: 'America/New_York' })
  await house.connection.sql`update core_programs set time_zone = 'America/New_York'`
  const trade = tradeIn(house)
  people = [await trade.aPartner(), await trade.aPartner(), await trade.aPartner()]
  const shared = await Promise.all(people.flatMap((partner) => [0, 1, 2].map(() => aLink(partner))))
  for (let i = 0; i < 4000; i++)
    clicks.push(aClick(oneOf(shared), new Date(begin.getTime() + upTo(now.getTime() - begin.getTime()))))
  await store(clicks)
  house.clock.set(now)
  const known: { key: string; click: Click }[] = []
  for (let i = 0; i < 120; i++) {
    const again = random() < 0.2 ? oneOf(known) : undefined
    const click = again?.click ?? oneOf(clicks)
    const hints = !again && random() < 0.1 ? {} : { clickId: click.id }
    const customer = again?.key ?? `cus_oracle_${i}`
    const paidAt = new Date(Math.min(now.getTime() - 1, click.at.getTime() + upTo(days(3))))
    const gross = BigInt(100 + upTo(90_000))
    const payment = trade.aPayment(undefined, {
      gross,
      tax: gross / 10n,
      currency: oneOf(['USD', 'USD', 'EUR', 'JPY']),
      customer: { key: customer, emailHash: undefined, country: 'DE' },
      hints: again ? {} : hints,
      paidAt,
      ...(random() < 0.2 && { recurring: { subscription: `sub_${i}`, sequence: 1 + upTo(3) } }),
    })
    const saleId = await trade.record(payment)
    if (again || 'clickId' in hints) clickOfSale.set(saleId, click)
    if (!again && 'clickId' in hints) known.push({ key: customer, click })
    if (random() < 0.25) await trade.record({ ...payment, refunded: random() < 0.4 ? gross : gross / 3n })
    if (random() < 0.08) await trade.record({ ...payment, dispute: oneOf(['lost', 'open', 'won']) })
  }
  await house.drain()
  await storeLeads()
}, 400_000)
afterAll(() => house.close())

async function aLink(partner: TestPartner): Promise<{ id: string; partner: TestPartner; campaign: string | null }> {
  const id = newId(house.clock.now())
  await house.connection
    .sql`insert into links_links (id, program_id, partner_id, code) values (${id}, ${house.program.id}, ${partner.id}, ${`c${id.slice(-8)}`})`
  return { id, partner, campaign: oneOf([null, 'spring', 'autumn']) }
}

function aClick(link: { id: string; partner: TestPartner; campaign: string | null }, at: Date): Click {
  return {
    id: newId(at),
    at,
    linkId: link.id,
    partnerId: link.partner.id,
    counted: random() < 0.8,
    browser: String(upTo(60)),
    campaign: link.campaign,
    page: oneOf([null, null, '018f0000-0000-7000-8000-00000000000a', '018f0000-0000-7000-8000-00000000000b']),
    country: oneOf([null, 'DE', 'DE', 'US', 'JP', 'BR']),
    device: oneOf(['desktop', 'mobile', 'mobile', 'tablet', null]),
    referrer: oneOf([null, 'news.example', 'youtube.com', 'bücher.example']),
  }
}

async function store(given: readonly Click[]): Promise<void> {
  const hash = (what: string) => createHash('sha256').update(what).digest('hex').slice(0, 16)
  const rows = given.map(({ browser, at, ...click }) => ({
    ...click,
    at: at.toISOString(),
    ip_hash: hash(`${browser} ${at.toISOString().slice(0, 10)}`),
    agent_hash: hash(browser),
    link_id: click.linkId,
    partner_id: click.partnerId,
    landing_page_id: click.page,
  }))
  await house.connection.sql`select links_ensure_month(at) from unnest(array['2026-10-20', '2026-11-20']::timestamptz[]) at`
  await house.connection.sql`
    insert into links_clicks (at, id, program_id, link_id, partner_id, counted, ip_hash, agent_hash, campaign, landing_page_id, country, device, referrer)
    select at, id, ${house.program.id}, link_id, partner_id, counted, decode(ip_hash, 'hex'), decode(agent_hash, 'hex'), campaign, landing_page_id, country, device, referrer
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as c (at timestamptz, id uuid, link_id uuid, partner_id uuid, counted boolean, ip_hash text,
      agent_hash text, campaign text, landing_page_id uuid, country text, device links_device, referrer text)`
}

/** Leads that came with a click, with a coupon, or belong to nobody. */
async function storeLeads(): Promise<void> {
  for (let i = 0; i < 120; i++) {
    const click = random() < 0.8 ? oneOf(clicks) : undefined
    const partnerId = click?.partnerId ?? (random() < 0.5 ? people[0]!.id : null)
    const at = click?.at ?? new Date(begin.getTime() + upTo(now.getTime() - begin.getTime()))
    const { linkId: link, campaign, page, country, device, referrer } = click ?? {}
    const known = Object.entries({ link, campaign, page, country, device, referrer }).filter(([, value]) => value)
    const origin = click ? JSON.stringify(Object.fromEntries(known)) : null
    const kind = partnerId && (click ? 'click' : 'coupon')
    await house.connection.sql`
      insert into tracking_leads (id, program_id, external_id, partner_id, won_kind, won_by, won_at, origin, occurred_at)
      values (${newId(at)}, ${house.program.id}, ${`lead ${i}`}, ${partnerId}, ${kind}, ${kind}, ${partnerId && at.toISOString()}, ${origin}::text::jsonb, ${at.toISOString()})`
    if (partnerId) leads.push({ at, partnerId, click })
  }
}

/** Everything that happened, one by one. */
async function factsOf(partnerId: string | undefined): Promise<Fact[]> {
  const seen = new Set<string>()
  const facts: Fact[] = clicks
    .filter(({ counted }) => counted)
    .toSorted((a, b) => a.at.getTime() - b.at.getTime() || (a.id < b.id ? -1 : 1))
    .map((click) => {
      const visitor = `${click.partnerId} ${click.browser} ${click.at.toISOString().slice(0, 10)}`
      const isFirst = !seen.has(visitor)
      seen.add(visitor)
      return { at: click.at, partnerId: click.partnerId, click, counts: { clicks: 1, ...(isFirst && { visitors: 1 }) } }
    })
  for (const lead of leads) facts.push({ ...lead, counts: { leads: 1 } })
  const all = { from: new Date(0), to: new Date('2100-01-01') }
  for (const sale of await house.use(attribution).sales(house.db, house.program.id, all)) {
    const click = clickOfSale.get(sale.id)
    const counts = sale.net === 0n ? {} : { sales: 1, ...(click && (sale.sequence ?? 1) === 1 && { conversions: 1 }) }
    facts.push({
      at: sale.paidAt,
      partnerId: sale.partnerId!,
      click,
      counts,
      currency: sale.currency,
      money: { revenue: sale.net },
    })
  }
  for (const partner of people)
    for (const { saleId, earnedAt, currency, amount } of await house
      .use(commissions)
      .ofPartner(house.db, house.program.id, partner.id))
      facts.push({ at: earnedAt, partnerId: partner.id, click: clickOfSale.get(saleId), currency, money: { commission: amount } })
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: house.program.timeZone })
  return facts
    .filter((fact) => partnerId === undefined || fact.partnerId === partnerId)
    .map((fact) => ({ ...fact, day: format.format(fact.at) }))
}

const isIn =
  ({ from, to }: Period) =>
  (fact: Fact) =>
    fact.day! >= from && fact.day! < to

function keyOf(by: Dimension, fact: Fact): string | null {
  if (by === 'partner') return fact.partnerId
  if (!fact.click) return null
  return (by === 'link' ? fact.click.linkId : fact.click[by]) ?? ''
}

/** What the facts add up to, in a form that compares; zeros are left out. */
function folded(facts: readonly Fact[]): Record<string, string> {
  const sums: Record<string, bigint> = {}
  const add = (name: string, by: bigint) => {
    sums[name] = (sums[name] ?? 0n) + by
  }
  for (const { counts = {}, currency, money = {}, click } of facts) {
    for (const [name, count] of Object.entries(counts)) add(name, BigInt(count))
    for (const [name, amount] of Object.entries(money)) add(`${name} ${currency}`, amount)
    if (click && money.commission !== undefined) add(`clickCommission ${currency}`, money.commission)
  }
  return Object.fromEntries(Object.entries(sums).flatMap(([name, value]) => (value === 0n ? [] : [[name, String(value)]])))
}

function flat({ counts, money }: Figures): Record<string, string> {
  const all = [
    ...Object.entries(counts),
    ...[...money].flatMap(([currency, amounts]) =>
      Object.entries(amounts).map(([name, amount]) => [`${name} ${currency}`, amount] as const),
    ),
  ]
  return Object.fromEntries(all.flatMap(([name, value]) => (Number(value) === 0 ? [] : [[name, String(value)]])))
}

const report = (period: Period, more: { partnerId?: string; by?: Dimension } = {}): Promise<Report> =>
  house.use(analytics).report(house.db, {
    program: house.program,
    period,
    interval: 'day',
    compare: true,
    ...more,
    seriesOf: { skip: 0, count: 1000 },
  })

async function compareAll(periods: readonly Period[]): Promise<void> {
  for (const partnerId of [undefined, people[1]!.id]) {
    const facts = await factsOf(partnerId)
    for (const period of periods) {
      const inside = facts.filter(isIn(period))
      for (const by of dimensions) {
        const got = await report(period, { by, ...(partnerId !== undefined && { partnerId }) })
        expect(flat(got.total)).toEqual(folded(inside))
        const before = periodBefore(period)
        expect(flat(got.previous!.total)).toEqual(folded(facts.filter(isIn(before))))
        expect(got.steps!.map(({ from, figures }) => [from, flat(figures)])).toEqual(
          daysOf(period).map((day) => [day, folded(inside.filter((fact) => fact.day === day))]),
        )
        const groups = Map.groupBy(facts.filter(isIn({ from: before.from, to: period.to })), (fact) => keyOf(by, fact))
        const expected = [...groups].map(([key, own]) => [
          key,
          folded(own.filter(isIn(period))),
          folded(own.filter(isIn(before))),
          daysOf(period).map((day) => folded(own.filter((fact) => fact.day === day))),
        ])
        const isThere = (row: unknown[]) => Object.keys(row[1] as object).length + Object.keys(row[2] as object).length > 0
        const rows = got.rows!.map((row) => [
          row.key,
          flat(row.figures),
          flat(row.before!),
          row.steps!.map(({ figures }) => flat(figures)),
        ])
        expect(byKey(rows.filter(isThere))).toEqual(byKey(expected.filter(isThere)))
      }
    }
  }
}

const byKey = (rows: unknown[][]) => rows.toSorted((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))

const periods: readonly Period[] = [
  { from: '2026-10-31', to: '2026-11-03' },
  { from: '2026-11-01', to: '2026-12-01' },
  { from: '2026-11-19', to: '2026-11-20' },
]

describe('every figure, day and dimension is what a plain fold of the facts gives', () => {
  test('there is enough to compare', async () => {
    const facts = await factsOf(undefined)
    expect(facts.filter(({ click }) => click).length).toBeGreaterThan(3000)
    expect(Object.keys(folded(facts)).length).toBeGreaterThan(10)
  })

  test('before anything was summed up', () => compareAll(periods.slice(0, 2)))

  test.each(['2026-10-30T14:25:00Z', '2026-11-19T17:10:00Z'])(
    'when they are summed up until %s, in the middle of a day',
    async (time) => {
      house.clock.set(time)
      await house.tick('links.sum_days')
      house.clock.set(now)
      const [seen] = await house.connection.sql`select count(*)::int as browsers from links_seen where day = ${time.slice(0, 10)}`
      expect(seen!.browsers).toBeGreaterThan(10)
      await compareAll(periods)
    },
  )

  test('when the days were summed up, over a change of the clocks and a month’s end', async () => {
    await house.tick('links.sum_days')
    await compareAll(periods)
    const [summed] = await house.connection
      .sql`select through = ${now.toISOString()}::timestamptz - interval '5 minutes' as whole from links_days_summed`
    expect(summed).toEqual({ whole: true })
  })

  test('also on the card of a link', async () => {
    const ledTo = new Set(leads.flatMap(({ click }) => click?.linkId ?? []))
    const link = clicks.find(({ linkId }) => ledTo.has(linkId))!
    const partner = people.find(({ id }) => id === link.partnerId)!
    const facts = (await factsOf(partner.id)).filter(isIn({ from: '2026-10-21', to: '2026-11-20' }))
    const sums = folded(facts.filter((fact) => fact.click?.linkId === link.linkId))
    const words = wordsOf(await house.press('links.open', { values: [link.linkId] }, partner))
    const { clicks: clicked, visitors, leads: led, sales } = sums
    expect(words).toContain(
      `**${clicked}** clicks (**${visitors}** visitors) → **${led}** lead${led === '1' ? '' : 's'} → **${sales}** sales`,
    )
    const share = Math.round((Number(sums.conversions) / Number(clicked)) * 10_000) / 100
    expect(words).toContain(`Conversion rate ${share}%`)
  })

  test('when clicks arrive late, also one that makes another click the first of its browser', async () => {
    const [first] = clicks
      .filter(({ counted, at }) => counted && at > new Date('2026-11-03T05:00:00Z'))
      .toSorted((a, b) => +a.at - +b.at)
    const late = { ...first!, at: new Date('2026-11-03T00:10:00Z'), id: newId(new Date('2026-11-03T00:10:00Z')), country: 'FR' }
    clicks.push(late)
    await store([late])
    const { sumDaysAgain } = await import('../links/days.ts')
    await sumDaysAgain(house.connection.sql, [{ programId: house.program.id, at: late.at.toISOString() }])
    await compareAll(periods.slice(0, 1))
    await house.tick('links.sum_days')
    await compareAll(periods.slice(0, 1))
  })

  test.each(['Asia/Kathmandu', 'Pacific/Apia'])('when the program moves to %s', async (timeZone) => {
    Object.assign(house.program, { timeZone })
    await house.connection.sql`update core_programs set time_zone = ${timeZone}`
    await compareAll(periods.slice(0, 1))
    await house.tick('links.sum_days')
    await compareAll(periods.slice(0, 1))
  })

  test('and summing up again changes nothing', async () => {
    const rows = () => house.connection.sql`select md5(string_agg(d::text, '|' order by d::text)) from links_days d`
    const before = await rows()
    await house.connection.sql`update links_days_summed set through = '2026-10-20T04:00:00Z', read_from = '2026-10-20T00:00:00Z'`
    house.clock.advance(hours(1) + minutes(1))
    await house.tick('links.sum_days')
    expect(await rows()).toEqual(before)
  })
})

test('figures by dimension add up to the total, and periods next to each other to the whole', async () => {
  const whole = { from: '2026-10-20', to: '2026-11-20' }
  const total = flat((await report(whole)).total)
  for (const by of dimensions)
    expect(sumOf((await report(whole, { by })).rows!.map(({ figures }) => flat(figures))), by).toEqual(total)
  for (const cut of [1, 9, 12, 13, 30]) {
    const middle = addDays(whole.from, cut)
    const parts = [await report({ from: whole.from, to: middle }), await report({ from: middle, to: whole.to })]
    expect(sumOf(parts.map((part) => flat(part.total)))).toEqual(total)
  }
})

function sumOf(parts: readonly Record<string, string>[]): Record<string, string> {
  const sums: Record<string, bigint> = {}
  for (const part of parts) for (const [name, value] of Object.entries(part)) sums[name] = (sums[name] ?? 0n) + BigInt(value)
  return Object.fromEntries(Object.entries(sums).flatMap(([name, value]) => (value === 0n ? [] : [[name, String(value)]])))
}
