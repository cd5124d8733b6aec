// What partners, admins and programs read: cards with pictures, files, and the same numbers at /v1/analytics.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message, Modal } from '../../commands/messages.ts'
import { programStore } from '../../db/programs.ts'
import { commissions } from '../commissions/plugin.ts'
import { tradeIn } from '../commissions/testing.ts'
import { developer } from '../developer/plugin.ts'
import { newId } from '../kit/index.ts'
import { ledger } from '../ledger/plugin.ts'
import { linkPlugins, linksIn, target } from '../links/testing.ts'
import { definitions, figureOf } from './definitions.ts'
import { periodOf } from './periods.ts'
import { createPainter } from './picture/painter.ts'
import { analytics } from './plugin.ts'

let house: TestHouse
let ada: { id: string; userId: string }
let bob: { id: string; userId: string }
const admin = { isAdmin: true, userId: '300000000000000001' }

beforeAll(async () => {
  house = await testHouse([...linkPlugins, ledger, commissions, developer, analytics], { now: '2026-11-09T12:00:00Z' })
  const { aPartner, aLink, visit } = linksIn(house)
  ada = await aPartner()
  bob = await aPartner()
  const links = [
    await aLink({ campaign: '=HYPERLINK("http://evil")' }, ada),
    await aLink({ campaign: '春のキャンペーン `x` 🎉' }, ada),
    await aLink({}, ada),
    await aLink({ campaign: 'bobs' }, bob),
  ]
  const clicks: string[] = []
  for (let i = 0; i < 24; i++) {
    house.clock.advance(3 * 3_600_000)
    const link = links[i % 4]!
    const answer = await visit(link.path, {
      ip: `203.0.113.${i}`,
      headers: { referer: ['https://news.example/a', 'https://youtube.com/'][i % 2]! },
    })
    clicks.push(target(answer).searchParams.get('siso_cid')!)
  }
  const trade = tradeIn(house)
  for (const [i, currency] of ['USD', 'USD', 'EUR'].entries())
    await trade.record(trade.aPayment(undefined, { hints: { clickId: clicks[i]! }, currency, gross: 10_000n * BigInt(i + 1) }))
  await house.drain()
})
afterAll(() => house.close())

const filesOf = (answer: Message | Modal) => (answer as Message).files ?? []
const isPng = (data: Buffer) => data.subarray(1, 4).toString('latin1') === 'PNG'

test('the README tells what each figure means, word for word', () => {
  const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8')
  for (const { title, meaning } of Object.values(definitions)) expect(readme).toContain(`| ${title} | ${meaning} |`)
})

