// Starts the Chromium that comes with npm, for tests and pictures of pages. Serves nothing and knows no page.

import chromium from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright, type Request } from 'playwright-core'

/** Arguments made for a cloud function that would weaken or slow a test: one process for all pages, no same-origin rule. */
const UNWANTED = new Set(['--single-process', '--disable-web-security', '--allow-running-insecure-content'])

/** No single step of a test may wait longer, so that a failure names its step. A busy machine with a slow disk stalls for ten seconds. */
const STEP_MS = 20_000

/** A headless Chromium. The first start on a machine unpacks it to the temporary folder, which takes some seconds. */
export async function launchBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args.filter((argument) => !UNWANTED.has(argument)), '--no-sandbox'],
  })
}

/** A page of its own profile. */
export interface OpenedPage {
  page: Page
  /** Everything that went wrong on it: console errors and warnings, uncaught errors, refused requests. */
  problems: string[]
  /** Addresses that it asked and that have not answered: what a page that does not finish loading waits for. */
  awaited: () => string[]
}

/** Opens an address in a profile of its own. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(STEP_MS)
  const problems: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.request().method()} ${response.url()}`)
  })
  const asked = new Set<Request>()
  page.on('request', (request) => asked.add(request))
  page.on('requestfinished', (request) => asked.delete(request))
  page.on('requestfailed', (request) => asked.delete(request))
  await page.goto(url)
  return { page, problems, awaited: () => [...asked].map((request) => `${request.method()} ${request.url()}`) }
}
