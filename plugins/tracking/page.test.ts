// The company's own pages in a real browser: /t.js carries the click id where it is needed, and keeps nothing before the visitor has agreed. The guide's snippets run here.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext } from 'playwright-core'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse, wordsOf } from '../../app/testing.ts'
import { launchBrowser } from '../../sandbox/client/browser.ts'
import { connected } from '../../sandbox/stripe/testkit.ts'
import { developer } from '../developer/plugin.ts'
import { admin } from '../developer/testing.ts'
import { newId } from '../kit/index.ts'
import { linkPlugins, linksIn, type TestLink } from '../links/testing.ts'
import { tracking } from './plugin.ts'

const guide = readFileSync(new URL('../../docs/integrate.md', import.meta.url), 'utf8')
const snippets = [...guide.matchAll(/^```(\w+) ?(\w*)\n(.*?)^```/gms)].map(([, language, name, code]) => ({
  name: name || language!,
  code: code!,
}))
const snippet = (name: string) => snippets.filter((one) => one.name === name).map(({ code }) => code)

let house: TestHouse
let programUrl: string
let shop: Server
let shopUrl: string
let browser: Browser
let link: TestLink
/** What forms sent to the shop. */
const posted: URLSearchParams[] = []

/** A page of the shop made of the guide's snippets. */
const pageOf = (attributes = '') => `<!doctype html><title>Shop</title><body>
${snippet('page').join('\n').replaceAll('PROGRAM_ID', house.program.id).replaceAll('PROGRAM/', `${programUrl}/`).replace(' async>', ` ${attributes}>`)}
<form id="search" action="/search"><input name="q"></form>
<form id="foreign" method="post" action="https://elsewhere.example/"><input name="q"></form>
<a id="other" href="https://elsewhere.example/">Elsewhere</a>
<stripe-buy-button buy-button-id="buy_btn_1"></stripe-buy-button>`

beforeAll(async () => {
  house = await testHouse([...linkPlugins, developer, tracking])
  programUrl = await house.app.listen({ port: 0, host: '127.0.0.1' })
  shop = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      if (request.method === 'POST') posted.push(new URLSearchParams(body))
      const consented = request.url!.startsWith('/agreed') ? 'data-consent="true"' : ''
      response.setHeader('content-type', 'text/html').end(request.url === '/favicon.ico' ? '' : pageOf(consented))
    })
  })
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  shopUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`
  await house.set('links', 'landingPage', `${shopUrl}/`)
  await house.set('links', 'cookies', 'always')
  await house.set('tracking', 'origins', [shopUrl])
  link = await linksIn(house).aLink()
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser.close()
  await new Promise((resolve) => shop.close(resolve))
  await house.close()
})

async function aClick(): Promise<string> {
  const answer = await house.app.inject({
    url: link.path,
    headers: { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' },
  })
  return new URL(answer.headers.location as string).searchParams.get('siso_cid')!
}

async function visit(context: BrowserContext, url: string) {
  const page = await context.newPage()
  const problems: string[] = []
  const asked: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`))
  await page.goto(shopUrl + url)
  return { page, problems, asked }
}

const cookiesOf = async (context: BrowserContext) => (await context.cookies(programUrl)).filter(({ name }) => name === 'siso_cid')
const sisoOf = 'window.siso.clickId()'

test('the script weighs at most 2 kB, is kept long, and is asked for again cheaply', async () => {
  const answer = await house.app.inject('/t.js')
  expect(gzipSync(answer.body).length).toBeLessThanOrEqual(2048)
  expect(answer.headers['cache-control']).toContain('max-age=86400')
  expect(answer.headers['cross-origin-resource-policy']).toBe('cross-origin')
  const again = await house.app.inject({ url: '/t.js', headers: { 'if-none-match': String(answer.headers.etag) } })
  expect([again.statusCode, again.body]).toEqual([304, ''])
})

test('an admin is shown the tag for their program, and that a site has to be allowed first', async () => {
  const words = wordsOf(await house.run('admin-api script', {}, admin))
  expect(words).toContain(`<script src="http://program.test/t.js" data-program="${house.program.id}" async></script>`)
  expect(words).toContain('Visitors are remembered for')
})

