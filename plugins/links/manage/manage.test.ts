// What partners do with their links, on the real database, and what a visitor then meets.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, publicUrl, type TestHouse, testHouse, wordsOf } from '../../../app/testing.ts'
import type { Message, Modal } from '../../../commands/messages.ts'
import { days, minutes, newId } from '../../kit/index.ts'
import { links } from '../plugin.ts'
import { linkPlugins, linksIn, type TestLink, target } from '../testing.ts'

const boss = { userId: '500000000000000001', isAdmin: true }

let house: TestHouse
let world: ReturnType<typeof linksIn>
beforeAll(async () => {
  house = await testHouse(linkPlugins)
  world = linksIn(house)
})
afterAll(() => house.close())
beforeEach(async () => {
  await house.set('links', 'landingPage', 'https://shop.example.com/start')
  await house.set('links', 'allowedHosts', ['eu.example.com'])
})

const run = async (path: string, options: Record<string, unknown>, who: { userId: string }) => house.run(path, options, who)
const words = async (path: string, options: Record<string, unknown>, who: { userId: string }) =>
  wordsOf(await run(path, options, who))
const row = async (link: { id: string }) =>
  (await house.connection.sql`select * from links_links where id = ${link.id}`)[0] as Record<string, unknown>
const suggest = async (path: string, option: string, typed: string, who: { userId: string }) => {
  const found = house.loaded.commands.find((command) => command.path === path)!.options[option]!
  if (found.type !== 'string' || !found.suggest) throw new Error(`${option} suggests nothing`)
  const ctx = { program: house.program, user: { id: who.userId, username: 'x', displayName: 'x' } }
  return (await found.suggest(ctx as never, typed)).map(({ value }) => value)
}
const status = async (link: Pick<TestLink, 'path'>) => (await world.visit(link.path)).statusCode

describe('a new link', () => {
  test('has everything that was wished for, and says where it leads', async () => {
    const partner = await world.aPartner()
    const options = {
      code: 'all-of-it',
      campaign: 'spring',
      tags: 'Video,  b, video',
      page: 'https://eu.example.com/x?a=1&siso_cid=copied',
      expires: '2026-12-31',
      max_clicks: 500,
      sub1: 'header',
      sub3: 'c',
    }
    const said = await words('link create', options, partner)
    for (const word of ['eu.example.com/x', 'spring', '#b', '500 clicks', 'sub1 = header']) expect(said).toContain(word)
    const [stored] = await house.connection.sql`select * from links_links where code = 'all-of-it'`
    expect(stored).toMatchObject({
      campaign: 'spring',
      tags: ['b', 'video'],
      destination: 'https://eu.example.com/x?a=1',
      expires_at: '2027-01-01 00:00:00+00',
      click_limit: 500,
      subs: { sub1: 'header', sub3: 'c' },
    })
  })

  test.each([
    ['a day that is over', { expires: '2026-10-01' }, 'past_day'],
    ['what is no day', { expires: 'soon' }, 'bad_date'],
    ['eleven tags', { tags: 'a,b,c,d,e,f,g,h,i,j,k' }, 'bad_tags'],
    ['an endless tag', { tags: 'x'.repeat(31) }, 'bad_tags'],
    ['two pages', { page: 'https://shop.example.com/', landing: 'x' }, 'two_pages'],
    ['a landing page that is not there', { landing: 'Nowhere' }, 'unknown_page'],
    ['a private address', { page: 'https://192.168.1.1/' }, 'page_not_allowed'],
  ])('with %s is refused with what to do', async (_, options, code) => {
    await expect(run('link create', options, await world.aPartner())).rejects.toMatchObject({ name: 'UserError', code })
  })

  test('passes its own sub ids on, and the visitor’s win', async () => {
    const link = await world.aLink({ subs: { sub1: 'own', sub2: 'two' } })
    const to = target(await world.visit(`${link.path}?sub2=theirs&sub4=four`))
    expect(Object.fromEntries(to.searchParams)).toMatchObject({ sub1: 'own', sub2: 'theirs', sub4: 'four' })
    expect((await world.clicksOf(link))[0]).toMatchObject({ subs: { sub1: 'own', sub2: 'theirs', sub4: 'four' } })
  })
})

