// What can be done with a channel or thread of the list, by the right button.

import { changeThread, copy, invite, joinThread, leaveThread } from '../actions.js'
import { channelName } from '../format.js'
import { Permission } from '../permissions.js'
import { markChannelRead } from '../session.js'
import { isThread, may, state, update } from '../store.js'

/** @import { Channel, MenuItem } from '../types.d.ts' */

/**
 * @param {MouseEvent} event
 * @param {Channel} channel
 */
export function openChannelMenu(event, channel) {
  event.preventDefault()
  update((s) => (s.menu = { x: event.clientX, y: event.clientY, title: channelName(channel), items: itemsOf(channel) }))
}

/** @param {Channel} channel @returns {MenuItem[]} */
function itemsOf(channel) {
  const meta = channel.thread_metadata
  const rules = isThread(channel) && may(channel, Permission.ManageThreads)
  const owns = isThread(channel) && channel.owner_id === state.me?.id
  /** @type {(MenuItem | false)[]} */
  const items = [
    { label: 'Mark As Read', run: () => markChannelRead(channel) },
    !isThread(channel) && may(channel, Permission.CreateInvite) && { label: 'Invite People', run: () => void invite(channel) },
    isThread(channel) &&
      (channel.member
        ? { label: 'Leave Thread', run: () => void leaveThread(channel) }
        : { label: 'Join Thread', run: () => void joinThread(channel) }),
    (rules || owns) && {
      label: meta?.archived ? 'Reopen Thread' : 'Close Thread',
      run: () => void changeThread(channel, { archived: !meta?.archived }),
    },
    rules && {
      label: meta?.locked ? 'Unlock Thread' : 'Lock Thread',
      run: () => void changeThread(channel, { locked: !meta?.locked }),
    },
    { label: 'Copy Link', run: () => copy(`${location.origin}${location.pathname}#/${channel.guild_id}/${channel.id}`) },
    { label: 'Copy Channel ID', run: () => copy(channel.id) },
  ]
  return items.filter((item) => item !== false)
}
