// Landing pages from an admin's command to the address that a visitor is sent to.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../../app/testing.ts'
import { linkPlugins, linksIn, type TestLink, target } from '../testing.ts'

const boss = { userId: '500000000000000001', isAdmin: true }

describe.each([
  ['asks the database', false],
  ['answers from memory', true],
])('while the redirect %s', (_, listening) => {
  let house: TestHouse
  let world: ReturnType<typeof linksIn>
  beforeAll(async () => {
    house = await testHouse(linkPlugins, { listening })
    world = linksIn(house)
    await house.set('links', 'landingPage', 'https://shop.example.com/start')
    for (const name of ['Own', 'Partner', 'Campaign', 'Industry'])
      await admin('add', { name, url: `https://shop.example.com/${name.toLowerCase()}?by={code}` })
  })
  afterAll(() => house.close())

  const admin = async (name: string, options: Record<string, unknown> = {}) =>
    wordsOf(await house.run(`admin-links landing ${name}`, options, boss))
  const user = (link: TestLink) => ({ id: link.userId, username: 'x', bot: false })
  const leadsTo = async (path: string) => target(await world.visit(path)).pathname
  /** News from the database takes a moment to arrive. */
  const soon = (path: string, page: string) =>
    vi.waitFor(async () => expect(await leadsTo(path)).toBe(page), { timeout: 10_000, interval: 20 })

  test('a link’s own page comes before its partner’s, its campaign’s, its industry’s and the program’s', async () => {
    const link = await world.aLink({ campaign: 'Spring 27' })
    await soon(link.path, '/start')
    await admin('assign', { page: 'Industry', industry: 'saas' })
    await soon(link.path, '/industry')
    await admin('assign', { page: 'Campaign', campaign: 'spring 27' })
    await soon(link.path, '/campaign')
    await admin('assign', { page: 'Partner', partner: user(link) })
    await soon(link.path, '/partner')
    await house.run('link edit', { link: link.code, landing: 'own' }, link)
    await soon(link.path, '/own')
    const to = target(await world.visit(link.path))
    expect(to.searchParams.get('by')).toBe(link.code)

    const [{ id }] = (await house.connection.sql`select id from links_landing_pages where name = 'Own'`) as never as [
      { id: string },
    ]
    expect((await world.clicksOf(link)).at(-1)).toMatchObject({ landing_page_id: id })
    expect(wordsOf(await house.run('link stats', { link: link.code }, link))).toContain('(Own, chosen for this link)')

    await house.run('link edit', { link: link.code, landing: 'none' }, link)
    await soon(link.path, '/partner')
    await admin('unassign', { partner: user(link) })
    await soon(link.path, '/campaign')
    await admin('unassign', { campaign: 'SPRING 27' })
    await soon(link.path, '/industry')
    await admin('unassign', { industry: 'SaaS & software' })
    await soon(link.path, '/start')
  })

  test('a partner who changes industry takes their links along', async () => {
    const link = await world.aLink()
    await admin('assign', { page: 'Industry', industry: 'finance' })
    await soon(link.path, '/start')
    await house.connection.sql`update partners_partners set industry = 'finance' where id = ${link.partnerId}`
    await soon(link.path, '/industry')
    await admin('unassign', { industry: 'finance' })
    await soon(link.path, '/start')
  })

  test('a former code leads where the link leads', async () => {
    const link = await world.aLink()
    await house.run('link edit', { link: link.code, code: `renamed-${listening ? 'a' : 'b'}`, landing: 'Own' }, link)
    await soon(link.path, '/own')
    expect(target(await world.visit(link.path)).searchParams.get('by')).toBe(`renamed-${listening ? 'a' : 'b'}`)
  })

  test('a page that is changed or removed takes its links along at once', async () => {
    const link = await world.aLink()
    await admin('add', { name: 'Changing', url: 'https://shop.example.com/before' })
    await house.run('link edit', { link: link.code, landing: 'changing' }, link)
    await soon(link.path, '/before')
    await admin('edit', { page: 'Changing', name: 'Changed', url: 'https://shop.example.com/after' })
    await soon(link.path, '/after')
    expect(await admin('remove', { page: 'Changed' })).toContain('1 link named it')
    await soon(link.path, '/start')
  })

  test('a page whose host is not allowed any more is passed over', async () => {
    await house.set('links', 'allowedHosts', ['eu.example.com'])
    await admin('add', { name: 'Abroad', url: 'https://eu.example.com/abroad' })
    const link = await world.aLink()
    await house.run('link edit', { link: link.code, landing: 'Abroad' }, link)
    await soon(link.path, '/abroad')
    await house.set('links', 'allowedHosts', [])
    await soon(link.path, '/start')
  })

  if (listening)
    test('choosing a page takes no look at the tables', async () => {
      const link = await world.aLink()
      await house.run('link edit', { link: link.code, landing: 'Own' }, link)
      await vi.waitFor(
        async () => {
          const location = await house.connection.sql.begin(async (tx) => {
            await tx`lock table links_links, links_codes, links_landing_pages, links_assignments, partners_partners in access exclusive mode`
            return Promise.race([leadsTo(link.path), sleep(300, undefined)])
          })
          expect(location).toBe('/own')
        },
        { timeout: 10_000 },
      )
    })
})

