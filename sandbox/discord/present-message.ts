// How messages look on the wire: author, files, reactions, polls, and what they refer to.

import { presentChannel, userOf } from './present.ts'
import type { Attachment, Message, Poll, Wire, World } from './store.ts'
import { findMessage } from './store.ts'

export function presentAttachment(world: World, attachment: Attachment): Wire {
  const url = `${world.origin}${attachment.path}`
  return {
    id: attachment.id,
    filename: attachment.filename,
    size: attachment.size,
    url,
    proxy_url: url,
    content_type: attachment.content_type,
    ...(attachment.width === null ? {} : { width: attachment.width, height: attachment.height }),
    ...(attachment.description === null ? {} : { description: attachment.description }),
    ...(attachment.ephemeral ? { ephemeral: true } : {}),
    flags: attachment.spoiler ? 8 : 0,
  }
}

function presentPoll(poll: Poll, viewer: string | undefined): Wire {
  return {
    question: poll.question,
    answers: poll.answers.map(({ answer_id, poll_media }) => ({ answer_id, poll_media })),
    expiry: poll.expiry,
    allow_multiselect: poll.allow_multiselect,
    layout_type: poll.layout_type,
    results: {
      answer_counts: poll.answers
        .filter((answer) => answer.voters.length > 0)
        .map((answer) => ({
          id: answer.answer_id,
          count: answer.voters.length,
          me_voted: viewer !== undefined && answer.voters.includes(viewer),
        })),
      is_finalized: poll.finalized,
    },
  }
}

/** A message as `viewer` gets it over REST; `nested` leaves out what a referenced message does not carry. */
export function presentMessage(world: World, message: Message, viewer?: string, nested = false): Wire {
  const application = message.application_id === null ? undefined : world.applications.get(message.application_id)
  const wire: Wire = {
    type: message.type,
    content: message.content,
    mentions: message.mentions.map((id) => userOf(world, id)),
    mention_roles: message.mention_roles,
    attachments: message.attachments.map((attachment) => presentAttachment(world, attachment)),
    embeds: message.embeds,
    timestamp: message.timestamp,
    edited_timestamp: message.edited_timestamp,
    flags: message.flags,
    components: message.components,
    id: message.id,
    channel_id: message.channel_id,
    author: presentAuthor(world, message),
    pinned: message.pinned_at !== null,
    mention_everyone: message.mention_everyone,
    tts: message.tts,
  }
  if (message.reactions.length > 0) {
    wire.reactions = message.reactions.map((reaction) => ({
      emoji: presentReactionEmoji(reaction.emoji),
      count: reaction.users.length,
      count_details: { burst: 0, normal: reaction.users.length },
      burst_colors: [],
      me_burst: false,
      burst_me: false,
      burst_count: 0,
      me: viewer !== undefined && reaction.users.includes(viewer),
    }))
  }
  if (message.webhook_id !== null) wire.webhook_id = message.webhook_id
  if (application) wire.application_id = application.id
  if (message.interaction_metadata) wire.interaction_metadata = message.interaction_metadata
  if (message.interaction) wire.interaction = message.interaction
  if (message.poll) wire.poll = presentPoll(message.poll, viewer)
  if (message.position !== null) wire.position = message.position
  if (message.snapshots) wire.message_snapshots = message.snapshots
  const thread = message.thread_id === null ? undefined : world.channels.get(message.thread_id)
  if (thread) wire.thread = presentChannel(world, thread, viewer)
  if (message.reference) {
    wire.message_reference = message.reference
    const hasReferenced = (message.type === 19 || message.type === 21) && !nested
    const referenced = message.reference.message_id
      ? findMessage(world, message.reference.channel_id, message.reference.message_id)
      : undefined
    if (hasReferenced) wire.referenced_message = referenced ? presentMessage(world, referenced, viewer, true) : null
  }
  return wire
}

function presentAuthor(world: World, message: Message): Wire {
  if (!message.webhookAuthor) return userOf(world, message.author_id)
  return {
    id: message.author_id,
    username: message.webhookAuthor.username,
    avatar: message.webhookAuthor.avatar,
    discriminator: '0000',
    public_flags: 0,
    flags: 0,
    bot: true,
    global_name: null,
    primary_guild: null,
  }
}

export function presentReactionEmoji(emoji: { id: string | null; name: string; animated: boolean }): Wire {
  return { id: emoji.id, name: emoji.name, ...(emoji.animated ? { animated: true } : {}) }
}
