// What a link obeys and what is kept of a click: closures, targets, cookies, parameters, domains.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { days, minutes } from '../kit/index.ts'
import { browser, linkPlugins, linksIn, target } from './testing.ts'

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'
const tablet = 'Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
const [german, british, american, nowhere] = ['194.25.0.60', '81.2.69.160', '2001:4860:4860::8888', '127.0.0.1']

let house: TestHouse
let aLink: ReturnType<typeof linksIn>['aLink']
let aPartner: ReturnType<typeof linksIn>['aPartner']
let visit: ReturnType<typeof linksIn>['visit']
let clicksOf: ReturnType<typeof linksIn>['clicksOf']
beforeAll(async () => {
  house = await testHouse(linkPlugins)
  ;({ aLink, aPartner, visit, clicksOf } = linksIn(house))
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('links', 'landingPage', 'https://shop.example.com/start')
  await house.set('links', 'allowedHosts', ['eu.example.com'])
  await house.set('links', 'cookies', 'always')
})

describe('a link that leads nowhere', () => {
  test.each([
    ['is paused', () => ({ paused_at: house.clock.now() }), 'paused', 404, 'is resting'],
    ['is past its end', () => ({ expires_at: house.clock.now() }), 'expired', 410, 'has ended'],
  ])(
    'because it %s shows a page with the way to the shop, and keeps the click without counting it',
    async (_, fields, reason, status, words) => {
      const link = await aLink(fields())
      const answer = await visit(link.path)
      expect([answer.statusCode, answer.headers.location, answer.headers['set-cookie']]).toEqual([status, undefined, undefined])
      expect(answer.body).toContain(words)
      expect(answer.body).toContain('href="https://shop.example.com/start"')
      expect(await clicksOf(link)).toMatchObject([{ counted: false, rejected: reason }])
    },
  )

  test('because its partner is suspended or has not signed does the same', async () => {
    const suspended = await aLink()
    await house.connection.sql`update partners_partners set status = 'suspended' where id = ${suspended.partnerId}`
    const unsigned = await aLink({ partner_id: (await aPartner({ signed: false })).id })
    for (const link of [suspended, unsigned]) {
      const answer = await visit(link.path)
      expect([answer.statusCode, answer.headers.location]).toEqual([404, undefined])
      expect(await clicksOf(link)).toMatchObject([{ counted: false, rejected: 'inactive' }])
    }
  })

  test('leads on until its end', async () => {
    const link = await aLink({ expires_at: new Date(house.clock.now().getTime() + minutes(1)) })
    expect((await visit(link.path)).statusCode).toBe(302)
    house.clock.advance(minutes(1))
    expect((await visit(link.path)).statusCode).toBe(410)
  })

  test('because so many were counted as it allows leads on again with a higher limit', async () => {
    const link = await aLink({ click_limit: 2 })
    const from = async (ip: string) => (await visit(link.path, { ip })).statusCode
    expect([await from('198.51.100.1'), await from('198.51.100.1'), await from('198.51.100.1')]).toEqual([302, 302, 302])
    expect([await from('198.51.100.2'), await from('198.51.100.3'), await from('198.51.100.1')]).toEqual([302, 410, 410])
    await house.tick('links.sum_up')
    expect(await from('198.51.100.4')).toBe(410)
    await house.connection.sql`update links_links set click_limit = 3 where id = ${link.id}`
    expect([await from('198.51.100.5'), await from('198.51.100.6')]).toEqual([302, 410])
    const clicks = await clicksOf(link)
    expect(clicks.filter(({ counted }) => counted).length).toBe(3)
    expect(clicks.filter(({ rejected }) => rejected === 'limit').length).toBe(4)
  })

  test('because of its limit is followed while the count of its clicks is late, and no click goes astray', async () => {
    const partner = await aPartner()
    const [limited, other] = [await aLink({ click_limit: 1 }, partner), await aLink({}, partner)]
    await visit(other.path)
    let finish = () => {}
    const held = house.connection.sql.begin(async (tx) => {
      await tx`lock table links_hours in access exclusive mode`
      await new Promise<void>((resolve) => {
        finish = resolve
      })
    })
    try {
      expect((await visit(limited.path, { ip: '198.51.100.1' })).statusCode).toBe(302)
      const begin = performance.now()
      expect((await visit(limited.path, { ip: '198.51.100.2' })).statusCode).toBe(302)
      expect((await visit(other.path, { ip: '198.51.100.3' })).statusCode).toBe(302)
      expect(performance.now() - begin).toBeLessThan(700)
      expect([(await clicksOf(limited)).length, (await clicksOf(other)).length]).toEqual([2, 2])
    } finally {
      finish()
      await held
    }
    await expect.poll(async () => (await visit(limited.path, { ip: '198.51.100.4' })).statusCode).toBe(410)
  })

  test('because of its limit is not used up by bots', async () => {
    const link = await aLink({ click_limit: 1 })
    for (let i = 0; i < 3; i++)
      expect((await visit(link.path, { headers: { 'user-agent': 'Googlebot/2.1' } })).statusCode).toBe(302)
    expect((await visit(link.path)).statusCode).toBe(302)
  })
})

