// What no honest visitor sends, over real connections: a friendly page or a clear refusal, never an error of ours, never a redirect elsewhere.
import { type AddressInfo, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestHouse, testHouse } from '../../app/testing.ts'
import { browser, linkPlugins, linksIn, type TestLink, target } from './testing.ts'

const shop = 'shop.example.com'

let house: TestHouse
let at: ReturnType<typeof linksIn>
let link: TestLink
let port: number
beforeAll(async () => {
  house = await testHouse(linkPlugins)
  await house.set('links', 'landingPage', `https://${shop}/start`)
  at = linksIn(house)
  link = await at.aLink()
  await house.app.listen({ host: '127.0.0.1', port: 0 })
  port = (house.app.server.address() as AddressInfo).port
})
afterAll(() => house.close())

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
  readonly location: string | undefined
}

/** Sends the bytes as they are and reads until the server closes. */
async function say(bytes: string | Buffer): Promise<Answer> {
  const socket = connect({ port, host: '127.0.0.1' })
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => {})
  socket.write(bytes)
  await new Promise((resolve) => socket.on('close', resolve))
  const text = Buffer.concat(chunks).toString('latin1')
  const [head = '', ...rest] = text.split('\r\n\r\n')
  return { status: Number(head.slice(9, 12)), head, body: rest.join('\r\n\r\n'), location: /^location: (.*)$/im.exec(head)?.[1] }
}

interface Sending {
  readonly method?: string
  readonly headers?: string
  readonly host?: string
  readonly version?: string
}
const get = (path: string, { method = 'GET', headers = '', host = 'go.test', version = '1.1' }: Sending = {}) =>
  Buffer.from(
    `${method} ${path} HTTP/${version}\r\nHost: ${host}\r\nUser-Agent: ${browser}\r\nAccept: text/html\r\nConnection: close\r\n${headers}\r\n`,
    'latin1',
  )

