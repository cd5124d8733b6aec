// The pages behind the link of a verification mail. Pure functions; a page that is opened changes nothing.
import { type Html, html, page } from '../kit/index.ts'
import type { Step, Verification } from './model.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** The page for what the link is now; `path` is the link's own path. */
export function verificationPage(verification: Verification, path: string): Answer {
  switch (verification.state) {
    case 'good':
      return answer(
        200,
        'Confirm your e-mail',
        verification.programName,
        html`<p>Is <strong>${verification.email}</strong> your address?</p>
<form method="post" action="${path}"><p><button>Yes, confirm it</button></p></form>
<p class="soft">If you did not ask for this, close the page: without the click, nothing happens.</p>`,
      )
    case 'verified':
      return answer(
        200,
        'Your e-mail is confirmed',
        verification.programName,
        html`<div class="notice good" role="status">That worked, thank you.</div>${nextStep(verification.next)}`,
      )
    case 'used':
      return answer(
        200,
        'This link has been used already',
        verification.programName,
        html`<p>Your e-mail is confirmed; there is nothing left to do here.</p>${nextStep(verification.next)}`,
      )
    case 'expired':
      return answer(
        410,
        'This link does not work any more',
        verification.programName,
        html`<div class="notice bad">Links work for 24 hours, and only the latest one does.</div>
<p>If you have a newer mail from us, use its link. Otherwise get a new one:</p>
<form method="post" action="${`${path}/again`}"><p><button>Send me a new link</button></p></form>
<p class="soft">In Discord, <code>/start</code> does the same and lets you change the address.</p>`,
      )
    case 'taken':
      return answer(
        409,
        'This address belongs to another partner',
        verification.programName,
        html`<div class="notice bad">Someone else has confirmed ${verification.email} in the meantime.</div>
<p>Go back to Discord, run <code>/start</code> and press “Change e-mail” to use another one.</p>`,
      )
    case 'unknown':
      return answer(
        404,
        'We do not know this link',
        undefined,
        html`<div class="notice bad">It may have been cut off or changed on its way.</div>
<p>Open the mail again and press its button, or copy the whole address. If that does not help, run <code>/start</code> in Discord to get a new mail.</p>`,
      )
  }
}

export function mailSentPage(programName: string): Answer {
  return answer(
    200,
    'A new mail is on its way',
    programName,
    html`<div class="notice good" role="status">Look into your inbox, and into the spam folder if it is not there in a minute.</div>
<p>Its link works for 24 hours.</p>`,
  )
}

/** A refusal with its reason, such as “that mail went out less than a minute ago”. */
export function refusedPage(status: number, reason: string): Answer {
  return answer(status, 'Not just now', undefined, html`<div class="notice bad">${reason}</div>`)
}

function nextStep(next: Step | undefined): Html {
  if (!next) return html`<p>You are a partner. Go back to Discord: everything is ready for you there.</p>`
  return html`<h2>Your next step: ${next.title.charAt(0).toLowerCase() + next.title.slice(1)}</h2>
<p>${commandsAsCode(next.hint)}</p>
<p class="soft">You can close this page and go back to Discord.</p>`
}

/** A hint is written for Discord, where commands stand between backticks. */
function commandsAsCode(hint: string): Html {
  return html`${hint.split('`').map((part, i) => (i % 2 === 1 ? html`<code>${part}</code>` : part))}`
}

function answer(status: number, title: string, program: string | undefined, body: Html): Answer {
  return { status, body: page({ title, ...(program !== undefined && { program }), body }) }
}
