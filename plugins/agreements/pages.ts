// The signing page and what it says after. Pure functions; a page that is opened changes nothing.
import { type Html, html, page } from '../kit/index.ts'
import { type Agreement, renderDocument } from './documents.ts'
import type { Problem, Signing } from './model.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** The page for what the link is now; `path` is the link's own path. */
export function signingPage(agreement: Agreement, signing: Signing, path: string): Answer {
  switch (signing.state) {
    case 'open':
      return answer(
        signing.problems.length > 0 ? 422 : 200,
        'Read and sign',
        signing.programName,
        form(agreement, signing, path),
        true,
      )
    case 'signed':
      return answer(
        200,
        'Signed. Thank you!',
        signing.programName,
        html`<div class="notice good" role="status">Your signed copy is on its way to <strong>${signing.partner.email}</strong>.</div>
${next(signing.partner.status === 'active')}`,
      )
    case 'already':
      return answer(
        200,
        'You have signed this agreement',
        signing.programName,
        html`<p>${signing.signature.typedName} signed version ${signing.signature.version} on <time datetime="${signing.signature.signedAt.toISOString()}">${day(signing.signature.signedAt)}</time>. There is nothing left to do here.</p>
<p>Your copy is in your mail, and <code>/agreement</code> in Discord shows it at any time.</p>`,
      )
    case 'expired':
      return answer(
        410,
        'This link does not work any more',
        signing.programName,
        html`<div class="notice bad">Links for signing work for 7 days, and only the latest one does.</div>
<p>Go to Discord and run <code>/agreement</code> to get a fresh one.</p>`,
      )
    case 'closed':
      return answer(
        409,
        'There is nothing to sign at the moment',
        signing.programName,
        html`<p>Your partnership is not open right now. If you left the server, come back and run <code>/start</code>; else ask the team there.</p>`,
      )
    case 'unknown':
      return answer(
        404,
        'We do not know this link',
        undefined,
        html`<div class="notice bad">It may have been cut off or changed on its way.</div>
<p>Use the button in our message again, or run <code>/agreement</code> in Discord to get a fresh link.</p>`,
      )
  }
}

const words: Record<Problem, string> = {
  name: 'Please type your full name: 2 to 120 characters, with letters and without a web address. Put a space after each dot.',
  consent: 'Please tick the box to agree. Without it there is no signature.',
}

function form(agreement: Agreement, { problems, typed, partner }: Extract<Signing, { state: 'open' }>, path: string): Html {
  const wrong = (problem: Problem) => problems.includes(problem)
  const complaint = (problem: Problem) =>
    wrong(problem) && html`<p class="soft" id="${problem}-problem"><strong>${words[problem]}</strong></p>`
  const marks = (problem: Problem) => wrong(problem) && html` aria-invalid="true" aria-describedby="${`${problem}-problem`}"`
  return html`${problems.length > 0 && html`<div class="notice bad" role="alert"><strong>Not signed yet.</strong> ${problems.map((problem) => html`<br>${words[problem]}`)}</div>`}
<p>Hello ${partner.name}. These three documents make up your agreement. Please read them, then <a href="#sign">sign below</a>.</p>
${agreement.documents.map(
  ({ id, title, version, text }) => html`<section><h2 id="${id}">${title}</h2>
<p class="soft">Version ${version}</p>
<div class="document" tabindex="0" role="region" aria-labelledby="${id}">${renderDocument({ text })}</div></section>`,
)}
<form method="post" action="${path}" id="sign" novalidate>
<h2>Your signature</h2>
<label for="name">Your full name</label>
<input type="text" id="name" name="name" value="${typed.name}" autocomplete="name" maxlength="120" required${marks('name')}>
${complaint('name')}
<label class="check"><input type="checkbox" name="consent" value="yes" required${typed.consent && html` checked`}${marks('consent')}><span>I have read the three documents, I agree to them, and I sign this agreement electronically.</span></label>
${complaint('consent')}
<p><button>Sign</button></p>
<p class="soft">We record your name, the time, the text that you sign, your Discord account, your browser, and a keyed hash of your computer’s address as evidence. A copy goes to ${partner.email}.</p>
</form>`
}

function next(active: boolean): Html {
  return active
    ? html`<h2>You are a partner now</h2><p>Go back to Discord: your partner role and your channels are there. Make your first link with <code>/link create</code>.</p>`
    : html`<h2>Your next step</h2><p>Go back to Discord and run <code>/start</code>: it shows what is left.</p>`
}

function day(at: Date): string {
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}

function answer(status: number, title: string, program: string | undefined, body: Html, wide = false): Answer {
  return { status, body: page({ title, ...(program !== undefined && { program }), body, wide }) }
}
