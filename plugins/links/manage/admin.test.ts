// What the program and its admins do with links of partners: default links, a stop, another code; and cards of whatever was typed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../../app/testing.ts'
import { truncate } from '../../../commands/messages.ts'
import { partnerActivated } from '../../partners/events.ts'
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
beforeEach(() => house.set('links', 'landingPage', 'https://shop.example.com/start'))

const run = async (path: string, options: Record<string, unknown>, who: { userId: string }) => house.run(path, options, who)
const words = async (path: string, options: Record<string, unknown>, who: { userId: string }) =>
  wordsOf(await run(path, options, who))
const status = async (link: Pick<TestLink, 'path'>) => (await world.visit(link.path)).statusCode
/** Keys of what the person was told in Discord. */
const toldTo = async (userId: string) =>
  (await house.connection.sql<{ key: string }[]>`select key from notifications_tells where user_id = ${userId}`).map(
    ({ key }) => key,
  )

describe('default links', () => {
  const activate = async (partner: { id: string; userId: string }) => {
    await house.db.transaction((tx) =>
      house.emit(tx, partnerActivated, {
        programId: house.program.id,
        partnerId: partner.id,
        userId: partner.userId,
        industry: 'saas',
      }),
    )
    await house.drain()
  }
  const namesOf = async (partner: { id: string }) =>
    (await house.connection.sql`select default_for from links_links where partner_id = ${partner.id} order by 1`).map(
      ({ default_for: name }) => name as string,
    )

  test('are there when a partner becomes active, once, and the partner is told', async () => {
    await house.run('admin-links landing add', { name: 'Webinar', url: 'https://shop.example.com/webinar' }, boss)
    await house.set('links', 'defaultLinks', ['default', 'Webinar', 'No such page'])
    const partner = await world.aPartner()
    await activate(partner)
    await activate(partner)
    expect(await namesOf(partner)).toEqual(['Webinar', 'default'])
    expect(await toldTo(partner.userId)).toEqual([`links.first:${partner.id}`])
    const urls = (await house.use(links).ofPartner(house.db, house.program.id, partner.id)).map(({ url }) => url)
    expect(await Promise.all(urls.map(async (url) => target(await world.visit(url)).pathname)).then((all) => all.sort())).toEqual([
      '/start',
      '/webinar',
    ])
    await house.set('links', 'defaultLinks', ['default'])
  })

  test('are not made when the program wants none', async () => {
    await house.set('links', 'defaultLinks', [])
    const partner = await world.aPartner()
    await activate(partner)
    expect(await namesOf(partner)).toEqual([])
    await house.set('links', 'defaultLinks', ['default'])
  })
})

describe('an admin', () => {
  test('sees a partner’s links, stops one with a reason, and lets it go on', async () => {
    const link = await world.aLink({ campaign: 'tobeseen' })
    const user = { id: link.userId, username: 'x', bot: false }
    expect(await words('admin-links show', { user }, boss)).toContain('tobeseen')
    expect(await words('admin-links suspend', { link: link.code, reason: 'Misleading advert' }, boss)).toContain('leads nowhere')
    expect(await status(link)).toBe(404)
    expect(await words('link stats', { link: link.code }, link)).toContain('Misleading advert')
    expect(await words('link resume', { link: link.code }, link)).toContain('was not paused')
    expect(await status(link)).toBe(404)
    expect(await words('admin-links suspend', { link: link.code, reason: 'again' }, boss)).toContain('stopped already')
    await expect(run('admin-links resume', { link: link.code }, { ...boss, userId: link.userId })).rejects.toMatchObject({
      code: 'own_link',
    })
    expect(await words('admin-links resume', { link: link.code }, boss)).toContain('leads on again')
    expect(await status(link)).toBe(302)
    const trail = await house.connection.sql`select action from core_audit where detail ->> 'link' = ${link.id} order by at, id`
    expect(trail.map(({ action }) => action)).toEqual(['links.suspend', 'links.resume'])
    expect((await toldTo(link.userId)).map((key) => key.split(':')[0]).sort()).toEqual(['links.resume', 'links.suspend'])
  })

  test('gives a link another code, and the old one goes on working', async () => {
    const link = await world.aLink()
    expect(await words('admin-links rename', { link: link.code, code: 'by-the-team' }, boss)).toContain('/r/by-the-team')
    expect([await status(link), await status({ path: '/r/by-the-team' })]).toEqual([302, 302])
    expect(await words('admin-links rename', { link: link.code, code: 'by-the-team' }, boss)).toContain('Nothing changed')
    await expect(run('admin-links rename', { link: 'no-such-link', code: 'x-y-z' }, boss)).rejects.toMatchObject({
      code: 'unknown_link',
    })
  })
})

test('links of a partner who has not signed the current agreement are said to rest', async () => {
  const partner = await world.aPartner({ signed: false })
  const link = await world.aLink({ partner_id: partner.id })
  for (const said of [await words('link list', {}, partner), await words('link stats', { link: link.code }, partner)])
    expect(said).toContain('Your links rest')
  const user = { id: partner.userId, username: 'x', bot: false }
  expect(await words('admin-links show', { user }, boss)).toContain('has not signed the current agreement')
})

test('every card stays within Discord’s limits, whatever was typed', async () => {
  const partner = await world.aPartner()
  const wide = truncate('👩‍👩‍👧‍👦**||`@everyone '.repeat(20), 45)
  for (let i = 0; i < 9; i++) {
    const link = await world.aLink({ campaign: wide }, partner)
    await house.connection
      .sql`update links_links set tags = ${Array.from({ length: 10 }, (_, n) => `${n}合作夥伴計畫的佣金已經入帳合作夥伴計`)},
      subs = ${JSON.stringify(Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`sub${n}`, '*'.repeat(100)])))},
      destination = ${`https://shop.example.com/${'x'.repeat(1900)}`}, suspended_at = now(), suspended_because = ${'*'.repeat(300)} where id = ${link.id}`
  }
  const user = { id: partner.userId, username: 'x', bot: false }
  const [any] = await house.connection.sql`select id, code from links_links where partner_id = ${partner.id} limit 1`
  const cards = [
    await run('link list', {}, partner),
    await run('link stats', { link: any!.code }, partner),
    await run('link target', { link: any!.code }, partner),
    await run('admin-links show', { user }, boss),
  ]
  for (const card of cards) {
    const text = JSON.stringify(card)
    const contents = [...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].reduce(
      (sum, [, content]) => sum + JSON.parse(`"${content}"`).length,
      0,
    )
    expect(contents).toBeLessThanOrEqual(4000)
    for (const id of controlsOf(card)) expect(id.length).toBeLessThanOrEqual(id.startsWith('http') ? 512 : 100)
    expect(wordsOf(card)).toContain('##')
  }
})
