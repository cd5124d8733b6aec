// The inbox as people see it: a list and one open mail, whose HTML lives in a sandboxed frame. Renders only.

import { shortTime } from '../vendor/dashboard.ts'
import { escapeHtml, type Html, html, page, raw } from '../vendor/html.ts'
import type { OutgoingMail } from './message.ts'

/** A mail in the inbox. */
export interface StoredMail extends OutgoingMail {
  id: string
  messageId: string
  /** ISO 8601, UTC. */
  at: string
}

/** A mail as `GET /sandbox/mail` shows it. */
export interface MailView {
  id: string
  to: string
  toName: string | null
  cc: string[]
  from: string
  fromName: string | null
  replyTo: string | null
  subject: string
  text: string | null
  html: string | null
  at: string
  categories: string[]
  customArgs: Record<string, string>
  headers: Record<string, string>
  attachments: Array<{ filename: string; type: string; size: number; url: string }>
}

const CSS = `
body{height:100vh;overflow:hidden}
.mail{display:grid;grid-template-columns:minmax(280px,360px) 1fr;height:100vh}
aside{background:var(--card);border-right:1px solid var(--line);overflow-y:auto}
aside header{padding:16px 18px;border-bottom:1px solid var(--line);position:sticky;top:0;background:var(--card)}
aside header .row{justify-content:space-between}
aside h1{font-size:1.15rem;margin:0}
aside form{margin-top:10px}
aside input{padding:7px 10px;font-size:.88rem}
aside ol{list-style:none;margin:0;padding:0}
aside li a{display:block;padding:12px 18px;border-bottom:1px solid var(--line);color:inherit;text-decoration:none}
aside li a:hover{background:var(--paper)}
aside li a[aria-current]{background:var(--paper);box-shadow:inset 3px 0 var(--accent)}
aside b{display:block;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
aside small{display:flex;justify-content:space-between;gap:8px}
aside small span{white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
article{display:flex;flex-direction:column;min-width:0;height:100vh}
article>header{padding:18px 24px;border-bottom:1px solid var(--line);background:var(--card)}
article h2{margin:0 0 6px;font-size:1.25rem}
article dl{display:grid;grid-template-columns:auto 1fr;gap:1px 12px;margin:0;font-size:.88rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.files{padding:10px 24px;border-bottom:1px solid var(--line);background:var(--card)}
iframe{border:0;flex:1;width:100%;background:#fff}
.nothing{margin:auto;color:var(--soft);text-align:center;padding:24px}
.back{display:none}
@media (max-width:760px){.mail{grid-template-columns:1fr}.mail.open aside{display:none}.mail:not(.open) article{display:none}.back{display:inline-block;margin-bottom:8px}}
`

/** The page at /mail. `to` is the address the list is narrowed to. */
export function inboxPage(list: readonly MailView[], open: MailView | undefined, to: string | undefined): string {
  const query = to ? `&to=${encodeURIComponent(to)}` : ''
  return page({
    title: open ? `${open.subject} — Inbox` : `Inbox (${list.length})`,
    accent: '#0b66c2',
    accentDark: '#7cc0ff',
    css: CSS,
    body: html`<main class="mail ${open ? 'open' : ''}">
<aside aria-label="Mails"><header><div class="row"><h1>Inbox</h1><a class="button quiet small" href="/mail${to ? `?to=${encodeURIComponent(to)}` : ''}">Refresh</a></div>
<form method="get" action="/mail"><input name="to" value="${to ?? ''}" placeholder="Recipient, e.g. ada@example.com" aria-label="Recipient" type="search"></form></header>
${list.length === 0 ? html`<p class="nothing">No mail${to ? ` for ${to}` : ''} yet.</p>` : html`<ol>${list.map((mail) => row(mail, mail.id === open?.id, query))}</ol>`}</aside>
<article>${open ? openMail(open, to) : html`<p class="nothing">${list.length === 0 ? 'Mail that the program sends appears here. Nothing leaves this machine.' : 'Choose a mail to read it.'}</p>`}</article>
</main>`,
  })
}

function row(mail: MailView, current: boolean, query: string): Html {
  return html`<li><a href="/mail?id=${mail.id}${raw(escapeHtml(query))}" ${current ? html`aria-current="true"` : ''}><small><span>${mail.fromName ?? mail.from}</span><time>${shortTime(new Date(mail.at))}</time></small><b>${mail.subject}</b><small><span>to ${mail.to}</span>${mail.attachments.length > 0 ? html`<span>${mail.attachments.length} file${mail.attachments.length > 1 ? 's' : ''}</span>` : ''}</small></a></li>`
}

function openMail(mail: MailView, to: string | undefined): Html {
  return html`<header><a class="back" href="/mail${to ? `?to=${encodeURIComponent(to)}` : ''}">← Inbox</a><h2>${mail.subject}</h2>
<dl><dt>From</dt><dd>${mail.fromName ? `${mail.fromName} <${mail.from}>` : mail.from}</dd><dt>To</dt><dd>${mail.toName ? `${mail.toName} <${mail.to}>` : mail.to}</dd>${mail.cc.length > 0 ? html`<dt>Cc</dt><dd>${mail.cc.join(', ')}</dd>` : ''}<dt>At</dt><dd>${mail.at.replace('T', ' ').slice(0, 19)} UTC</dd></dl></header>
${mail.attachments.length > 0 ? html`<div class="files row">${mail.attachments.map((file) => html`<a class="button quiet small" href="${file.url}" download="${file.filename}">${file.filename} <span class="soft">${size(file.size)}</span></a>`)}</div>` : ''}
<iframe title="Content of the mail" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/mail/${mail.id}/body"></iframe>`
}

function size(bytes: number): string {
  return bytes < 1024
    ? `${bytes} B`
    : bytes < 1024 * 1024
      ? `${Math.round(bytes / 1024)} kB`
      : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** The document inside the frame: the mail's HTML as it is, or its text with links; links open outside the frame. */
export function mailBody(mail: StoredMail): string {
  const content =
    mail.html === null
      ? `<pre style="white-space:pre-wrap;font:15px/1.55 system-ui,sans-serif;margin:24px;color:#1a1f36">${linked(mail.text ?? '')}</pre>`
      : withInlineFiles(mail)
  return `<!doctype html><base target="_blank"><meta charset="utf-8"><meta name="referrer" content="no-referrer">${content}`
}

function linked(text: string): string {
  return escapeHtml(text).replace(/https?:\/\/[^\s<]+/g, (url) => `<a href="${url}" rel="noopener">${url}</a>`)
}

/** `cid:` references point at the attachments of the same mail. */
function withInlineFiles(mail: StoredMail): string {
  return mail.attachments.reduce(
    (text, file, index) =>
      file.contentId ? text.replaceAll(`cid:${file.contentId}`, `/sandbox/mail/${mail.id}/attachments/${index}`) : text,
    mail.html!,
  )
}
