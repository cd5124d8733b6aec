// The page where a partner gives their PayPal address. Pure functions; a page that is opened changes nothing.
import { html, page } from '../kit/index.ts'
import type { Receiver } from './receivers.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** For a receiver without an address: the form. `refused` comes with what was typed. */
export function addressForm(program: string, link: string, refused?: { reason: string; email: string; again: string }): Answer {
  const notice = refused && html`<div class="notice bad" role="alert">${refused.reason}</div>`
  return {
    status: refused ? 422 : 200,
    body: page({
      title: 'Where should PayPal send your money?',
      program,
      body: html`${notice}<p>Enter the e-mail address of your PayPal account. Please take care: what is sent to a wrong address cannot be fetched back.</p>
<form method="post" action="/paypal/address?link=${link}">
<label for="email">PayPal address</label>
<input id="email" name="email" type="email" required maxlength="254" autocomplete="email" value="${refused?.email ?? ''}">
<label for="again">The same once more</label>
<input id="again" name="again" type="email" required maxlength="254" autocomplete="off" value="${refused?.again ?? ''}">
<p><button>This is my address</button></p>
</form>
<p class="soft">No account yet? Enter the address with which you will open one; PayPal keeps the money for you for 30 days.</p>`,
    }),
  }
}

/** For a receiver with an address: what is kept, and the way to another one. */
export function addressGiven(program: string, link: string, receiver: Receiver & { email: string }, returnUrl: string): Answer {
  return {
    status: 200,
    body: page({
      title: 'Your PayPal address',
      program,
      body: html`<div class="notice good" role="status">Payouts go to <strong>${receiver.email}</strong>.</div>
<p><a class="button" href="${returnUrl}">Keep it</a></p>
<h2>Not right any more?</h2>
<p>For your safety, a new address is paid to only after a few days.</p>
<form method="post" action="/paypal/address/other?link=${link}"><p><button>Use another address</button></p></form>`,
    }),
  }
}

export function linkRanOut(): Answer {
  return {
    status: 410,
    body: page({
      title: 'This link does not work any more',
      body: html`<div class="notice bad">For your safety these links work for a day, and only until you choose another address.</div>
<p>Go back to Discord and run <code>/payout setup</code> for a new one.</p>`,
    }),
  }
}
