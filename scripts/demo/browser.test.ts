// The main job in a real browser, done by clicking: from joining the server to seeing the payout.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { launchBrowser, openPage } from '../../sandbox/client/browser.ts'
import { seriousProblems } from '../../sandbox/client/testing.ts'
import type { GuideStep } from './guide/steps.ts'
import { type DemoHost, startDemo } from './host.ts'
import type { World } from './world.ts'

const personalBrowser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36'

const patient = { timeout: 20_000 }

let directory: string
let host: DemoHost
let world: World
let browser: Browser
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-browser-'))
  ;[host, browser] = await Promise.all([startDemo({ dataDirectory: directory }), launchBrowser()])
  world = host.world
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await host?.close()
  await rm(directory, { recursive: true, force: true })
})

test('a newcomer joins, registers, verifies, signs, shares, sells and is paid, all by clicking', { timeout: 300_000 }, async () => {
  const client = world.sandbox.urls.discord.client
  const mira = await openPage(browser, `${client}/?token=${encodeURIComponent(world.admin.token)}`)
  await run(mira.page, '/admin setup')
  await mira.page.getByText('The server is set up').waitFor()

  const grace = await world.newPerson('grace')
  const { page, problems, awaited } = await openPage(browser, `${client}/?token=${encodeURIComponent(grace.token)}`)
  onTestFailed(() => console.error('The page waits for:', awaited()))
  await page.getByTestId('join').first().click()
  await open(page, 'welcome')
  await page.getByRole('button', { name: 'Become a partner' }).click()
  const form = page.getByTestId('modal')
  await form.getByLabel('Your name').fill('Grace Hopper')
  await form.getByLabel('Your e-mail').fill('grace@navy.example')
  await form.getByTestId('select').click()
  await page.locator('[role=option][data-value=saas]').click()
  await page.getByTestId('modal-submit').click()
  await page.getByText('We sent a mail to').waitFor()

  const verify = await followMail(page, /Confirm/)
  await verify.getByRole('button').click()
  await verify
    .getByRole('heading', { level: 1 })
    .filter({ hasText: /verified|confirmed/i })
    .waitFor()
  await verify.close()

  const sign = await followMail(page, /agreement/i)
  expect(await seriousProblems(sign)).toEqual([])
  await sign.getByLabel(/name/i).fill('Grace Hopper')
  await sign.getByRole('checkbox').check()
  await sign.getByRole('button', { name: /sign/i }).click()
  await sign
    .getByRole('heading', { level: 1 })
    .filter({ hasText: /signed/i })
    .waitFor()
  await sign.close()

  await open(page, 'saas')
  expect(await page.locator('[data-channel=healthcare]').count()).toBe(0)
  await run(page, '/link create')
  const link = (await page.getByTestId('message').last().locator('code, a').allTextContents()).find((text) => text.includes('/r/'))
  expect(link).toBeTruthy()

  // Somebody else, in a browser of their own, follows the link and buys.
  // (A headless browser says so in its user agent, and is rightly taken for a robot; a buyer's does not.)
  const buyer = await openPage(browser, link!, { userAgent: personalBrowser })
  await buyer.page.locator('form button').first().click()
  await buyer.page.getByLabel(/e-mail|email/i).fill('buyer@example.com')
  await buyer.page.getByLabel(/card number/i).fill('4242 4242 4242 4242')
  const name = buyer.page.getByLabel(/name/i)
  if ((await name.count()) > 0) await name.first().fill('Katherine Johnson')
  await buyer.page.getByRole('button', { name: /pay/i }).click()
  await buyer.page.getByRole('heading').filter({ hasText: /thank/i }).waitFor()

  await expect.poll(() => answerTo(page, '/earnings show'), patient).toContain('Pending')
  await run(page, '/payout setup')
  const [onboarding] = await Promise.all([page.context().waitForEvent('page'), page.getByTestId('link-button').last().click()])
  await onboarding.getByRole('button').first().click()
  await onboarding.waitForURL(/payouts\/return/)
  await onboarding.close()

  await run(mira.page, '/admin commissions hold days:0 apply_to_pending:True')
  await run(mira.page, '/admin settings set setting:payouts methodCoolingHours value:0')
  await expect.poll(() => answerTo(page, '/earnings show'), patient).toContain('Payable')
  await run(mira.page, '/admin payouts dry-run')
  await run(mira.page, '/admin payouts run')
  await expect.poll(() => answerTo(page, '/earnings show'), patient).toContain('Paid out')

  await run(page, '/badges show')

  await page.reload({ waitUntil: 'commit' })
  await page.getByTestId('guide').waitFor()
  await expect.poll(() => page.locator('[data-testid=guide-step]:not([data-done])').allTextContents(), patient).toEqual([])
  expect(problems).toEqual([])
  expect(mira.problems).toEqual([])
  expect(buyer.problems).toEqual([])
})

