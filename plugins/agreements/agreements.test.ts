import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { controlsOf, publicUrl, statementsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import type { Message } from '../../commands/messages.ts'
import { days, definePlugin, newId, on } from '../kit/index.ts'
import { textOf } from '../kit/pdfText.ts'
import { notifications } from '../notifications/plugin.ts'
import { partnerActivated } from '../partners/events.ts'
import { partners } from '../partners/plugin.ts'
import { agreementOf, bundledAgreement, parseDocument, renderDocument } from './documents.ts'
import { agreementSigned } from './events.ts'
import { renderSignedCopy } from './pdf.ts'
import { agreementsWith } from './plugin.ts'
import { shelfWith } from './testing.ts'

/** The documents of the house under test; a test may bring out a new version. */
const first = bundledAgreement()
const shelf = shelfWith(first)
const agreements = agreementsWith(() => shelf.agreement)

const heard: string[] = []
const ear = definePlugin({
  id: 'ear',
  title: 'Ear',
  summary: 'Hears what happens, for a test.',
  setup: () => ({
    listeners: [
      on(agreementSigned, 'ear.signed', async (_, { version }) => void heard.push(`signed ${version}`)),
      on(partnerActivated, 'ear.activated', async (_, { userId }) => void heard.push(`activated ${userId}`)),
    ],
  }),
})

let house: TestHouse
let ada: { userId: string; username: string }
let email: string
let people = 0
beforeAll(async () => {
  house = await testHouse([notifications, partners, agreements, ear])
})
beforeEach(async () => {
  shelf.put(first)
  people++
  ada = { userId: `2000000000000000${String(people).padStart(2, '0')}`, username: 'ada' }
  email = `ada${people}@example.com`
  await house.drain()
  heard.length = 0
})
afterAll(() => house.close())

const partnerOf = () => house.use(partners).byUser(house.db, house.program.id, ada.userId)
const linkOf = async (mail: 'partners.verify' | 'agreements.invite') => {
  const [row] = await house.connection
    .sql`select content from notifications_mails where recipient = ${email} and key like ${`${mail}:%`} order by created_at desc limit 1`
  return new URL(row!.content.button.url as string).pathname
}
const signatures = async () =>
  (await house.connection
    .sql`select * from agreements_signatures where user_id = ${ada.userId} order by signed_at`) as unknown as Record<
    string,
    unknown
  >[]

async function register() {
  await house.press('partners.submit:register', { fields: { name: 'Ada Lovelace', email, industry: 'saas' } }, ada)
}
/** Registers, verifies, and returns the path of the signing link that was mailed. */
async function verified(): Promise<string> {
  await register()
  await house.app.inject({ method: 'POST', url: await linkOf('partners.verify') })
  await house.drain()
  return linkOf('agreements.invite')
}
const get = (url: string) => house.app.inject({ method: 'GET', url })
const post = (url: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  house.app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'user-agent': 'Mozilla/5.0 Test', ...headers },
    payload: new URLSearchParams(fields).toString(),
  })
const good = { name: 'Ada Lovelace', consent: 'yes' }

test('a partner who lost the mail gets a fresh signing link from the button on the status card', async () => {
  await verified()
  const status = await house.run('start', {}, ada)
  expect(controlsOf(status)).toContain('agreements.show')
  const fresh = await house.press('agreements.show', {}, ada)
  expect(controlsOf(fresh).filter((url) => url.includes('/agreements/'))).toHaveLength(1)
})

test('a verified partner is asked to sign, in Discord and by mail, and is not told twice', async () => {
  const link = await verified()
  expect(link).toMatch(/^\/agreements\/[\w-]{43}$/)
  const tells = await house.connection.sql`select key, message from notifications_tells where user_id = ${ada.userId}`
  expect(tells.map(({ key }) => key)).toEqual([
    expect.stringContaining(`agreements.invite:${(await partnerOf())!.id}:${first.version}:`),
  ])
  expect(JSON.stringify(tells[0]!.message)).toContain(publicUrl + link)
  expect(await partnerOf()).toMatchObject({ status: 'verified' })
})

test('the page shows the three documents and a form; opening it signs nothing', async () => {
  const link = await verified()
  for (let i = 0; i < 2; i++) {
    const page = await get(link)
    expect(page.statusCode).toBe(200)
    expect(page.headers['cache-control']).toBe('no-store')
    for (const { title } of first.documents) expect(page.body).toContain(title)
    expect(page.body).toContain(`<form method="post" action="${link}"`)
    expect(page.body).toContain(email)
  }
  expect(await signatures()).toEqual([])
})

