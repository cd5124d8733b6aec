// Calls Discord's REST API with the signed-in person's token, waits out rate limits, and turns refusals into RestError.

import { state } from './store.js'

/** A refusal by Discord: `code` and `message` are the API's own, `status` the HTTP status. */
export class RestError extends Error {
  /**
   * @param {number} status
   * @param {{ code?: number, message?: string, errors?: unknown }} body
   */
  constructor(status, body) {
    super(firstReason(body.errors) ?? body.message ?? `The request failed with status ${status}.`)
    this.status = status
    this.code = body.code ?? 0
  }
}

/**
 * @param {'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} method
 * @param {string} path below /api/v9
 * @param {unknown} [body] sent as JSON, beside `files` as multipart payload_json
 * @param {File[]} [files]
 * @returns {Promise<any>} the parsed answer, undefined for 204
 */
export async function rest(method, path, body, files = []) {
  const token = state.token
  for (let attempt = 0; ; attempt += 1) {
    const response = await fetch(state.config.api + path, {
      method,
      headers: headers(token, body, files),
      body: encode(body, files),
    })
    if (response.status === 429 && attempt < 5) {
      const { retry_after: seconds = 1 } = await response.json()
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      continue
    }
    if (response.status === 204) return undefined
    const answer = await response.json().catch(() => ({}))
    if (!response.ok) throw new RestError(response.status, answer)
    return answer
  }
}

/**
 * Calls one of the sandbox's control endpoints.
 * @param {'GET' | 'POST' | 'PUT'} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function control(method, path, body) {
  const response = await fetch(state.config.control + path, { method, headers: headers(null, body, []), body: encode(body, []) })
  const answer = await response.json().catch(() => ({}))
  if (!response.ok) throw new RestError(response.status, answer)
  return answer
}

/**
 * @param {string | null} token
 * @param {unknown} body
 * @param {File[]} files
 */
function headers(token, body, files) {
  /** @type {Record<string, string>} */
  const fields = {}
  if (token !== null) fields.authorization = token
  if (body !== undefined && files.length === 0) fields['content-type'] = 'application/json'
  return fields
}

/**
 * @param {unknown} body
 * @param {File[]} files
 */
function encode(body, files) {
  if (files.length === 0) return body === undefined ? undefined : JSON.stringify(body)
  const form = new FormData()
  form.append('payload_json', JSON.stringify(body ?? {}))
  for (const [index, file] of files.entries()) form.append(`files[${index}]`, file, file.name)
  return form
}

/**
 * The first message inside Discord's nested `errors` object.
 * @param {unknown} errors
 * @returns {string | undefined}
 */
function firstReason(errors) {
  if (typeof errors !== 'object' || errors === null) return undefined
  if ('_errors' in errors && Array.isArray(errors._errors)) return errors._errors[0]?.message
  for (const value of Object.values(errors)) {
    const reason = firstReason(value)
    if (reason !== undefined) return reason
  }
  return undefined
}
