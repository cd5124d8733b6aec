// The form of a new poll: question, answers, how long, and whether several may be chosen.

import { useState } from 'preact/hooks'
import { sendPoll } from '../actions.js'
import { state } from '../store.js'
import { Dialog, TextField } from './dialog.js'
import { html } from './html.js'
import { Icon } from './icons.js'

const DURATIONS = [
  [1, '1 hour'],
  [4, '4 hours'],
  [8, '8 hours'],
  [24, '24 hours'],
  [72, '3 days'],
  [168, '1 week'],
]
const MOST_ANSWERS = 10

/** @param {{ channelId: string, onClose: () => void }} props */
export function PollForm({ channelId, onClose }) {
  const [question, setQuestion] = useState('')
  const [answers, setAnswers] = useState(['', ''])
  const [hours, setHours] = useState(24)
  const [several, setSeveral] = useState(false)
  const given = answers.map((answer) => answer.trim()).filter(Boolean)
  const channel = state.channels.get(channelId)
  if (!channel) return null
  const send = () => {
    onClose()
    void sendPoll(channel, { question: question.trim(), answers: given, hours, several })
  }
  return html`<${Dialog} title="Create a Poll" onClose=${onClose} onSubmit=${send} submit="Post" ready=${question.trim() !== '' && given.length > 0} testid="poll-form">
    <${TextField} id="question" label="Question" max=${300} value=${question} onInput=${setQuestion} placeholder="What question do you want to ask?" />
    <fieldset class="poll-answers">
      <legend class="field-label">Answers</legend>
      ${answers.map(
        (answer, index) => html`<div class="poll-answer-field">
          <input class="text-input" maxlength="55" aria-label=${`Answer ${index + 1}`} placeholder="Type your answer" value=${answer} onInput=${(/** @type {any} */ event) => setAnswers(answers.with(index, event.target.value))} />
          ${answers.length > 1 && html`<button type="button" class="icon-button" aria-label=${`Remove answer ${index + 1}`} onClick=${() => setAnswers(answers.toSpliced(index, 1))}><${Icon} name="close" size=${16} /></button>`}
        </div>`,
      )}
      ${answers.length < MOST_ANSWERS && html`<button type="button" class="button button-secondary" onClick=${() => setAnswers([...answers, ''])}>Add another answer</button>`}
    </fieldset>
    <label class="field"><span class="field-label">Duration</span>
      <select class="text-input" value=${hours} onChange=${(/** @type {any} */ event) => setHours(Number(event.target.value))}>
        ${DURATIONS.map(([value, label]) => html`<option value=${value} selected=${value === hours}>${label}</option>`)}
      </select>
    </label>
    <label class="plain-check"><input type="checkbox" checked=${several} onChange=${() => setSeveral(!several)} /> Allow multiple answers</label>
  <//>`
}