test.each([
  ['neither name nor consent', {}, ['full name', 'tick the box'], []],
  ['no name', { consent: 'yes' }, ['full name'], ['checked']],
  ['a name of spaces', { name: '   ', consent: 'yes' }, ['full name'], ['checked']],
  [
    'a web address for a name',
    { name: 'Visit evil.example', consent: 'yes' },
    ['without a web address'],
    ['value="Visit evil.example"'],
  ],
  ['a name of dashes', { name: '---', consent: 'yes' }, ['full name'], ['value="---"']],
  ['no consent', { name: 'Ada "the" Lovelace' }, ['tick the box'], ['value="Ada &#34;the&#34; Lovelace"']],
  ['consent of another kind', { name: 'Ada Lovelace', consent: 'maybe' }, ['tick the box'], ['value="Ada Lovelace"']],
  ['markup as the name, no consent', { name: '<script>alert(1)</script>' }, ['tick the box'], ['&#60;script&#62;']],
])('signing with %s is refused, and the page comes back with what was typed', async (_, fields, complaints, kept) => {
  const link = await verified()
  const page = await post(link, fields)
  expect(page.statusCode).toBe(422)
  expect(page.body).toContain('Not signed yet.')
  for (const words of [...complaints, ...kept]) expect(page.body).toContain(words)
  expect(page.body).not.toContain('<script')
  expect(await signatures()).toEqual([])
  expect((await post(link, good)).statusCode).toBe(200)
})

test('a form without any body is refused in the same way', async () => {
  const link = await verified()
  expect((await house.app.inject({ method: 'POST', url: link })).statusCode).toBe(422)
})

test('signing records the evidence, mails the copy, activates the partner, and says what is next', async () => {
  const link = await verified()
  const page = await post(link, { ...good, name: '  Ada   Lovelace ' })
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain('You are a partner now')
  const [signature] = await signatures()
  expect(signature).toMatchObject({
    version: first.version,
    document_versions: { terms: '2026-01-01', 'commission-structure': '2026-01-01', 'code-of-conduct': '2026-01-01' },
    hash: createHash('sha256').update(first.canonical).digest('hex'),
    typed_name: 'Ada Lovelace',
    email,
    user_agent: 'Mozilla/5.0 Test',
  })
  expect(new Date(signature!.signed_at as string)).toEqual(house.clock.now())
  expect(signature!.ip_hash).toMatch(/^[0-9a-f]{64}$/)
  expect(JSON.stringify(signature)).not.toContain('127.0.0.1')
  expect(await partnerOf()).toMatchObject({ status: 'active' })
  const [mail] = await house.connection
    .sql`select subject, content from notifications_mails where key like 'agreements.copy:%' and recipient = ${email}`
  expect(mail!.subject).toBe('Your signed agreement with SISO')
  expect(Buffer.from(mail!.content.attachments[0].data, 'base64')).toEqual(signature!.pdf)
  await house.drain()
  expect(heard.sort()).toEqual([`activated ${ada.userId}`, `signed ${first.version}`])
})

test('the text that was signed is kept under its hash', async () => {
  await post(await verified(), good)
  const [row] = await house.connection
    .sql`select t.text from agreements_texts t join agreements_signatures s using (hash) where s.user_id = ${ada.userId}`
  expect(row!.text).toBe(first.canonical)
})

test('two submissions at the same time sign once, and both see that it is signed', async () => {
  const link = await verified()
  const pages = await Promise.all([post(link, good), post(link, good)])
  expect(pages.map((page) => page.statusCode)).toEqual([200, 200])
  expect(await signatures()).toHaveLength(1)
  await house.drain()
  expect(heard.filter((what) => what.startsWith('signed'))).toHaveLength(1)
})

test('once signed, the link shows that and signs nothing more', async () => {
  const link = await verified()
  await post(link, good)
  for (const page of [await get(link), await post(link, { ...good, name: 'Someone Else' })]) {
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('You have signed this agreement')
  }
  expect(await signatures()).toHaveLength(1)
})

test('an expired link, and one that a newer link replaced, get a clear page', async () => {
  const link = await verified()
  const fresh = new URL(controlsOf(await house.run('agreement', {}, ada))[0]!).pathname
  expect((await get(link)).statusCode).toBe(410)
  expect((await get(fresh)).statusCode).toBe(200)
  house.clock.advance(days(7))
  for (const page of [await get(fresh), await post(fresh, good)]) {
    expect(page.statusCode).toBe(410)
    expect(page.body).toContain('<code>/agreement</code>')
  }
  expect(await signatures()).toEqual([])
})

