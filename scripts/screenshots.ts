// Pictures of every screen of the main job, from a world that the tour has walked through: desktop and phone, for the README and for looking at.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, openPage } from '../sandbox/client/browser.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import type { Person } from './demo/person.ts'
import { runSteps } from './demo/steps.ts'
import { type Tour, tourSteps } from './demo/tour.ts'
import { startWorld, type World } from './demo/world.ts'

const desktop = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

await runScript(async () => {
  const flags = readFlags('npm run screenshots -- [--out DIR]', {
    out: { type: 'string', describe: 'where the pictures go (default var/screenshots)' },
  })
  const out = path.resolve(flags.out ?? fileURLToPath(new URL('../var/screenshots', import.meta.url)))
  await mkdir(out, { recursive: true })
  const world = await startWorld({ dataDirectory: fileURLToPath(new URL('../var/screenshots-data', import.meta.url)) })
  onSignal(() => world.close())
  let browser: Browser | undefined
  try {
    const tour: Tour = { world }
    const steps = await runSteps(tour, tourSteps, () => {})
    const failed = steps.find((step) => !step.ok)
    if (failed) throw new Error(`the tour stopped at “${failed.name}”: ${failed.saw}`)
    browser = await launchBrowser()
    const problems = await takeAll(browser, world, tour, out)
    console.log(`Pictures are in ${out}.`)
    if (problems.length > 0) {
      console.log(`The browser complained:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
      process.exitCode = 1
    }
  } finally {
    await browser?.close()
    await world.close()
  }
})

/** Takes every picture and returns what the browser's console complained about. */
async function takeAll(browser: Browser, world: World, tour: Tour, out: string): Promise<string[]> {
  const complaints: string[] = []
  const take = async (name: string, url: string, prepare: (page: Page) => Promise<void> = async () => {}, viewport = desktop) => {
    const { page, problems } = await openPage(browser, url, { viewport, colorScheme: 'dark' })
    await page.waitForLoadState('networkidle')
    await prepare(page)
    await page.waitForTimeout(400)
    await page.screenshot({ path: path.join(out, `${name}.png`) })
    complaints.push(...problems.map((problem) => `${name}: ${problem}`))
    await page.context().close()
  }
  const as = (person: Person) => `${world.sandbox.urls.discord.client}/?token=${encodeURIComponent(person.token)}`
  const ada = tour.ada!
  const channel = (name: string) => (page: Page) => openChannel(page, name)
  const command = (name: string, typed: string) => async (page: Page) => {
    await openChannel(page, name)
    await run(page, typed)
  }

  for (const [suffix, viewport] of [
    ['', desktop],
    ['-phone', phone],
  ] as const) {
    const shot = (name: string, url: string, prepare?: (page: Page) => Promise<void>) =>
      take(`${name}${suffix}`, url, prepare, viewport)
    await shot('welcome', as(ada), channel('welcome'))
    await shot('leaderboard', as(ada), channel('leaderboard'))
    await shot('wins', as(ada), channel('wins'))
    await shot('earnings', as(ada), command('general', '/earnings show'))
    await shot('links', as(ada), command('general', '/link list'))
    await shot('sales', as(ada), command('general', '/sales list'))
    await shot('payout-status', as(ada), command('general', '/payout status'))
    await shot('help', as(ada), command('general', '/help'))
    await shot('agreement', as(ada), command('general', '/agreement'))
    await shot('admin-dry-run', as(world.admin), command('general', '/admin payouts dry-run'))
    await shot('admin-proof', as(world.admin), command('general', '/admin ledger proof'))
    await shot('admin-setup', as(world.admin), command('general', '/admin setup'))
    await shot('signing-page', tour.signingUrl!)
    await shot('unknown-link', `${world.publicUrl}/r/nothing-here`)
    await shot('mail', `${world.sandbox.urls.sendgrid}/mail`)
    await shot('shop', world.sandbox.urls.shop)
    await shot('stripe', `${world.sandbox.urls.stripe}/dashboard`)
  }
  return complaints.filter((complaint) => !/unknown-link.*: 404|unknown-link.*404 \(/.test(complaint))
}

async function openChannel(page: Page, name: string): Promise<void> {
  const target = page.locator(`[data-channel="${name}"]`).first()
  if (!(await target.isVisible()))
    await page
      .getByRole('button', { name: /channels|menu/i })
      .first()
      .click()
  await target.click()
}

/** Types a command, sends it and waits for the answer. */
async function run(page: Page, typed: string): Promise<void> {
  await page.getByTestId('composer').pressSequentially(`${typed} `)
  await page.getByTestId('run-command').click()
  await page.getByTestId('only-you').last().waitFor()
  await page.getByTestId('thinking').waitFor({ state: 'detached' })
}
