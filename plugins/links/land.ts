// A visitor who comes to a page of the company's with a link's code in its address, instead of through the redirect.
import type { Follow } from './follow.ts'
import type { Links } from './public.ts'

/** Whoever calls has the visitor's consent. What is passed on is what recognises the visitor, and nothing else that the page's request carries. */
export function createLand(follow: Follow): Links['land'] {
  return async (programId, code, { ip, headers }) => {
    const { 'user-agent': userAgent, cookie } = headers
    const visitor = { method: 'GET', headers: { 'user-agent': userAgent, cookie }, query: { siso_consent: '1' }, ip }
    const followed = await follow(code, visitor, [programId])
    return (followed.state === 'sent' && followed.cookie?.value) || undefined
  }
}
