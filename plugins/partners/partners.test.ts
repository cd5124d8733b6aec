import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { controlsOf, type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { definePlugin, extend, hours, memberJoined, memberLeft, minutes, on } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { emailVerified, industryChanged, partnerActivated, partnerLeft, partnerRegistered, partnerReturned } from './events.ts'
import { partners } from './plugin.ts'
import { activationRequirement } from './public.ts'

const ada = { userId: '100000000000000001', username: 'ada' }
const grace = { userId: '100000000000000002', username: 'grace' }
const admin = { userId: '100000000000000003', username: 'root', isAdmin: true }

/** Hears what partners tells, and owns one requirement that a test can fulfil. */
const heard: { name: string; payload: Record<string, unknown> }[] = []
const passed = new Set<string>()
const quiz = definePlugin({
  id: 'quiz',
  title: 'Quiz',
  summary: 'A requirement of a test.',
  requires: [partners],
  setup: () => ({
    extends: [
      extend(activationRequirement, {
        id: 'quiz',
        title: 'Pass the quiz',
        nextStep: 'Run /quiz and answer three questions.',
        isMet: async (_, partner) => passed.has(partner.userId),
      }),
    ],
    listeners: [partnerRegistered, emailVerified, partnerActivated, partnerLeft, partnerReturned, industryChanged].map((event) =>
      on(
        event as typeof partnerLeft,
        `quiz.hear_${event.name.replace('.', '_')}`,
        async (_, payload) => void heard.push({ name: event.name, payload }),
      ),
    ),
  }),
})

let house: TestHouse
beforeAll(async () => {
  house = await testHouse([notifications, partners, quiz])
})
beforeEach(async () => {
  heard.length = 0
  passed.clear()
  await house.connection
    .sql`truncate partners_partners, partners_drafts, partners_verification_mails, notifications_mails, notifications_tells,
    core_tokens, core_outbox, core_messages, core_settings cascade`
})
afterAll(() => house.close())

const typed = { name: 'Ada Lovelace', email: 'Ada@Example.COM', industry: 'saas' }
const register = (fields: Partial<typeof typed> = {}, visitor = ada) =>
  house.press('partners.submit:register', { fields: { ...typed, ...fields } }, visitor)
const names = () => heard.map(({ name }) => name)
const partnerOf = (visitor: { userId: string }) => house.use(partners).byUser(house.db, house.program.id, visitor.userId)

interface StoredMail {
  recipient: string
  content: { button: { url: string } } | null
}
const mailsTo = async (address: string) =>
  (await house.connection
    .sql`select recipient, content from notifications_mails where recipient = ${address} order by created_at, id`) as unknown as StoredMail[]
const linkTo = async (address: string) => new URL((await mailsTo(address)).at(-1)!.content!.button.url).pathname
const get = (url: string) => house.app.inject({ method: 'GET', url })
const post = (url: string) => house.app.inject({ method: 'POST', url })
const registerAndVerify = async (visitor = ada, email = 'ada@example.com') => {
  await register({ email }, visitor)
  return post(await linkTo(email))
}
const tick = () => house.clock.advance(minutes(2))

test('/start opens a form with the program’s industries', async () => {
  const form = await house.run('start', {}, ada)
  expect(form).toMatchObject({ custom_id: 'partners.submit:register', title: 'Become a partner' })
  expect(wordsOf(form)).toContain('Real estate')
})

test('an accepted form registers the partner, mails a link, and says what comes next', async () => {
  const answer = await register()
  expect(await partnerOf(ada)).toMatchObject({
    name: 'Ada Lovelace',
    email: 'Ada@example.com',
    industry: 'saas',
    status: 'registered',
    verifiedAt: null,
  })
  expect(await mailsTo('Ada@example.com')).toHaveLength(1)
  expect(wordsOf(answer)).toMatch(/We sent a mail to \*\*Ada\\@example.com\*\*/)
  expect(controlsOf(answer)).toEqual(['partners.resend', 'partners.open:email'])
  await house.drain()
  expect(names()).toEqual(['partners.registered'])
})

test.each([
  ['no @', { email: 'ada.example.com' }, /does not look right/],
  ['no domain', { email: 'ada@' }, /does not look right/],
  ['a space', { email: 'ada lovelace@example.com' }, /does not look right/],
  ['too long a part before @', { email: `${'a'.repeat(65)}@example.com` }, /does not look right/],
  ['a throw-away service', { email: 'ada@Mailinator.com' }, /throw-away/],
  ['a subdomain of a throw-away service', { email: 'ada@x.y.guerrillamail.com' }, /throw-away/],
  ['a name of one letter', { name: ' A ' }, /2 to 80 characters/],
  ['a web address in the name', { name: 'Visit http://evil.example' }, /leave web addresses out/],
  ['an industry that is not offered', { industry: 'mining' }, /not offered/],
])('a form with %s is refused, and the form comes back with what was typed', async (_, wrong, words) => {
  const answer = await register(wrong)
  expect(wordsOf(answer)).toMatch(words)
  expect(await partnerOf(ada)).toBeUndefined()
  const again = await house.press(controlsOf(answer)[0]!, {}, ada)
  const known = { ...typed, ...wrong }
  const values = JSON.stringify(again)
  expect(values).toContain(JSON.stringify(known.email))
  expect(values).toContain(JSON.stringify(known.name.trim()))
  if (known.industry === 'saas') expect(values).toMatch(/"value":"saas"[^}]*\}?[^{]*"default":true/)
  expect(JSON.stringify(await house.run('start', {}, ada))).toContain(JSON.stringify(known.email))
})