test('without consent the click id reaches form, payment link and buy button, and nothing is stored or told', async () => {
  const context = await browser.newContext()
  const clickId = await aClick()
  const { page, problems, asked } = await visit(context, `/?siso_cid=${clickId}`)
  await expect.poll(() => page.locator('form[action="/signup"] input[name=siso_cid]').getAttribute('value')).toBe(clickId)
  expect(await page.locator('#pay').getAttribute('href')).toBe(
    `https://buy.stripe.com/test_4gw5lq0Zr?client_reference_id=${clickId}`,
  )
  expect(await page.locator('stripe-buy-button').getAttribute('client-reference-id')).toBe(clickId)
  expect(await page.evaluate(sisoOf)).toBe(clickId)
  expect(await page.locator('#search input, #foreign input').count()).toBe(2)
  expect(await page.locator('#other').getAttribute('href')).toBe('https://elsewhere.example/')
  expect(await context.cookies()).toEqual([])
  expect(await page.evaluate('[localStorage.length, sessionStorage.length, document.cookie]')).toEqual([0, 0, ''])
  expect(asked.filter((request) => request.includes('/v1/visit'))).toEqual([])
  expect(problems).toEqual([])
  await page.fill('input[name=email]', 'lin@example.com')
  await page.click('form[action="/signup"] button')
  await expect.poll(() => posted.at(-1)?.get('siso_cid')).toBe(clickId)
  await context.close()
})

test('what is added to the page later gets the click id, too', async () => {
  const context = await browser.newContext()
  const clickId = await aClick()
  const { page } = await visit(context, `/?siso_cid=${clickId}`)
  await page.waitForFunction('window.siso')
  await page.evaluate(
    `document.body.insertAdjacentHTML('beforeend', '<form id="late" data-siso action="https://elsewhere.example/"></form>')`,
  )
  await expect.poll(() => page.locator('#late input[name=siso_cid]').getAttribute('value')).toBe(clickId)
  await context.close()
})

test('with consent the server’s cookie remembers the click for other pages; taking it back forgets it', async () => {
  const context = await browser.newContext()
  const clickId = await aClick()
  const { page } = await visit(context, `/?siso_cid=${clickId}`)
  await page.waitForFunction('window.siso')
  const [consent] = snippet('consent')
  await page.evaluate(`(async () => { ${consent} })()`)
  expect(await cookiesOf(context)).toMatchObject([{ value: clickId, httpOnly: true, sameSite: 'Lax' }])
  const later = await visit(context, '/agreed')
  await expect.poll(() => later.page.evaluate(sisoOf)).toBe(clickId)
  await expect.poll(() => later.page.locator('#pay').getAttribute('href')).toContain(`client_reference_id=${clickId}`)
  await later.page.evaluate('window.siso.consent(false)')
  expect(await cookiesOf(context)).toEqual([])
  expect(await later.page.evaluate(sisoOf)).toBeNull()
  await context.close()
})

