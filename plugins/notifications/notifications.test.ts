import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { card } from '../../commands/messages.ts'
import { createMailSandbox, type MailSandbox } from '../../sandbox/mail/index.ts'
import { directMessageRefused, hours } from '../kit/index.ts'
import { renderLetter } from './letter.ts'
import { notifications } from './plugin.ts'
import type { Mail } from './public.ts'
import { createSendGridMailer } from './sendgrid.ts'

const admin = { isAdmin: true }
const key = `SG.${'k'.repeat(22)}`
let vendor: MailSandbox
let house: TestHouse
let silent: TestHouse

beforeAll(async () => {
  vendor = await createMailSandbox()
  house = await testHouse([notifications], {
    environment: { SENDGRID_API_KEY: key, MAIL_FROM: 'Example Partners <partners@example.com>', SENDGRID_API_URL: vendor.url },
  })
  silent = await testHouse([notifications])
})
afterEach(() => vendor.reset())
afterAll(async () => {
  await house.close()
  await silent.close()
  await vendor.close()
})

const letter = (to: string, subject = 'Hello'): Mail => ({ to, subject, paragraphs: ['First <b>line</b>', 'Second'] })

function mail(where: TestHouse, mailKey: string, content: Mail) {
  return where.db.transaction((tx) => where.use(notifications).mail(tx, { ...content, programId: where.program.id, key: mailKey }))
}
const rowOf = async (where: TestHouse, mailKey: string) =>
  (await where.connection.sql`select state, reason, content, provider_id from notifications_mails where key = ${mailKey}`)[0]!

test('a mail reaches the vendor once, with both parts, its attachment and its id', async () => {
  const content = {
    ...letter('ada@example.com', 'Your copy'),
    button: { label: 'Open', url: 'https://program.test/x?a=1&b=2' },
    attachments: [{ filename: 'copy.pdf', type: 'application/pdf', data: Buffer.from('%PDF-1.7 bytes') }],
  }
  await mail(house, 'one', content)
  await mail(house, 'one', content)
  await house.drain()
  const inbox = vendor.inbox('ada@example.com')
  expect(inbox).toHaveLength(1)
  const [sent] = inbox
  expect(sent).toMatchObject({ from: 'partners@example.com', fromName: 'Example Partners', subject: 'Your copy' })
  expect(sent!.text).toContain('First <b>line</b>')
  expect(sent!.html).toContain('First &#60;b&#62;line&#60;/b&#62;')
  expect(sent!.attachments).toMatchObject([{ filename: 'copy.pdf', type: 'application/pdf', size: 14 }])
  const [row] = await house.connection.sql`select id, state, content from notifications_mails where key = 'one'`
  expect(sent!.customArgs).toEqual({ mail_id: row!.id })
  expect(row).toMatchObject({ state: 'sent', content: null })
})

test('mails that are asked for together are written and sent once each, save those that were asked for before', async () => {
  await mail(house, 'together 1', letter('ada@example.com', 'Before'))
  const wish = (n: number) => ({ ...letter(`${n}@example.com`), programId: house.program.id, key: `together ${n}` })
  await house.db.transaction((tx) => house.use(notifications).mail(tx, wish(1), wish(2), wish(3), wish(2)))
  await house.db.transaction((tx) => house.use(notifications).mail(tx))
  await house.drain()
  expect(
    vendor
      .inbox()
      .map(({ to, subject }) => `${subject} ${to}`)
      .sort(),
  ).toEqual(['Before ada@example.com', 'Hello 2@example.com', 'Hello 3@example.com'])
})

test.each([
  ['a server error', 500],
  ['too many requests', 429],
])('after %s the job fails and its next run sends the mail', async (_, status) => {
  vendor.faults.add({ match: '*', kind: 'status', status })
  await mail(house, `retry ${status}`, letter(`retry${status}@example.com`))
  await expect(house.drain()).rejects.toThrow()
  expect(await rowOf(house, `retry ${status}`)).toMatchObject({ state: 'waiting', reason: expect.stringContaining('tried again') })
  await house.drain()
  expect(vendor.inbox(`retry${status}@example.com`)).toHaveLength(1)
  expect(await rowOf(house, `retry ${status}`)).toMatchObject({ state: 'sent', reason: null })
})

test('a mail that the vendor will never take is refused for good, with the reason', async () => {
  await mail(house, 'bad', letter('not an address'))
  await house.drain()
  await house.drain()
  const row = await rowOf(house, 'bad')
  expect(row).toMatchObject({ state: 'refused', content: null })
  expect(row.reason).toMatch(/SendGrid answered 400: .*personalizations/)
  expect(vendor.inbox()).toEqual([])
})

test('with an account that is not accepted, mails are kept and go out once it is mended', async () => {
  vendor.faults.add({ match: '*', kind: 'status', status: 401 })
  await mail(house, 'kept', letter('kept@example.com'))
  await house.drain()
  expect(await rowOf(house, 'kept')).toMatchObject({ state: 'unsent', reason: expect.stringContaining('401') })
  await house.tick('notifications.retry_unsent')
  await house.drain()
  expect(await rowOf(house, 'kept')).toMatchObject({ state: 'sent', reason: null })
})

