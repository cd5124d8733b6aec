// What people do in the browser client beyond writing and pressing: editing, pins, threads, forums, polls, events, invites, roles, the keyboard.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { aClientBench, type ClientBench, seriousProblems } from './testing.ts'

let bench: ClientBench

beforeAll(async () => {
  bench = await aClientBench()
}, 60_000)
afterEach(async () => {
  for (const context of bench.browser.contexts()) await context.close()
})
afterAll(() => bench?.close())

const say = (content: string, channel = bench.general) => bench.asOwner('POST', `/channels/${channel}/messages`, { content })

describe('messages', () => {
  test('the arrow up writes the last own message anew, and the others see it', async () => {
    const ann = await bench.newMember('ann')
    await say('A mistke')
    const mine = await bench.openAs(bench.owner)
    const hers = await bench.openAs(ann)
    await mine.page.getByText('A mistke').waitFor()
    await mine.page.getByTestId('composer').press('ArrowUp')
    await mine.page.getByTestId('edit-message').fill('A mistake')
    await mine.page.getByTestId('edit-message').press('Enter')
    await hers.page.getByText('A mistake (edited)').waitFor()
    expect([...mine.problems, ...hers.problems]).toEqual([])
  })

  test('a message is pinned, found among the pins, and unpinned', async () => {
    await say('Remember the price list')
    const { page } = await bench.openAs(bench.owner)
    const message = page.getByTestId('message').filter({ hasText: 'Remember the price list' })
    await message.click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Pin Message' }).click()
    await page.getByText('pinned a message to this channel.').waitFor()
    await page.getByTestId('open-pins').click()
    await page.getByTestId('pins').getByText('Remember the price list').waitFor()
    await page.keyboard.press('Escape')
    await message.first().click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Unpin Message' }).click()
    await page.getByTestId('open-pins').click()
    await page.getByText('This channel has no pinned messages yet.').waitFor()
  })

  test('any emoji is a reaction, and who reacted is told', async () => {
    await say('React to this')
    const { page } = await bench.openAs(bench.owner)
    const message = page.getByTestId('message').filter({ hasText: 'React to this' })
    await message.hover()
    await message.getByRole('button', { name: 'Add Reaction' }).click()
    await page.getByLabel('Find an emoji').fill('trophy')
    await page.getByRole('button', { name: 'trophy' }).click()
    await page.getByRole('button', { name: '🏆, 1 reaction', exact: true }).waitFor()
    await message.click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'View Reactions' }).click()
    await page.getByTestId('people-by').getByText('max').waitFor()
  })

  test('a poll is made, voted on, and ended by its author', async () => {
    const { page } = await bench.openAs(bench.owner)
    await page.getByLabel('Create a poll').click()
    await page.getByLabel('Question').fill('Which day?')
    await page.getByRole('textbox', { name: 'Answer 1' }).fill('Monday')
    await page.getByRole('textbox', { name: 'Answer 2' }).fill('Friday')
    await page.getByTestId('dialog-submit').click()
    const poll = page.getByTestId('poll')
    await poll.getByRole('button', { name: 'Friday' }).click()
    await poll.getByRole('button', { name: 'Vote', exact: true }).click()
    await poll.getByText('1 vote · 100%').waitFor()
    await poll.getByRole('button', { name: 'View votes' }).click()
    await page.getByRole('tab', { name: 'Friday' }).click()
    await page.getByTestId('people-by').getByText('max').waitFor()
    await page.keyboard.press('Escape')
    await poll.getByRole('button', { name: 'End poll' }).click()
    await poll.getByText('Poll closed').waitFor()
  })

  test('an announcement is published', async () => {
    const { id } = await bench.asOwner('POST', `${bench.guild}/channels`, { name: 'news', type: 5 })
    await say('We have news', id)
    const { page } = await bench.openAs(bench.owner, id)
    await page.getByTestId('message').filter({ hasText: 'We have news' }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Publish Message' }).click()
    await page.getByText('Published').waitFor()
  })
})

