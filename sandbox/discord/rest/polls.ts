// Polls: voting, who voted, and how they end, by their author or by time.

import { type Context, requireChannel, requireMessage } from '../access.ts'
import { ApiError, invalidField, notTheAuthor, unknownThing } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { announceAbout, announceMessage, systemMessage } from '../messages.ts'
import { presentMessage } from '../present-message.ts'
import type { Message } from '../store.ts'
import { list, object, required, validate, whole } from '../validate.ts'
import { pageOfUsers } from './members.ts'

const AUDIENCE = { intent: Intent.POLLS, direct: Intent.DIRECT_POLLS }

/** Ends the message's poll, if it has one, once its time is over. */
export function watchPoll(context: Context, message: Message): void {
  if (message.poll) context.alarms.set(Date.parse(message.poll.expiry), () => endPoll(context, message))
}

function endPoll(context: Context, message: Message): void {
  const { world } = context
  const poll = message.poll
  if (!poll || poll.finalized) return
  const channel = world.channels.get(message.channel_id)
  if (!channel?.messages.has(message.id)) return
  poll.finalized = true
  poll.expiry = world.iso()
  announceMessage(context, message, 'MESSAGE_UPDATE')
  const total = poll.answers.reduce((sum, answer) => sum + answer.voters.length, 0)
  const best = poll.answers.reduce((top, answer) => (answer.voters.length > top.voters.length ? answer : top))
  const fields = [
    { name: 'poll_question_text', value: String(poll.question.text), inline: false },
    { name: 'victor_answer_votes', value: String(best.voters.length), inline: false },
    { name: 'total_votes', value: String(total), inline: false },
    ...(best.voters.length > 0
      ? [
          { name: 'victor_answer_id', value: String(best.answer_id), inline: false },
          { name: 'victor_answer_text', value: String(best.poll_media.text ?? ''), inline: false },
        ]
      : []),
  ]
  systemMessage(context, channel, message.author_id, 46, {
    embeds: [{ type: 'poll_result', fields }],
    reference: {
      type: 0,
      channel_id: channel.id,
      message_id: message.id,
      ...(message.guild_id ? { guild_id: message.guild_id } : {}),
    },
  })
}

export function pollRoutes(context: Context): Route[] {
  const { world } = context

  const requirePoll = (call: Call) => {
    const scope = requireChannel(context, call)
    const message = requireMessage(scope.channel, call.params.message)
    if (!message.poll) throw new ApiError(400, 520001, 'Cannot use this message as a poll')
    return { ...scope, message, poll: message.poll }
  }

  const vote = (call: Call): void => {
    const { channel, message, poll } = requirePoll(call)
    const { answer_ids } = validate<{ answer_ids: (string | number)[] }>(
      object({ answer_ids: required(list(whole(1), { max: 10 })) }),
      call.body,
    )
    if (poll.finalized) throw new ApiError(403, 520001, 'Poll expired')
    const wanted = [...new Set(answer_ids.map(Number))]
    if (wanted.length > 1 && !poll.allow_multiselect)
      throw invalidField(['answer_ids'], 'BASE_TYPE_MAX_LENGTH', 'Must be 1 or fewer in length.')
    for (const id of wanted)
      if (!poll.answers.some((answer) => answer.answer_id === id))
        throw invalidField(['answer_ids'], 'POLL_ANSWER_UNKNOWN', 'Unknown answer')
    for (const answer of poll.answers) {
      const voted = answer.voters.includes(call.user.id)
      const wants = wanted.includes(answer.answer_id)
      if (voted === wants) continue
      answer.voters = wants ? [...answer.voters, call.user.id] : answer.voters.filter((id) => id !== call.user.id)
      const data = { user_id: call.user.id, channel_id: channel.id, message_id: message.id, answer_id: answer.answer_id }
      announceAbout(context, message, wants ? 'MESSAGE_POLL_VOTE_ADD' : 'MESSAGE_POLL_VOTE_REMOVE', data, AUDIENCE)
    }
  }

  return [
    { method: 'PUT', pattern: '/channels/:channel/polls/:message/answers/@me', handler: vote },
    {
      method: 'GET',
      pattern: '/channels/:channel/polls/:message/answers/:answer',
      handler: (call) => {
        const { poll } = requirePoll(call)
        const answer = poll.answers.find((one) => one.answer_id === Number(call.params.answer))
        if (!answer) throw unknownThing('message')
        return { users: pageOfUsers(context, call, answer.voters, 25) }
      },
    },
    {
      method: 'POST',
      pattern: '/channels/:channel/polls/:message/expire',
      handler: (call) => {
        const { message, poll } = requirePoll(call)
        if (message.author_id !== call.user.id) throw notTheAuthor()
        if (poll.finalized) throw new ApiError(400, 520006, 'Cannot expire a poll that is already expired')
        endPoll(context, message)
        return presentMessage(world, message, call.user.id)
      },
    },
  ]
}