describe('/stats show', () => {
  test('shows one’s own figures with their changes, a picture with a text, and a table', async () => {
    const answer = await house.run('stats show', { range: '7d', figure: 'revenue' }, ada)
    const words = wordsOf(answer)
    expect(words).toContain('Clicks: **18** · ▲ 18')
    expect(words).toContain('Revenue: **$300.00**')
    expect(words).toContain('€300.00 revenue')
    expect(words).toMatch(/day +revenue +clicks/)
    const [picture] = filesOf(answer)
    expect(isPng(picture!.data)).toBe(true)
    expect(picture!.data.readUInt32BE(16)).toBe(1100)
    expect(picture!.description).toMatch(/^Line chart of revenue, .*\$300\.00 in all\. Highest: \$\d+\.00 on Nov \d+/)
  })

  test('tells figures apart by a dimension, with a second picture, in letters of any script', async () => {
    const answer = await house.run('stats show', { range: '7d', by: 'campaign' }, ada)
    expect(filesOf(answer).map(({ name }) => name)).toEqual(['over-time.png', 'by.png'])
    expect(wordsOf(answer)).toContain('春のキャンペーン ’x’ 🎉')
    expect(filesOf(answer)[1]!.description).toContain('No campaign 6')
    expect(wordsOf(answer)).not.toContain('bobs')
  })

  test('says so when there is nothing, and still draws', async () => {
    const answer = await house.run('stats show', { range: 'last-month', by: 'country' }, bob)
    expect(wordsOf(answer)).toContain('Nothing by country yet.')
    expect(filesOf(answer).every(({ data }) => isPng(data))).toBe(true)
  })

  test.each([
    [{ from: '2026-11-09', to: '2026-11-01' }, 'comes after'],
    [{ from: '2027-01-01' }, 'still to come'],
    [{ from: '9.11.2026' }, 'Write it as'],
    [{ to: '2026-11-01' }, 'with which day to begin'],
    [{ from: '1990-01-01' }, 'at most'],
    [{ range: '7d', from: '2026-11-01' }, 'not both'],
    [{ currency: 'XQZ' }, 'not a currency'],
  ])('%o is refused with what to do', async (options, words) => {
    await expect(house.run('stats show', options, ada)).rejects.toThrow(words)
  })

  test('remembers the look that was chosen', async () => {
    const dark = filesOf(await house.run('stats show', { range: 'today' }, ada))[0]!.data
    const light = filesOf(await house.run('stats show', { range: 'today', look: 'light' }, ada))[0]!.data
    expect(light.equals(dark)).toBe(false)
    expect(filesOf(await house.run('stats show', { range: 'today' }, ada))[0]!.data.equals(light)).toBe(true)
  })
})

test('an admin sees the program by partner, and one partner alone', async () => {
  const all = wordsOf(await house.run('admin-stats show', { range: '7d', by: 'partner' }, admin))
  expect(all).toContain('Clicks: **24**')
  expect(all).toMatch(/1\. A Partner +18 +3 +\$/)
  expect(wordsOf(await house.run('admin-stats show', { range: '7d', partner: { id: bob.userId } }, admin))).toContain(
    'Clicks: **6**',
  )
  await expect(house.run('admin-stats show', { partner: { id: '1' } }, admin)).rejects.toThrow('not a partner')
})