describe('threads and forums', () => {
  test('a thread is started on a message, closed, found among the older ones, and woken by a message', async () => {
    await say('Shall we talk?')
    const { page } = await bench.openAs(bench.owner)
    await page.getByTestId('message').filter({ hasText: 'Shall we talk?' }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Create Thread' }).click()
    await page.getByLabel('Thread name').fill('Talk')
    await page.getByTestId('dialog-submit').click()
    const row = page.locator('[data-testid=thread][data-channel=Talk]')
    await row.waitFor()
    await page.getByText('Shall we talk?').waitFor()
    await row.click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Close Thread' }).click()
    await page.locator('[data-testid=channel][data-channel=general]').click()
    await row.waitFor({ state: 'detached' })
    await page.getByTestId('open-threads').click()
    await page.getByTestId('threads').getByText('Older threads — 1').waitFor()
    await page.getByTestId('threads').getByText('Talk', { exact: true }).click()
    await page.getByText('This thread is closed. A message opens it again.').waitFor()
    await page.getByTestId('composer').fill('Yes')
    await page.keyboard.press('Enter')
    await row.waitFor()
  })

  test('a post is written with a tag, and the forum is filtered by it', async () => {
    const forum = await bench.asOwner('POST', `${bench.guild}/channels`, {
      name: 'playbooks',
      type: 15,
      available_tags: [{ name: 'Script' }, { name: 'Question' }],
    })
    const question = { name: 'Which price first?', applied_tags: [forum.available_tags[1].id], message: { content: 'Well?' } }
    await bench.asOwner('POST', `/channels/${forum.id}/threads`, question)
    const { page } = await bench.openAs(bench.owner, forum.id)
    await page.getByTestId('new-post').click()
    await page.getByLabel('Title').fill('How I open a call')
    await page.getByLabel('Message', { exact: true }).fill('With a question.')
    await page.getByTestId('post-form').getByRole('button', { name: 'Script' }).click()
    await page.getByTestId('dialog-submit').click()
    await page.getByText('With a question.').waitFor()
    await page.locator('[data-channel=playbooks]').first().click()
    await page.getByRole('button', { name: 'Question', exact: true }).click()
    expect(await page.getByTestId('post').locator('strong').allInnerTexts()).toEqual(['Which price first?'])
  })
})

describe('the server', () => {
  test('an event shows when and where, and is found interesting', async () => {
    const soon = Date.now() + 3_600_000
    await bench.asOwner('POST', `${bench.guild}/scheduled-events`, {
      name: 'Webinar',
      description: 'About **objections**',
      privacy_level: 2,
      entity_type: 3,
      entity_metadata: { location: 'The long room' },
      scheduled_start_time: new Date(soon).toISOString(),
      scheduled_end_time: new Date(soon + 3_600_000).toISOString(),
    })
    const { page, problems } = await bench.openAs(bench.owner)
    await page.getByTestId('event').click()
    const card = page.getByTestId('event-card')
    await card.getByText('The long room').waitFor()
    await card.getByRole('button', { name: 'Interested' }).click()
    await card.getByLabel('1 interested').waitFor()
    expect(await seriousProblems(page)).toEqual([])
    await card.getByRole('button', { name: 'Interested' }).click()
    await card.getByLabel('0 interested').waitFor()
    expect(problems).toEqual([])
  })

  test('an invite is made and accepted by somebody from outside', async () => {
    const inside = await bench.openAs(bench.owner)
    await inside.page.locator('[data-testid=channel][data-channel=general]').click({ button: 'right' })
    await inside.page.getByRole('menuitem', { name: 'Invite People' }).click()
    const link = new URL(await inside.page.getByTestId('link-url').inputValue())
    const guest = await bench.newPerson('guest')
    const outside = await bench.openAs(guest)
    await outside.page.goto(`${link.origin}${link.pathname}?token=${guest.token}${link.hash}`)
    await outside.page.getByTestId('invite').getByText('max invited you to #general.').waitFor()
    await outside.page.getByTestId('dialog-submit').click()
    await outside.page.locator('[data-testid=channel][data-channel=general]').waitFor()
  })

  test('an admin gives a role by the menu of a member; a member has no such menu', async () => {
    const bea = await bench.newMember('bea')
    await bench.asOwner('POST', `${bench.guild}/roles`, { name: 'Gold', hoist: true })
    const { page } = await bench.openAs(bench.owner)
    await page.locator('[data-testid=member][data-user=bea]').click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Roles' }).click()
    await page.getByRole('menuitem', { name: 'Gold' }).click()
    await page.getByTestId('members').getByText('Gold — 1').waitFor()
    const hers = await bench.openAs(bea)
    await hers.page.locator('[data-testid=member][data-user=max]').click({ button: 'right' })
    await hers.page.getByRole('menuitem', { name: 'Message' }).waitFor()
    expect(await hers.page.getByRole('menuitem', { name: 'Roles' }).count()).toBe(0)
  })
})

describe('onboarding', () => {
  test('whoever is new is asked what the server wants to know, and gets the role of the answer', async () => {
    const role = await bench.asOwner('POST', `${bench.guild}/roles`, { name: 'SaaS', hoist: true })
    const made = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => bench.asOwner('POST', `${bench.guild}/channels`, { name }))
    const default_channel_ids = (await Promise.all(made)).map((channel) => channel.id)
    const options = [
      { title: 'SaaS', description: 'Software', emoji_name: '💻', role_ids: [role.id], channel_ids: [] },
      { title: 'Other', role_ids: [], channel_ids: [default_channel_ids[0]] },
    ]
    const prompts = [{ title: 'Which industry?', options, single_select: true, required: true, in_onboarding: true, type: 0 }]
    await bench.asOwner('PUT', `${bench.guild}/onboarding`, { enabled: true, mode: 0, default_channel_ids, prompts })
    const carl = await bench.newMember('carl')
    const { page, problems } = await bench.openAs(carl)
    const dialog = page.getByTestId('onboarding')
    await dialog.getByText('Which industry?').waitFor()
    expect(await page.getByTestId('dialog-submit').isDisabled()).toBe(true)
    expect(await seriousProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'SaaS' }).click()
    await page.getByTestId('dialog-submit').click()
    await page.getByTestId('members').getByText('SaaS — 1').waitFor()
    await page.reload()
    await page.getByTestId('composer').waitFor()
    await page.waitForLoadState('networkidle')
    expect(await dialog.count()).toBe(0)
    expect(problems).toEqual([])
    await bench.asOwner('PUT', `${bench.guild}/onboarding`, { enabled: false })
  })
})

describe('the keyboard', () => {
  test('Ctrl+K finds a channel, Alt with an arrow goes on, and a name after a colon is an emoji', async () => {
    await bench.asOwner('POST', `${bench.guild}/channels`, { name: 'zebra' })
    const { page } = await bench.openAs(bench.owner)
    await page.locator('[data-channel=zebra]').waitFor()
    await page.keyboard.press('Control+k')
    await page.getByTestId('switcher').waitFor()
    await page.keyboard.type('zeb')
    expect(await seriousProblems(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByText('Welcome to #zebra!').waitFor()
    await page.keyboard.press('Alt+ArrowUp')
    await page.getByText('Welcome to #zebra!').waitFor({ state: 'detached' })
    await page.keyboard.press('Alt+ArrowDown')
    await page.getByText('Welcome to #zebra!').waitFor()
    await page.getByTestId('composer').pressSequentially('Well done :tad')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByTestId('content').filter({ hasText: 'Well done 🎉' }).waitFor()
  })
})