test('an unsent mail whose links have died is not sent late', async () => {
  vendor.faults.add({ match: '*', kind: 'status', status: 403 })
  await mail(house, 'stale', letter('stale@example.com'))
  await house.drain()
  house.clock.advance(hours(25))
  await house.tick('notifications.retry_unsent')
  await house.drain()
  expect(await rowOf(house, 'stale')).toMatchObject({ state: 'unsent' })
  expect(vendor.inbox('stale@example.com')).toEqual([])
})

test('without an account mails stay unsent and an admin is told so', async () => {
  await mail(silent, 'quiet', letter('quiet@example.com', 'Welcome *in*'))
  await silent.drain()
  expect(await rowOf(silent, 'quiet')).toMatchObject({ state: 'unsent', reason: 'no mail account is configured' })
  expect(await silent.use(notifications).mailHealth(silent.db, silent.program.id)).toEqual({
    configured: false,
    waiting: 0,
    unsent: 1,
    refused: 0,
  })
  const words = wordsOf(await silent.run('admin mail list', {}, admin))
  expect(words).toContain('No mail account is configured')
  expect(words).toContain('unsent')
  expect(words).toContain('Welcome \\*in\\*')
})

test('two mailers do not share their account or address', async () => {
  const other = await createMailSandbox()
  try {
    const first = createSendGridMailer({ apiKey: key, from: 'a@example.com', baseUrl: vendor.url })
    createSendGridMailer({ apiKey: `SG.${'z'.repeat(22)}`, from: 'b@example.com', baseUrl: other.url })
    await first.send({ id: 'x', to: 'c@example.com', subject: 's', text: 't', html: 'h', program: 'SISO', attachments: [] })
    expect(vendor.inbox()).toMatchObject([{ from: 'a@example.com', fromName: 'SISO' }])
    expect(other.inbox()).toEqual([])
  } finally {
    await other.close()
  }
})

test('a key without a sender stops the boot and names what is missing', async () => {
  await expect(testHouse([notifications], { environment: { SENDGRID_API_KEY: key } })).rejects.toThrow(/MAIL_FROM is missing/)
})

const greeting = card({ title: 'Welcome \\*in\\*, Ada', body: 'Your first step.' })
const tell = (tellKey: string, userId = '100000000000000001') =>
  house.db.transaction((tx) =>
    house.use(notifications).tell(tx, { programId: house.program.id, key: tellKey, userId, message: greeting }),
  )
const refuse = (refusedKey: string, userId = '100000000000000001') =>
  house.db.transaction((tx) => house.emit(tx, directMessageRefused, { programId: house.program.id, userId, key: refusedKey }))
const threads = (like: string) =>
  house.connection.sql`select key, target, payload from core_messages where target_kind = 'thread' and key like ${`%${like}%`}`

test('a message is a DM, once for its key', async () => {
  await tell('greeting')
  await tell('greeting')
  const rows = await house.connection.sql`select key, target_kind, target from core_messages where key like '%greeting%'`
  expect(rows).toEqual([{ key: 'notifications:greeting', target_kind: 'dm', target: '100000000000000001' }])
})

test('when a DM is refused, the same words go to one private thread under the inbox', async () => {
  await tell('closed')
  await refuse('notifications:closed')
  await refuse('notifications:closed')
  await house.drain()
  const rows = await threads('closed')
  expect(rows).toHaveLength(1)
  expect(rows[0]).toMatchObject({ target: '100000000000000001' })
  expect(rows[0]!.payload.thread).toEqual({ channel: 'channels:inbox', title: 'Welcome *in*, Ada' })
  expect(rows[0]!.payload.components).toEqual(greeting.components)
})

test.each([
  ['of another plugin', 'elsewhere:closed-2', '100000000000000001'],
  ['that was meant for someone else', 'notifications:closed-2', '100000000000000009'],
])('a refused message %s opens no thread', async (_, refusedKey, userId) => {
  await tell('closed-2')
  await refuse(refusedKey, userId)
  await house.drain()
  expect(await threads('closed-2')).toEqual([])
})

test('what is no longer needed is forgotten', async () => {
  await tell('old')
  await mail(house, 'old', letter('old@example.com'))
  await house.drain()
  house.clock.advance(hours(24 * 31))
  await house.tick('notifications.forget_old')
  expect((await house.connection.sql`select message from notifications_tells where key = 'old'`)[0]).toEqual({ message: null })
  house.clock.advance(hours(24 * 365))
  await house.tick('notifications.forget_old')
  expect(await house.connection.sql`select 1 from notifications_mails where key = 'old'`).toHaveLength(0)
})

test('a letter says the same in text and HTML, follows dark mode, and loads nothing', () => {
  const { text, html } = renderLetter(
    'Confirm <you>',
    {
      paragraphs: ['Hi & welcome'],
      button: { label: 'Go', url: 'https://p.test/v?a=1&b=2' },
      footer: 'Ignore this if it was not you.',
    },
    'SISO',
  )
  expect(text).toBe('Hi & welcome\n\nGo:\nhttps://p.test/v?a=1&b=2\n\n-- \nSISO\nIgnore this if it was not you.')
  expect(html).toContain('Confirm &#60;you&#62;')
  expect(html).toContain('prefers-color-scheme:dark')
  expect(html).toContain('href="https://p.test/v?a=1&#38;b=2"')
  expect(html).not.toMatch(/<script|<img|src=|url\(/)
})