/** Whatever happened, nobody was led elsewhere and nothing was smuggled into the answer. */
function expectHonest(answer: Answer): void {
  expect(answer.status, answer.head).toBeGreaterThanOrEqual(200)
  expect(answer.status, answer.head).toBeLessThan(500)
  if (answer.location !== undefined) expect(new URL(answer.location).host, answer.head).toBe(shop)
  expect(answer.head.match(/^location:/gim)?.length ?? 0).toBeLessThanOrEqual(1)
  expect(answer.head.toLowerCase()).not.toMatch(/^x-smuggled/m)
  expect(answer.body).not.toMatch(/\n\s+at |node_modules|\/plugins\//)
}

describe('a path', () => {
  const there = (path: string) => path.replace('CODE', link.code)
  test.each([
    ['that climbs', '/r/../../etc/passwd', 404],
    ['that climbs in escapes', '/r/..%2f..%2f..%2fetc%2fpasswd', 404],
    ['that climbs in double escapes', '/r/%252e%252e%252fetc', 404],
    ['that climbs behind a code', '/r/CODE/../../admin', 404],
    ['that stays', '/r/./CODE', 404],
    ['with two slashes', '/r//CODE', 404],
    ['that begins with two slashes', '//evil.test/r/CODE', 404],
    ['of another site behind a backslash', '/r/\\\\evil.test', 404],
    ['of another site', '/r/https://evil.test/', 404],
    ['of another site in escapes', '/r/https%3A%2F%2Fevil.test', 404],
    ['with a null byte', '/r/CODE%00', 404],
    ['with a null byte and an ending', '/r/CODE%00.html', 404],
    ['with a line break', '/r/CODE%0d%0aX-Smuggled:%20yes', 404],
    ['with a parameter of its own', '/r/CODE;id=1', 404],
    ['with a space', '/r/CODE%20', 404],
    ['with a script', '/r/%3Cscript%3Ealert(1)%3C/script%3E', 404],
    ['with letters that look alike', '/r/%EF%BC%A3%EF%BC%AF', 404],
    ['with a mark that is not seen', '/r/CODE%E2%80%8B', 404],
    ['that is very long', `/r/${'a'.repeat(9000)}`, 404],
    ['with many parts', `/r/${'a/'.repeat(3000)}`, 404],
    ['of a code with a slash behind it', '/r/CODE/', 302],
    ['of a code in escapes', '/r/%43ODE', 404],
  ])('%s', async (_, path, status) => {
    const answer = await say(get(there(path)))
    expectHonest(answer)
    expect(answer.status).toBe(status)
    if (status === 404) expect(answer.body).toMatch(/This link leads nowhere|There is nothing at this address/)
  })

  test.each([
    ['a byte that is no letter', '/r/%FF'],
    ['half a letter', '/r/%E2%82'],
    ['a letter that is too long', '/r/%C0%AF'],
    ['half an escape', '/r/%'],
    ['an escape that is none', '/r/%zz'],
    ['an escape of another kind', '/r/%u0041'],
    ['raw bytes that are no letters', '/r/\xff\xfe'],
    ['raw letters', '/r/k\xc3\xb6ln'],
  ])('with %s is refused clearly', async (_, path) => {
    const answer = await say(get(path))
    expectHonest(answer)
    expect([400, 404]).toContain(answer.status)
  })

  test('that names the whole address leads on by its path alone', async () => {
    const answer = await say(get(`http://evil.test${link.path}`))
    expectHonest(answer)
  })
})

describe('a parameter', () => {
  const names =
    'url uri u next to go goto target dest destination redirect redirect_uri redirect_url return returnTo return_url continue callback page landing landingPage link href r ref via siso_cid code domain host path out view image src data q'
  test.each([
    'https://evil.test/',
    '//evil.test/',
    '/\\evil.test',
    'https:evil.test',
    'javascript:alert(1)',
    'data:text/html,x',
    `https://${shop}@evil.test/`,
    `https://${shop}.evil.test/`,
    '%0d%0aLocation:%20https://evil.test',
  ])('of any name that says %s changes nothing', async (value) => {
    const text = value.includes('%') ? value : encodeURIComponent(value)
    const query = names
      .split(' ')
      .map((name) => `${name}=${text}`)
      .join('&')
    const answer = await say(get(`${link.path}?${query}`))
    expectHonest(answer)
    expect(answer.status).toBe(302)
    const to = new URL(answer.location!)
    expect([to.host, to.pathname, to.searchParams.size]).toEqual([shop, '/start', 1])
    expect(to.searchParams.get('siso_cid')).toMatch(/^[\da-f-]{36}$/)
  })

  test.each([
    ['a line break', 'sub1=a%0d%0aX-Smuggled:%20yes', 'aX-Smuggled: yes'],
    ['a null byte', 'sub1=a%00b', 'ab'],
    ['bytes that are no letters', 'sub1=%FF%FE', null],
    ['half a letter', 'sub1=%E2%82', null],
    ['a markup', 'sub1=%22%3E%3Cscript%3E', '"><script>'],
    ['other parameters', 'sub1=a%26siso_cid%3Dmine%23x', 'a&siso_cid=mine#x'],
    ['half a pair of letters', `sub1=${'x'.repeat(99)}%F0%9F%98%80`, `${'x'.repeat(99)}\ufffd`],
    ['two values', 'sub1=a&sub1=b', null],
    ['a list', 'sub1[]=a', null],
    ['a prototype', '__proto__[sub1]=a&constructor=b', null],
  ])('sub1 with %s arrives as what it says or not at all', async (_, query, arrived) => {
    const answer = await say(get(`${link.path}?${query}`))
    expectHonest(answer)
    expect(answer.status).toBe(302)
    const to = new URL(answer.location!)
    const said = to.searchParams.get('sub1')
    if (arrived === null) expect(said ?? '').not.toMatch(/[\r\n\0]/)
    else expect(said).toBe(arrived)
    expect(to.searchParams.getAll('siso_cid').length).toBe(1)
    expect(to.hash).toBe('')
  })

  test.each([
    ['10 kB', `?${'q=1&'.repeat(2500)}`, 302],
    ['10 kB in one value', `?sub1=${'x'.repeat(10_000)}`, 302],
    ['100 kB', `?${'q=1&'.repeat(25_000)}`, 431],
    ['a thousand question marks', '?'.repeat(1000), 302],
  ])('list of %s', async (_, query, status) => {
    const answer = await say(get(link.path + query))
    expectHonest(answer)
    expect(answer.status).toBe(status)
  })
})

describe('headers', () => {
  test.each([
    ['a host of another site', { host: 'evil.test' }, 302],
    ['a host that is none', { host: 'a b"><script>' }, 302],
    [
      'a forwarded host',
      { headers: 'X-Forwarded-Host: evil.test\r\nX-Forwarded-Proto: javascript\r\nForwarded: host=evil.test\r\n' },
      302,
    ],
    ['another address for the path', { headers: 'X-Original-URL: /admin\r\nX-Rewrite-URL: https://evil.test/\r\n' }, 302],
    ['addresses that are none', { headers: `X-Forwarded-For: ${'x, '.repeat(500)}\r\n` }, 302],
    ['a cookie of 4 kB', { headers: `Cookie: siso_cid=${'x'.repeat(4000)}\r\n` }, 302],
    [
      'a cookie that is no click',
      { headers: 'Cookie: siso_cid=00000000-0000-0000-0000-000000000000; siso_cid="\xff\xfe"\r\n' },
      302,
    ],
    ['bytes that are no letters', { headers: 'Referer: https://\xff\xfe/\r\nSec-Purpose: \xff\r\n' }, 302],
    [
      'a referring page with everything in it',
      { headers: `Referer: https://a:b@${'x'.repeat(200)}.test\\@evil.test/%00?"'\r\n` },
      302,
    ],
    ['two hundred of them', { headers: Array.from({ length: 200 }, (_, i) => `A${i}: b\r\n`).join('') }, 302],
    ['three thousand of them', { headers: Array.from({ length: 3000 }, (_, i) => `A${i}: b\r\n`).join('') }, 431],
    ['100 kB in one of them', { headers: `X: ${'y'.repeat(100_000)}\r\n` }, 431],
    ['a null byte', { headers: 'X: a\0b\r\n' }, 400],
    ['a broken line', { headers: 'X a\r\n' }, 400],
    ['two lengths', { headers: 'Content-Length: 4\r\nContent-Length: 5\r\n' }, 400],
    ['a length and chunks', { headers: 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n' }, 400],
    ['a wish for another protocol', { headers: 'Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n' }, 302],
  ] satisfies [string, Sending, number][])('with %s', async (_, sending, status) => {
    const answer = await say(get(link.path, sending))
    expectHonest(answer)
    expect(answer.status).toBe(status)
  })

  test('that are missing altogether are a clear refusal, or what an old program may leave out', async () => {
    expect((await say(`GET ${link.path} HTTP/1.1\r\nConnection: close\r\n\r\n`)).status).toBe(400)
    const old = await say(`GET ${link.path} HTTP/1.0\r\n\r\n`)
    expectHonest(old)
    expect(old.status).toBe(302)
  })
})

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'NONSENSE'])(
  'the method %s follows no link',
  async (method) => {
    const answer = await say(get(link.path, { method, headers: 'Content-Length: 0\r\n' }))
    expectHonest(answer)
    expect(answer.location).toBeUndefined()
    expect(answer.status).toBeGreaterThanOrEqual(400)
  },
)

test.each([
  ['nonsense', 'nonsense\r\n\r\n'],
  ['another protocol', Buffer.from('16030102000100', 'hex')],
  ['only line breaks', '\r\n\r\n\r\n'.repeat(10)],
  ['no version', 'GET /\r\n\r\n'],
])('%s in place of a request is refused, and the server goes on', async (_, bytes) => {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  socket.end(bytes)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  await new Promise((resolve) => socket.on('close', resolve))
  expect(text.slice(9, 12)).toMatch(/^(400|)$/)
  expect((await say(get(link.path))).status).toBe(302)
})

describe('a destination that got past every check before', () => {
  beforeAll(() => house.connection.sql`alter table links_links drop constraint links_links_destination_check`)
  beforeEach(() =>
    house.set('links', 'allowedHosts', [
      '10.0.0.5',
      '127.0.0.1',
      '169.254.169.254',
      '192.168.1.1:8443',
      'intranet',
      'wiki.corp',
      'localhost:9000',
    ]),
  )
  test.each([
    ['a script', 'javascript:alert(1)'],
    ['a script in disguise', ' java\tscript:alert(1)'],
    ['data', 'data:text/html,<script>alert(1)</script>'],
    ['a file', 'file:///etc/passwd'],
    ['no scheme', '//evil.test/'],
    ['another site', 'https://evil.test/'],
    ['another site behind a name', `https://${shop}@evil.test/`],
    ['a site that only begins alike', `https://${shop}.evil.test/`],
    ['plain http', `http://${shop}/`],
    ['nothing', ''],
    ['a private address', 'https://10.0.0.5/'],
    ['a private address as one number', 'https://167772165/'],
    ['a private address with a port', 'https://192.168.1.1:8443/'],
    ['this machine', 'https://127.0.0.1/'],
    ['this machine as a number of another kind', 'https://0x7f.1/'],
    ['this machine by name', 'http://localhost:9000/'],
    ['the cloud’s own address', 'https://169.254.169.254/latest/meta-data'],
    ['a name without dots', 'https://intranet/'],
    ['a name of a private network', 'https://wiki.corp/'],
  ])('such as %s is not followed: the visitor lands on the landing page', async (_, destination) => {
    const bad = await at.aLink()
    await house.connection.sql`update links_links set destination = ${destination} where id = ${bad.id}`
    const answer = await say(get(bad.path))
    expectHonest(answer)
    expect(answer.location).toMatch(`https://${shop}/start?siso_cid=`)
  })

  test('with a line break loses the line break', async () => {
    const bad = await at.aLink()
    await house.connection
      .sql`update links_links set destination = ${`https://${shop}/a\r\nX-Smuggled: yes\r\n\r\n<html>`} where id = ${bad.id}`
    const answer = await say(get(bad.path))
    expectHonest(answer)
    expect([answer.status, answer.body]).toEqual([302, ''])
  })

  test('is followed into a private network when the program says so', async () => {
    await house.set('links', 'privateAddresses', true)
    const inside = await at.aLink({ destination: 'https://10.0.0.5/' })
    expect(target(await at.visit(inside.path)).host).toBe('10.0.0.5')
    await house.set('links', 'privateAddresses', false)
  })
})
