// Lists of links: what a file may hold, that nothing is half done, and whose links may be made.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { controlsOf, publicUrl, type TestHouse, testHouse, wordsOf } from '../../../app/testing.ts'
import type { Message } from '../../../commands/messages.ts'
import { days, readCsv } from '../../kit/index.ts'
import { linkPlugins, linksIn, target } from '../testing.ts'

const boss = { userId: '500000000000000001', isAdmin: true }

let house: TestHouse
let world: ReturnType<typeof linksIn>
let files: Server
let served = Buffer.alloc(0)
beforeAll(async () => {
  files = createServer((_, answer) => answer.end(served)).listen(0, '127.0.0.1')
  house = await testHouse(linkPlugins)
  world = linksIn(house)
})
afterAll(async () => {
  files.close()
  await house.close()
})
beforeEach(async () => {
  await house.set('links', 'landingPage', 'https://shop.example.com/start')
  await house.set('links', 'maxLinks', 50)
})

const upload = (text: string | Buffer) => {
  served = Buffer.from(text)
  const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/links.csv`
  return { id: '1', filename: 'links.csv', size: served.length, url, contentType: 'text/csv' }
}
const bring = async (text: string | Buffer, who: { userId: string }, more: Record<string, unknown> = {}) =>
  (await house.run('isAdmin' in who ? 'admin-links import' : 'link import', { file: upload(text), ...more }, who)) as Message
const codesOf = async (partner: { id: string }) =>
  (await house.connection.sql`select code from links_links where partner_id = ${partner.id} order by code`).map(
    ({ code }) => code as string,
  )
const fileOf = (answer: Message) => readCsv(answer.files![0]!.data.toString('utf8'))!.rows.map(({ cells }) => cells)
const buttonOf = (answer: Message) => controlsOf(answer).find((id) => id.startsWith('links.import:'))!

describe('a list', () => {
  test('is shown first, then made at once, and only once', async () => {
    const partner = await world.aPartner()
    const text =
      'code,campaign,page,tags,expires,max_clicks,sub1\nlist-one,spring,https://shop.example.com/x,"a, b",2027-01-31,10,s\n,autumn,,,,,\n'
    const planned = await bring(text, partner)
    expect(wordsOf(planned)).toContain('2 links can be made')
    expect(await codesOf(partner)).toEqual([])
    const presses = await Promise.allSettled([1, 2].map(() => house.press(buttonOf(planned), {}, partner)))
    expect(presses.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(presses.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'import_gone' } })
    const made = await codesOf(partner)
    expect(made).toHaveLength(2)
    expect(made).toContain('list-one')
    const [row] = await house.connection.sql`select * from links_links where code = 'list-one'`
    expect(row).toMatchObject({
      campaign: 'spring',
      tags: ['a', 'b'],
      destination: 'https://shop.example.com/x',
      expires_at: '2027-02-01 00:00:00+00',
      click_limit: 10,
      subs: { sub1: 's' },
    })
    expect(target(await world.visit('/r/list-one')).pathname).toBe('/x')
  })

  test('with problems makes nothing, and names each with its line', async () => {
    const partner = await world.aPartner()
    await house.run('link create', { code: 'is-there' }, partner)
    const lines = [
      'code,page,expires,max_clicks',
      'fine-one,,,',
      'IS-THERE,,,',
      'twice-x,,,',
      'TW1CE-X,,,',
      'admin,,,',
      ',https://evil.test/,,',
      ',,2020-01-01,',
      ',,,many',
    ]
    const answer = await bring(lines.join('\r\n'), partner)
    for (const problem of [
      'Line 3: The code “IS-THERE”',
      'Line 5:',
      'Line 6: “admin”',
      'Line 7: Links of this program',
      'Line 8: 2020-01-01',
      'Line 9:',
    ])
      expect(wordsOf(answer)).toContain(problem)
    expect(wordsOf(answer)).toContain('6 lines need mending')
    expect(controlsOf(answer)).toEqual([])
    expect(await codesOf(partner)).toEqual(['is-there'])
  })

  test('with many problems comes with all of them in a file', async () => {
    const answer = await bring(`page\n${'nonsense\n'.repeat(40)}`, await world.aPartner())
    expect(fileOf(answer)).toHaveLength(40)
  })

  test('is made as a whole or not at all when a code was taken in the meantime', async () => {
    const partner = await world.aPartner()
    const planned = await bring('code\nmeantime-a\nmeantime-b\n', partner)
    await house.run('link create', { code: 'meantime-b' }, await world.aPartner())
    await expect(house.press(buttonOf(planned), {}, partner)).rejects.toMatchObject({ code: 'code_taken' })
    expect(await codesOf(partner)).toEqual([])
    await house.connection.sql`delete from links_codes where folded = 'meantime-b'`
    expect(wordsOf(await house.press(buttonOf(planned), {}, partner))).toContain('2 links made')
  })

  test('is not made by anyone else, after a day, or when it was dropped', async () => {
    const [partner, other] = [await world.aPartner(), await world.aPartner()]
    const [first, second] = [await bring('campaign\na\n', partner), await bring('campaign\nb\n', partner)]
    await expect(house.press(buttonOf(first), {}, other)).rejects.toMatchObject({ code: 'import_gone' })
    expect(wordsOf(await house.press(controlsOf(first).at(-1)!, {}, partner))).toContain('dropped')
    await expect(house.press(buttonOf(first), {}, partner)).rejects.toMatchObject({ code: 'import_gone' })
    house.clock.advance(days(2))
    await house.tick('links.forget_imports')
    await expect(house.press(buttonOf(second), {}, partner)).rejects.toMatchObject({ code: 'import_gone' })
    await expect(house.press('links.import:nonsense', {}, partner)).rejects.toMatchObject({ code: 'import_gone' })
    expect(await codesOf(partner)).toEqual([])
  })

  test('has no more links than the partner may have', async () => {
    await house.set('links', 'maxLinks', 2)
    const answer = await bring('campaign\na\nb\nc\n', await world.aPartner())
    expect(wordsOf(answer)).toContain('Line 4: A partner may have 2 links')
  })

  test.each([
    ['another table', 'name,age\nAda,36\n', 'not_a_link_list'],
    ['a column that is not known', 'code,colour\nada-x,red\n', 'not_a_link_list'],
    ['an open quote', 'code\n"ada', 'not_a_link_list'],
    ['nothing', '', 'not_a_link_list'],
    ['a header alone', 'code,page\n', 'empty_list'],
    ['too many lines', `campaign\n${'a\n'.repeat(501)}`, 'long_list'],
    ['what is no text', Buffer.from([0xff, 0xfe, 0]), 'attachment_not_text'],
    ['someone else’s links', 'partner,code\n1,ada-y\n', 'not_a_link_list'],
  ])('of %s is refused with what to do', async (_, text, code) => {
    await expect(bring(text, await world.aPartner())).rejects.toMatchObject({ code })
  })

  test('comes as an example that is accepted when it is brought back', async () => {
    const partner = await world.aPartner()
    const example = (await house.run('link import', {}, partner)) as Message
    expect(wordsOf(await bring(example.files![0]!.data, partner))).toContain('1 link can be made')
  })
})

describe('an admin’s list', () => {
  const named = (id: string) => ({ id, username: 'x', bot: false })

  test('makes links for many partners, by id, mention or e-mail, and for the one who is named beside it', async () => {
    const [ada, bob, eve] = [await world.aPartner(), await world.aPartner(), await world.aPartner()]
    const [{ email }] = (await house.connection.sql`select email from partners_partners where id = ${bob.id}`) as never as [
      { email: string },
    ]
    const text = `partner,code\n${ada.userId},for-ada-1\n<@${ada.userId}>,for-ada-2\n${email.toUpperCase()},for-bob\n,for-eve\n`
    const planned = await bring(text, boss, { user: named(eve.userId) })
    expect(wordsOf(planned)).toContain('for 3 partners')
    await expect(house.press(buttonOf(planned), {}, { ...boss, isAdmin: false })).rejects.toMatchObject({ code: 'admins_only' })
    await house.press(buttonOf(planned), {}, boss)
    expect(await Promise.all([ada, bob, eve].map(codesOf))).toEqual([['for-ada-1', 'for-ada-2'], ['for-bob'], ['for-eve']])
  })

  test('names the lines whose partner is unknown or missing', async () => {
    const answer = await bring('partner,code\nnobody@example.com,lost-one\n,lost-two\n', boss)
    expect(wordsOf(answer)).toContain('Line 2: “nobody@example.com” is no partner')
    expect(wordsOf(answer)).toContain('Line 3: The partner column is empty')
  })
})

describe('the exported list', () => {
  test('has each link with its clicks, former codes and where it leads', async () => {
    const link = await world.aLink({ campaign: '=cmd' })
    await house.run('link edit', { link: link.code, code: 'exported-x', tags: 'a, b' }, link)
    await world.visit(link.path)
    const lines = fileOf((await house.run('link export', {}, link)) as Message)
    expect(lines).toMatchObject([
      {
        code: 'exported-x',
        campaign: "'=cmd",
        tags: 'a, b',
        link: `${publicUrl}/r/exported-x`,
        state: 'live',
        clicks: '1',
        leads_to: 'https://shop.example.com/start',
        former_codes: link.code,
      },
    ])
    expect(lines[0]).not.toHaveProperty('partner')
  })

  test('holds all partners’ links for admins, or those of one', async () => {
    const [one, other] = [await world.aLink(), await world.aLink()]
    await world.visit(other.path)
    const all = fileOf((await house.run('admin-links export', {}, boss)) as Message)
    expect(all.filter(({ code }) => code === one.code || code === other.code)).toMatchObject([
      { partner: other.userId, clicks: '1' },
      { partner: one.userId, clicks: '0' },
    ])
    const own = (await house.run('admin-links export', { user: { id: one.userId } }, boss)) as Message
    expect(fileOf(own).map(({ code }) => code)).toEqual([one.code])
    await expect(house.run('admin-links export', { user: { id: '1' } }, boss)).rejects.toMatchObject({ code: 'unknown_partner' })
  })
})
