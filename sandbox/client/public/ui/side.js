// What stands beside Discord: the guide that walks through the main job, and the mail inbox. Both appear only when the sandbox has them.

import { useEffect, useState } from 'preact/hooks'
import { messageTime } from '../format.js'
import { state, update } from '../store.js'
import { FileCard } from './components.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { Markdown } from './markup.js'

/** @import { Mail } from '../types.d.ts' */

export function Side() {
  if (state.side === 'none') return null
  const close = () => update((s) => (s.side = 'none'))
  const title = state.side === 'guide' ? 'Guide' : 'Mail inbox'
  return html`<aside class=${`side side-${state.side}`} aria-label=${title} data-testid=${state.side}>
    <header class="side-head">
      <${Icon} name=${state.side === 'guide' ? 'guide' : 'mail'} class="icon muted" /><h2>${title}</h2><span class="grow"></span>
      <button type="button" class="icon-button" aria-label=${`Close ${title.toLowerCase()}`} onClick=${close}><${Icon} name="close" /></button>
    </header>
    ${state.side === 'guide' ? html`<${Guide} />` : html`<${Inbox} />`}
  </aside>`
}

function Guide() {
  const done = state.guide.filter((step) => step.done).length
  const next = state.guide.findIndex((step) => !step.done)
  return html`<div class="guide scroller" tabindex="0">
    <div class="guide-progress"><span>${done === state.guide.length ? 'All done. Well played!' : `${done} of ${state.guide.length} done`}</span><progress max=${state.guide.length} value=${done} aria-label="Steps done"></progress></div>
    <ol>
      ${state.guide.map(
        (
          step,
          index,
        ) => html`<li class=${classes('step', step.done && 'done', index === next && 'next')} aria-current=${index === next ? 'step' : undefined} data-testid="guide-step" data-done=${step.done || undefined}>
          <span class="step-mark">${step.done ? html`<${Icon} name="check" size=${14} />` : index + 1}</span>
          <div><strong>${step.title}</strong>${step.done && html`<span class="visually-hidden"> (done)</span>`}${step.text && (index === next || !step.done) && html`<div class="markup step-text"><${Markdown} text=${step.text} /></div>`}</div>
        </li>`,
      )}
    </ol>
  </div>`
}

function Inbox() {
  const [open, setOpen] = useState(/** @type {Mail | null} */ (null))
  const newest = state.mail[0]?.id ?? ''
  useEffect(() => update((s) => (s.mailSeen = newest)), [newest])
  if (open)
    return html`<div class="letter">
      <button type="button" class="link back" onClick=${() => setOpen(null)}>‹ All mail</button>
      <h3>${open.subject}</h3>
      <p class="hint">From ${open.fromName ?? open.from} to ${open.to}</p>
      ${open.attachments.map((file) => html`<${FileCard} name=${file.filename} size=${file.size} url=${file.url} />`)}
      ${
        open.html
          ? html`<iframe class="letter-body" title=${open.subject} sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc=${`<base target="_blank"><meta name="referrer" content="no-referrer">${open.html}`}></iframe>`
          : html`<div class="letter-text scroller markup"><${Markdown} text=${open.text ?? ''} /></div>`
      }
    </div>`
  return html`<ul class="letters scroller" data-testid="letters">
    ${state.mail.map(
      (mail) => html`<li>
        <button type="button" class="letter-row" data-testid="letter" data-to=${mail.to} onClick=${() => setOpen(mail)}>
          <span class="letter-line"><strong>${mail.subject}</strong><time>${messageTime(Date.parse(mail.at))}</time></span><small>to ${mail.to}</small>
        </button>
      </li>`,
    )}
    ${state.mail.length === 0 && html`<li class="hint">Nothing yet. Mail that the program sends arrives here.</li>`}
  </ul>`
}
