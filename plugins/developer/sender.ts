// Sends one webhook over HTTP: within ten seconds, to public addresses only, following no redirect, reading hardly anything of the answer.
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { isPublicAddress } from '../kit/index.ts'
import { ForbiddenAddress, publicLookup } from './lookup.ts'

export interface Sent {
  /** 2xx. */
  readonly ok: boolean
  readonly status: number | undefined
  /** For people: the status, or what went wrong. */
  readonly result: string
}

export type Send = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Sent>

const timeoutMs = 10_000
/** Of an answer no more than this is read. */
const mostAnswer = 1024

/** `allowPrivate`: also to addresses of private networks, and without TLS. It never throws. */
export function createSender({ allowPrivate }: { allowPrivate: boolean }): Send {
  return async (url, headers, body) => {
    try {
      const status = await post(new URL(url), headers, body, allowPrivate)
      const ok = status >= 200 && status < 300
      return { ok, status, result: status >= 300 && status < 400 ? `${status}: redirects are not followed` : String(status) }
    } catch (error) {
      return { ok: false, status: undefined, result: reasonOf(error) }
    }
  }
}

function post(url: URL, headers: Readonly<Record<string, string>>, body: string, allowPrivate: boolean): Promise<number> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  // The connection looks nothing up for a host that is an address already.
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) return Promise.reject(new ForbiddenAddress())
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'http:' ? requestHttp : requestHttps)(
      url,
      {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
        ...(!allowPrivate && { lookup: publicLookup as never }),
      },
      (answer) => {
        let read = 0
        const done = () => {
          answer.destroy()
          resolve(answer.statusCode!)
        }
        answer.on('data', (part: Buffer) => {
          read += part.length
          if (read > mostAnswer) done()
        })
        answer.on('end', done)
        // The status came; whatever else was to come does not matter.
        answer.on('error', done)
      },
    )
    request.on('error', reject)
    // Whatever ends the request without an answer, as one that would switch to another protocol does, must end the wait, too.
    request.on('close', () => reject(new Error('the connection was closed without an answer')))
    request.end(body)
  })
}

function reasonOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer within 10 seconds'
  if (error instanceof ForbiddenAddress) return message
  return (
    { ENOTFOUND: 'the host is not known', ECONNREFUSED: 'the connection was refused' }[code ?? ''] ??
    (code || message).slice(0, 200)
  )
}
