// Which pictures are taken: a name, an address, and what is done before the shutter. Everything that a person may meet, some of it refused.
import type { Page } from 'playwright-core'
import type { World } from '../demo/world.ts'
import type { Stage } from './stage.ts'

export interface Shot {
  readonly name: string
  readonly url: string
  readonly prepare?: (page: Page) => Promise<void>
}

export function shotsOf(stage: Stage, world: World): Shot[] {
  const { client, admin, partner, newcomer, stranger } = stage
  const { urls } = world.sandbox
  const owner = client(admin)
  const wanda = client(partner)
  return [
    { name: 'invitation', url: client(stranger) },
    { name: 'welcome', url: client(newcomer), prepare: (page) => openChannel(page, 'welcome') },
    { name: 'registration', url: client(newcomer), prepare: openForm },
    { name: 'registration-refused', url: client(newcomer), prepare: refuse },
    { name: 'general', url: wanda, prepare: (page) => openChannel(page, 'general') },
    { name: 'channels', url: wanda, prepare: showChannels },
    { name: 'thread', url: wanda, prepare: (page) => openThread(page, stage.threadName) },
    { name: 'command-picker', url: wanda, prepare: (page) => type(page, '/') },
    { name: 'command-options', url: wanda, prepare: (page) => type(page, '/link create campaign:newsletter') },
    { name: 'autocomplete', url: owner, prepare: (page) => type(page, '/admin settings set setting:pay') },
    { name: 'earnings', url: wanda, prepare: command('/earnings show') },
    { name: 'links', url: wanda, prepare: command('/link list') },
    { name: 'sales', url: wanda, prepare: command('/sales list') },
    { name: 'payout-status', url: wanda, prepare: command('/payout status') },
    { name: 'badges', url: wanda, prepare: command('/badges show') },
    { name: 'help', url: wanda, prepare: command('/help') },
    { name: 'help-subject', url: wanda, prepare: afterCommand('/help', (page) => choose(page, 0, 'links', 'All subjects')) },
    { name: 'privacy', url: wanda, prepare: command('/privacy') },
    { name: 'stats', url: wanda, prepare: command('/stats show') },
    { name: 'agreement', url: wanda, prepare: command('/agreement') },
    { name: 'leaderboard', url: wanda, prepare: (page) => openChannel(page, 'leaderboard') },
    { name: 'wins', url: wanda, prepare: (page) => openChannel(page, 'wins') },
    { name: 'direct-messages', url: `${wanda}#/@me`, prepare: openDirect },
    { name: 'members', url: owner, prepare: showMembers },
    { name: 'profile', url: owner, prepare: showProfile },
    { name: 'people', url: owner, prepare: showPeople },
    { name: 'guide', url: owner, prepare: (page) => showDoor(page, 'guide') },
    { name: 'admin-dry-run', url: owner, prepare: command('/admin payouts dry-run') },
    { name: 'admin-partners', url: owner, prepare: command('/admin partners list') },
    { name: 'admin-fraud', url: owner, prepare: command('/admin fraud queue') },
    { name: 'admin-stats', url: owner, prepare: command('/admin-stats show by:Partner') },
    { name: 'admin-claims', url: owner, prepare: command('/admin-sales claims') },
    { name: 'admin-landing', url: owner, prepare: command('/admin-links landing list') },
    { name: 'admin-webhooks', url: owner, prepare: command('/admin-api webhooks list') },
    { name: 'admin-help', url: owner, prepare: command('/help') },
    {
      name: 'admin-help-subject',
      url: owner,
      prepare: afterCommand('/help', (page) => choose(page, 1, 'commissions', 'All subjects')),
    },
    { name: 'admin-parked', url: owner, prepare: command('/admin stripe parked') },
    { name: 'admin-parked-event', url: owner, prepare: afterCommand('/admin stripe parked', chooseFirst) },
    { name: 'admin-set-aside', url: owner, prepare: afterCommand('/admin stripe parked', setAside) },
    {
      name: 'admin-approve',
      url: owner,
      prepare: (page) => stage.payoutsWait().then(() => command('/admin payouts approve')(page)),
    },
    { name: 'staff', url: owner, prepare: (page) => openChannel(page, 'staff') },
    { name: 'inbox', url: owner, prepare: (page) => showDoor(page, 'mail') },
    { name: 'letter', url: `${urls.sendgrid}/mail`, prepare: openLetter },
    { name: 'verification', url: stage.verifyUrl },
    { name: 'verification-used', url: stage.usedVerifyUrl },
    { name: 'verification-unknown', url: `${world.publicUrl}/verify/nothing-here` },
    { name: 'signing', url: stage.signUrl },
    { name: 'signed', url: stage.signedUrl },
    { name: 'unknown-link', url: `${world.publicUrl}/r/nothing-here` },
    { name: 'unknown-page', url: `${world.publicUrl}/nothing-here` },
    { name: 'shop', url: stage.linkUrl },
    { name: 'checkout', url: stage.checkoutUrl },
    { name: 'thanks', url: stage.thanksUrl },
    { name: 'shop-told', url: `${urls.shop}/hooks/partners` },
    { name: 'stripe', url: `${urls.stripe}/dashboard` },
    { name: 'paypal', url: `${urls.paypal}/dashboard` },
    { name: 'api-docs', url: `${world.publicUrl}/docs`, prepare: (page) => openDocs(page, 'Partner program API') },
    { name: 'api-docs-sale', url: `${world.publicUrl}/docs#tag/sales`, prepare: (page) => openDocs(page, 'Report a sale') },
    { name: 'api-docs-events', url: `${world.publicUrl}/docs#tag/events`, prepare: (page) => openDocs(page, 'Events') },
  ]
}

