// Markup that people and bots put into every name and text is shown as text: nothing of it becomes an element, nothing runs.

import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Payload } from '../discord/person.ts'
import { aClientBench, type ClientBench, type Somebody, seriousProblems } from './testing.ts'

/** Where it is, so that a failure names the field. */
const evil = (where: string, max = 100) => `${where}<img src=x onerror="window.hit='${where}'">`.slice(0, max)

let bench: ClientBench
let eve: Somebody
let forum: Payload
let secret: Payload

beforeAll(async () => {
  bench = await aClientBench(evil('guild'))
  const { asOwner, asBot, guild, general } = bench
  eve = await bench.newPerson(evil('user', 32))
  await bench.control('PUT', `${guild}/members/${eve.id}`, {})
  const asEve = bench.wireOf(eve.token)
  const role = await asOwner('POST', `${guild}/roles`, { name: evil('role'), hoist: true, color: 0xffb0b0 })
  await asOwner('PATCH', `${guild}/members/${eve.id}`, { nick: evil('nick', 32), roles: [role.id] })
  await asOwner('PATCH', `/channels/${general}`, { topic: evil('topic') })
  forum = await asOwner('POST', `${guild}/channels`, {
    name: 'forum',
    type: 15,
    topic: evil('forum-topic'),
    available_tags: [{ name: evil('tag', 20) }],
  })
  const applied_tags = [forum.available_tags[0].id]
  await asEve('POST', `/channels/${forum.id}/threads`, {
    name: evil('post'),
    applied_tags,
    message: { content: evil('post-text') },
  })
  secret = await asOwner('POST', `${guild}/channels`, { name: evil('category'), type: 4 })
  await asOwner('POST', `${guild}/channels`, { name: 'inside', parent_id: secret.id })
  const soon = Date.now() + 3_600_000
  await asOwner('POST', `${guild}/scheduled-events`, {
    name: evil('event'),
    description: evil('event-text'),
    privacy_level: 2,
    entity_type: 3,
    entity_metadata: { location: evil('place') },
    scheduled_start_time: new Date(soon).toISOString(),
    scheduled_end_time: new Date(soon + 1000).toISOString(),
  })
  await asEve('POST', `/channels/${general}/messages`, {
    content: `${evil('content')} [${evil('link')}](javascript:alert(1)) <javascript:alert(1)> **${evil('bold')}** \`${evil('code')}\``,
  })
  await asEve('POST', `/channels/${general}/messages`, {
    poll: { question: { text: evil('question') }, answers: [{ poll_media: { text: evil('answer', 55) } }], duration: 1 },
  })
  const hook = await asOwner('POST', `/channels/${general}/webhooks`, { name: 'Hook' })
  await asOwner('POST', `/webhooks/${hook.id}/${hook.token}`, { content: evil('hook'), username: evil('hook-name', 80) })
  await asBot('POST', `/channels/${general}/messages`, { embeds: [anEmbed()] })
  await asBot('POST', `/channels/${general}/messages`, { flags: 1 << 15, components: components() })
  const form = new FormData()
  form.append('payload_json', JSON.stringify({ content: evil('file') }))
  form.append('files[0]', new Blob(['<script>window.hit="file"</script>'], { type: 'text/html' }), 'page<b>.html')
  await asEve('POST', `/channels/${general}/messages`, form)
  await asBot('PUT', `/applications/${bench.application.id}${guild}/commands`, [
    {
      name: 'evil',
      description: evil('command'),
      options: [
        { type: 3, name: 'what', description: evil('option'), choices: [{ name: evil('choice'), value: 'x' }], required: true },
      ],
    },
    { name: evil('menu', 32), type: 3 },
  ])
}, 60_000)
afterAll(() => bench?.close())

const anEmbed = () => ({
  title: evil('embed-title'),
  url: 'https://example.com/',
  description: evil('embed-text'),
  author: { name: evil('author') },
  footer: { text: evil('footer') },
  fields: [{ name: evil('field'), value: evil('value') }],
})

const components = () => [
  {
    type: 17,
    components: [
      { type: 10, content: evil('display') },
      {
        type: 9,
        components: [{ type: 10, content: evil('section') }],
        accessory: { type: 2, style: 1, custom_id: 'b', label: evil('button', 80) },
      },
      {
        type: 1,
        components: [
          {
            type: 3,
            custom_id: 's',
            placeholder: evil('placeholder'),
            options: [{ label: evil('select'), value: 'v', description: evil('select-help') }],
          },
        ],
      },
    ],
  },
]

/** Elements that only markup could have made, and what ran. */
const found = (page: Page) =>
  page.evaluate(() => [
    ...[...document.querySelectorAll('img[src="x"], script:not([src]):not([type=importmap])')].map((element) => element.outerHTML),
    ...[...document.querySelectorAll('a[href]')]
      .map((link) => link.getAttribute('href') ?? '')
      .filter((href) => /^\s*javascript/i.test(href)),
    ...((window as unknown as { hit?: string }).hit === undefined ? [] : ['something ran']),
  ])

test('in the chat, the lists and the titles', async () => {
  const { page } = await bench.openAs(eve)
  for (const where of [
    'content',
    'embed-title',
    'embed-text',
    'author',
    'footer',
    'field',
    'display',
    'section',
    'question',
    'hook',
  ])
    await page.getByText(`${where}<img src=x`).first().waitFor()
  await page.getByRole('button', { name: 'select<img', exact: false }).or(page.getByText('placeholder<img')).first().click()
  await page.getByText('select-help<img').waitFor()
  expect(await found(page)).toEqual([])
  await page.keyboard.press('Escape')
  expect(await seriousProblems(page)).toEqual([])
})

test('in the picker of commands, their options and the menus', async () => {
  const { page } = await bench.openAs(bench.owner)
  await page.getByTestId('composer').pressSequentially('/ev')
  await page.getByText('command<img').waitFor()
  await page.keyboard.press('Tab')
  await page.getByText('option<img').waitFor()
  await page.getByText('choice<img').waitFor()
  expect(await found(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByTestId('message').filter({ hasText: 'content<img' }).first().click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Apps' }).click()
  await page.getByRole('menuitem', { name: 'menu<img' }).waitFor()
  expect(await found(page)).toEqual([])
})

test('in the forum, the events, the card of a person and the switcher', async () => {
  const { page } = await bench.openAs(bench.owner, forum.id)
  await page.getByRole('group', { name: 'Posts in forum' }).getByText('forum-topic<img').waitFor()
  await page.getByTestId('post').filter({ hasText: 'post<img' }).waitFor()
  await page.getByTestId('event').click()
  await page.getByText('event-text<img').waitFor()
  await page.getByText('place<img').waitFor()
  expect(await found(page)).toEqual([])
  await page.keyboard.press('Escape')
  await page.getByTestId('member').filter({ hasText: 'nick<img' }).click()
  await page.getByTestId('profile').getByText('role<img').waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Control+k')
  await page.keyboard.type('nick')
  await page.getByTestId('switcher').getByText('nick<img').waitFor()
  expect(await found(page)).toEqual([])
})

test('a file of HTML is handed out as a download that cannot run', async () => {
  const messages = await bench.asOwner('GET', `/channels/${bench.general}/messages`)
  const { attachments } = messages.find((message: Payload) => message.attachments.length > 0)
  const answer = await fetch(attachments[0].url)
  expect(answer.headers.get('content-type')).toBe('application/octet-stream')
  expect(answer.headers.get('content-disposition')).toMatch(/^attachment/)
  expect(answer.headers.get('content-security-policy')).toContain('sandbox')
})
