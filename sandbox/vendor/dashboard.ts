// What the vendors' dashboards have in common: their look, tables, pills and one-button forms. Renders strings; knows no vendor.

import { type Html, html } from './html.ts'

const ROWS = 50

export const DASHBOARD_CSS = `
.top{background:var(--card);border-bottom:1px solid var(--line);position:sticky;top:0;z-index:1}
.wrap{max-width:1240px}
.top .row{max-width:1240px;margin:0 auto;padding:12px 20px;gap:18px}
.top h1{margin:0 auto 0 0;font-size:1.05rem;letter-spacing:0}
.top a{text-decoration:none;color:var(--soft);font-size:.9rem;font-weight:600}
.top a:hover{color:var(--accent)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:16px;margin-bottom:16px}
.tile b{display:block;font-size:1.5rem;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.tile small{display:block}
section{scroll-margin-top:64px}
.card>h2{margin-bottom:.3em}
.amount{width:92px;padding:4px 8px;font-size:.82rem;border-radius:6px}
td .row{flex-wrap:nowrap}
td .row,td:nth-child(4){white-space:nowrap}
.number+th,.number+td{padding-left:14px}
.id{color:var(--soft);font-size:.76rem}
@media (max-width:760px){.top{position:static}.top .row{gap:6px 18px}.top h1{flex-basis:100%}.tiles{grid-template-columns:1fr 1fr;gap:10px}.tile{padding:16px}.tile b{font-size:1.05rem;white-space:nowrap}
thead{display:none}table,tbody,td{display:block}
tr{display:grid;grid-template-columns:1fr auto;gap:6px 12px;padding:14px 0;border-bottom:1px solid var(--line)}tr:last-child{border-bottom:0}
td,tr:last-child td{padding:0;border:0;overflow-wrap:anywhere}td.number{text-align:left}.number+td{padding:0}td:nth-child(n+3){grid-column:1/-1}td .row{flex-wrap:wrap}}
`

/** The bar on top: the vendor's name and the sections of the page. */
export function topBar(name: string, sections: readonly (readonly [id: string, title: string])[]): Html {
  return html`<header class="top" id="top"><div class="row"><h1>${name} <span class="pill wait">Sandbox</span></h1>
${sections.map(([id, title]) => html`<a href="#${id}">${title}</a>`)}</div></header>`
}

/** A table of the newest rows. A head that is empty stands over buttons; Amount and Balance are right-aligned. */
export function section(id: string, title: string, heads: readonly string[], rows: readonly Html[], tools?: Html): Html {
  const shown = rows.slice(0, ROWS)
  return html`<section class="card" id="${id}"><h2>${title} <small class="soft">${rows.length || ''}</small></h2>${tools ?? ''}
${
  rows.length === 0
    ? html`<p class="empty">Nothing yet.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${heads.map((head) => html`<th scope="col" class="${head === 'Amount' || head === 'Balance' ? 'number' : ''}">${head || html`<span class="unseen">Actions</span>`}</th>`)}</tr></thead><tbody>${shown}</tbody></table></div>${rows.length > ROWS ? html`<small>The newest ${ROWS} of ${rows.length}.</small>` : ''}`
}</section>`
}

/** A form of one button that posts to `action`; `field` stands before the button. `about` says to a screen reader what it is done to. */
export function button(action: string, label: string, about = '', field?: Html): Html {
  return html`<form class="inline" method="post" action="${action}">${field ?? ''}<button class="quiet small"${about ? html` aria-label="${label}: ${about}"` : ''}>${label}</button></form>`
}

/** A state, in the tone that it has for whoever waits for money. */
export function pill(text: string): Html {
  const tone = /succe|^paid|active|complete|won|delivered/i.test(text)
    ? 'good'
    : /fail|lost|cancel|restricted|declined|abandoned|refunded|reversed|returned|blocked|denied/i.test(text)
      ? 'bad'
      : 'wait'
  return html`<span class="pill ${tone}">${text.replaceAll('_', ' ').toLowerCase()}</span>`
}

const shortFormat = new Intl.DateTimeFormat('en-US', {
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
})

/** Month, day, hour and minute, in UTC. */
export function shortTime(at: Date): string {
  return shortFormat.format(at)
}

/** Buttons for how webhooks travel: held, delayed, doubled. */
export function courierTools(base: string, status: { holding: boolean; held: number; times: number; delayMs: number }): Html {
  const { holding, held, times, delayMs } = status
  const tool = (what: string, label: string) => button(`${base}/${what}`, label)
  return html`<div class="row">${holding || held > 0 ? html`${tool('release', `Release ${held} held`)}${tool('shuffle', 'Release twice, shuffled')}` : tool('hold', 'Hold deliveries')}${tool('delay', delayMs > 0 ? 'Stop delaying' : 'Delay by 5 s')}${tool('double', times > 1 ? 'Deliver once' : 'Deliver everything twice')}</div>`
}
