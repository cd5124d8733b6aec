import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, publicUrl, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { agreements } from '../agreements/plugin.ts'
import { attribution } from '../attribution/plugin.ts'
import { days, hours, minutes, newId } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { links } from './plugin.ts'

const browser =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const discordbot = 'Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)'

let house: TestHouse
let count = 0
beforeAll(async () => {
  house = await testHouse([links, agreements, attribution, partners, notifications])
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('links', 'landingPage', 'https://shop.example.com/start?lang=en#top')
  await house.set('links', 'allowedHosts', [])
})

/** Inserts a partner; those who are active have signed, with a copy of the signature of the first, who signs on the page. */
async function aPartner(status = 'active', { signed = status === 'active' } = {}) {
  const id = newId(house.clock.now())
  const userId = `1${String(++count).padStart(17, '0')}`
  await house.connection
    .sql`insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    values (${id}, ${house.program.id}, ${userId}, 'A Partner', ${`p${count}@example.com`}, 'saas', ${status}, now(), now())`
  if (signed) await sign(id, userId)
  return { id, userId }
}

async function sign(id: string, userId: string) {
  const copied = await house.connection.sql`
    insert into agreements_signatures
    select ${newId()}::uuid, program_id, ${id}::uuid, ${userId}, version, document_versions, hash, typed_name, email, ip_hash, user_agent, signed_at, pdf
    from agreements_signatures limit 1 returning id`
  if (copied.length > 0) return
  const page = controlsOf(await house.run('agreement', {}, { userId })).find((url) => url.includes('/agreements/'))!
  await house.app.inject({
    method: 'POST',
    url: new URL(page).pathname,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': browser },
    payload: 'name=Ada+Lovelace&consent=yes',
  })
}

async function aLink(options: Record<string, unknown> = {}) {
  const partner = await aPartner()
  const answer = await house.run('link create', options, { userId: partner.userId })
  const url = controlsOf(answer)[0]!
  return { partner, url, code: url.split('/').at(-1)!, answer }
}

const visit = (path: string, given: { method?: 'GET' | 'HEAD'; ip?: string; headers?: Record<string, string> } = {}) =>
  house.app.inject({
    url: path.replace(publicUrl, ''),
    method: given.method ?? 'GET',
    remoteAddress: given.ip ?? '203.0.113.7',
    headers: { 'user-agent': browser, ...given.headers },
  })
const clicksOf = async (partnerId: string) =>
  house.connection.sql<{ id: string; counted: boolean; rejected: string | null; previous: string | null; subs: unknown }[]>`
    select id, counted, rejected, previous, subs from links_clicks where partner_id = ${partnerId} order by at, id`
const target = (answer: { headers: Record<string, unknown> }) => new URL(String(answer.headers.location))