test.each([
  ['tampered with', (link: string) => link.slice(0, -2) + (link.endsWith('AA') ? 'BB' : 'AA')],
  ['that was made for verifying an e-mail', undefined],
])('a link %s gets a clear page', async (_, damage) => {
  await register()
  const verification = (await linkOf('partners.verify')).replace('/verify/', '/agreements/')
  const link = damage ? damage(await verified()) : verification
  for (const page of [await get(link), await post(link, good)]) {
    expect(page.statusCode).toBe(404)
    expect(page.body).toContain('We do not know this link')
  }
})

test('a partner who left cannot sign until they are back', async () => {
  const link = await verified()
  await house.connection
    .sql`update partners_partners set status_before_left = status, status = 'left' where user_id = ${ada.userId}`
  expect((await post(link, good)).statusCode).toBe(409)
  expect(await signatures()).toEqual([])
})

test('/agreement refuses before verification, links before signing, and gives the copy after', async () => {
  await expect(house.run('agreement', {}, ada)).rejects.toMatchObject({ code: 'not_registered' })
  await register()
  await expect(house.run('agreement', {}, ada)).rejects.toMatchObject({ code: 'email_not_verified' })
  await house.app.inject({ method: 'POST', url: await linkOf('partners.verify') })
  const open = await house.run('agreement', {}, ada)
  await post(new URL(controlsOf(open)[0]!).pathname, good)
  const answer = (await house.run('agreement', {}, ada)) as Message
  expect(wordsOf(answer)).toContain('Your agreement is signed')
  expect(answer.files).toMatchObject([{ name: 'partner-agreement-2026-01-01.pdf' }])
  expect(answer.files![0]!.data.subarray(0, 5).toString()).toBe('%PDF-')
  expect(controlsOf(answer)).toContain('attachment://partner-agreement-2026-01-01.pdf')
})

test('the company gets a copy when it wants one', async () => {
  await house.set('agreements', 'copyTo', 'legal@example.com')
  await post(await verified(), good)
  const rows = await house.connection.sql`select content from notifications_mails where recipient = 'legal@example.com'`
  expect(rows).toHaveLength(1)
  expect(rows[0]!.content.attachments).toHaveLength(1)
  await house.set('agreements', 'copyTo', '')
})

test('a new version leaves a period of grace, asks once, and then counts as unsigned until it is signed', async () => {
  await post(await verified(), good)
  const { id } = (await partnerOf())!
  const isSigned = () => house.use(agreements).hasSignedCurrent(house.db, house.program.id, id, house.clock.now())
  expect(await isSigned()).toBe(true)

  shelf.put(
    agreementOf(
      first.documents.map((document) =>
        document.id === 'terms' ? { ...document, version: '2026-12-01', text: `${document.text}\n\nMore.` } : document,
      ),
    ),
  )
  expect(await isSigned()).toBe(true)
  await house.tick('agreements.announce_version')
  await house.tick('agreements.announce_version')
  const asked = await house.connection
    .sql`select 1 from notifications_mails where recipient = ${email} and key like 'agreements.renew:%'`
  expect(asked).toHaveLength(1)

  house.clock.advance(days(14) - 1)
  expect(await isSigned()).toBe(true)
  house.clock.advance(1)
  expect(await isSigned()).toBe(false)
  await post(new URL(controlsOf(await house.run('agreement', {}, ada))[0]!).pathname, good)
  expect(await isSigned()).toBe(true)
  expect((await signatures()).map(({ version }) => version)).toEqual(['2026-01-01', '2026-12-01'])
})

const newVersion = (version: string) =>
  agreementOf(first.documents.map((document) => ({ ...document, version, text: `${document.text}\n\n${version}.` })))

/** As many more partners, who have signed what the last one signed. */
async function alsoSigned(count: number): Promise<void> {
  const { sql } = house.connection
  await sql`
    insert into partners_partners (id, program_id, user_id, name, email, industry, status, verified_at, activated_at)
    select gen_random_uuid(), program_id, (300000000000000000 + ${people * 1000}::bigint + n)::text, 'Crowd ' || n, 'crowd' || n || '.' || email, industry, 'active', now(), now()
    from partners_partners, generate_series(1, ${count}::integer) n where email = ${email}`
  await sql`
    insert into agreements_signatures (id, program_id, partner_id, user_id, version, document_versions, hash, typed_name, email, ip_hash, user_agent, pdf)
    select gen_random_uuid(), s.program_id, p.id, p.user_id, s.version, s.document_versions, s.hash, p.name, p.email, s.ip_hash, s.user_agent, ''
    from agreements_signatures s, partners_partners p where s.user_id = ${ada.userId} and p.email like ${`crowd%.${email}`}`
}