describe('naming pages', () => {
  let house: TestHouse
  let world: ReturnType<typeof linksIn>
  beforeAll(async () => {
    house = await testHouse(linkPlugins)
    world = linksIn(house)
  })
  afterAll(() => house.close())
  beforeEach(() => house.set('links', 'landingPage', 'https://shop.example.com/'))
  const admin = (name: string, options: Record<string, unknown> = {}) => house.run(`admin-links landing ${name}`, options, boss)

  test.each([
    ['add', { name: 'Elsewhere', url: 'https://elsewhere.example.net/' }, 'page_not_allowed'],
    ['add', { name: 'none', url: 'https://shop.example.com/' }, 'bad_name'],
    ['add', { name: 'Odd', url: 'https://shop.example.com/{secret}' }, 'bad_place'],
    ['edit', { page: 'No such', url: 'https://shop.example.com/' }, 'unknown_page'],
    ['remove', { page: 'No such' }, 'unknown_page'],
    ['assign', { page: 'No such', campaign: 'x' }, 'unknown_page'],
    ['assign', { page: 'No such' }, 'one_of'],
    ['assign', { page: 'No such', campaign: 'x', industry: 'saas' }, 'one_of'],
    ['assign', { page: 'No such', industry: 'space' }, 'unknown_industry'],
    ['assign', { page: 'No such', partner: { id: '1' } }, 'unknown_partner'],
    ['unassign', { campaign: '   ' }, 'one_of'],
  ])('%s %j is refused with what to do', async (name, options, code) => {
    await expect(admin(name, options)).rejects.toMatchObject({ name: 'UserError', code })
  })

  test('a click id that was copied along is no part of the address', async () => {
    await admin('add', { name: 'Copied', url: 'https://shop.example.com/?siso_cid=copied&from={code}' })
    const [page] = await house.connection.sql`select address from links_landing_pages where name = 'Copied'`
    expect(page).toEqual({ address: 'https://shop.example.com/?from={code}' })
  })

  test('a name is taken in any case, and free again once its page is gone', async () => {
    const page = { name: 'Once', url: 'https://shop.example.com/once' }
    await admin('add', page)
    await expect(admin('add', { ...page, name: 'ONCE' })).rejects.toMatchObject({ code: 'name_taken' })
    await admin('add', { ...page, name: 'Twice' })
    await expect(admin('edit', { page: 'Twice', name: 'once' })).rejects.toMatchObject({ code: 'name_taken' })
    await admin('remove', { page: 'once' })
    expect(wordsOf(await admin('add', page))).toContain('“Once” is ready')
  })

  test('a page that is not offered is assigned by admins and chosen by nobody', async () => {
    await admin('add', { name: 'Secret', url: 'https://shop.example.com/secret', offered: false })
    const link = await world.aLink()
    await expect(house.run('link edit', { link: link.code, landing: 'Secret' }, link)).rejects.toMatchObject({
      code: 'unknown_page',
    })
    await admin('assign', { page: 'secret', partner: { id: link.userId } })
    expect(target(await world.visit(link.path)).pathname).toBe('/secret')
    const options = house.loaded.commands.find(({ path }) => path === 'link create')!.options
    const ctx = { program: house.program, user: { id: link.userId } } as never
    const offered = options.landing!.type === 'string' ? await options.landing!.suggest!(ctx, '') : []
    expect(offered.map(({ value }) => value)).not.toContain('Secret')
  })

  test('the list shows who gets which page, within Discord’s limits even when there are many', async () => {
    const link = await world.aLink()
    await admin('add', { name: 'Listed', url: 'https://shop.example.com/{industry}' })
    await admin('assign', { page: 'Listed', partner: { id: link.userId } })
    await admin('assign', { page: 'Listed', industry: 'saas' })
    await admin('assign', { page: 'Listed', campaign: 'Autumn' })
    const list = wordsOf(await admin('list'))
    for (const part of [`<@${link.userId}>`, 'SaaS & software', 'autumn', 'https://shop.example.com/{industry}'])
      expect(list).toContain(part)
    for (let i = 0; i < 60; i++)
      await admin('add', { name: `Page ${i} ${'x'.repeat(30)}`, url: `https://shop.example.com/${'y'.repeat(200)}${i}` })
    const contents = wordsOf(await admin('list'))
    expect(contents.length).toBeLessThanOrEqual(4010)
    expect(contents).toContain('A link leads to its own page')
  })
})