describe('a link that is changed', () => {
  test('keeps its former codes for ever, and nobody else can have them', async () => {
    const link = await world.aLink()
    for (const code of ['second-name', 'third-name']) await run('link edit', { link: link.code, code }, link)
    for (const path of [link.path, '/r/SECOND-name', '/r/third-name']) expect(await status({ path }), path).toBe(302)
    expect((await world.clicksOf(link)).length).toBe(3)
    await expect(run('link create', { code: 'second-name' }, await world.aPartner())).rejects.toMatchObject({ code: 'code_taken' })
    const card = await words('link stats', { link: 'second-name' }, link)
    expect(card).toContain('third-name')
    expect(card).toContain(`\`${link.code}\` \`second-name\``)
    await run('link edit', { link: 'third-name', code: 'SECOND-NAME' }, link)
    expect(await row(link)).toMatchObject({ code: 'SECOND-NAME' })
  })

  test.each([
    ['another’s', 'taken-by-other', 'code_taken'],
    ['reserved', 'admin', 'reserved_code'],
    ['malformed', 'a b', 'bad_code'],
  ])('does not get a code that is %s, and keeps the rest as it was', async (_, code, reason) => {
    const link = await world.aLink({ campaign: 'before' })
    if (reason === 'code_taken') await run('link create', { code }, await world.aPartner())
    await expect(run('link edit', { link: link.code, code, campaign: 'after' }, link)).rejects.toMatchObject({ code: reason })
    expect(await row(link)).toMatchObject({ code: link.code, campaign: 'before' })
  })

  test('cannot take codes without end', async () => {
    const link = await world.aLink()
    for (let i = 1; i < 20; i++) await run('link edit', { link: link.code, code: `greedy-${i}x` }, link)
    await expect(run('link edit', { link: link.code, code: 'one-too-many' }, link)).rejects.toMatchObject({
      code: 'too_many_codes',
    })
    expect(await status({ path: '/r/one-too-many' })).toBe(404)
  })

  test('of two who rename to the same code at the same moment, one gets it', async () => {
    const [one, other] = [await world.aLink(), await world.aLink()]
    const tries = [one, other].map((link) => run('link edit', { link: link.code, code: 'contested' }, link))
    expect((await Promise.allSettled(tries)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  test('loses what is called “none”, and keeps what is not named', async () => {
    const link = await world.aLink()
    await run(
      'link edit',
      { link: link.code, campaign: 'a', tags: 'b', expires: '2027-01-01', max_clicks: 3, sub1: 's', sub2: 't' },
      link,
    )
    await run('link edit', { link: link.code, campaign: 'none', expires: 'none', sub1: 'none' }, link)
    expect(await row(link)).toMatchObject({ campaign: null, tags: ['b'], expires_at: null, click_limit: 3, subs: { sub2: 't' } })
    await run('link edit', { link: link.code, tags: 'none', max_clicks: 0, sub2: 'none' }, link)
    expect(await row(link)).toMatchObject({ tags: [], click_limit: null, subs: null })
  })

  test('is changed in a form that shows what is there', async () => {
    const link = await world.aLink()
    await run('link edit', { link: link.code, campaign: 'mine', expires: '2027-01-31', page: 'https://eu.example.com/y' }, link)
    const form = (await house.press(`links.change:${link.id}`, {}, link)) as Modal
    const shown = JSON.stringify(form)
    for (const value of [link.code, 'mine', '2027-01-31', 'https://eu.example.com/y']) expect(shown).toContain(`"value":"${value}"`)
    const fields = { code: link.code, campaign: '', tags: 'x, y', page: '', expires: '2027-01-31' }
    const card = await house.press(`links.save:${link.id}`, { fields }, link)
    expect(wordsOf(card)).toContain('It is changed')
    expect(await row(link)).toMatchObject({
      campaign: null,
      tags: ['x', 'y'],
      destination: null,
      expires_at: '2027-02-01 00:00:00+00',
    })
  })

  test('that is over can be changed without a new end', async () => {
    const link = await world.aLink({ expires_at: new Date('2026-01-02T00:00:00Z') })
    const fields = { code: link.code, campaign: 'late', tags: '', page: '', expires: '2026-01-01' }
    await house.press(`links.save:${link.id}`, { fields }, link)
    expect(await row(link)).toMatchObject({ campaign: 'late' })
  })

  test('rests while it is paused, and leads on when it is resumed', async () => {
    const link = await world.aLink()
    expect(await words('link pause', { link: link.code }, link)).toContain('paused')
    expect(await status(link)).toBe(404)
    expect(await words('link pause', { link: link.code }, link)).toContain('paused already')
    expect(wordsOf(await house.press(`links.resume:${link.id}`, {}, link))).toContain('leads on again')
    expect(await status(link)).toBe(302)
    await house.press(`links.pause:${link.id}`, {}, link)
    expect(await status(link)).toBe(404)
  })

  test('leads some visitors to another page, and forgets that again', async () => {
    const link = await world.aLink()
    const page = 'https://eu.example.com/de'
    expect(await words('link target', { link: link.code, page, countries: 'de, at', devices: 'mobile tablet' }, link)).toContain(
      '1. AT, DE · mobile, tablet → eu.example.com/de',
    )
    expect(await row(link)).toMatchObject({ targets: [{ countries: ['AT', 'DE'], devices: ['mobile', 'tablet'], page }] })
    const phone =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1'
    const from = async (ip: string) => target(await world.visit(link.path, { ip, headers: { 'user-agent': phone } })).host
    expect([await from('194.25.0.60'), await from('81.2.69.160')]).toEqual(['eu.example.com', 'shop.example.com'])
    expect(await words('link target', { link: link.code, remove: 1 }, link)).toContain('Everybody:')
    expect(await from('194.25.0.60')).toBe('shop.example.com')
  })

  test.each([
    ['no page', { countries: 'DE' }, 'no_page'],
    ['no visitors', { page: 'https://eu.example.com/' }, 'no_visitors'],
    ['a country that is none', { page: 'https://eu.example.com/', countries: 'Germany' }, 'unknown_country'],
    ['a page elsewhere', { page: 'https://evil.test/', countries: 'DE' }, 'page_not_allowed'],
    ['a number that is not there', { remove: 3 }, 'unknown_target'],
  ])('does not take another page with %s', async (_, options, code) => {
    const link = await world.aLink()
    await expect(run('link target', { link: link.code, ...options }, link)).rejects.toMatchObject({ code })
  })

  test('can be changed by its partner only, by command and by button', async () => {
    const [link, other] = [await world.aLink(), await world.aLink()]
    for (const path of ['link edit', 'link pause', 'link resume', 'link target', 'link qr', 'link stats'])
      await expect(run(path, { link: link.code }, other), path).rejects.toMatchObject({ code: 'unknown_link' })
    for (const id of ['pause', 'resume', 'qr', 'change', 'save'])
      await expect(house.press(`links.${id}:${link.id}`, {}, other), id).rejects.toMatchObject({ code: 'unknown_link' })
    await expect(house.press('links.open', { values: [link.id] }, other)).rejects.toMatchObject({ code: 'unknown_link' })
    await expect(house.press('links.open', { values: ['x'] }, other)).rejects.toMatchObject({ code: 'unknown_link' })
  })
})

describe('what a partner sees', () => {
  test('is one link with its clicks of the last day, week and month', async () => {
    const link = await world.aLink()
    for (const [i, ahead] of [0, days(20), days(4), days(2)].entries()) {
      house.clock.advance(ahead + minutes(1))
      await world.visit(link.path, { ip: `198.51.100.${i}` })
    }
    house.clock.advance(minutes(1))
    const unsummed = await words('link stats', { link: link.path }, link)
    expect(unsummed).toContain('**1** in 24 hours · **3** in 7 days · **4** in all')
    house.clock.advance(minutes(20))
    await house.tick('links.sum_up')
    const summed = await words('link stats', { link: link.code }, link)
    expect(summed).toContain('**1** in 24 hours · **3** in 7 days · **4** in all')
    const last = /The last one <t:(\d+)/
    expect(summed.match(last)![1]).toBe(unsummed.match(last)![1])
    expect(unsummed).toContain('the program’s page')
  })

  test('is a list that is searched and turned, and opens a link', async () => {
    const partner = await world.aPartner()
    for (let i = 0; i < 10; i++) {
      house.clock.advance(1)
      await world.aLink({ campaign: i % 2 ? 'odd:%one' : 'even' }, partner)
    }
    const found = await run('link list', { search: 'ODD:%' }, partner)
    expect(wordsOf(found)).toContain('Your 5 links with “ODD')
    expect(wordsOf(await run('link list', { search: 'nothing' }, partner))).toContain('No link found')
    const all = (await run('link list', {}, partner)) as Message
    expect(wordsOf(all)).toContain('Page 1 of 2')
    const older = await house.press(controlsOf(all).at(-1)!, {}, partner)
    expect(wordsOf(older)).toContain('Page 2 of 2')
    expect(wordsOf(await house.press('links.page:99:', {}, partner))).toContain('Page 2 of 2')
    const [first] = await house.connection.sql`select id, code from links_links where partner_id = ${partner.id} limit 1`
    expect(wordsOf(await house.press('links.open', { values: [first!.id] }, partner))).toContain(first!.code)
  })

  test('is suggested while it is typed, and nobody else’s', async () => {
    const link = await world.aLink({ campaign: 'suggest-me' })
    const other = await world.aLink({ campaign: 'suggest-me' })
    expect(await suggest('link edit', 'link', 'suggest', link)).toEqual([link.code])
    expect(await suggest('link create', 'campaign', 'SUGG', link)).toEqual(['suggest-me'])
    expect((await suggest('admin-links suspend', 'link', 'suggest-me', boss)).sort()).toEqual([link.code, other.code].sort())
    expect(await suggest('link edit', 'link', '', { userId: '1' })).toEqual([])
  })

  test('is a QR code with words for those who cannot see it', async () => {
    const link = await world.aLink()
    for (const answer of [await run('link qr', { link: link.code }, link), await house.press(`links.qr:${link.id}`, {}, link)]) {
      const { files } = answer as Message
      expect(files).toMatchObject([{ name: `qr-${link.code}.png`, description: `QR code that leads to ${publicUrl}${link.path}` }])
      expect(files![0]!.data.subarray(1, 4).toString()).toBe('PNG')
      expect(JSON.stringify(answer)).toContain(`attachment://qr-${link.code}.png`)
    }
  })
})

test('what is stored about a partner is exported, and erased but for links and codes, which may never lead to somebody else', async () => {
  const { exportPartner, deletePartner } = links.data!
  const [partner, other] = [await world.aPartner(), await world.aPartner()]
  const link = await world.aLink({}, partner)
  const foreign = await world.aLink({ campaign: 'not-theirs' }, other)
  await run('link edit', { link: link.code, code: 'ada-coffee', campaign: 'spring', tags: 'blog' }, partner)
  for (const ip of ['198.51.100.1', '198.51.100.2']) await world.visit(link.path, { ip })
  await world.visit(foreign.path)
  house.clock.advance(days(1))
  await house.tick('links.sum_up')
  await run('admin-links landing add', { name: 'Hers', url: 'https://shop.example.com/hers' }, boss)
  await run('admin-links landing assign', { page: 'Hers', partner: { id: partner.userId, username: 'x', bot: false } }, boss)

  const stored = () => exportPartner!(house.db, house.program.id, partner.userId) as Promise<{ links: Record<string, unknown>[] }>
  const exported = await stored()
  expect(exported).toMatchObject({
    links: [{ id: link.id, campaign: 'spring', tags: ['blog'], codes: [link.code, 'ada-coffee'], clicks: [{ clicks: 2 }] }],
    landingPages: [{ name: 'Hers', address: 'https://shop.example.com/hers' }],
  })
  expect(JSON.stringify(exported)).not.toContain('not-theirs')
  expect(await exportPartner!(house.db, newId(), partner.userId)).toEqual({ links: [], landingPages: [], lists: [] })

  await house.db.transaction((tx) => deletePartner!(tx, house.program.id, partner.userId))
  expect(await stored()).toMatchObject({
    links: [{ campaign: null, tags: [], codes: [link.code, 'ada-coffee'] }],
    landingPages: [],
    lists: [],
  })
  expect(await exportPartner!(house.db, house.program.id, other.userId)).toMatchObject({ links: [{ campaign: 'not-theirs' }] })
})

describe('at the same moment', () => {
  test('two changes of one link both count', async () => {
    const partner = await world.aPartner()
    const link = await world.aLink({}, partner)
    await Promise.all([
      run('link edit', { link: link.code, campaign: 'spring' }, partner),
      run('link edit', { link: link.code, tags: 'video' }, partner),
      run('link edit', { link: link.code, max_clicks: 500 }, partner),
      run('link target', { link: link.code, page: 'https://eu.example.com/a', countries: 'DE' }, partner),
      run('link target', { link: link.code, page: 'https://eu.example.com/b', countries: 'AT' }, partner),
    ])
    const stored = await row(link)
    expect(stored).toMatchObject({ campaign: 'spring', tags: ['video'], click_limit: 500 })
    expect(stored.targets).toHaveLength(2)
  })

  test('nobody makes more links than they may have', async () => {
    await house.set('links', 'maxLinks', 1)
    const partner = await world.aPartner()
    const made = await Promise.allSettled([1, 2, 3].map(() => run('link create', {}, partner)))
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    await house.set('links', 'maxLinks', 50)
  })
})