/** Addresses of who was asked to sign the version, in the order of the alphabet: by mail, and in Discord. */
async function askedToSign(version: string) {
  const key = `agreements.renew:%:${version}`
  const { sql } = house.connection
  const [mailed, told] = await Promise.all([
    sql<{ email: string }[]>`select recipient as email from notifications_mails where key like ${key}`,
    sql<
      { email: string }[]
    >`select p.email from notifications_tells t join partners_partners p using (program_id, user_id) where key like ${key}`,
  ])
  const among = (rows: readonly { email: string }[]) =>
    rows
      .map((row) => row.email)
      .filter((one) => one.endsWith(email))
      .sort()
  return { mailed: among(mailed), told: among(told) }
}

test('who has signed, or has time left to, is read for a hundred partners in few statements', async () => {
  await post(await verified(), good)
  await alsoSigned(100)
  const { id } = (await partnerOf())!
  const { sql } = house.connection
  const crowd = (await sql<{ id: string }[]>`select id from partners_partners where email like ${`crowd%.${email}`}`).map(
    (row) => row.id,
  )
  const signers = (partnerIds: readonly string[]) =>
    house.use(agreements).signersOfCurrent(house.db, house.program.id, partnerIds, house.clock.now())
  const never = newId()
  expect([...(await signers([...crowd, id, never]))].sort()).toEqual([...crowd, id].sort())

  shelf.put(newVersion('2026-12-04'))
  await house.tick('agreements.announce_version')
  await post(new URL(controlsOf(await house.run('agreement', {}, ada))[0]!).pathname, good)
  expect(await statementsOf(house, async () => expect((await signers([...crowd, id, never])).size).toBe(101))).toBeLessThan(10)
  house.clock.advance(days(14))
  expect([...(await signers([...crowd, id, never]))]).toEqual([id])
  expect(await signers([])).toEqual(new Set())
})

test('a hundred partners are asked to sign a new version in few statements, each once', async () => {
  await post(await verified(), good)
  await alsoSigned(100)
  shelf.put(newVersion('2026-12-02'))
  expect(await statementsOf(house, () => house.tick('agreements.announce_version'))).toBeLessThan(40)
  const asked = await askedToSign('2026-12-02')
  expect(asked.mailed).toHaveLength(101)
  expect(asked.told).toEqual(asked.mailed)
  await house.tick('agreements.announce_version')
  expect(await askedToSign('2026-12-02')).toEqual(asked)
})

test('who has yet to sign a version is found by index, and nobody else is read', async () => {
  await post(await verified(), good)
  await alsoSigned(900)
  const { connection } = house
  await connection.sql.unsafe('vacuum analyze agreements_signatures')
  const asked: [text: string, params: unknown[]][] = []
  const options = connection.sql.options as { debug: unknown }
  options.debug = (_: number, text: string, params: unknown[]) => {
    if (text.includes('agreements_signatures')) asked.push([text, params])
  }
  await house.tick('agreements.announce_version').finally(() => {
    options.debug = undefined
  })
  expect(asked).toHaveLength(1)
  const [text, params] = asked[0]!
  // A table as small as this one is read faster as a whole, so that is ruled out.
  const rows = await connection.sql.begin(async (tx) => {
    await tx.unsafe('set local enable_seqscan = off')
    return tx.unsafe(`explain (analyze, timing off) ${text}`, params as string[])
  })
  const plan = rows.map((row) => row['QUERY PLAN'] as string)
  expect(plan[0]).toMatch(/actual rows=0/)
  expect(plan.join('\n')).not.toContain('Seq Scan')
})

test('a partner who cannot be asked to sign keeps nobody else from being asked, is seen to fail, and is asked once that is mended', async () => {
  await post(await verified(), good)
  await alsoSigned(4)
  shelf.put(newVersion('2026-12-03'))
  const refused = `crowd2.${email}`
  const { sql } = house.connection
  await sql.unsafe(`alter table notifications_mails add constraint refused check (recipient <> '${refused}')`)
  await expect(house.tick('agreements.announce_version')).rejects.toMatchObject({
    message: expect.stringContaining('(partners: 1)'),
    errors: [{ cause: { constraint_name: 'refused' } }],
  })
  const others = [`crowd1.${email}`, `crowd3.${email}`, `crowd4.${email}`, email].sort()
  expect(await askedToSign('2026-12-03')).toEqual({ mailed: others, told: others })
  await sql`alter table notifications_mails drop constraint refused`
  await house.tick('agreements.announce_version')
  const all = [...others, refused].sort()
  expect(await askedToSign('2026-12-03')).toEqual({ mailed: all, told: all })
})