test('what stands beside the main job is accessible: client with guide, inbox, shop, dashboards, and pages that refuse', async () => {
  const { client, stripe, paypal, shop, sendgrid } = { ...world.sandbox.urls, client: world.sandbox.urls.discord.client }
  const pages = [
    `${client}/?token=${encodeURIComponent(world.admin.token)}`,
    `${stripe}/dashboard`,
    `${paypal}/dashboard`,
    shop,
    `${sendgrid}/mail`,
    `${world.publicUrl}/r/nothing-here`,
    `${world.publicUrl}/verify/nothing-here`,
  ]
  const { page } = await openPage(browser, 'about:blank')
  for (const url of pages) {
    await page.goto(url)
    await expect.poll(() => page.locator('h1, h2').count(), { ...patient, message: url }).toBeGreaterThan(0)
    if (url.includes('/client')) await page.locator('[data-testid=app][data-status=ready]').waitFor()
    expect(await seriousProblems(page), url).toEqual([])
  }
})

test('every command that the guide writes is one that the server has', async () => {
  const { application_commands: roots } = await world.admin.get<{ application_commands: Offered[] }>(
    `/guilds/${world.guildId}/application-command-index`,
  )
  const names = new Set(roots.flatMap((root) => pathsOf(root)))
  const steps = await world.control<GuideStep[]>('GET', '/sandbox/guide')
  const written = steps.flatMap(({ commands = [] }) => commands.map((line) => line.split(/ \w+:/)[0]!))
  expect(written.filter((line) => !names.has(line))).toEqual([])
})

test('the guide says as whom, writes the command, can be closed, and remembers that', async () => {
  const linus = await world.newPerson('linus')
  const { page, problems } = await openPage(
    browser,
    `${world.sandbox.urls.discord.client}/?token=${encodeURIComponent(linus.token)}`,
  )
  const guide = page.getByTestId('guide')
  const step = guide.locator('[data-step=hold]')
  await step.getByRole('button').first().click()
  await step.getByTestId('guide-switch').filter({ hasText: 'Become mira' }).click()
  await page.locator('[data-testid=switch-person][data-username=mira]').waitFor()
  await page.getByTestId('composer').waitFor()
  await step.getByTestId('guide-command').first().click()
  await page.locator('[data-testid=command-bar][data-command="admin commissions hold"]').waitFor()
  expect(await page.getByTestId('option-input').first().inputValue()).toBe('0')
  await page.getByRole('button', { name: 'Close guide' }).click()
  await page.reload()
  await page.getByTestId('open-guide').waitFor()
  expect(await guide.count()).toBe(0)
  expect(problems).toEqual([])
})

test('starting over asks first, shows what is going on, and leaves an empty server', { timeout: 180_000 }, async () => {
  const { page } = await openPage(browser, `${world.sandbox.urls.discord.client}/?token=${encodeURIComponent(world.admin.token)}`)
  await page.getByTestId('reset').click()
  await page.getByTestId('reset-confirm').click()
  await page.getByTestId('resetting').waitFor()
  await page.waitForURL((url) => url.search === '', { timeout: 90_000 })
  await page.locator('[data-testid=switch-person][data-username=mira]').waitFor()
  await page.locator('[data-channel=general]').waitFor()
  expect(await page.locator('[data-channel=welcome]').count()).toBe(0)
  await page.getByTestId('guide').waitFor()
  expect(await page.locator('[data-testid=guide-step][data-done]').count()).toBe(0)
  await run(page, '/admin setup')
  await page.locator('[data-step=set-up][data-done]').waitFor(patient)
})

interface Offered {
  name: string
  type?: number
  options?: Offered[]
}

/** Whole names: `admin setup`. Types 1 and 2 of options are subcommands and groups of them. */
function pathsOf({ name, options = [] }: Offered): string[] {
  const nested = options.filter(({ type = 3 }) => type <= 2)
  return nested.length === 0 ? [name] : nested.flatMap((option) => pathsOf(option).map((rest) => `${name} ${rest}`))
}

/** Opens a channel and waits until it is the one on screen: until then the messages counted below are those of the channel before. */
async function open(page: Page, channel: string): Promise<void> {
  await page.locator(`[data-channel=${channel}]`).click()
  await page.getByRole('heading', { level: 1, name: channel }).waitFor()
}

/** Types a command and sends it. */
async function run(page: Page, command: string): Promise<void> {
  const before = await page.getByTestId('only-you').count()
  await page.getByTestId('composer').pressSequentially(`${command} `)
  await page.getByTestId('run-command').click()
  await expect.poll(() => page.getByTestId('only-you').count(), patient).toBeGreaterThan(before)
  await expect.poll(() => page.getByTestId('thinking').count(), patient).toBe(0)
}

const answer = async (page: Page): Promise<string> => (await page.getByTestId('message').last().textContent()) ?? ''

async function answerTo(page: Page, command: string): Promise<string> {
  await run(page, command)
  return answer(page)
}

/** Opens the newest letter with this subject in the inbox beside the chat, and follows its button in a page of its own. */
async function followMail(page: Page, subject: RegExp): Promise<Page> {
  await page.getByTestId('open-mail').click()
  const letter = page.getByTestId('letter').filter({ hasText: subject }).first()
  await letter.waitFor()
  await letter.click()
  const frame = page.getByTestId('mail').frameLocator('iframe')
  const [opened] = await Promise.all([page.context().waitForEvent('page'), frame.getByRole('link').first().click()])
  await page.getByTestId('open-mail').click()
  await opened.waitForLoadState()
  return opened
}
