// Every word that landing pages say to admins.
import { card, literal, type Message } from '../../../commands/messages.ts'
import type { Assignee } from './choose.ts'
import type { LandingPage } from './page.ts'
import type { Assignment } from './pages.ts'

const precedence =
  'A link leads to its own page; if it has none, to that of its partner, then its campaign, then its partner’s industry; else to the program’s page.'

export function pageAdded(page: LandingPage): Message {
  return card({
    title: `“${literal(page.name)}” is ready`,
    body: [
      `\`${page.address}\``,
      page.offered ? 'Partners can choose it for their links.' : 'Partners cannot choose it; you assign it.',
    ],
    tone: 'good',
    footer: 'Say who gets it with /admin-links landing assign.',
  })
}

export function pageEdited(page: LandingPage): Message {
  return card({
    title: `“${literal(page.name)}” is changed`,
    body: [
      `\`${page.address}\``,
      page.offered ? 'Partners can choose it for their links.' : 'Partners cannot choose it; you assign it.',
    ],
    tone: 'good',
  })
}

const kinds = { partner: 'Partners', campaign: 'Campaigns', industry: 'Industries' } as const satisfies Record<Assignee, string>
const shownSubjects = 15

/** `names`: how subjects are called, by kind and subject; campaigns are called what they are. */
export function pageList(
  pages: readonly LandingPage[],
  assignments: readonly Assignment[],
  linkCounts: ReadonlyMap<string, number>,
  programPage: string,
  names: ReadonlyMap<string, string>,
): Message {
  const nameOf = ({ kind, subject }: Assignment) => names.get(`${kind} ${subject}`) ?? literal(subject)
  const linesOf = (page: LandingPage) => {
    const byKind = Map.groupBy(
      assignments.filter(({ pageId }) => pageId === page.id),
      ({ kind }) => kind,
    )
    const own = linkCounts.get(page.id) ?? 0
    return [
      `\`${page.address}\``,
      ...[...byKind].map(([kind, members]) => `${kinds[kind]}: ${fewOf(members.map(nameOf))}`),
      [
        own > 0 && `${own === 1 ? '1 link names' : `${own.toLocaleString('en-US')} links name`} it`,
        page.offered ? 'partners can choose it' : 'only by assignment',
      ]
        .filter(Boolean)
        .join(' · '),
    ].join('\n')
  }
  return card({
    title: pages.length === 0 ? 'No landing pages yet' : `Landing pages`,
    body: [...(pages.length === 0 ? ['Name one with `/admin-links landing add`.'] : []), `The program’s page: \`${programPage}\``],
    fields: pages.map((page) => ({ name: literal(page.name), value: linesOf(page) })),
    footer: precedence,
  })
}

function fewOf(names: readonly string[]): string {
  const more = names.length - shownSubjects
  return names.slice(0, shownSubjects).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

export function pageRemoved({ page, links, assigned }: { page: LandingPage; links: number; assigned: number }): Message {
  const led = [
    links > 0 && (links === 1 ? '1 link named it' : `${links.toLocaleString('en-US')} links named it`),
    assigned > 0 && (assigned === 1 ? 'it was assigned once' : `it was assigned ${assigned} times`),
  ].filter(Boolean)
  return card({
    title: `“${literal(page.name)}” is gone`,
    body:
      led.length > 0
        ? `${led.join(', and ')}: these lead to the next page that is meant for them from now on.`
        : 'Nothing led there.',
    tone: 'good',
    footer: precedence,
  })
}

const whose = { partner: 'All links of', campaign: 'All links of the campaign', industry: 'All links of partners in' } as const

export function assigned(page: LandingPage, kind: Assignee, shown: string): Message {
  return card({
    title: 'Assigned',
    body: `${whose[kind]} ${kind === 'campaign' ? `**${literal(shown)}**` : shown} lead to **${literal(page.name)}** from now on, unless something more particular is said.`,
    tone: 'good',
    footer: precedence,
  })
}

export function unassigned(kind: Assignee, shown: string, changed: boolean): Message {
  const subject = `${kind === 'campaign' ? `the campaign **${literal(shown)}**` : shown}`
  return card({
    title: changed ? 'Taken back' : 'Nothing changed',
    body: changed ? `There is no page for ${subject} any more.` : `There was no page for ${subject}.`,
    ...(changed && { tone: 'good' as const }),
    footer: precedence,
  })
}