test('a text that changed without a new version is noticed', async () => {
  await post(await verified(), good)
  shelf.put(agreementOf(first.documents.map((document) => ({ ...document, text: `${document.text} More.` }))))
  await expect(house.tick('agreements.announce_version')).rejects.toThrow(/version is still 2026-01-01/)
})

test.each(['signatures', 'texts', 'versions'])('agreements_%s never change', async (table) => {
  await post(await verified(), good)
  const name = house.connection.sql(`agreements_${table}`)
  const column = house.connection.sql(table === 'versions' ? 'version' : 'hash')
  const { sql } = house.connection
  await expect(sql`update ${name} set ${column} = ${column}`).rejects.toThrow(/never changes/)
  await expect(sql`delete from ${name}`).rejects.toThrow(/never changes/)
  await expect(sql`truncate ${name} cascade`).rejects.toThrow(/never changes/)
})

test('documents cannot carry markup, pictures or scripts into the page', () => {
  const text =
    '# Head\n\n<script>alert(1)</script>\n\n[bad](javascript:alert(1)) [good](https://example.com) ![x](https://example.com/x.png) a <b onclick=x>b</b>'
  const { text: rendered } = renderDocument({ text })
  expect(rendered).not.toMatch(/<script|<img|<b[ >]|href="javascript/)
  expect(rendered).toContain('<h2>Head</h2>')
  expect(rendered).toContain('<a href="https://example.com" rel="noopener noreferrer">good</a>')
})

test.each([
  ['no front matter', 'Just text'],
  ['no version', '---\ntitle: Terms\n---\ntext'],
  ['a version that is no day', '---\ntitle: Terms\nversion: 2\n---\ntext'],
])('a document with %s is refused', (_, source) => {
  expect(() => parseDocument('terms', source)).toThrow(/needs a title and a version/)
})

test('the hash does not depend on the line ends of the files', () => {
  const source = '---\ntitle: T\nversion: 2026-01-01\n---\n\nOne\n\nTwo\n'
  const hashOf = (text: string) => agreementOf([parseDocument('t', text)]).hash
  expect(hashOf(source.replaceAll('\n', '\r\n'))).toBe(hashOf(source))
})

const copySignedBy = (typedName: string) =>
  renderSignedCopy({
    program: 'SISO',
    agreement: first,
    signature: {
      id: '0190-id',
      typedName,
      email: 'taro@example.com',
      userId: '42',
      signedAt: new Date('2026-11-02T09:00:00Z'),
      ipHash: 'ab12',
      userAgent: 'Firefox',
    },
  })

test('a signed copy is the same, whatever was printed before it', async () => {
  const before = await copySignedBy('Ada')
  // A letter with an accent is drawn from both; afterwards the accent is printed as a letter of its own.
  const letters = (text: string) => text.replaceAll(' ', '')
  for (const name of ['éèëñç', '´ ` ¨ ˜ ¸']) expect(letters(textOf(await copySignedBy(name)))).toContain(letters(name))
  expect((await copySignedBy('Ada')).equals(before)).toBe(true)
})

test('the signed copy holds every document, the evidence and the hash', async () => {
  const words = textOf(await copySignedBy('山田 Ταρώ Љубав'))
  for (const { title } of first.documents) expect(words).toContain(title)
  for (const part of [
    first.hash,
    '0190-id',
    'taro@example.com',
    '2026-11-02T09:00:00.000Z',
    'ab12',
    'Firefox',
    'U+5C71 U+7530',
    '?? Ταρώ Љубав',
  ])
    expect(words).toContain(part)
  expect(words).toContain('You are never asked to pay money back out of your pocket.')
})

test('who changes the e-mail before signing gets a working link at the new address and in Discord', async () => {
  await verified()
  house.clock.advance(days(1))
  email = `new-${email}`
  await house.press('partners.submit:email', { fields: { email } }, ada)
  await house.app.inject({ method: 'POST', url: await linkOf('partners.verify') })
  await house.drain()
  expect((await get(await linkOf('agreements.invite'))).statusCode).toBe(200)
  const tells = await house.connection
    .sql`select message from notifications_tells where user_id = ${ada.userId} order by created_at desc, id desc`
  const told = controlsOf(tells[0]!.message as Message).find((url) => url.includes('/agreements/'))!
  expect((await get(new URL(told).pathname)).statusCode).toBe(200)
})

test('a name with a character that no database takes is asked for again', async () => {
  const link = await verified()
  const page = await post(link, { ...good, name: 'Ada\u0000 Lovelace' })
  expect(page.statusCode).toBe(422)
  expect(page.body).toContain('Please type your full name')
})
