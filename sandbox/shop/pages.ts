// The pages of the company's website. Renders only.

import { shortTime } from '../vendor/dashboard.ts'
import { type Html, html, page } from '../vendor/html.ts'
import { PRODUCTS, type ShopProduct } from './products.ts'

const CSS = `
:root{--radius:16px}
body{background:var(--card)}
.bar{max-width:1120px;margin:0 auto;padding:18px 20px;display:flex;align-items:center;gap:20px}
.bar a:not(.button){color:inherit;text-decoration:none;font-weight:600;font-size:.95rem}
.brand{font-size:1.25rem!important;font-weight:800!important;letter-spacing:-.03em;margin-right:auto}
.brand i{font-style:normal;color:var(--accent)}
.hero{max-width:1120px;margin:0 auto;padding:clamp(48px,9vw,112px) 20px clamp(48px,7vw,88px)}
.hero h1{font-size:clamp(2.3rem,6.4vw,4.3rem);line-height:1.04;letter-spacing:-.04em;max-width:15ch;margin-bottom:.35em}
.hero p{font-size:clamp(1.05rem,2vw,1.25rem);color:var(--soft);max-width:46ch;margin-bottom:1.6em}
.band{background:var(--paper);border-block:1px solid var(--line)}
.offers{max-width:1120px;margin:0 auto;padding:clamp(48px,7vw,80px) 20px}
.offers>h2{font-size:clamp(1.5rem,3vw,2.1rem);letter-spacing:-.03em}
.grid{display:grid;grid-template-columns:repeat(3,1fr);gap:20px;margin-top:28px}
.offer{display:flex;flex-direction:column;padding:28px}
.offer h3{font-size:1.3rem;margin:0}
.offer .tag{color:var(--accent);font-weight:600;font-size:.9rem;margin:0 0 4px}
.offer ul{list-style:none;padding:0;margin:0 0 24px;color:var(--soft);font-size:.95rem}
.offer li{padding-left:24px;position:relative;margin-bottom:6px}
.offer li::before{content:"";position:absolute;left:3px;top:.42em;width:10px;height:5px;border-left:2px solid var(--accent);border-bottom:2px solid var(--accent);transform:rotate(-45deg)}
.price{font-size:2.1rem;font-weight:700;letter-spacing:-.03em;margin:16px 0 12px;font-variant-numeric:tabular-nums}
.price small{font-size:.95rem;font-weight:500;letter-spacing:0}
.offer form{margin-top:auto}
.steps{max-width:1120px;margin:0 auto;padding:clamp(48px,7vw,80px) 20px;display:grid;grid-template-columns:repeat(3,1fr);gap:32px}
.steps h3{font-size:1.05rem;margin-bottom:.3em}
.steps p{color:var(--soft);margin:0}
.steps b{display:block;color:var(--accent);font-size:.9rem;margin-bottom:8px}
footer{border-top:1px solid var(--line)}
footer div{max-width:1120px;margin:0 auto;padding:24px 20px;color:var(--soft);font-size:.88rem;display:flex;flex-wrap:wrap;gap:8px 24px}
.strip{background:var(--wait-bg);color:var(--wait);text-align:center;padding:10px 20px;font-weight:600}
.narrow{max-width:560px;margin:0 auto;padding:clamp(40px,8vw,96px) 20px}
.mark{width:56px;height:56px;border-radius:50%;background:var(--good-bg);color:var(--good);display:grid;place-items:center;font-size:1.6rem;margin-bottom:20px}
dl{display:grid;grid-template-columns:auto 1fr;gap:8px 20px;margin:0 0 24px}dt{color:var(--soft)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
@media (max-width:860px){.grid,.steps{grid-template-columns:1fr}.bar .away{display:none}.offer button{padding:13px 18px}}
`
const LOOK = { accent: '#0a7c5a', accentDark: '#5fe0b0', css: CSS }

function frame(title: string, main: Html, referred: boolean, notice?: string): string {
  return page({
    ...LOOK,
    title,
    body: html`${notice ? html`<p class="strip" role="status" style="margin:0">${notice}</p>` : ''}
<header class="bar"><a class="brand" href="/">SISO<i>.</i></a><a class="away" href="/#services">Services</a><a class="away" href="/#how">How we work</a><a href="/#services" class="button small">Get started</a></header>
<main>${main}</main>
<footer><div><span>© SISO. A test shop: no real card is charged.</span>${referred ? html`<span>You came by recommendation; your partner is credited.</span>` : ''}</div></footer>`,
  })
}

