// A local SendGrid with an inbox: takes mail over SendGrid's v3 API and keeps it for people (/mail) and tests (/sandbox/mail). Nothing is sent.

import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { createFaults, dropConnection, type Fault, faultRoutes, sleep } from '../vendor/faults.ts'
import { inboxPage, type MailView, mailBody, type StoredMail } from './inbox.ts'
import { type OutgoingMail, readMessage, type SendGridError } from './message.ts'

export interface MailSandboxOptions {
  /** 0 (the default) takes a free port. */
  port?: number
  host?: string
  clock?: { now(): Date }
  /** Address at which a browser reaches attachments, when it is not the server's own. */
  publicUrl?: string
  /** Keys that are accepted. Without it every `SG.…` is. */
  apiKeys?: readonly string[]
  /** Senders (addresses or `@domains`) that are verified. Without it everybody is. */
  verifiedSenders?: readonly string[]
}

const MAX_BYTES = 30 * 1024 * 1024
const KEPT = 2000

/** Starts a local SendGrid. */
export async function createMailSandbox(options: MailSandboxOptions = {}) {
  const { port = 0, host = '127.0.0.1', clock = { now: () => new Date() } } = options
  const app = Fastify({ logger: false, bodyLimit: MAX_BYTES, forceCloseConnections: true })
  const faults = createFaults()
  const mails: StoredMail[] = []
  let publicUrl = ''
  let sequence = 0

  function accept(outgoing: readonly OutgoingMail[], messageId: string): void {
    for (const mail of outgoing) mails.unshift({ ...mail, id: `mail_${++sequence}`, messageId, at: clock.now().toISOString() })
    mails.length = Math.min(mails.length, KEPT)
  }
  function view(mail: StoredMail): MailView {
    const { messageId: _, attachments, ...rest } = mail
    return {
      ...rest,
      attachments: attachments.map(({ filename, type, size }, index) => ({
        filename,
        type,
        size,
        url: `${publicUrl}/sandbox/mail/${mail.id}/attachments/${index}`,
      })),
    }
  }
  /** The inbox of one address, or of everybody, newest first. */
  function inbox(to?: string): MailView[] {
    return mails.filter((mail) => to === undefined || mail.to.toLowerCase() === to.toLowerCase()).map(view)
  }

  sendGridRoutes(app, { options, faults, accept })
  faultRoutes(app, faults)
  inboxRoutes(app, { mails, view, inbox })
  await app.listen({ port, host })
  const address = app.server.address() as AddressInfo
  const url = `http://${host}:${address.port}`
  publicUrl = (options.publicUrl ?? url).replace(/\/$/, '')

  return {
    /** `http://127.0.0.1:PORT`, for `client.setDefaultRequest('baseUrl', url)`. */
    url,
    host,
    port: address.port,
    faults,
    inbox,
    /** Forgets every mail and fault. */
    reset(): void {
      mails.length = 0
      faults.clear()
    },
    close: (): Promise<void> => app.close(),
  }
}

export type MailSandbox = Awaited<ReturnType<typeof createMailSandbox>>

interface SendParts {
  options: MailSandboxOptions
  faults: ReturnType<typeof createFaults>
  accept: (mails: readonly OutgoingMail[], messageId: string) => void
}