describe('creating a link', () => {
  test('a partner gets an address with a code that cannot be misread', async () => {
    const { url, code, answer } = await aLink({ campaign: 'newsletter' })
    expect(url).toBe(`${publicUrl}/r/${code}`)
    expect(code).toMatch(/^[2-9a-hjkmnp-z]{7}$/)
    expect(wordsOf(answer)).toContain('newsletter')
  })

  test('a chosen code is kept as it was written, and found in any spelling that looks like it', async () => {
    const { url } = await aLink({ code: 'Lola-1O' })
    expect(url).toBe(`${publicUrl}/r/Lola-1O`)
    for (const spelling of ['Lola-1O', 'lola-1o', 'LOLA-10', 'I0la-lo'])
      expect((await visit(`/r/${spelling}`)).statusCode, spelling).toBe(302)
  })

  test.each([
    ['taken by another', 'taken-code', 'code_taken'],
    ['the same in another case', 'TAKEN-CODE', 'code_taken'],
    ['a look-alike', 'taken-c0de', 'code_taken'],
    ['reserved', 'Admin', 'reserved_code'],
    ['a look-alike of a reserved word', 'adm1n', 'reserved_code'],
    ['too short', 'ab', 'bad_code'],
    ['not plain letters', 'kölner', 'bad_code'],
    ['a path', '../admin', 'bad_code'],
    ['ending in a dash', 'ada-', 'bad_code'],
    ['with a null byte', 'ada\0', 'bad_code'],
  ])('a code that is %s is refused with what to do', async (_, code, reason) => {
    if (reason === 'code_taken' && code === 'taken-code') await aLink({ code: 'taken-code' })
    await expect(aLink({ code })).rejects.toMatchObject({ code: reason })
  })

  test('of two partners who want the same code at the same moment, one gets it', async () => {
    const wishes = await Promise.allSettled([aLink({ code: 'both-want' }), aLink({ code: 'BOTH-WANT' })])
    expect(wishes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test.each([
    ['javascript:alert(1)', 'bad_page'],
    ['data:text/html,hi', 'bad_page'],
    ['http://shop.example.com/', 'bad_page'],
    ['https://user:pw@shop.example.com/', 'bad_page'],
    ['//shop.example.com', 'bad_page'],
    ['https://elsewhere.example.net/', 'page_not_allowed'],
    ['https://shop.example.com.evil.test/', 'page_not_allowed'],
    ['https://shop.example.com:8443/', 'page_not_allowed'],
  ])('%s is no page to lead to', async (page, reason) => {
    await expect(aLink({ page })).rejects.toMatchObject({ code: reason })
  })

  test('a partner may have as many links as the program says', async () => {
    await house.set('links', 'maxLinks', 1)
    const { partner } = await aLink()
    await expect(house.run('link create', {}, { userId: partner.userId })).rejects.toMatchObject({ code: 'too_many_links' })
    await house.set('links', 'maxLinks', 50)
  })

  test('someone who is not an active partner cannot make one', async () => {
    const { userId } = await aPartner('verified')
    await expect(house.run('link create', {}, { userId })).rejects.toMatchObject({ name: 'UserError' })
  })
})

describe('following a link', () => {
  test('a visitor is sent on with a click id, in the address and in a cookie of the server', async () => {
    const { url, partner } = await aLink()
    const answer = await visit(url)
    const [click] = await clicksOf(partner.id)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe(`https://shop.example.com/start?lang=en&siso_cid=${click!.id}#top`)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-robots-tag': 'noindex, nofollow',
    })
    expect(answer.cookies).toEqual([
      expect.objectContaining({
        name: 'siso_cid',
        value: click!.id,
        path: '/',
        httpOnly: true,
        sameSite: 'Lax',
        maxAge: 90 * 86_400,
      }),
    ])
    expect(click).toMatchObject({ counted: true, rejected: null })
  })

  test('no parameter changes where it leads', async () => {
    const { url } = await aLink()
    for (const query of ['url=https://evil.test', 'destination=//evil.test', 'siso_cid=mine', 'next=javascript:1', 'lang=xx']) {
      const to = target(await visit(`${url}?${query}`))
      expect([to.host, to.pathname, to.searchParams.get('lang')]).toEqual(['shop.example.com', '/start', 'en'])
      expect(to.searchParams.getAll('siso_cid')).not.toContain('mine')
    }
  })

  test.each([
    ['?siso_cid=copied', '?siso_cid=NEW'],
    ['?lang=en&siso_cid=copied&x=%27#top', '?lang=en&x=%27&siso_cid=NEW#top'],
    ['?siso%5Fcid=copied&siso_cid&plan=a+b', '?plan=a+b&siso_cid=NEW'],
  ])('a click id that was copied into the address of a page (%s) gives way to the visitor’s own', async (own, expected) => {
    const { url, partner, code } = await aLink()
    await house.connection.sql`update links_links set destination = ${`https://shop.example.com/${own}`} where code = ${code}`
    const answer = await visit(url)
    const [click] = await clicksOf(partner.id)
    expect(answer.headers.location).toBe(`https://shop.example.com/${expected.replace('NEW', click!.id)}`)
    const toBot = await visit(url, { headers: { 'user-agent': 'Googlebot/2.1' } })
    expect(toBot.headers.location).not.toContain('siso_cid')
  })

  test('sub1 to sub5 pass through, cut and cleaned, and nothing else does', async () => {
    const { url, partner } = await aLink()
    const to = target(await visit(`${url}?sub1=spring%20sale&sub2=${'x'.repeat(300)}&sub3=%00%0d%0a&sub6=no&email=a@b.c`))
    expect(Object.fromEntries(to.searchParams)).toEqual({
      lang: 'en',
      siso_cid: expect.any(String),
      sub1: 'spring sale',
      sub2: 'x'.repeat(100),
    })
    expect((await clicksOf(partner.id))[0]!.subs).toEqual({ sub1: 'spring sale', sub2: 'x'.repeat(100) })
  })

  test.each([
    ['Discord’s preview', { headers: { 'user-agent': discordbot } }, 'bot', false],
    ['a request without a user agent', { headers: { 'user-agent': '' } }, 'bot', false],
    ['a HEAD request', { method: 'HEAD' as const }, 'head', false],
    ['a prefetch', { headers: { 'sec-purpose': 'prefetch;prerender' } }, 'prefetch', true],
    ['an old prefetch', { headers: { purpose: 'prefetch' } }, 'prefetch', true],
    ['Firefox’s prefetch', { headers: { 'x-moz': 'prefetch' } }, 'prefetch', true],
    ['Safari’s preview', { headers: { 'x-purpose': 'preview' } }, 'prefetch', true],
  ])('%s is sent on and not counted', async (_, request, rejected, carriesId) => {
    const { url, partner } = await aLink()
    const answer = await visit(url, request)
    expect(answer.statusCode).toBe(302)
    expect(target(answer).host).toBe('shop.example.com')
    expect(target(answer).searchParams.has('siso_cid')).toBe(carriesId)
    expect(await clicksOf(partner.id)).toMatchObject([{ counted: false, rejected }])
    expect(wordsOf(await house.run('link list', {}, { userId: partner.userId }))).toContain('0 clicks')
  })

  test('one visitor counts once an hour per link; every click has its own id', async () => {
    const { url, partner } = await aLink()
    const first = target(await visit(url)).searchParams.get('siso_cid')
    house.clock.advance(minutes(59))
    const second = target(await visit(url)).searchParams.get('siso_cid')
    house.clock.advance(1)
    await visit(url, { ip: '203.0.113.8' })
    house.clock.advance(1)
    await visit(url, { headers: { 'user-agent': `${browser} other` } })
    house.clock.advance(minutes(2))
    await visit(url)
    expect(second).not.toBe(first)
    expect((await clicksOf(partner.id)).map(({ counted }) => counted)).toEqual([true, false, true, true, true])
  })

  test('a visitor before and after midnight still counts once, though the salt of the hashes changes', async () => {
    house.clock.set(new Date(`${house.clock.now().toISOString().slice(0, 10)}T23:50:00Z`))
    const { url, partner } = await aLink()
    await visit(url)
    const [{ hash: before }] = (await house.connection
      .sql`select encode(ip_hash, 'hex') as hash from links_clicks where partner_id = ${partner.id}`) as never as [{ hash: string }]
    house.clock.advance(minutes(20))
    await visit(url)
    const hashes = await house.connection
      .sql`select encode(ip_hash, 'hex') as hash from links_clicks where partner_id = ${partner.id} order by at`
    expect((await clicksOf(partner.id)).map(({ counted }) => counted)).toEqual([true, false])
    expect(hashes[1]!.hash).not.toBe(before)
  })

  test('of twenty clicks of one visitor at the same moment one counts, and all are stored', async () => {
    const { url, partner } = await aLink()
    const ids = (await Promise.all(Array.from({ length: 20 }, () => visit(url)))).map((answer) =>
      target(answer).searchParams.get('siso_cid'),
    )
    const stored = await clicksOf(partner.id)
    expect(stored.map(({ id }) => id).sort()).toEqual(ids.sort())
    expect(stored.filter(({ counted }) => counted).length).toBe(1)
  })

  test('no address of a visitor is stored in the clear', async () => {
    const { url } = await aLink()
    await visit(url, { ip: '198.51.100.77' })
    const [row] = await house.connection
      .sql`select string_agg(c::text || v::text, ' ') as everything from links_clicks c, links_visits v`
    expect(row!.everything).not.toContain('198.51.100.77')
  })

  test.each([
    ['an unknown code', '/r/nosuchcode'],
    ['no code', '/r'],
    ['no code and a slash', '/r/'],
    ['a path trick', '/r/..%2f..%2fetc%2fpasswd'],
    ['more path', '/r/abc/def'],
    ['a null byte', '/r/abc%00'],
    ['a line break', '/r/abc%0d%0aSet-Cookie:%20x=1'],
    ['quotes', "/r/a'%20or%201=1--"],
    ['a very long code', `/r/${'a'.repeat(3000)}`],
    ['a long query', `/r/nosuchcode?${'q=1&'.repeat(2500)}`],
  ])('%s gets a friendly page', async (_, path) => {
    const answer = await visit(path)
    expect(answer.statusCode).toBe(404)
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain('This link leads nowhere')
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('a known link with a 10 kB query still works', async () => {
    const { url } = await aLink()
    expect((await visit(`${url}?${'q=1&'.repeat(2500)}`)).statusCode).toBe(302)
  })

  test('broken encoding is a clear refusal, never an error of ours', async () => {
    for (const path of ['/r/%FF', '/r/%', '/r/%C0%AF']) expect((await visit(path)).statusCode, path).toBeLessThan(500)
  })

  test('links follow the landing page, and leave a page that is not allowed any more', async () => {
    await house.set('links', 'allowedHosts', ['pages.example.org'])
    const { url } = await aLink({ page: 'https://pages.example.org/a' })
    expect(target(await visit(url)).host).toBe('pages.example.org')
    await house.set('links', 'allowedHosts', [])
    await house.set('links', 'landingPage', 'https://new.example.com/')
    expect(target(await visit(url)).host).toBe('new.example.com')
  })

  test('many visitors behind one address are all sent on', async () => {
    const { url } = await aLink()
    for (let i = 0; i < 320; i++) await visit(url, { ip: '192.0.2.50' })
    expect((await visit(url, { ip: '192.0.2.50' })).statusCode).toBe(302)
  })
})

describe('what others see of clicks', () => {
  const touchesOf = (clickId: string) =>
    house.db.transaction(async (tx) => {
      const { saleId } = await house.use(attribution).recordPayment(tx, {
        programId: house.program.id,
        provider: 'test',
        paymentKey: `k${++count}`,
        gross: 1000n,
        tax: 0n,
        shipping: 0n,
        currency: 'USD',
        refunded: 0n,
        dispute: 'none',
        customer: { key: `c${count}`, emailHash: undefined, country: undefined },
        hints: { clickId },
        product: undefined,
        paidAt: house.clock.now(),
      })
      return (await house.use(attribution).sale(tx, house.program.id, saleId))!
    })

  test('a purchase with the click id is the partner’s', async () => {
    const { url, partner } = await aLink()
    const clickId = target(await visit(url)).searchParams.get('siso_cid')!
    expect((await touchesOf(clickId)).partnerId).toBe(partner.id)
  })

  test('the newest click wins by default, the first one of the same browser when the program says so', async () => {
    const [first, second] = [await aLink(), await aLink()]
    const cookie = (await visit(first.url)).cookies[0]!.value
    house.clock.advance(hours(2))
    const clickId = (await visit(second.url, { headers: { cookie: `siso_cid=${cookie}` } })).cookies[0]!.value
    expect((await clicksOf(second.partner.id))[0]!.previous).toBe(cookie)
    expect((await touchesOf(clickId)).partnerId).toBe(second.partner.id)
    await house.set('attribution', 'model', 'first')
    expect((await touchesOf(clickId)).partnerId).toBe(first.partner.id)
    await house.set('attribution', 'model', 'last')
  })

  test.each(['not-a-click', newId(), '', "' or 1=1"])('the click id %j points to nobody', async (clickId) => {
    expect((await touchesOf(clickId)).partnerId).toBeNull()
  })

  test('clicks are counted per partner and time', async () => {
    const { url, partner } = await aLink()
    const from = house.clock.now()
    await visit(url)
    await visit(url, { headers: { 'user-agent': discordbot } })
    house.clock.advance(days(1))
    await visit(url)
    const counted = (to: Date) => house.use(links).clickCount(house.db, house.program.id, partner.id, { from, to })
    expect(await counted(house.clock.now())).toBe(1)
    expect(await counted(new Date(house.clock.now().getTime() + 1))).toBe(2)
    expect((await house.use(links).ofPartner(house.db, house.program.id, partner.id))[0]).toMatchObject({ url, clicks: 2 })
  })

  test('old clicks are forgotten, those of bots sooner', async () => {
    const { url, partner } = await aLink()
    await visit(url)
    await visit(url, { headers: { 'user-agent': discordbot } })
    house.clock.advance(days(8))
    await house.tick('links.forget_clicks')
    expect((await clicksOf(partner.id)).map(({ rejected }) => rejected)).toEqual([null])
    house.clock.advance(days(730))
    await house.tick('links.forget_clicks')
    expect(await clicksOf(partner.id)).toEqual([])
  })

  test('a partner sees only their own links, page by page', async () => {
    const partner = await aPartner()
    for (let i = 0; i < 9; i++) {
      house.clock.advance(1)
      await house.run('link create', { code: `mine-${i}-of-nine` }, { userId: partner.userId })
    }
    await aLink({ code: 'not-theirs' })
    const list = await house.run('link list', {}, { userId: partner.userId })
    expect(wordsOf(list)).toContain('Your 9 links')
    expect(wordsOf(list)).not.toContain('not-theirs')
    expect(wordsOf(await house.press(controlsOf(list).at(-1)!, {}, { userId: partner.userId }))).toContain('mine-0-of-nine')
  })
})
