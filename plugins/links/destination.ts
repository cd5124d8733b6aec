// Where a link leads: which addresses may be destinations, and the address that a visitor is sent to. Pure.

const longestDestination = 2000
const longestSub = 100
const subNames = ['sub1', 'sub2', 'sub3', 'sub4', 'sub5'] as const

/** An https address without credentials; http only on this machine, where there is no certificate to be had. */
export function isDestination(text: string): boolean {
  const url = URL.parse(text)
  if (!url || url.href.length > longestDestination || url.username || url.password) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
}

/** Whether the program lets links lead there: to the landing page's host or one of `allowedHosts`. */
export function isAllowed(destination: string, rule: { landingPage: string; allowedHosts: readonly string[] }): boolean {
  if (!isDestination(destination)) return false
  const { host } = new URL(destination)
  return host === new URL(rule.landingPage).host || rule.allowedHosts.includes(host)
}

/** The parameters sub1 … sub5 of a request, at most 100 characters each, without control characters; undefined when there are none. */
export function subsOf(query: Readonly<Record<string, unknown>>): Record<string, string> | undefined {
  const found = subNames.flatMap((name) => {
    const value = query[name]
    const text =
      typeof value === 'string'
        ? value
            .toWellFormed()
            .replace(/\p{Cc}/gu, '')
            .trim()
            .slice(0, longestSub)
            .toWellFormed()
        : ''
    return text ? [[name, text] as const] : []
  })
  return found.length > 0 ? Object.fromEntries(found) : undefined
}

/** A destination that is read once and then sent to many. */
export interface Destination {
  /** The address with parameters added; its own query and fragment stay as they were written, and its own parameters win. */
  with(parameters: Readonly<Record<string, string>>): string
}

/** `address` must be a destination by `isDestination`. What `with` gives is plain ASCII, fit for a header. */
export function destinationOf(address: string): Destination {
  const url = new URL(address)
  const own = new Set(url.searchParams.keys())
  const { search, hash } = url
  url.search = ''
  url.hash = ''
  const start = `${url.href}${search || '?'}`
  const plain = `${url.href}${search}${hash}`
  return {
    with: (parameters) => {
      let added = ''
      for (const name in parameters)
        if (!own.has(name))
          added += `${added || search ? '&' : ''}${name}=${encodeURIComponent(parameters[name]!).replaceAll("'", '%27')}`
      return added ? start + added + hash : plain
    },
  }
}
