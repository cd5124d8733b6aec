// One way to tell an error: problem+json (RFC 9457) for programs, a friendly page for people. Bugs show an id that is also in the log, and nothing else.
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { UserError } from '../plugins/kit/errors.ts'
import { html, page } from '../plugins/kit/html.ts'

interface Problem {
  status: number
  code: string
  detail: string
  errors?: Issue[]
}

/** What is wrong with one part of a request; one of the three says which. */
interface Issue {
  detail: string
  /** Where in the body, as a JSON pointer in fragment form: `#/customer/email`. */
  pointer?: string
  parameter?: string
  header?: string
}

export function sendProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500) request.log.error({ err: error, id: request.id, route: request.routeOptions.url }, 'a request failed')
  return send(problem, request, reply)
}

export function sendUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(unknownAddress, request, reply)
}

const unknownAddress: Problem = {
  status: 404,
  code: 'not_found',
  detail: 'There is nothing at this address. Check the link you followed, or ask whoever sent it.',
}
/** What the router itself cannot read: a broken escape, or a part that is longer than any of ours. Mostly a link that was damaged on its way. */
const unreadableAddress = new Set(['FST_ERR_BAD_URL', 'FST_ERR_MAX_PARAM_LENGTH'])

function toProblem(error: FastifyError): Problem {
  if (error instanceof UserError) return { status: error.status, code: error.code, detail: error.message }
  if (hasZodFastifySchemaValidationErrors(error))
    return {
      // A body that is well-formed but wrong is a 422; everything else about a request that is wrong is a 400.
      status: error.validationContext === 'body' ? 422 : 400,
      code: 'invalid_request',
      detail: 'Some of what was sent is not as expected.',
      errors: error.validation.map((issue) => toIssue(issue.instancePath, issue.message ?? 'invalid', error.validationContext)),
    }
  if (unreadableAddress.has(error.code)) return unknownAddress
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500)
    return {
      status,
      ...(known[error.code] ?? { code: (error.code ?? 'refused').toLowerCase(), detail: error.message }),
      ...(status === 429 && { code: 'too_many_requests', detail: 'Too many requests. Wait a minute, then try again.' }),
    }
  return {
    status: 500,
    code: 'internal_error',
    detail: 'Something went wrong on our side. It was recorded; please try again in a moment.',
  }
}

/** Refusals of the framework, in our words. */
const known: Readonly<Record<string, { code: string; detail: string }>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'A body of this kind is not read here. Send JSON, with the header Content-Type: application/json.',
  },
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body_too_large', detail: 'The body is larger than is read here. Send less at once.' },
}

function toIssue(path: string, detail: string, context: FastifyError['validationContext']): Issue {
  if (context === 'body') return { pointer: path === '/' ? '#' : `#${path}`, detail }
  const name = path.replace(/^\//, '')
  return context === 'headers' ? { header: name, detail } : { parameter: name, detail }
}

function send(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.status(problem.status)
  if (prefersPage(request))
    return reply.type('text/html; charset=utf-8').send(
      page({
        title: problem.status === 404 ? 'Nothing here' : problem.status >= 500 ? 'That did not work' : 'That cannot be done',
        body: html`<p>${problem.detail}</p>${problem.errors?.map((issue) => html`<p class="soft">${issue.pointer ?? issue.parameter ?? issue.header}: ${issue.detail}</p>`)}
<p class="soft">Reference: <code>${request.id}</code></p>`,
      }),
    )
  return reply.type('application/problem+json').send(
    JSON.stringify({
      type: 'about:blank',
      title: STATUS_CODES[problem.status] ?? 'Error',
      status: problem.status,
      detail: problem.detail,
      code: problem.code,
      instance: request.id,
      ...(problem.errors && { errors: problem.errors }),
    }),
  )
}

function prefersPage(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? ''
  return accept.includes('text/html') && !request.url.startsWith('/v1/')
}