/** SendGrid's own routes. */
function sendGridRoutes(app: FastifyInstance, { options, faults, accept }: SendParts): void {
  const refuse = (reply: FastifyReply, status: number, errors: readonly SendGridError[]) => reply.code(status).send({ errors })
  const plain = (message: string): SendGridError[] => [{ message, field: null, help: null }]

  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) console.error(error)
    return refuse(
      reply,
      status,
      plain(
        status === 413
          ? 'The content is too large: a mail may have at most 30 MB.'
          : status === 400
            ? 'Bad Request'
            : error.message,
      ),
    )
  })
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, plain('not found')))
  app.post('/v3/mail/send', async (request, reply) => {
    const fault = faults.take('POST', '/v3/mail/send')
    if (fault && (await actBefore(fault, request, reply))) return reply
    const problem = authorizationProblem(request, options.apiKeys)
    if (problem) return refuse(reply, 401, plain(problem))
    if (fault?.kind === 'status')
      return refuse(
        reply.headers(fault.status === 429 ? { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' } : {}),
        fault.status,
        plain(fault.status === 429 ? 'too many requests' : 'Internal Server Error'),
      )
    const reading = readMessage(request.body)
    if (!reading.ok) return refuse(reply, 400, reading.errors)
    const unverified = reading.mails.find((mail) => !isVerified(mail.from, options.verifiedSenders))
    if (unverified)
      return refuse(reply, 403, [
        {
          message:
            'The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements',
          field: 'from',
          help: null,
        },
      ])
    const messageId = randomBytes(16).toString('base64url')
    if (reading.sandboxMode) return reply.code(200).send()
    accept(reading.mails, messageId)
    if (fault?.kind === 'delay') await sleep(fault.ms)
    if (fault?.kind === 'timeout_after_apply') {
      await sleep(fault.ms)
      dropConnection(request, reply)
      return reply
    }
    return reply.code(202).header('x-message-id', messageId).send()
  })
}

/** Acts on faults that come before the request is handled; true when the connection is gone. */
async function actBefore(fault: Fault, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  if (fault.kind === 'status' || fault.kind === 'timeout_before_apply') await sleep(fault.ms)
  if (fault.kind !== 'timeout_before_apply') return false
  dropConnection(request, reply)
  return true
}

function authorizationProblem(request: FastifyRequest, apiKeys: readonly string[] | undefined): string | undefined {
  const match = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')
  if (!match) return 'Permission denied, wrong credentials'
  const accepted = apiKeys ? apiKeys.includes(match[1]!) : match[1]!.startsWith('SG.')
  return accepted ? undefined : 'The provided authorization grant is invalid, expired, or revoked'
}

function isVerified(from: string, senders: readonly string[] | undefined): boolean {
  return (
    !senders ||
    senders.some((sender) =>
      sender.startsWith('@') ? from.toLowerCase().endsWith(sender.toLowerCase()) : from.toLowerCase() === sender.toLowerCase(),
    )
  )
}

interface InboxParts {
  mails: StoredMail[]
  view: (mail: StoredMail) => MailView
  inbox: (to?: string) => MailView[]
}

/** The inbox for tests (/sandbox/mail) and for people (/mail). */
function inboxRoutes(app: FastifyInstance, { mails, view, inbox }: InboxParts): void {
  const find = (id: string) => mails.find((mail) => mail.id === id)
  const absent = (reply: FastifyReply) => reply.code(404).send({ error: 'There is no such mail.' })

  app.get<{ Querystring: { to?: string } }>('/sandbox/mail', async (request) => inbox(request.query.to))
  app.get<{ Params: { id: string } }>('/sandbox/mail/:id', async (request, reply) => {
    const mail = find(request.params.id)
    return mail ? view(mail) : absent(reply)
  })
  app.delete('/sandbox/mail', async (_request, reply) => {
    mails.length = 0
    return reply.code(204).send()
  })
  app.get<{ Params: { id: string; index: string } }>('/sandbox/mail/:id/attachments/:index', async (request, reply) => {
    const attachment = find(request.params.id)?.attachments[Number(request.params.index)]
    if (!attachment) return absent(reply)
    const name = encodeURIComponent(attachment.filename)
    return reply
      .header('content-type', /^[\w.+-]+\/[\w.+-]+$/.test(attachment.type) ? attachment.type : 'application/octet-stream')
      .header('content-disposition', `${attachment.disposition}; filename*=UTF-8''${name}`)
      .header('content-security-policy', "sandbox; default-src 'none'")
      .header('x-content-type-options', 'nosniff')
      .send(attachment.content)
  })

  app.get('/', async (_request, reply) => reply.redirect('/mail', 302))
  app.get<{ Querystring: { id?: string; to?: string } }>('/mail', async (request, reply) => {
    const { id, to } = request.query
    const list = inbox(to || undefined)
    const open = id === undefined ? undefined : list.find((mail) => mail.id === id)
    return reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(inboxPage(list, open, to))
  })
  app.get<{ Params: { id: string } }>('/mail/:id/body', async (request, reply) => {
    const mail = find(request.params.id)
    if (!mail) return absent(reply)
    return reply
      .header('content-type', 'text/html; charset=utf-8')
      .header(
        'content-security-policy',
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src * data:; style-src 'unsafe-inline'; font-src *",
      )
      .send(mailBody(mail))
  })
}
