// The local SendGrid, spoken to by the real @sendgrid/mail and over plain HTTP.

import mail from '@sendgrid/mail'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { MailView } from './inbox.ts'
import { createMailSandbox, type MailSandbox } from './index.ts'

let sandbox: MailSandbox

beforeAll(async () => {
  sandbox = await createMailSandbox({ clock: { now: () => new Date('2026-11-23T10:00:00Z') } })
})
afterAll(() => sandbox.close())
beforeEach(() => {
  sandbox.reset()
  connect('SG.test')
})

/** The base URL is set after the key, since setApiKey resets it. */
function connect(key: string): typeof mail {
  mail.setApiKey(key)
  const { client } = mail as unknown as { client: { setDefaultRequest(name: string, value: string): void } }
  client.setDefaultRequest('baseUrl', sandbox.url)
  return mail
}

const letter = {
  to: 'ada@example.com',
  from: { email: 'hello@siso.example', name: 'SISO' },
  subject: 'Welcome',
  text: 'Hello Ada',
  html: '<p>Hello Ada</p>',
}

async function inbox(query = ''): Promise<MailView[]> {
  return (await (await fetch(`${sandbox.url}/sandbox/mail${query}`)).json()) as MailView[]
}

async function post(body: unknown, headers: Record<string, string> = { authorization: 'Bearer SG.test' }) {
  const response = await fetch(`${sandbox.url}/v3/mail/send`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as { errors: Array<{ message: string; field: string | null }> } }
}

describe('sending', () => {
  test('a mail is answered with 202 and a message id, and lies in the inbox of its recipient', async () => {
    const [response] = await mail.send(letter)
    expect(response.statusCode).toBe(202)
    expect(response.headers['x-message-id']).toMatch(/^[\w-]{20,}$/)
    expect(await inbox('?to=ADA@example.com')).toMatchObject([
      {
        to: 'ada@example.com',
        from: 'hello@siso.example',
        fromName: 'SISO',
        subject: 'Welcome',
        text: 'Hello Ada',
        html: '<p>Hello Ada</p>',
        at: '2026-11-23T10:00:00.000Z',
      },
    ])
    expect(await inbox('?to=bob@example.com')).toEqual([])
  })

  test('an attachment comes out byte for byte as it went in', async () => {
    const pdf = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff, 0x10])
    await mail.send({
      ...letter,
      attachments: [
        { content: pdf.toString('base64'), filename: 'Terms “signed”.pdf', type: 'application/pdf', disposition: 'attachment' },
      ],
    })
    const [{ attachments }] = (await inbox()) as [MailView]
    expect(attachments).toMatchObject([{ filename: 'Terms “signed”.pdf', type: 'application/pdf', size: 7 }])
    const download = await fetch(attachments[0]!.url)
    expect(download.headers.get('content-type')).toBe('application/pdf')
    expect(Buffer.from(await download.arrayBuffer())).toEqual(pdf)
  })

  test('the newest mail comes first, and every recipient of a personalization gets a copy', async () => {
    await mail.send(letter)
    await mail.send({ ...letter, to: ['bob@example.com', 'cy@example.com'], cc: 'dee@example.com', subject: 'Second' })
    expect((await inbox()).map(({ to, subject }) => `${subject} ${to}`)).toEqual([
      'Second dee@example.com',
      'Second cy@example.com',
      'Second bob@example.com',
      'Welcome ada@example.com',
    ])
  })

  test("SendGrid's own sandbox mode validates and delivers nothing", async () => {
    const [response] = await mail.send({ ...letter, mailSettings: { sandboxMode: { enable: true } } })
    expect(response.statusCode).toBe(200)
    expect(await inbox()).toEqual([])
  })

  test('deleting empties the inbox', async () => {
    await mail.send(letter)
    expect((await fetch(`${sandbox.url}/sandbox/mail`, { method: 'DELETE' })).status).toBe(204)
    expect(await inbox()).toEqual([])
  })
})

