// What tests of the browser client share: a local Discord that serves it, a guild, people on the wire and in Chromium.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { createDiscordSandbox } from '../discord/index.ts'
import { call, type Payload } from '../discord/person.ts'
import { launchBrowser, openPage } from './browser.ts'
import { clientRoutes } from './index.ts'

export interface Somebody {
  id: string
  username: string
  token: string
}

/** A call as somebody, or as the bot: gives the body, fails when refused. */
export type Wire = (method: string, path: string, body?: unknown) => Promise<Payload>

export type ClientBench = Awaited<ReturnType<typeof aClientBench>>

/** Starts everything; `guildName` may hold anything, markup too. */
export async function aClientBench(guildName = 'Partner House') {
  const sandbox = await createDiscordSandbox({ routes: await clientRoutes() })
  const checked = async (method: string, path: string, token: string | undefined, body?: unknown): Promise<Payload> => {
    const answer = await call(sandbox.url, method, path, token, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer.body
  }
  const control: Wire = (method, path, body) => checked(method, `/sandbox${path}`, undefined, body)
  const wireOf =
    (token: string): Wire =>
    (method, path, body) =>
      checked(method, `/api/v10${path}`, token, body)
  const newPerson = (username: string): Promise<Somebody> => control('POST', '/people', { username })

  const owner = await newPerson('max')
  const guild = await control('POST', '/guilds', { name: guildName, owner_id: owner.id })
  const application = await control('POST', '/applications', { name: 'Helper', owner_id: owner.id })
  await control('PUT', `/guilds/${guild.id}/applications/${application.id}`, { permissions: '8' })
  const channels = await wireOf(owner.token)('GET', `/guilds/${guild.id}/channels`)
  const general: string = channels.find((channel: Payload) => channel.name === 'general').id
  const browser = await launchBrowser()

  /** The client of somebody, at a channel, once it is ready. */
  const openAs = async (person: Somebody, channelId = general, options: BrowserContextOptions = {}) => {
    const url = `${sandbox.url}/client/?token=${encodeURIComponent(person.token)}#/${guild.id}/${channelId}`
    const opened = await openPage(browser, url, options)
    await opened.page.locator('[data-testid=app][data-status=ready]').waitFor()
    return opened
  }
  return {
    sandbox,
    browser,
    guild: `/guilds/${guild.id}`,
    guildId: guild.id as string,
    general,
    owner,
    asOwner: wireOf(owner.token),
    asBot: wireOf(`Bot ${application.token}`),
    application: application as { id: string; bot: { id: string } },
    control,
    wireOf,
    newPerson,
    newMember: async (username: string): Promise<Somebody> => {
      const person = await newPerson(username)
      await control('PUT', `/guilds/${guild.id}/members/${person.id}`, {})
      return person
    },
    openAs,
    close: async () => {
      await browser.close()
      await sandbox.close()
    },
  }
}

/** What axe-core calls serious or critical on the page as it stands. */
export async function seriousProblems(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
  await page.evaluate(source)
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> }
    }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`)
  })
}