describe('a file', () => {
  const csvOf = async (command: string, options: object, who: object) =>
    filesOf(await house.run(command, { range: '7d', ...options }, who))[0]!
      .data.toString('utf8')
      .replace('\uFEFF', '')
      .trim()
      .split('\r\n')

  test('has a row for each day, and amounts in each currency by themselves', async () => {
    const [header, ...rows] = await csvOf('stats export', {}, ada)
    expect(header).toBe(
      'day,clicks,visitors,leads,sales,conversion_rate,revenue_EUR,commission_EUR,earnings_per_click_EUR,revenue_USD,commission_USD,earnings_per_click_USD',
    )
    expect(rows.length).toBe(7)
    expect(rows.map((row) => Number(row.split(',')[1])).reduce((a, b) => a + b)).toBe(18)
  })

  test('runs no formula that somebody typed as a campaign', async () => {
    const rows = await csvOf('stats export', { by: 'campaign' }, ada)
    expect(rows.find((row) => row.includes('HYPERLINK'))).toMatch(/^"'=HYPERLINK/)
  })
})

describe('GET /v1/analytics', () => {
  const aKey = async (scopes = 'analytics:read') =>
    /siso_key_[\w-]{43}/.exec(wordsOf(await house.run('admin-api keys create', { name: 'Sheet', scopes }, admin)))![0]
  let key: string
  beforeAll(async () => {
    key = await aKey()
  })
  const get = (query: string) => house.app.inject({ url: `/v1/analytics?${query}`, headers: { authorization: `Bearer ${key}` } })

  test('says the same as the report behind the cards', async () => {
    const period = periodOf('7d', '2026-11-12')
    const report = await house
      .use(analytics)
      .report(house.db, { program: house.program, period, by: 'referrer', interval: 'day', compare: true })
    const body = (await get('range=7d&dimension=referrer&interval=day&compare=true')).json()
    const usd = report.total.money.get('USD')!
    expect(body).toMatchObject({
      period: { from: '2026-11-06', to: '2026-11-12' },
      previous: {
        period: { from: '2026-10-30', to: '2026-11-05' },
        total: { clicks: 0 },
        change: { clicks: { difference: '24', share: null } },
      },
      total: {
        clicks: report.total.counts.clicks,
        visitors: report.total.counts.visitors,
        sales: report.total.counts.sales,
        conversion_rate: (figureOf('conversionRate', report.total, 'USD') as number) / 1_000_000,
      },
    })
    expect(body.total.money.find(({ currency }: { currency: string }) => currency === 'USD')).toMatchObject({
      revenue: String(usd.revenue),
      commission: String(usd.commission),
    })
    expect(body.steps.map(({ figures }: { figures: { clicks: number } }) => figures.clicks)).toEqual(
      report.steps!.map(({ figures }) => figures.counts.clicks),
    )
    expect(body.data.map((row: { key: string; figures: { clicks: number } }) => [row.key, row.figures.clicks])).toEqual(
      report.rows!.map((row) => [row.key, row.figures.counts.clicks]),
    )
    expect(body.data[0].steps.length).toBe(7)
  })

  test('gives each row once, page by page, and only the figures that were asked for', async () => {
    const seen: string[] = []
    let after = ''
    do {
      const body = (await get(`range=7d&dimension=link&metric=clicks,visitors&limit=1${after}`)).json()
      expect(Object.keys(body.data[0].figures)).toEqual(['clicks', 'visitors'])
      seen.push(...body.data.map((row: { key: string }) => row.key))
      after = body.next ? `&after=${body.next}` : ''
    } while (after)
    expect(seen.length).toBe(4)
    expect(new Set(seen).size).toBe(4)
  })

  test('can be about one partner of the program, and about nobody of another', async () => {
    expect((await get(`range=7d&partner=${bob.id}`)).json().total.clicks).toBe(6)
    expect((await get(`range=7d&partner=${newId()}`)).statusCode).toBe(404)
    const other = await house.db.transaction((tx) => programStore.ensure(tx, { guildId: '900000000000000009', name: 'Other' }))
    const strange = wordsOf(
      await house.run('admin-api keys create', { name: 'x', scopes: 'analytics:read' }, { ...admin, program: other }),
    )
    key = /siso_key_[\w-]{43}/.exec(strange)![0]
    expect((await get('range=7d')).json().total).toMatchObject({ clicks: 0, sales: 0, money: [] })
    expect((await get(`range=7d&partner=${bob.id}`)).statusCode).toBe(404)
    key = await aKey()
  })

  test.each([
    'range=8d',
    'metric=clicks,nonsense',
    'dimension=shoe',
    'from=2026-02-30',
    'limit=0',
    'after=%00',
    'colour=red',
    'range=7d&from=2026-11-01',
    'interval=hour',
  ])('%s is refused with a 4xx that says why', async (query) => {
    const answer = await get(query)
    expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    expect(answer.statusCode).toBeLessThan(500)
    expect(answer.json().detail.length).toBeGreaterThan(10)
  })
})

test('a drawing that cannot be drawn harms no other', async () => {
  const painter = createPainter()
  const good = {
    kind: 'bars',
    theme: 'dark',
    title: 'Clicks',
    subtitle: 'Today',
    unit: { kind: 'count' },
    bars: [{ name: 'a', value: 1 }],
  } as const
  const [bad, first] = await Promise.allSettled([painter.paint({ ...good, theme: 'none' as never }), painter.paint(good)])
  expect(bad.status).toBe('rejected')
  expect(first.status === 'fulfilled' && isPng(first.value)).toBe(true)
  expect(isPng(await painter.paint(good))).toBe(true)
  await painter.stop()
  expect(isPng(await painter.paint(good))).toBe(true)
  await painter.stop()
})
