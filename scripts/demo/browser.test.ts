// The main job in a real browser, done by clicking: from joining the server to seeing the payout.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../../sandbox/client/browser.ts'
import { startWorld, type World } from './world.ts'

const personalBrowser =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36'

const patient = { timeout: 20_000 }

let directory: string
let world: World
let browser: Browser
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'siso-browser-'))
  ;[world, browser] = await Promise.all([startWorld({ dataDirectory: directory }), launchBrowser()])
}, 90_000)
afterAll(async () => {
  await browser?.close()
  await world?.close()
  await rm(directory, { recursive: true, force: true })
})

test('a newcomer joins, registers, verifies, signs, shares, sells and is paid, all by clicking', { timeout: 300_000 }, async () => {
  const client = world.sandbox.urls.discord.client
  const mira = await openPage(browser, `${client}/?token=${encodeURIComponent(world.admin.token)}`)
  await run(mira.page, '/admin setup')
  await mira.page.getByText('The server is set up').waitFor()

  const grace = await world.newPerson('grace')
  const { page, problems } = await openPage(browser, `${client}/?token=${encodeURIComponent(grace.token)}`)
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

  expect(problems).toEqual([])
  expect(mira.problems).toEqual([])
  expect(buyer.problems).toEqual([])
})

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