test('a name that would not be accepted any more is asked for, also by who changes only their address', async () => {
  await registerAndVerify()
  await house.connection.sql`update partners_partners set name = 'www.evil.example' where user_id = ${ada.userId}`
  const answer = await house.press('partners.submit:email', { fields: { email: 'king@example.com' } }, ada)
  expect(wordsOf(answer)).toContain('looks like a web address')
  expect(wordsOf(await house.press(controlsOf(answer)[0]!, {}, ada))).toContain('Your name')
  expect(await mailsTo('king@example.com')).toEqual([])
})

test('an admin may allow throw-away addresses', async () => {
  await house.set('partners', 'blockDisposableMail', false)
  await register({ email: 'ada@mailinator.com' })
  expect(await partnerOf(ada)).toMatchObject({ email: 'ada@mailinator.com' })
})

test('an address that another partner has is refused, whatever its case', async () => {
  await registerAndVerify()
  expect(wordsOf(await register({ email: 'ADA@EXAMPLE.com' }, grace))).toContain('belongs to another partner')
  expect(await partnerOf(grace)).toBeUndefined()
})

test('an address that was typed but never verified is free again when its link has expired', async () => {
  await register({ email: 'grace@example.com' }, ada)
  const mine = await linkTo('grace@example.com')
  expect(wordsOf(await register({ email: 'grace@example.com' }, grace))).toContain('belongs to another partner')
  house.clock.advance(hours(24) + 1)
  await register({ email: 'grace@example.com' }, grace)
  expect((await post(await linkTo('grace@example.com'))).statusCode).toBe(200)
  expect(await partnerOf(grace)).toMatchObject({ status: 'verified' })
  expect((await post(mine)).statusCode).toBe(410)
})

test('of many people who ask for one address at the same time only one gets it', async () => {
  const crowd = Array.from({ length: 8 }, (_, i) => ({ userId: `50000000000000000${i}`, username: `p${i}` }))
  await Promise.all(crowd.map((visitor) => register({ email: 'one@example.com' }, visitor)))
  expect(await house.use(partners).list(house.db, house.program.id)).toHaveLength(1)
})

test('a form sent twice registers once', async () => {
  await Promise.all([register(), register()])
  await house.drain()
  expect(names()).toEqual(['partners.registered'])
  expect(await mailsTo('Ada@example.com')).toHaveLength(1)
})