test('the code of a link in the address counts as a click once the visitor has agreed', async () => {
  const context = await browser.newContext({ userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0' })
  const { page } = await visit(context, `/agreed?via=${link.code}`)
  await expect.poll(() => page.evaluate(sisoOf)).toMatch(/^[\da-f-]{36}$/)
  const [cookie] = await cookiesOf(context)
  const rows = await house.connection.sql`select from links_clicks where id = ${cookie!.value} and link_id = ${link.id}`
  expect(rows.length).toBe(1)
  await context.close()
})

describe('POST /v1/visit', () => {
  const ask = (fields: Record<string, string>, origin: string | undefined = shopUrl, cookie?: string) =>
    house.app.inject({
      method: 'POST',
      url: '/v1/visit',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...(origin && { origin }), ...(cookie && { cookie }) },
      payload: new URLSearchParams({ program: house.program.id, ...fields }).toString(),
    })

  test('refuses sites that the program does not allow, and programs that do not exist', async () => {
    const click_id = await aClick()
    for (const origin of ['https://evil.example', 'null', `${shopUrl}.evil.example`, ''])
      expect((await ask({ click_id }, origin)).json()).toMatchObject({ status: 403, code: 'origin_not_allowed' })
    expect((await ask({ click_id, program: newId() })).statusCode).toBe(403)
  })

  test('remembers no click that does not exist', async () => {
    const answer = await ask({ click_id: newId() })
    expect(answer.json()).toEqual({ click_id: null })
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  test('answers the site that asked, with the cookie’s click when the address has none', async () => {
    const click_id = await aClick()
    const answer = await ask({}, shopUrl, `siso_cid=${click_id}`)
    expect(answer.json()).toEqual({ click_id })
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': shopUrl, 'access-control-allow-credentials': 'true' })
    expect(answer.headers['set-cookie']).toMatch(/^siso_cid=[\da-f-]{36}; Max-Age=7776000; Path=\/; HttpOnly; SameSite=Lax$/)
  })

  test.each([{ click_id: 'x' }, { program: 'x' }, { ref: '' }])('%o is refused with 422', async (fields) => {
    expect((await ask(fields as never)).statusCode).toBe(422)
  })
})

describe('the guide', () => {
  const directory = () => mkdtempSync(path.join('node_modules', '.guide-'))
  const run = promisify(execFile)
  /** A module of the snippet, where Node finds the packages that it imports. */
  async function moduleOf(name: string): Promise<Record<string, (...args: never[]) => unknown>> {
    const folder = directory()
    try {
      writeFileSync(path.join(folder, 'snippet.mjs'), snippet(name)[0]!)
      return await import(path.resolve(folder, 'snippet.mjs'))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  async function environment(): Promise<NodeJS.ProcessEnv> {
    const words = wordsOf(
      await house.run(
        'admin-api keys create',
        { name: 'Guide', scopes: 'leads:write sales:write refunds:write events:read' },
        admin,
      ),
    )
    return {
      PATH: process.env.PATH,
      SISO_URL: programUrl,
      SISO_KEY: /siso_key_[\w-]{43}/.exec(words)![0],
      CLICK_ID: await aClick(),
    }
  }
  const saleOf = async (paymentId: string) =>
    (await house.connection.sql`select partner_id, refunded::int from attribution_sales where payment_key = ${paymentId}`)[0]

  test('has no snippet that is not run', () => {
    expect([...new Set(snippets.map(({ name }) => name))].toSorted()).toEqual(
      ['checkout', 'consent', 'events', 'page', 'server', 'sh', 'webhook'].toSorted(),
    )
  })

  test('reports a sale with curl', async () => {
    await run('bash', ['-ec', snippet('sh')[0]!], { env: await environment() })
    expect(await saleOf('order_2077')).toMatchObject({ partner_id: link.partnerId })
  })

  test('reports a lead, its sale and a refund with Node, and reads the events', async () => {
    const env = await environment()
    await run(process.execPath, ['--input-type=module', '-e', snippet('server')[0]!], { env })
    expect(await saleOf('order_2078')).toMatchObject({ partner_id: link.partnerId, refunded: 1000 })
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', snippet('events')[0]!], { env })
    expect(stdout).toMatch(/lead\.recorded .*\n(.*\n)*sale\.recorded .*\n(.*\n)*sale\.refunded /)
  })

  test('opens a Stripe Checkout that names the click', async () => {
    const { sandbox, stripe } = await connected()
    const { createCheckout } = await moduleOf('checkout')
    const product = await stripe.products.create({ name: 'Workshop' })
    const price = await stripe.prices.create({ product: product.id, currency: 'usd', unit_amount: 4900 })
    const clickId = await aClick()
    const session = await createCheckout!(...([stripe, { price: price.id, clickId }] as never[]))
    expect(session).toMatchObject({ client_reference_id: clickId, metadata: { siso_cid: clickId } })
    expect(await createCheckout!(...([stripe, { price: price.id }] as never[]))).toMatchObject({ client_reference_id: null })
    await sandbox.close()
  })

  test('checks a webhook', async () => {
    const { eventOf } = await moduleOf('webhook')
    const secret = `whsec_${Buffer.from('guide secret of 24 bytes').toString('base64')}`
    const body = JSON.stringify({ id: newId(), type: 'sale.recorded' })
    const at = new Date()
    const headers = {
      'webhook-id': 'x',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('x', at, body),
    }
    expect(eventOf!(...([secret, headers, body] as never[]))).toMatchObject({ type: 'sale.recorded' })
    expect(() => eventOf!(...([secret, headers, `${body} `] as never[]))).toThrow()
  })
})
