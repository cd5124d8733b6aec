// For tests of the public API: a program of the company that calls it with a key.
import type { LightMyRequestResponse } from 'fastify'
import { type TestHouse, type Visitor, wordsOf } from '../../app/testing.ts'
import { newId } from '../kit/index.ts'

export const admin = { isAdmin: true, userId: '300000000000000001' }

export interface ApiCaller {
  readonly key: string
  get(url: string): Promise<LightMyRequestResponse>
  /** With an Idempotency-Key of its own, unless one is given. */
  post(url: string, body: object, headers?: Record<string, string>): Promise<LightMyRequestResponse>
}

/** Makes a key as an admin does, and calls with it. */
export async function callerIn(house: TestHouse, scopes: string, visitor: Visitor = admin): Promise<ApiCaller> {
  const answer = await house.run('admin-api keys create', { name: 'Shop', scopes, per_minute: 100_000 }, visitor)
  const key = /siso_key_[\w-]{43}/.exec(wordsOf(answer))![0]
  const authorization = `Bearer ${key}`
  return {
    key,
    get: (url) => house.app.inject({ url, headers: { authorization } }),
    post: (url, body, headers = {}) =>
      house.app.inject({
        method: 'POST',
        url,
        payload: body,
        headers: { authorization, 'idempotency-key': newId(), ...headers },
      }),
  }
}