test('opening the link changes nothing; its button verifies, and the page names the next step', async () => {
  await register()
  const link = await linkTo('Ada@example.com')
  for (let i = 0; i < 3; i++) {
    const page = await get(link)
    expect(page.statusCode).toBe(200)
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
    expect(page.body).toContain(`<form method="post" action="${link}">`)
  }
  expect(await partnerOf(ada)).toMatchObject({ status: 'registered' })
  const done = await post(link)
  expect(done.statusCode).toBe(200)
  expect(done.body).toContain('Your e-mail is confirmed')
  expect(done.body).toContain('Run /quiz and answer three questions.')
  expect(await partnerOf(ada)).toMatchObject({ status: 'verified', verifiedAt: house.clock.now() })
})

test('a second use gets a clear page and changes nothing', async () => {
  await registerAndVerify()
  const link = await linkTo('ada@example.com')
  for (const answer of [await get(link), await post(link)]) {
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toContain('has been used already')
  }
  await house.drain()
  expect(names().filter((name) => name === 'partners.email_verified')).toHaveLength(1)
})

test('of two uses at the same time one verifies', async () => {
  await register()
  const link = await linkTo('Ada@example.com')
  const answers = await Promise.all([post(link), post(link)])
  expect(answers.map((answer) => answer.statusCode)).toEqual([200, 200])
  await house.drain()
  expect(names().filter((name) => name === 'partners.email_verified')).toHaveLength(1)
})

test('an expired link gets a clear page with a way to a new one', async () => {
  await register()
  const link = await linkTo('Ada@example.com')
  house.clock.advance(hours(24))
  for (const answer of [await get(link), await post(link)]) {
    expect(answer.statusCode).toBe(410)
    expect(answer.body).toContain('Send me a new link')
  }
  expect(await partnerOf(ada)).toMatchObject({ status: 'registered' })
  const renewed = await post(`${link}/again`)
  expect(renewed.statusCode).toBe(200)
  expect(renewed.body).toContain('A new mail is on its way')
  expect((await post(`${link}/again`)).body).toContain('less than a minute ago')
  const fresh = await linkTo('Ada@example.com')
  expect(fresh).not.toBe(link)
  expect((await post(fresh)).statusCode).toBe(200)
})

test.each([
  ['with one letter changed', (link: string) => link.slice(0, -1) + (link.endsWith('A') ? 'B' : 'A')],
  ['cut off', (link: string) => link.slice(0, -5)],
  ['that was made up', () => '/verify/x'],
  ['with markup', () => '/verify/%3Cscript%3E'],
])('a link %s gets a clear page', async (_, damage) => {
  await register()
  const link = damage(await linkTo('Ada@example.com'))
  for (const answer of [await get(link), await post(link), await post(`${link}/again`)]) {
    expect(answer.statusCode).toBe(404)
    expect(answer.body).toContain('We do not know this link')
    expect(answer.body).not.toContain('<script')
  }
  expect(await partnerOf(ada)).toMatchObject({ status: 'registered' })
})

test('a mail sent again voids the earlier link; asking too often is refused', async () => {
  await register()
  const first = await linkTo('Ada@example.com')
  await expect(house.press('partners.resend', {}, ada)).rejects.toMatchObject({ code: 'mail_just_sent' })
  tick()
  expect(wordsOf(await house.press('partners.resend', {}, ada))).toContain('We sent a mail to')
  expect((await post(first)).statusCode).toBe(410)
  expect((await post(await linkTo('Ada@example.com'))).statusCode).toBe(200)
  tick()
  await expect(house.press('partners.resend', {}, ada)).rejects.toMatchObject({ code: 'already_verified' })
})

test('a partner gets no more than eight verification mails a day', async () => {
  await register()
  for (let i = 1; i < 8; i++) {
    tick()
    await house.press('partners.resend', {}, ada)
  }
  tick()
  await expect(house.press('partners.resend', {}, ada)).rejects.toMatchObject({ code: 'too_many_mails' })
  expect(wordsOf(await house.press('partners.submit_again:email', { fields: { email: 'other@example.com' } }, ada))).toContain(
    'Enough mails for today',
  )
  expect(await mailsTo('Ada@example.com')).toHaveLength(8)
  expect(await mailsTo('other@example.com')).toHaveLength(0)
})

