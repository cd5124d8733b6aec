// Every word that links say to visitors, on the web. What they say in Discord is beside the commands.
import { html, page } from '../kit/index.ts'

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