/** The viewer draws the document in pieces; a heading on the screen says that this one is there. */
async function openDocs(page: Page, heading: string): Promise<void> {
  const found = page.getByRole('heading', { name: heading }).first()
  await found.waitFor()
  await found.scrollIntoViewIfNeeded()
}

export async function openChannel(page: Page, name: string): Promise<void> {
  await showChannels(page)
  await page.locator(`[data-channel="${name}"]`).first().click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

/** On a phone the channels are in a drawer. */
async function showChannels(page: Page): Promise<void> {
  await page.locator('[data-testid=app][data-status=ready]').waitFor()
  await page.getByTestId('channel').first().waitFor({ state: 'attached' })
  const menu = page.getByLabel('Open channel list')
  if (await menu.isVisible()) await menu.click()
}

async function openThread(page: Page, name: string): Promise<void> {
  await openChannel(page, 'general')
  await page.getByRole('main').getByRole('button', { name }).last().click()
  await page.getByRole('heading', { level: 1, name }).waitFor()
}

async function type(page: Page, text: string): Promise<void> {
  await openChannel(page, 'general')
  await page.getByTestId('composer').pressSequentially(text)
}

/** Types a command, sends it and waits for the answer. */
function command(typed: string): (page: Page) => Promise<void> {
  return async (page) => {
    await type(page, `${typed} `)
    await page.getByTestId('run-command').click()
    await page.getByTestId('only-you').last().waitFor()
    await page.getByTestId('thinking').waitFor({ state: 'detached' })
  }
}

function afterCommand(typed: string, then: (page: Page) => Promise<void>): (page: Page) => Promise<void> {
  return async (page) => {
    await command(typed)(page)
    await then(page)
  }
}

/** Chooses from a select of the last answer, and waits for the button that comes with what was chosen. */
async function choose(page: Page, select: number, value: string, button: string): Promise<void> {
  await page.getByTestId('only-you').last().waitFor()
  await page.getByRole('main').getByTestId('select').nth(select).click()
  await page.locator(`[role=option][data-value="${value}"]`).click()
  await page.getByRole('button', { name: button }).waitFor()
}

async function chooseFirst(page: Page): Promise<void> {
  await page.getByRole('main').getByTestId('select').last().click()
  await page.locator('[role=option]').first().click()
  await page.getByRole('button', { name: 'Back to the list' }).waitFor()
}

async function setAside(page: Page): Promise<void> {
  await chooseFirst(page)
  await page.getByRole('button', { name: 'Set aside …' }).click()
  await page.getByLabel('Why nothing is to come of it').fill('An account of our other shop, which has no partners.')
  await page.getByTestId('modal-submit').click()
  await page.getByText('An event that was set aside').waitFor()
}

async function openForm(page: Page): Promise<void> {
  await openChannel(page, 'welcome')
  await page.getByRole('button', { name: 'Become a partner' }).click()
  await page.getByTestId('modal').waitFor()
}

async function refuse(page: Page): Promise<void> {
  await openForm(page)
  const form = page.getByTestId('modal')
  await form.getByLabel('Your name').fill('Katherine Johnson')
  await form.getByLabel('Your e-mail').fill('katherine@nowhere')
  await form.getByTestId('select').click()
  await page.locator('[role=option][data-value=saas]').click()
  await page.getByTestId('modal-submit').click()
  await page.getByTestId('only-you').last().waitFor()
}

async function openDirect(page: Page): Promise<void> {
  await showChannels(page)
  await page.getByTestId('channel').first().click()
  await page.getByTestId('message').first().waitFor()
}

async function showMembers(page: Page): Promise<void> {
  await openChannel(page, 'general')
  const members = page.getByTestId('members')
  if (!(await members.isVisible())) await page.getByTestId('toggle-members').click()
  await members.waitFor()
}

async function showProfile(page: Page): Promise<void> {
  await showMembers(page)
  await page.getByTestId('member').first().click()
  await page.getByTestId('profile').waitFor()
}

async function showPeople(page: Page): Promise<void> {
  await showChannels(page)
  await page.getByTestId('switch-person').click()
  await page.getByTestId('people').waitFor()
}

async function showDoor(page: Page, door: 'guide' | 'mail'): Promise<void> {
  await page.getByTestId(`open-${door}`).waitFor()
  if ((await page.getByTestId(door).count()) === 0) await page.getByTestId(`open-${door}`).click()
  await page.getByTestId(door).waitFor()
}

async function openLetter(page: Page): Promise<void> {
  await page.locator('aside li a').first().click()
  await page.locator('article iframe').waitFor()
}
