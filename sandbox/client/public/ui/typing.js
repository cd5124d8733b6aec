// Who is typing in a channel, as one sentence below the composer.

import { nameIn } from '../format.js'
import { currentGuild, state } from '../store.js'
import { html } from './html.js'

/** @param {{ channel: import('../types.d.ts').Channel }} props */
export function Typing({ channel }) {
  const typists = [...(state.typing.get(channel.id)?.entries() ?? [])]
    .filter(([, until]) => until > Date.now())
    .flatMap(([id]) => state.users.get(id) ?? [])
  const names = typists.map((user) => nameIn(user, currentGuild()))
  const text = names.length > 3 ? 'Several people are typing…' : `${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} typing…`
  return html`<div class="typing" role="status">${names.length > 0 && html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span><span>${text}</span>`}</div>`
}
