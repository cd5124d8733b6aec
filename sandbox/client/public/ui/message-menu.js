// What can be done with one message: the menu of the right button and of “More”.

import { copy, publish, showPanel, togglePin } from '../actions.js'
import { currentCommands, runOn } from '../interactions.js'
import { deleteMessage, dismiss, toggleReaction } from '../messages.js'
import { Permission } from '../permissions.js'
import { isDirect, isThread, may, maySend, state, update } from '../store.js'

/** @import { MenuItem, Message } from '../types.d.ts' */

export const Flag = {
  Crossposted: 1,
  IsCrosspost: 2,
  SuppressEmbeds: 4,
  HasThread: 32,
  Ephemeral: 64,
  Loading: 128,
  ComponentsV2: 32768,
}
export const QUICK = ['👍', '❤️', '😂', '🎉', '👀', '✅']

/**
 * @param {Message} message
 * @param {number} flag
 */
export const has = (message, flag) => ((message.flags ?? 0) & flag) !== 0

/** Whether it is the person's own to change. @param {Message} message */
export const isOwn = (message) => message.author.id === state.me?.id && !message.webhook_id

/** Whether the person may write it anew: polls and forwarded messages stay as they are. @param {Message} message */
export const mayEdit = (message) =>
  isOwn(message) && [0, 19].includes(message.type) && !message.poll && !message.message_snapshots && !message.local

/** @param {Message} message */
export function reply(message) {
  update((s) => (s.replyTo = message))
  document.getElementById('composer')?.focus()
}

/**
 * @param {MouseEvent} event
 * @param {Message} message
 */
export function openMessageMenu(event, message) {
  if (message.local) return
  if (event.type === 'contextmenu' && /** @type {HTMLElement} */ (event.target).closest('a,input,textarea')) return
  event.preventDefault()
  const { right, bottom } = /** @type {HTMLElement} */ (event.currentTarget).getBoundingClientRect()
  const fromPointer = event.clientX > 0 || event.clientY > 0
  const items = itemsOf(message)
  update(
    (s) =>
      (s.menu = {
        x: fromPointer ? event.clientX : right - 220,
        y: fromPointer ? event.clientY : bottom,
        title: 'Message actions',
        items,
      }),
  )
}

/** @param {Message} message @returns {MenuItem[]} */
function itemsOf(message) {
  const channel = state.channels.get(message.channel_id)
  if (!channel) return []
  if (has(message, Flag.Ephemeral))
    return [
      { label: 'Copy Text', run: () => copy(message.content) },
      { label: 'Copy Message ID', run: () => copy(message.id) },
      { label: 'Dismiss Message', run: () => dismiss(message) },
    ]
  const commands = currentCommands()
  const apps = (commands?.commands ?? []).filter((command) => command.type === 3)
  const moderates = !isDirect(channel) && may(channel, Permission.ManageMessages)
  const pins = isDirect(channel) || may(channel, Permission.PinMessages)
  const mayThread = [0, 5].includes(channel.type) && !message.thread && may(channel, Permission.CreatePublicThreads)
  const mayPublish = channel.type === 5 && !has(message, Flag.Crossposted) && (isOwn(message) || moderates)
  /** @type {(MenuItem | false)[]} */
  const items = [
    may(channel, Permission.AddReactions) && {
      label: 'Add Reaction',
      items: QUICK.map((emoji) => ({ label: emoji, run: () => void toggleReaction(message, { name: emoji }) })),
    },
    (message.reactions?.length ?? 0) > 0 && { label: 'View Reactions', run: () => showPanel({ kind: 'reactors', message }) },
    mayEdit(message) && { label: 'Edit Message', run: () => update((s) => (s.editing = message.id)) },
    maySend(channel) && { label: 'Reply', run: () => reply(message) },
    mayThread && { label: 'Create Thread', run: () => showPanel({ kind: 'thread', channelId: channel.id, message }) },
    pins && { label: message.pinned ? 'Unpin Message' : 'Pin Message', run: () => void togglePin(message) },
    mayPublish && { label: 'Publish Message', run: () => void publish(message) },
    apps.length > 0 && {
      label: 'Apps',
      items: apps.map((command) => ({
        label: command.name,
        hint: commands?.applications.get(command.application_id)?.name,
        run: () => void runOn(command, message.id),
      })),
    },
    { label: 'Copy Text', run: () => copy(message.content) },
    { label: 'Copy Message ID', run: () => copy(message.id) },
    !isThread(channel) && {
      label: 'Copy Message Link',
      run: () => copy(`${location.origin}${location.pathname}#/${channel.guild_id ?? '@me'}/${channel.id}`),
    },
    (isOwn(message) || moderates) && { label: 'Delete Message', danger: true, run: () => void deleteMessage(message) },
  ]
  return items.filter((item) => item !== false)
}