describe('refusals', () => {
  test('a wrong key is refused with 401 and SendGrid’s words', async () => {
    await expect(connect('nonsense').send(letter)).rejects.toMatchObject({
      code: 401,
      response: { body: { errors: [{ message: 'The provided authorization grant is invalid, expired, or revoked' }] } },
    })
    expect((await post({}, {})).status).toBe(401)
  })

  const valid = {
    personalizations: [{ to: [{ email: 'ada@example.com' }] }],
    from: { email: 'hello@siso.example' },
    subject: 'Hi',
    content: [{ type: 'text/plain', value: 'Hi' }],
  }
  test.each([
    ['no personalization', { ...valid, personalizations: [] }, 'personalizations'],
    [
      'a recipient that is no address',
      { ...valid, personalizations: [{ to: [{ email: 'ada' }] }] },
      'personalizations.0.to.0.email',
    ],
    [
      'a personalization without recipients',
      { ...valid, personalizations: [{ cc: [{ email: 'ada@example.com' }] }] },
      'personalizations.0.to',
    ],
    [
      'the same recipient twice',
      { ...valid, personalizations: [{ to: [{ email: 'a@b.co' }, { email: 'A@b.co' }] }] },
      'personalizations.0',
    ],
    ['no sender', { ...valid, from: undefined }, 'from.email'],
    ['no subject', { ...valid, subject: '' }, 'subject'],
    ['no content', { ...valid, content: [] }, 'content'],
    ['empty content', { ...valid, content: [{ type: 'text/plain', value: '' }] }, 'content.0.value'],
    [
      'html before text',
      {
        ...valid,
        content: [
          { type: 'text/html', value: 'x' },
          { type: 'text/plain', value: 'x' },
        ],
      },
      'content',
    ],
    [
      'an attachment that is not base64',
      { ...valid, attachments: [{ content: 'not base64!', filename: 'a.txt' }] },
      'attachments.0.content',
    ],
    ['an attachment without a name', { ...valid, attachments: [{ content: 'YQ==' }] }, 'attachments.0.filename'],
    [
      'an attachment with contentId instead of content_id',
      { ...valid, attachments: [{ content: 'YQ==', filename: 'a', contentId: 'x' }] },
      'attachments.0.contentId',
    ],
    ['an unknown field', { ...valid, colour: 'red' }, 'colour'],
  ])('%s is refused with 400 and the field', async (_, body, field) => {
    const answer = await post(body)
    expect(answer.status).toBe(400)
    expect(answer.body.errors.map((error) => error.field)).toContain(field)
    expect(await inbox()).toEqual([])
  })

  test('a sender that is not verified is refused with 403', async () => {
    const strict = await createMailSandbox({ verifiedSenders: ['@siso.example'] })
    try {
      const response = await fetch(`${strict.url}/v3/mail/send`, {
        method: 'POST',
        headers: { authorization: 'Bearer SG.test', 'content-type': 'application/json' },
        body: JSON.stringify({ ...valid, from: { email: 'eve@other.example' } }),
      })
      expect(response.status).toBe(403)
    } finally {
      await strict.close()
    }
  })
})

describe('faults', () => {
  const arm = (fault: object) =>
    fetch(`${sandbox.url}/sandbox/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fault),
    })

  test.each([429, 500])('a fault of %i is answered once and nothing is delivered', async (status) => {
    await arm({ match: 'POST /v3/mail/send', kind: 'status', status })
    await expect(mail.send(letter)).rejects.toMatchObject({ code: status })
    expect(await inbox()).toEqual([])
    await mail.send(letter)
    expect(await inbox()).toHaveLength(1)
  })

  test('a time-out after the mail was taken looks like an error although it was delivered', async () => {
    await arm({ match: '*', kind: 'timeout_after_apply' })
    await expect(mail.send(letter)).rejects.toThrow()
    expect(await inbox()).toHaveLength(1)
  })

  test('a fault that makes no sense is refused with a sentence', async () => {
    const response = await arm({ match: '*', kind: 'explode' })
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: string }).error).toContain('kind')
  })
})

describe('the inbox page', () => {
  test('shows the mail in a sandboxed frame, with hostile text escaped outside it', async () => {
    await mail.send({ ...letter, subject: '<script>alert(1)</script>', html: '<script>alert(2)</script><p>Hi</p>' })
    const [{ id }] = (await inbox()) as [MailView]
    const shell = await (await fetch(`${sandbox.url}/mail?id=${id}`)).text()
    expect(shell).not.toContain('<script>')
    expect(shell).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"')
    const frame = await fetch(`${sandbox.url}/mail/${id}/body`)
    expect(frame.headers.get('content-security-policy')).toMatch(/^sandbox allow-popups/)
    expect(frame.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  test('links in a plain text mail can be followed', async () => {
    await mail.send({ to: letter.to, from: letter.from, subject: 'Verify', text: 'Open https://siso.example/verify?t=1&x=2 now' })
    const [{ id }] = (await inbox()) as [MailView]
    const body = await (await fetch(`${sandbox.url}/mail/${id}/body`)).text()
    expect(body).toContain('<a href="https://siso.example/verify?t=1&#38;x=2"')
  })
})
