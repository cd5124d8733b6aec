// Suspending a partner and letting them go on, by the commands that admins type: what everybody reads, and what becomes of who is half-way or away.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { defineCommand } from '../../commands/define.ts'
import { card, type Message } from '../../commands/messages.ts'
import { definePlugin, extend, memberJoined, memberLeft, minutes, on } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partnerActivated, partnerReinstated, partnerReturned, partnerSuspended } from './events.ts'
import { partners } from './plugin.ts'
import { activationRequirement } from './public.ts'

const ada = { userId: '100000000000000001', username: 'ada' }
const boss = { userId: '100000000000000003', username: 'boss', isAdmin: true }
const reason = 'Your advert promises *free* money.'

const heard: string[] = []
const passed = new Set<string>()
const quiz = definePlugin({
  id: 'quiz',
  title: 'Quiz',
  summary: 'A requirement of a test, which also hears what partners tell.',
  requires: [partners],
  setup: ({ use }) => ({
    commands: [
      defineCommand({
        path: 'quiz',
        description: 'For active partners',
        access: use(partners).active,
        reply: 'ephemeral',
        run: async () => card({ title: 'A question' }),
      }),
    ],
    extends: [
      extend(activationRequirement, {
        id: 'quiz',
        title: 'Pass the quiz',
        nextStep: 'Run /quiz and answer three questions.',
        isMet: async (_, partner) => passed.has(partner.userId),
      }),
    ],
    listeners: [partnerActivated, partnerReturned, partnerSuspended, partnerReinstated].map((event) =>
      on(
        event as typeof partnerSuspended,
        `quiz.hear_${event.name.replace('.', '_')}`,
        async (_, { userId }) => void heard.push(`${event.name} ${userId}`),
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
  house.clock.advance(minutes(2))
  await house.connection
    .sql`truncate partners_partners, partners_drafts, partners_verification_mails, notifications_mails, notifications_tells,
    core_tokens, core_outbox, core_messages, core_audit cascade`
})
afterAll(() => house.close())

const register = async () =>
  void (await house.press(
    'partners.submit:register',
    { fields: { name: 'Ada Lovelace', email: 'ada@example.com', industry: 'saas' } },
    ada,
  ))
const verify = async () => {
  const [mail] = (await house.connection
    .sql`select content from notifications_mails order by created_at desc, id desc limit 1`) as unknown as [
    { content: { button: { url: string } } },
  ]
  return house.app.inject({ method: 'POST', url: new URL(mail.content.button.url).pathname })
}
const steps = {
  registered: register,
  verified: () => register().then(verify),
  active: async () => {
    passed.add(ada.userId)
    await steps.verified()
  },
}
type Progress = keyof typeof steps
const reach = async (progress: Progress) => {
  await steps[progress]()
  await house.drain()
  heard.length = 0
  await house.connection.sql`delete from notifications_tells`
}
const suspend = async (because = reason, by = boss) => {
  const answer = wordsOf(
    await house.run('admin partners suspend', { user: { id: ada.userId, username: 'ada' }, reason: because }, by),
  )
  await house.drain()
  return answer
}
const reinstate = async (by = boss) => {
  house.clock.advance(minutes(1))
  const answer = wordsOf(await house.run('admin partners reinstate', { user: { id: ada.userId, username: 'ada' } }, by))
  await house.drain()
  return answer
}
const happen = async (event: typeof memberLeft | typeof memberJoined) => {
  const who = { programId: house.program.id, ...ada }
  await house.db.transaction((tx) => house.emit(tx, event as typeof memberJoined, who))
  await house.drain()
}
const status = async () => (await house.use(partners).byUser(house.db, house.program.id, ada.userId))?.status
const words = async (path: string, options = {}, visitor: typeof ada = ada) => wordsOf(await house.run(path, options, visitor))
const told = async () =>
  (
    (await house.connection
      .sql`select message from notifications_tells where user_id = ${ada.userId} order by created_at, key`) as unknown as {
      message: Message
    }[]
  ).map(({ message }) => wordsOf(message))
const staffReads = async () =>
  (
    (await house.connection.sql`select payload from core_messages where target = 'channels:staff' order by key`) as unknown as {
      payload: Message
    }[]
  ).map(({ payload }) => wordsOf(payload))
const trail = () => house.connection.sql`select actor, action, detail from core_audit order by at, id`

describe('suspending', () => {
  test('tells the partner why and whom to ask, the staff who did it, and other plugins; and it stands in the audit', async () => {
    await reach('active')
    const answer = await suspend()
    expect(await status()).toBe('suspended')
    expect(heard).toEqual([`partners.suspended ${ada.userId}`])
    const [letter, ...more] = await told()
    expect(more).toEqual([])
    expect(letter).toContain(`Your partnership with ${house.program.name} is suspended`)
    expect(letter).toContain('Your advert promises \\*free\\* money.')
    expect(letter).toContain(`ask the team of ${house.program.name}`)
    expect(letter).toContain('nothing is paid out')
    const [note, ...notes] = await staffReads()
    expect(notes).toEqual([])
    for (const part of [`<@${boss.userId}>`, `<@${ada.userId}>`, 'Ada Lovelace', 'free']) expect(note).toContain(part)
    expect(answer).toContain(`<@${ada.userId}> was told why`)
    expect(await trail()).toMatchObject([{ actor: boss.userId, action: 'partners.suspend', detail: { because: reason } }])
  })

  test('twice changes nothing, keeps the first reason, and says so', async () => {
    await reach('active')
    await suspend()
    const answer = await suspend('Another reason')
    expect(answer).toContain('Nothing changed')
    expect(answer).toContain('Your advert promises')
    expect(answer).not.toContain('Another reason')
    expect(await told()).toHaveLength(1)
    expect(heard).toHaveLength(1)
    expect(await trail()).toHaveLength(1)
  })

  test('is seen by the partner on /start, the profile and every command for active partners, and by admins', async () => {
    await reach('active')
    await suspend()
    const start = await words('start')
    expect(start).toContain('Your partnership is suspended')
    expect(start).toContain('Your advert promises')
    expect(start).toContain('ask the team')
    expect(start).not.toContain('Next:')
    for (const card of [await words('profile show'), await words('admin partners show', { user: { id: ada.userId } }, boss)]) {
      expect(card).toContain('⛔ suspended')
      expect(card).toContain('Your advert promises')
    }
    expect(await words('admin partners list', { status: 'suspended' }, boss)).toContain('Ada Lovelace')
    await expect(house.run('quiz', {}, ada)).rejects.toMatchObject({
      code: 'partner_suspended',
      message: expect.stringContaining('free'),
    })
  })

  test.each([
    ['a reason of spaces', 'no_reason', () => suspend('      ')],
    ['one’s own partnership', 'own_partnership', () => suspend(reason, { ...boss, userId: ada.userId })],
    ['ending one’s own suspension', 'own_partnership', () => suspend().then(() => reinstate({ ...boss, userId: ada.userId }))],
  ])('%s is refused', async (_, code, attempt) => {
    await reach('active')
    await expect(attempt()).rejects.toMatchObject({ code })
  })

  test.each(['suspend', 'reinstate'])('/admin partners %s of somebody who has not registered is refused', async (act) => {
    const attempt = house.run(`admin partners ${act}`, { user: { id: ada.userId, username: 'ada' }, reason }, boss)
    await expect(attempt).rejects.toMatchObject({ code: 'no_partner' })
  })
})

describe('reinstating', () => {
  test.each<Progress>(['registered', 'verified', 'active'])('somebody %s leaves them where they were', async (progress) => {
    await reach(progress)
    await suspend()
    expect(await status()).toBe('suspended')
    const answer = await reinstate()
    expect(await status()).toBe(progress)
    expect(answer).toContain('Partner reinstated')
    expect(heard).toEqual([`partners.suspended ${ada.userId}`, `partners.reinstated ${ada.userId}`])
    expect((await told()).at(-1)).toContain('goes on')
    expect((await staffReads()).some((note) => note.includes('A suspension has ended'))).toBe(true)
    expect((await trail()).map(({ action }) => action)).toEqual(['partners.suspend', 'partners.reinstate'])
    expect(await words('start')).not.toContain('suspended')
    expect(await words('admin partners show', { user: { id: ada.userId } }, boss)).not.toContain('suspended')
  })

  test('who is not suspended changes nothing and says so', async () => {
    await reach('active')
    expect(await reinstate()).toMatch(/Nothing changed.*not suspended: ✅ active/s)
    expect([heard, await told(), await trail().then((rows) => rows.length)]).toEqual([[], [], 0])
  })

  test('an address that was verified meanwhile counts, and the next step is named', async () => {
    await reach('registered')
    await suspend()
    const page = await verify()
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('ask the team')
    expect(page.body).not.toContain('You are a partner')
    expect(await status()).toBe('suspended')
    const answer = await reinstate()
    expect(await status()).toBe('verified')
    expect((await told()).at(-1)).toContain('Pass the quiz')
    expect(answer).toContain('Pass the quiz')
  })

  test('somebody who has met every requirement meanwhile makes them active, and no sooner', async () => {
    await reach('verified')
    await suspend()
    passed.add(ada.userId)
    await house.db.transaction(async (tx) => {
      const { id } = (await house.use(partners).byUser(tx, house.program.id, ada.userId))!
      await house.use(partners).reviewActivation(tx, house.program.id, id)
    })
    expect(await status()).toBe('suspended')
    await reinstate()
    expect(await status()).toBe('active')
    expect(heard.toSorted()).toEqual(
      ['partners.activated', 'partners.reinstated', 'partners.suspended'].map((name) => `${name} ${ada.userId}`),
    )
  })

  test('an active partner who has something new to do says what is missing before they earn', async () => {
    await reach('active')
    await suspend()
    passed.clear()
    await reinstate()
    expect(await status()).toBe('active')
    expect((await told()).at(-1)).toMatch(/one step is missing: \*\*Pass the quiz\*\*/)
  })

  test('somebody who left meanwhile leaves them away, to come back as what they were', async () => {
    await reach('active')
    await suspend()
    await happen(memberLeft)
    expect(await words('admin partners show', { user: { id: ada.userId } }, boss)).toMatch(/left the server · ⛔ suspended/)
    await reinstate()
    expect(await status()).toBe('left')
    expect((await told()).at(-1)).toContain('What you had earned is yours')
    await happen(memberJoined)
    expect(await status()).toBe('active')
  })

  test('somebody who left and came back meanwhile makes them what they were', async () => {
    await reach('active')
    await suspend()
    await happen(memberLeft)
    await happen(memberJoined)
    expect(await status()).toBe('suspended')
    await reinstate()
    expect(await status()).toBe('active')
  })
})

test('who has left can be suspended, and is so when they come back', async () => {
  await reach('active')
  await happen(memberLeft)
  await suspend()
  expect(await status()).toBe('suspended')
  await happen(memberJoined)
  expect(await status()).toBe('suspended')
  await reinstate()
  expect(await status()).toBe('active')
})

test('an erased partner leaves no reason behind', async () => {
  await reach('active')
  await suspend()
  await house.db.transaction((tx) => partners.data!.deletePartner!(tx, house.program.id, ada.userId))
  const rows = await house.connection.sql`select suspended_because, status_before_left from partners_partners`
  expect([...rows]).toEqual([{ suspended_because: null, status_before_left: 'suspended' }])
})