test('before verification a typing error in the address can be mended', async () => {
  await register({ email: 'aad@example.com' })
  const old = await linkTo('aad@example.com')
  const form = await house.press('partners.open:email', {}, ada)
  expect(JSON.stringify(form)).toContain('"aad@example.com"')
  const answer = await house.press('partners.submit_again:email', { fields: { email: 'ada@example.com' } }, ada)
  expect(wordsOf(answer)).toContain('We sent a mail to **ada\\@example.com**')
  expect((await post(old)).statusCode).toBe(410)
  await post(await linkTo('ada@example.com'))
  expect(await partnerOf(ada)).toMatchObject({ email: 'ada@example.com', status: 'verified' })
})

test('a verified partner keeps the old address until the new one is verified', async () => {
  await registerAndVerify()
  const details = { name: 'Ada King', email: 'king@example.com', industry: 'finance' }
  expect(wordsOf(await house.press('partners.submit:details', { fields: details }, ada))).toContain('king\\@example.com')
  expect(await partnerOf(ada)).toMatchObject({
    name: 'Ada King',
    email: 'ada@example.com',
    industry: 'finance',
    status: 'verified',
  })
  await post(await linkTo('king@example.com'))
  expect(await partnerOf(ada)).toMatchObject({ email: 'king@example.com', status: 'verified' })
})

test('an industry change is told once with both industries, and not when nothing changed', async () => {
  await registerAndVerify()
  await house.press('partners.submit:details', { fields: { ...typed, email: 'ada@example.com', industry: 'finance' } }, ada)
  await house.press('partners.submit:details', { fields: { ...typed, email: 'ada@example.com', industry: 'finance' } }, ada)
  await house.drain()
  expect(heard.filter(({ name }) => name === 'partners.industry_changed').map(({ payload }) => payload)).toMatchObject([
    { from: 'saas', to: 'finance' },
  ])
})

test('a partner becomes active once, when verified and every requirement is met, in either order', async () => {
  const { reviewActivation } = house.use(partners)
  const review = async (visitor: { userId: string }) => {
    const { id } = (await partnerOf(visitor))!
    await house.db.transaction((tx) => reviewActivation(tx, house.program.id, id))
  }
  await register()
  passed.add(ada.userId).add(grace.userId)
  await review(ada)
  expect(await partnerOf(ada)).toMatchObject({ status: 'registered', activatedAt: null })
  passed.delete(ada.userId)
  await post(await linkTo('Ada@example.com'))
  await review(ada)
  expect(await partnerOf(ada)).toMatchObject({ status: 'verified', activatedAt: null })
  passed.add(ada.userId)
  await Promise.all([review(ada), review(ada)])
  expect(await partnerOf(ada)).toMatchObject({ status: 'active', activatedAt: house.clock.now() })

  await registerAndVerify(grace, 'grace@example.com')
  expect(await partnerOf(grace)).toMatchObject({ status: 'active' })
  await house.drain()
  expect(names().filter((name) => name === 'partners.activated')).toHaveLength(2)
})

test('the next step is told in Discord, unless its owner tells it', async () => {
  await registerAndVerify()
  const tells = await house.connection.sql`select key, message from notifications_tells`
  expect(tells).toHaveLength(1)
  expect(JSON.stringify(tells[0]!.message)).toContain('Run /quiz')
})

test('/start shows a registered partner where they are', async () => {
  await registerAndVerify()
  const words = wordsOf(await house.run('start', {}, ada))
  expect(words).toContain('✅ Verify your e-mail')
  expect(words).toContain('👉 **Pass the quiz**')
  expect(words).toContain('Run /quiz and answer three questions.')
})

test.each([
  ['nobody', async () => {}, 'not_registered', /Run \/start/],
  ['someone registered', () => register(), 'partner_not_active', /Verify your e-mail.*follow its link/s],
  ['someone verified', () => registerAndVerify(), 'partner_not_active', /Pass the quiz.*Run \/quiz/s],
])('what is for active partners refuses %s and names the missing step', async (_, prepare, code, words) => {
  await prepare()
  const ctx = { program: house.program, user: { id: ada.userId } } as never
  const refusal = await house
    .use(partners)
    .active.check(ctx)
    .catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(words) })
})

const happen = (event: typeof memberLeft | typeof memberJoined, visitor = ada) =>
  house.db.transaction((tx) => house.emit(tx, event as typeof memberJoined, { programId: house.program.id, ...visitor }))