describe('targets', () => {
  const pages = [
    { countries: ['DE', 'AT'], devices: ['mobile'], page: 'https://eu.example.com/app' },
    { countries: ['DE'], page: 'https://eu.example.com/de' },
    { devices: ['tablet'], page: 'https://eu.example.com/tablet' },
    { countries: ['US'], page: 'https://forbidden.example.net/' },
  ]
  test.each([
    ['a computer in Germany', german, browser, 'eu.example.com/de'],
    ['a phone in Germany', german, phone, 'eu.example.com/app'],
    ['a German address in the clothes of the new kind', `::ffff:${german}`, browser, 'eu.example.com/de'],
    ['a phone in Britain', british, phone, 'shop.example.com/start'],
    ['a tablet in Britain', british, tablet, 'eu.example.com/tablet'],
    ['an American, whose page is not allowed any more', american, browser, 'shop.example.com/start'],
    ['somebody of no known country', nowhere, browser, 'shop.example.com/start'],
  ])('%s is led to their page', async (_, ip, userAgent, page) => {
    const link = await aLink({ targets: pages })
    const to = target(await visit(link.path, { ip, headers: { 'user-agent': userAgent } }))
    expect(to.host + to.pathname).toBe(page)
  })

  test.each([
    ['a script', [{ page: 'javascript:alert(1)' }]],
    ['a line break', [{ page: 'https://shop.example.com/\r\nx: y' }]],
    ['no page', [{ countries: ['DE'] }]],
    ['a page that is no text', [{ page: 1 }]],
    ['no list', { page: 'https://shop.example.com/' }],
  ])('%s can be no target, whoever writes it', async (_, targets) => {
    await expect(aLink({ targets })).rejects.toThrow('check constraint')
  })
})

describe('what is kept of a click', () => {
  test('is its country, kind of device, the site it came from, the campaign, and the name of what says that it was bought', async () => {
    const link = await aLink({ campaign: 'spring' })
    await visit(`${link.path}?sub1=a&GCLID=secret-value&utm_source=x`, {
      ip: german,
      headers: { 'user-agent': phone, referer: 'https://user:pw@www.Blog.example.org:8443/private/path?q=1#x' },
    })
    const [click] = await clicksOf(link)
    expect(click).toMatchObject({
      country: 'DE',
      device: 'mobile',
      referrer: 'blog.example.org',
      campaign: 'spring',
      paid_by: 'gclid',
      landing_page_id: null,
      subs: { sub1: 'a' },
    })
    expect(JSON.stringify(click)).not.toMatch(/secret-value|private|pw/)
  })

  test.each([
    ['gad_source=1', 'gad_source'],
    ['x=1&ScCid=2', 'sccid'],
    ['fbclid=', 'fbclid'],
    ['gad_%27;drop=1', null],
    ['gclidx=1', null],
    ['sub1=gclid', null],
  ])('of ?%s is %j', async (query, paidBy) => {
    const link = await aLink()
    await visit(`${link.path}?${query}`)
    expect(await clicksOf(link)).toMatchObject([{ paid_by: paidBy }])
  })

  test.each([
    ['no referrer', undefined],
    ['a word', 'nonsense'],
    ['a script', 'javascript:alert(1)'],
    ['a host that is none', 'https://"><script>/'],
    ['a host without end', `https://${'a'.repeat(300)}.example.com/`],
  ])('of %s is no site', async (_, referer) => {
    const link = await aLink()
    await visit(link.path, { headers: { ...(referer && { referer }) } })
    expect(await clicksOf(link)).toMatchObject([{ referrer: null }])
  })
})