export function landingPage(options: { referred: boolean; cancelled: boolean }): string {
  return frame(
    'SISO — websites, care and AI for small companies',
    html`<section class="hero"><h1>Your company, online and working.</h1>
<p>We build websites, look after them, and teach teams to put AI to work. One small studio, fixed prices, no meetings that could be a message.</p>
<a class="button" href="#services">See what it costs</a></section>
<div class="band"><section class="offers" id="services"><h2>Three things, done well</h2><p class="soft">Fixed prices. Pay by card, start this week.</p><div class="grid">${PRODUCTS.map(offer)}</div></section></div>
<section class="steps" id="how"><div><b>1</b><h3>Order</h3><p>Choose a service and pay. You get an invoice by mail at once.</p></div><div><b>2</b><h3>Talk</h3><p>We write within one working day to agree on the date and what you need.</p></div><div><b>3</b><h3>Done</h3><p>You see the result early, ask for changes, and own everything.</p></div></section>`,
    options.referred,
    options.cancelled ? 'Nothing was charged. Your choice is still here when you are ready.' : undefined,
  )
}

function offer(product: ShopProduct): Html {
  return html`<article class="card offer"><p class="tag">${product.tagline}</p><h3>${product.name}</h3><p class="price">${dollars(product.amount)}${product.interval ? html`<small class="soft"> / ${product.interval}</small>` : ''}</p><p>${product.description}</p><ul>${product.points.map((point) => html`<li>${point}</li>`)}</ul>
<form method="post" action="/buy/${product.slug}"><button class="wide">${product.action}</button></form></article>`
}

function dollars(amount: number): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: amount % 100 ? 2 : 0 }).format(
    amount / 100,
  )
}

export function thanksPage(given: {
  name: string
  amount: number
  currency: string
  email: string | null
  invoiceUrl: string | null
  subscription: boolean
  referred: boolean
}): string {
  const total = new Intl.NumberFormat('en-US', { style: 'currency', currency: given.currency }).format(given.amount / 100)
  return frame(
    'Thank you — SISO',
    html`<div class="narrow"><div class="card"><div class="mark" aria-hidden="true">✓</div><h1>Thank you!</h1><p class="soft">${given.subscription ? 'Your plan has started.' : 'Your order is paid.'} We will write within one working day.</p>
<dl><dt>Service</dt><dd>${given.name}</dd><dt>Paid</dt><dd>${total}</dd><dt>Receipt to</dt><dd>${given.email ?? '—'}</dd></dl>
<div class="row">${given.invoiceUrl ? html`<a class="button" href="${given.invoiceUrl}">See the invoice</a>` : ''}<a class="button quiet" href="/">Back to the shop</a></div></div></div>`,
    given.referred,
  )
}

/** A webhook of the partner program. */
export interface Told {
  readonly id: string
  readonly type: string
  readonly at: Date
}

/** What the partner program has sent to the company, the newest first. */
export function toldPage(told: readonly Told[]): string {
  return frame(
    'Messages from the partner program — SISO',
    html`<div class="narrow"><h1>From the partner program</h1><p class="soft">Webhooks that arrived here, each once however often it was sent. An admin adds them with <code>/admin-api webhooks add</code>, for this address.</p>
${told.length === 0 ? html`<p class="soft">Nothing yet.</p>` : html`<div class="card scroll" tabindex="0" role="region" aria-label="Messages"><table><thead><tr><th scope="col">Event</th><th scope="col">When (UTC)</th></tr></thead><tbody>${told.map(({ type, at }) => html`<tr><td class="mono">${type}</td><td>${shortTime(at)}</td></tr>`)}</tbody></table></div>`}</div>`,
    false,
  )
}

export function problemPage(title: string, text: string): string {
  return frame(
    title,
    html`<div class="narrow"><h1>${title}</h1><p class="soft">${text}</p><a class="button" href="/">Back to the shop</a></div>`,
    false,
  )
}
