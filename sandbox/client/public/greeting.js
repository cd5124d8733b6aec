// Asks whoever opens a server for the first time what the server wants to know of new members.

import { greet } from './actions.js'
import { state, subscribe } from './store.js'

export function greetNewMembers() {
  let asked = ''
  subscribe(() => {
    const { status, guildId, me } = state
    const place = `${me?.id} in ${guildId}`
    if (status !== 'ready' || guildId === null || place === asked || !state.guilds.get(guildId)?.members.has(me?.id ?? '')) return
    asked = place
    void greet(guildId)
  })
}