test('what a browser fetched ahead is kept as long as clicks of people, because a purchase may name it; a bot’s click is not', async () => {
  const link = await aLink()
  await visit(link.path, { headers: { 'sec-purpose': 'prefetch' } })
  await visit(link.path, { headers: { 'user-agent': 'Googlebot/2.1' } })
  house.clock.advance(days(60))
  await house.tick('links.forget_clicks')
  expect((await clicksOf(link)).map(({ rejected }) => rejected)).toEqual(['prefetch'])
})

describe('the cookie', () => {
  const cookieOf = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await visit(path, { headers })
    expect(answer.statusCode).toBe(302)
    expect(target(answer).searchParams.get('siso_cid')).toMatch(/^[\da-f-]{36}$/)
    return answer.cookies[0] as { value: string; maxAge: number } | undefined
  }
  test.each([
    ['always', '', true],
    ['always', '?siso_consent=1', true],
    ['always', '?siso_consent=0', false],
    ['consent', '', false],
    ['consent', '?siso_consent=1', true],
    ['consent', '?siso_consent=yes', false],
    ['never', '?siso_consent=1', false],
  ])('of a program that says %s, and a visitor who says %j, is left: %s', async (cookies, query, isLeft) => {
    await house.set('links', 'cookies', cookies)
    expect((await cookieOf((await aLink()).path + query)) !== undefined).toBe(isLeft)
  })

  test('of before is neither read nor kept when the visitor says no', async () => {
    const link = await aLink()
    const { value } = (await cookieOf(link.path))!
    house.clock.advance(minutes(1))
    expect(await cookieOf(`${link.path}?siso_consent=0`, { cookie: `siso_cid=${value}` })).toMatchObject({ value: '', maxAge: 0 })
    expect((await clicksOf(link)).map(({ previous }) => previous)).toEqual([null, null])
  })
})

test('utm parameters pass through, cut and cleaned; those of the page itself win', async () => {
  await house.set('links', 'landingPage', 'https://shop.example.com/start?utm_medium=partner')
  const link = await aLink()
  const to = target(
    await visit(`${link.path}?utm_source=a%0d%0ab&utm_medium=mine&utm_campaign=${'x'.repeat(200)}&utm_other=no&gclid=1`),
  )
  expect(Object.fromEntries(to.searchParams)).toEqual({
    utm_medium: 'partner',
    siso_cid: expect.any(String),
    utm_source: 'ab',
    utm_campaign: 'x'.repeat(100),
  })
})

describe('a domain of the program’s own', () => {
  beforeAll(() => house.set('links', 'domains', ['Go.Example.com']))
  const at = (host: string, path: string) => visit(path, { headers: { host, accept: 'text/html' } })

  test('leads on from its short addresses, and from /r/ as everywhere', async () => {
    const { code } = await aLink()
    for (const path of [`/${code}`, `/r/${code}`, `/${code}/`])
      expect((await at('go.example.com', path)).statusCode, path).toBe(302)
    expect((await at('GO.example.com:8080', `/${code.toUpperCase()}?sub1=x`)).statusCode).toBe(302)
  })

  test.each(['ref', 'via', 'fpr', 'fp_ref', 'a', 'aff'])('takes the code from ?%s=, as other platforms write it', async (name) => {
    const { code } = await aLink()
    expect((await at('go.example.com', `/?${name}=${code}`)).statusCode).toBe(302)
    expect((await at('elsewhere.example.com', `/r?${name}=${code}`)).statusCode).toBe(302)
    expect((await at('elsewhere.example.com', `/?${name}=${code}`)).statusCode).toBe(404)
  })

  test('knows no other addresses, and other hosts know no short ones', async () => {
    const { code } = await aLink()
    expect((await at('go.example.com', '/nosuchcode')).body).toContain('This link leads nowhere')
    const elsewhere = await at('program.test', `/${code}`)
    expect([elsewhere.statusCode, elsewhere.headers.location]).toEqual([404, undefined])
    expect(elsewhere.body).toContain('There is nothing at this address.')
    expect((await at('go.example.com', '/health/live')).statusCode).toBe(200)
  })

  test('knows no links of other programs', async () => {
    const { code } = await aLink()
    const [other] = await house.connection.sql<{ id: string }[]>`
      insert into core_programs (id, guild_id, name) values (gen_random_uuid(), '900000000000000077', 'Other') returning id`
    const values = JSON.stringify({ domains: ['other.example.com'] })
    await house.connection.sql`insert into core_settings (program_id, plugin, values) values (${other!.id}, 'links', ${values})`
    expect((await at('other.example.com', `/${code}`)).statusCode).toBe(404)
    expect((await at('other.example.com', `/r/${code}`)).statusCode).toBe(302)
  })
})
