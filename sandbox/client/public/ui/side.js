// What stands beside Discord: the guide that walks through the main job, and the mail inbox. Both appear only when the sandbox has them.

import { useEffect, useState } from 'preact/hooks'
import { messageTime } from '../format.js'
import { becomeFor, resetDemo, showSide } from '../session.js'
import { state, update } from '../store.js'
import { FileCard } from './components.js'
import { writeCommand } from './composer-link.js'
import { classes, html } from './html.js'
import { Icon } from './icons.js'
import { Markdown } from './markup.js'

/** @import { GuideStep, Mail } from '../types.d.ts' */

export function Side() {
  if (state.side === 'none') return null
  const close = () => showSide('none')
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
  const [opened, setOpened] = useState(/** @type {number | null} */ (null))
  useEffect(() => setOpened(null), [next])
  const shown = opened ?? next
  return html`<div class="guide scroller" tabindex="0">
    <div class="guide-progress"><span>${done === state.guide.length ? 'All done. Well played!' : `${done} of ${state.guide.length} done`}</span><progress max=${state.guide.length} value=${done} aria-label="Steps done"></progress></div>
    <ol>
      ${state.guide.map(
        (
          step,
          index,
        ) => html`<li key=${step.id ?? step.title} class=${classes('step', step.done && 'done', index === next && 'next', index === shown && 'shown')} aria-current=${index === next ? 'step' : undefined} data-testid="guide-step" data-step=${step.id} data-done=${step.done || undefined}>
          <button type="button" class="step-head" aria-expanded=${index === shown} onClick=${() => setOpened(index === shown ? -1 : index)}>
            <span class="step-mark">${step.done ? html`<${Icon} name="check" size=${14} />` : index + 1}</span>
            <strong>${step.title}</strong>${step.done && html`<span class="visually-hidden"> (done)</span>`}
            <${Icon} name="chevron" size=${14} class=${classes('icon muted', index === shown && 'up')} />
          </button>
          ${index === shown && html`<${StepBody} step=${step} />`}
        </li>`,
      )}
    </ol>
    ${state.config.features.reset && html`<${Reset} />`}
  </div>`
}

/** What to do, as whom, and why. @param {{ step: GuideStep }} props */
function StepBody({ step }) {
  const { who, commands = [], links = [] } = step
  const isMe = who === undefined || who.id === state.me?.id
  /** Where the panel covers the message field it gives way. @param {string} line */
  const write = (line) => {
    writeCommand(line)
    if (innerWidth < 1000) update((s) => (s.side = 'none'))
  }
  return html`<div class="step-body">
    ${step.text && html`<div class="markup step-text"><${Markdown} text=${step.text} /></div>`}
    ${step.why && html`<p class="step-why"><strong>Why</strong> <${Markdown} text=${step.why} /></p>`}
    ${who && !isMe && html`<button type="button" class="button button-primary small" data-testid="guide-switch" onClick=${() => void becomeFor(who)}>${who.id === undefined ? `Add ${who.username} and become them` : `Become ${who.username}`}</button>`}
    ${isMe && commands.map((line) => html`<button type="button" class="step-command" data-testid="guide-command" onClick=${() => write(line)}>/${line}</button>`)}
    ${links.map((link) => html`<a class="step-link" href=${link.url} target="_blank" rel="noopener">${link.label} <${Icon} name="external" size=${12} /></a>`)}
  </div>`
}

/** Asks once more before everything is thrown away. */
function Reset() {
  const [asking, setAsking] = useState(false)
  if (!asking)
    return html`<button type="button" class="button button-secondary wide reset" data-testid="reset" onClick=${() => setAsking(true)}>Start over</button>`
  return html`<div class="reset asking" role="group" aria-label="Start over">
    <p>Everything that was done here is thrown away: people, messages, payments, the database.</p>
    <button type="button" class="button button-danger" data-testid="reset-confirm" onClick=${() => void resetDemo()}>Throw it away</button>
    <button type="button" class="button button-secondary" onClick=${() => setAsking(false)}>Keep it</button>
  </div>`
}

/** Lies over the page while the demo is brought back to its start. */
export function Resetting() {
  const { demo } = state
  if (demo === null || demo.state === 'running') return null
  return html`<div class="resetting" role="status" data-testid="resetting" data-state=${demo.state}>
    ${demo.state === 'resetting' && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
    <h2>${demo.state === 'failed' ? 'The demo could not start over' : 'Starting over'}</h2>
    <p>${demo.progress}${demo.state === 'resetting' ? '…' : ''}</p>
    ${demo.state === 'failed' && html`<button type="button" class="button button-primary" onClick=${() => void resetDemo()}>Try again</button>`}
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
