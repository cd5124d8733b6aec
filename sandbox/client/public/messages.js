// What a person does with messages: writing, deleting, reacting, voting; a message stands on the page before Discord confirms it.

import { changeMessage, insert, removeMessages } from './events.js'
import { freshId } from './format.js'
import { attempt, reason } from './notices.js'
import { rest } from './rest.js'
import { currentChannel, state, update } from './store.js'

/** @import { Channel, Message, User } from './types.d.ts' */

/**
 * Sends a message to the open channel; it is shown at once, greyed until Discord confirms it.
 * @param {string} content
 * @param {File[]} [files]
 */
export async function sendMessage(content, files = []) {
  const channel = currentChannel()
  const { me, replyTo } = state
  if (!channel || !me) return
  const nonce = freshId()
  /** @type {Message} */
  const local = localMessage(channel, me, nonce, { content, type: replyTo ? 19 : 0 })
  update((s) => {
    insert(local)
    s.replyTo = null
  })
  try {
    const reference = replyTo ? { message_reference: { message_id: replyTo.id, channel_id: channel.id } } : {}
    const attachments = files.length > 0 ? { attachments: files.map((file, id) => ({ id: String(id), filename: file.name })) } : {}
    const message = await rest('POST', `/channels/${channel.id}/messages`, { content, nonce, ...reference, ...attachments }, files)
    update(() => {
      removeMessages(channel.id, [local.id])
      insert({ guild_id: channel.guild_id, ...message })
    })
  } catch (error) {
    update(() =>
      changeMessage(channel.id, local.id, (message) => ({ ...message, local: { state: 'failed', text: reason(error) } })),
    )
  }
}

/**
 * The page's own stand-in for what is on its way.
 * @param {Channel} channel
 * @param {User} author
 * @param {string} nonce
 * @param {Partial<Message>} rest
 * @returns {Message}
 */
export function localMessage(channel, author, nonce, rest) {
  return {
    id: nonce,
    nonce,
    channel_id: channel.id,
    guild_id: channel.guild_id,
    author,
    content: '',
    timestamp: new Date().toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    pinned: false,
    type: 0,
    local: { state: 'sending' },
    ...rest,
  }
}

/** @param {Message} message */
export async function deleteMessage(message) {
  await attempt(() => rest('DELETE', `/channels/${message.channel_id}/messages/${message.id}`))
}

/** Hides an ephemeral or local message: Discord forgets these on the person's side alone. @param {Message} message */
export function dismiss(message) {
  update(() => removeMessages(message.channel_id, [message.id]))
}

/**
 * Adds the person's reaction, or takes it back.
 * @param {Message} message
 * @param {{ id?: string | null, name?: string | null }} emoji
 */
export async function toggleReaction(message, emoji) {
  const key = encodeURIComponent(emoji.id ? `${emoji.name}:${emoji.id}` : (emoji.name ?? ''))
  const mine = message.reactions?.find((reaction) =>
    emoji.id ? reaction.emoji.id === emoji.id : reaction.emoji.name === emoji.name,
  )?.me
  await attempt(() => rest(mine ? 'DELETE' : 'PUT', `/channels/${message.channel_id}/messages/${message.id}/reactions/${key}/@me`))
}

/**
 * @param {Message} message
 * @param {number[]} answers
 */
export async function votePoll(message, answers) {
  await attempt(() =>
    rest('PUT', `/channels/${message.channel_id}/polls/${message.id}/answers/@me`, { answer_ids: answers.map(String) }),
  )
}

let lastTyping = 0
/** Tells the others, at most every eight seconds, that the person is typing. */
export function sendTyping() {
  const channel = currentChannel()
  if (!channel || Date.now() - lastTyping < 8000) return
  lastTyping = Date.now()
  void rest('POST', `/channels/${channel.id}/typing`).catch(() => undefined)
}