test('who leaves has left; who comes back has the status they had', async () => {
  await registerAndVerify()
  await happen(memberLeft)
  await happen(memberLeft)
  await house.drain()
  expect(await partnerOf(ada)).toMatchObject({ status: 'left' })
  await happen(memberJoined)
  await happen(memberJoined)
  await house.drain()
  expect(await partnerOf(ada)).toMatchObject({ status: 'verified' })
  expect(names().filter((name) => /left|returned/.test(name))).toEqual(['partners.left', 'partners.returned'])
})

test('an old “left” that is delivered after a newer “joined” is ignored', async () => {
  await registerAndVerify()
  await house.drain()
  const who = { programId: house.program.id, userId: ada.userId }
  const listener = (id: string) => house.loaded.listeners.find((one) => one.id === id)!
  const deliver = (id: string, delivery: number) =>
    house.db.transaction((tx) =>
      listener(id).handle(tx, [{ payload: who as never, delivery: { id: delivery, at: house.clock.now() } }]),
    )
  await deliver('partners.note_joined', 1002)
  await deliver('partners.note_left', 1001)
  expect(await partnerOf(ada)).toMatchObject({ status: 'verified' })
})

test('a requirement that was met while away activates on return', async () => {
  await registerAndVerify()
  await happen(memberLeft)
  await house.drain()
  passed.add(ada.userId)
  await happen(memberJoined)
  await house.drain()
  expect(await partnerOf(ada)).toMatchObject({ status: 'active' })
})

test('someone marked as left who runs /start is taken back', async () => {
  await register()
  await happen(memberLeft)
  await house.drain()
  await house.run('start', {}, ada)
  expect(await partnerOf(ada)).toMatchObject({ status: 'registered' })
})

test('a partner sees their own profile, and admins see the list and one in detail', async () => {
  await registerAndVerify()
  expect(wordsOf(await house.run('profile show', {}, ada))).toMatch(/Ada Lovelace.*ada\\@example.com.*SaaS & software/s)
  await expect(house.run('profile show', {}, grace)).rejects.toMatchObject({ code: 'not_registered' })
  expect(wordsOf(await house.run('admin partners list', {}, admin))).toMatch(/1 partner.*Ada Lovelace/s)
  expect(wordsOf(await house.run('admin partners list', { status: 'active' }, admin))).toContain('None is active')
  expect(wordsOf(await house.run('admin partners show', { user: { id: ada.userId } }, admin))).toContain('ada\\@example.com')
  await expect(house.run('admin partners show', { user: { id: grace.userId } }, admin)).rejects.toMatchObject({
    code: 'no_partner',
  })
})

test('a partner of one program is nobody in another', async () => {
  await registerAndVerify()
  const other = '01900000-0000-7000-8000-000000000000'
  const { id } = (await partnerOf(ada))!
  const api = house.use(partners)
  expect(await api.byId(house.db, other, id)).toBeUndefined()
  expect(await api.byUser(house.db, other, ada.userId)).toBeUndefined()
  expect(await api.list(house.db, other)).toEqual([])
})

test('drafts are forgotten after a week', async () => {
  await register({ email: 'nope' })
  house.clock.advance(hours(24 * 8))
  await house.tick('partners.forget_drafts')
  expect(await house.connection.sql`select 1 from partners_drafts`).toHaveLength(0)
})

test('erasing a partner leaves no trace of the person', async () => {
  await registerAndVerify()
  await house.db.transaction((tx) => partners.data!.deletePartner!(tx, house.program.id, ada.userId))
  const rows = JSON.stringify(
    await house.connection.sql`select p.*, (select json_agg(m) from partners_verification_mails m) mails from partners_partners p`,
  )
  expect(rows).not.toMatch(/Ada|ada@|100000000000000001/)
})

test('a name that is a little too long and ends with an emoji comes back into the form without half a character', async () => {
  await register({ name: `${'a'.repeat(79)}💻` })
  const again = JSON.stringify(await house.press('partners.open:register', {}, ada))
  expect(again).toContain(`"value":"${'a'.repeat(79)}"`)
})
