// Pictures of every screen, desktop and phone, from a demo with a past: for the README and for looking at.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { launchBrowser, openPage } from '../sandbox/client/browser.ts'
import { onSignal, readFlags, runScript } from './command.ts'
import { type DemoHost, startDemo } from './demo/host.ts'
import { type Shot, shotsOf } from './screenshots/shots.ts'
import { setStage } from './screenshots/stage.ts'

const widths = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 },
} as const

await runScript(async () => {
  const flags = readFlags('npm run screenshots -- [--out DIR] [--only WORD]', {
    out: { type: 'string', describe: 'where the pictures go (default var/screenshots)' },
    only: { type: 'string', describe: 'only pictures whose name fits this regular expression' },
  })
  const out = path.resolve(flags.out ?? fileURLToPath(new URL('../var/screenshots', import.meta.url)))
  await mkdir(out, { recursive: true })
  let host: DemoHost | undefined
  let browser: Browser | undefined
  onSignal(async () => host?.close())
  try {
    host = await startDemo({
      dataDirectory: fileURLToPath(new URL('../var/screenshots-data', import.meta.url)),
      history: { partners: 24, days: 60, seed: 1 },
    })
    browser = await launchBrowser()
    const shots = shotsOf(await setStage(host), host.world).filter(({ name }) => new RegExp(flags.only ?? '').test(name))
    const complaints: string[] = []
    for (const shot of shots) complaints.push(...(await take(browser, shot, out)))
    console.log(`${shots.length * 2} pictures are in ${out}:\n${shots.map(({ name }) => `  ${name}`).join('\n')}`)
    if (complaints.length > 0) {
      console.log(`The browser complained:\n${complaints.map((complaint) => `  ${complaint}`).join('\n')}`)
      process.exitCode = 1
    }
  } finally {
    await browser?.close()
    await host?.close()
  }
})

/** Takes both pictures and returns what went wrong: console errors, and steps that did not come to be. Pages that refuse answer 404 and 410 rightly. */
async function take(browser: Browser, { name, url, prepare }: Shot, out: string): Promise<string[]> {
  const complaints: string[] = []
  for (const [width, options] of Object.entries(widths)) {
    const { page, problems } = await openPage(browser, url, { colorScheme: 'dark', ...options })
    await page.waitForLoadState('load')
    await prepare?.(page).catch((error: Error) => problems.push(error.message.split('\n').slice(0, 4).join(' ')))
    await page.evaluate('document.fonts.ready')
    await page.waitForTimeout(400)
    await page.screenshot({ path: path.join(out, `${name}-${width}.png`) })
    const odd = problems.filter((problem) => !(/unknown|used/.test(name) && /\b4(04|10)\b/.test(problem)))
    complaints.push(...odd.map((problem) => `${name}-${width}: ${problem}`))
    await page.context().close()
  }
  return complaints
}
