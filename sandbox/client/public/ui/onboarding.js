// The questions a server asks whoever is new: each answer brings roles and channels. Also what “Channels & Roles” opens.

import { useEffect, useState } from 'preact/hooks'
import { answerOnboarding, readOnboarding } from '../actions.js'
import { state } from '../store.js'
import { Dialog } from './dialog.js'
import { classes, html } from './html.js'
import { EmojiMark } from './markup.js'

/**
 * @typedef {{ id: string, title: string, description?: string | null, emoji?: { id: string | null, name: string | null }, role_ids: string[] }} Option
 * @typedef {{ id: string, title: string, single_select: boolean, required: boolean, in_onboarding: boolean, options: Option[] }} Prompt
 */

/** @param {{ guildId: string, onClose: () => void }} props */
export function Onboarding({ guildId, onClose }) {
  const [prompts, setPrompts] = useState(/** @type {Prompt[] | undefined} */ (undefined))
  const [chosen, setChosen] = useState(/** @type {Set<string>} */ (new Set()))
  const guild = state.guilds.get(guildId)
  const held = guild?.members.get(state.me?.id ?? '')?.roles ?? []
  useEffect(() => {
    void readOnboarding(guildId).then((asked) => {
      setPrompts(asked)
      const before = asked.flatMap((prompt) => prompt.options).filter((option) => option.role_ids.some((id) => held.includes(id)))
      setChosen(new Set(before.map((option) => option.id)))
    })
  }, [guildId])
  if (!guild) return null
  const toggle = (/** @type {Prompt} */ prompt, /** @type {string} */ id) => {
    const others = prompt.single_select ? prompt.options.map((option) => option.id) : [id]
    setChosen(new Set([...[...chosen].filter((one) => !others.includes(one)), ...(chosen.has(id) ? [] : [id])]))
  }
  const ready = prompts?.every((prompt) => !prompt.required || prompt.options.some((option) => chosen.has(option.id))) ?? false
  const finish = () => {
    onClose()
    void answerOnboarding(guildId, [...chosen])
  }
  return html`<${Dialog} title=${`Welcome to ${guild.name}`} onClose=${onClose} onSubmit=${finish} submit="Finish" ready=${ready} wide=${true} testid="onboarding">
    ${prompts?.length === 0 && html`<p class="hint">This server asks nothing.</p>`}
    ${prompts?.map(
      (prompt) => html`<fieldset key=${prompt.id} class="poll-answers">
        <legend class="field-label">${prompt.title}${prompt.required && html`<span class="required"> *</span>`}</legend>
        ${prompt.options.map(
          (
            option,
          ) => html`<button type="button" class=${classes('post', chosen.has(option.id) && 'picked')} aria-pressed=${chosen.has(option.id)} onClick=${() => toggle(prompt, option.id)}>
            <strong><${EmojiMark} emoji=${option.emoji} /> ${option.title}</strong>${option.description && html`<small>${option.description}</small>`}
          </button>`,
        )}
      </fieldset>`,
    )}
  <//>`
}
