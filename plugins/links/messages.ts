// Every word that links say to people, in Discord and on the web.
import { customId } from '../../commands/customId.ts'
import { button, card, linkButton, literal, type Message, time } from '../../commands/messages.ts'
import { html, page } from '../kit/index.ts'
import type { PartnerLink } from './public.ts'
import { linksPage } from './refs.ts'

const pageSize = 8

export function linkCreated(link: PartnerLink): Message {
  return card({
    title: 'Your link is ready',
    body: [
      `\`\`\`\n${link.url}\n\`\`\`Share it anywhere. Whoever follows it and buys later is counted for you.`,
      ...(link.campaign ? [`Campaign: ${literal(link.campaign)}`] : []),
    ],
    tone: 'good',
    footer: 'See all your links and their clicks with /link list.',
    rows: [[linkButton({ url: link.url, label: 'Try it' })]],
  })
}

/** One page of the partner's links. */
export function linkList(links: readonly PartnerLink[], wanted: number): Message {
  if (links.length === 0)
    return card({ title: 'You have no links yet', body: 'Make your first one with `/link create`, then share it.' })
  const pages = Math.ceil(links.length / pageSize)
  const at = Math.min(Math.max(wanted, 0), pages - 1)
  const shown = links.slice(at * pageSize, (at + 1) * pageSize)
  const turn = (to: number) => customId(linksPage, { page: String(to) })
  return card({
    title: links.length === 1 ? 'Your link' : `Your ${links.length} links`,
    body: shown.map(linkLine).join('\n'),
    footer: `Bots and previews do not count, and a visitor counts once an hour.${pages > 1 ? ` Page ${at + 1} of ${pages}.` : ''}`,
    ...(pages > 1 && {
      rows: [
        [
          button({ customId: turn(at - 1), label: 'Newer', disabled: at === 0 }),
          button({ customId: turn(at + 1), label: 'Older', disabled: at === pages - 1 }),
        ],
      ],
    }),
  })
}

function linkLine(link: PartnerLink): string {
  const clicks = link.clicks === 1 ? '1 click' : `${link.clicks.toLocaleString('en-US')} clicks`
  const campaign = link.campaign ? ` · ${literal(link.campaign)}` : ''
  return `• \`${link.url}\`\n  **${clicks}**${campaign} · made ${time(link.createdAt)}`
}

export function unknownLinkPage(): string {
  return page({
    title: 'This link leads nowhere',
    body: html`<p>There is no link with this address. Perhaps a character was lost on the way.</p>
<p class="soft">Check the address, or ask whoever gave it to you for a new one.</p>`,
  })
}

export function unavailablePage(): string {
  return page({
    title: 'One moment, please',
    body: html`<p>We cannot look this link up right now. Please try it again in a minute.</p>`,
  })
}

/** `isOver`: it led on for a time or a number of clicks, and that is over; otherwise it may lead on again. */
export function closedLinkPage({ program, landingPage }: { program: string; landingPage: string }, isOver: boolean): string {
  return page({
    title: isOver ? 'This link has ended' : 'This link is resting',
    program,
    body: html`<p>${isOver ? 'The link you followed was made for a while, and that is over.' : 'The link you followed is not in use at the moment.'} What it led to is still there:</p>
<p><a class="button" href="${landingPage}" rel="noreferrer">Go to ${new URL(landingPage).host}</a></p>`,
  })
}
