// A landing page: a name for an address, in which what is known of a link may have its place. Pure.
import { UserError } from '../../kit/index.ts'
import { type HostRule, isAllowed, isDestination, withoutClickId } from '../destination.ts'

export interface LandingPage {
  readonly id: string
  readonly name: string
  /** With {code}, {campaign} and {industry} where those of a link go. */
  readonly address: string
  /** Whether partners may choose it for a link themselves. */
  readonly offered: boolean
}

const place = /\{([^{}]*)\}/g
const known: ReadonlySet<string> = new Set(['code', 'campaign', 'industry'])

/** The address for one link. */
export function addressFor(address: string, link: { code: string; campaign: string | null; industry: string }): string {
  if (!address.includes('{')) return address
  const values: Readonly<Record<string, string | null>> = { code: link.code, campaign: link.campaign, industry: link.industry }
  return address.replace(place, (_, name: string) => encodeURIComponent(values[name] ?? ''))
}

/** The address as it is stored. @throws UserError for what is no address, has an unknown place or one in its host, or leads where links may not lead */
export function checkedAddress(typed: string, rule: HostRule): string {
  const address = withoutClickId(typed.trim())
  const unknown = [...address.matchAll(place)].find(([, name]) => !known.has(name!))
  if (unknown)
    throw new UserError(
      'bad_place',
      `\`${unknown[0]}\` is not known. What may stand in an address: {code}, {campaign} and {industry}.`,
    )
  const [one, other] = ['a', 'b'].map((value) => address.replace(place, value)) as [string, string]
  if (address.length > 1000 || /\s/.test(address) || !isDestination(one))
    throw new UserError('bad_page', 'That is not a web address. Write the whole address of the page, beginning with https://.')
  if (new URL(one).origin !== new URL(other).origin)
    throw new UserError(
      'bad_place',
      'A place such as {code} may stand behind the host only: `https://shop.example.com/start?ref={code}`.',
    )
  if (!isAllowed(one, rule)) throw notAllowed(new URL(one).host, rule)
  return address
}

/** For admins, who may change that. */
function notAllowed(host: string, rule: HostRule): UserError {
  const hosts = JSON.stringify([...rule.allowedHosts, host])
  return new UserError(
    'page_not_allowed',
    rule.allowedHosts.includes(host)
      ? `\`${host}\` is an address inside a private network. \`/admin settings set setting:links privateAddresses value:true\` allows such pages.`
      : `Links may not lead to \`${host}\` yet. Allow it first: \`/admin settings set setting:links allowedHosts value:${hosts}\`.`,
  )
}

/** The name as it is stored. @throws UserError for one that is empty, or too long to be chosen */
export function checkedName(typed: string): string {
  const name = typed
    .replace(/\s+/g, ' ')
    .replace(/\p{Cc}/gu, '')
    .trim()
  if (name.length < 1 || name.length > 50 || /^(none|default)$/i.test(name))
    throw new UserError('bad_name', 'A landing page needs a name of 1 to 50 characters, other than “none” and “default”.')
  return name
}
