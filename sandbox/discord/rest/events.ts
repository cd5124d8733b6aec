// Scheduled events: making, changing, starting and ending them, and who is interested.

import { audit, type Context, type InGuild, requireGuild, requireId, requireInGuild } from '../access.ts'
import { invalidField, maximumReached, missingPermissions, unknownThing } from '../errors.ts'
import type { Call, Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { P } from '../permissions.ts'
import { presentEvent, presentMember, userOf } from '../present.ts'
import { type ScheduledEvent, timestampOf, type Wire } from '../store.ts'
import { anything, nullable, object, oneOf, required, snowflake, text, timestamp, validate } from '../validate.ts'
import { pageOfIds } from './members.ts'

const LIVE_EVENTS = 100
/** Which status may follow which: 1 scheduled, 2 active, 3 completed, 4 cancelled. */
const NEXT: Record<number, readonly number[]> = { 1: [2, 4], 2: [3, 4], 3: [], 4: [] }

interface EventBody {
  name?: string
  description?: string | null
  channel_id?: string | null
  scheduled_start_time?: string
  scheduled_end_time?: string | null
  privacy_level?: number
  entity_type?: number
  entity_metadata?: { location?: string } | null
  recurrence_rule?: Wire | null
  status?: number
}

const fields = {
  name: text({ min: 1, max: 100 }),
  description: nullable(text({ max: 1000 })),
  channel_id: nullable(snowflake),
  scheduled_start_time: timestamp,
  scheduled_end_time: nullable(timestamp),
  privacy_level: oneOf([2]),
  entity_type: oneOf([1, 2, 3]),
  entity_metadata: nullable(object({ location: nullable(text({ min: 1, max: 100 })) })),
  recurrence_rule: nullable(anything),
  status: oneOf([1, 2, 3, 4]),
}

export function eventRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const announce = (scope: InGuild, event: ScheduledEvent, name: string): void => {
    gateway.toGuild(scope.guild, name, presentEvent(world, event), { intent: Intent.EVENTS })
  }

  const requireEvent = (call: Call, scope: InGuild): ScheduledEvent => {
    const event = scope.guild.events.get(requireId('guild_scheduled_event_id', call.params.event))
    if (!event) throw unknownThing('event')
    return event
  }

  /** Own events need CREATE_EVENTS or MANAGE_EVENTS, those of others MANAGE_EVENTS. */
  const requireManaging = (scope: InGuild, event: ScheduledEvent | null): void => {
    const own = event === null || event.creator_id === scope.member.user_id
    try {
      requireInGuild(context, scope, P.MANAGE_EVENTS)
    } catch (error) {
      if (!own) throw error
      requireInGuild(context, scope, P.CREATE_EVENTS)
    }
  }

  /** External events need a place and an end, the others a channel. */
  const checkWhole = (scope: InGuild, event: ScheduledEvent): void => {
    const missing = (path: string[]) => invalidField(path, 'BASE_TYPE_REQUIRED', 'This field is required')
    if (event.entity_type === 3) {
      if (!event.entity_metadata?.location) throw missing(['entity_metadata', 'location'])
      if (!event.scheduled_end_time) throw missing(['scheduled_end_time'])
      event.channel_id = null
    } else {
      const channel = world.channels.get(event.channel_id ?? '')
      if (!channel) throw missing(['channel_id'])
      if (channel.guild_id !== scope.guild.id || channel.type !== (event.entity_type === 2 ? 2 : 13)) {
        throw invalidField(['channel_id'], 'CHANNEL_TYPE_INVALID', 'Invalid channel type.')
      }
      event.entity_metadata = null
    }
    if (event.scheduled_end_time && Date.parse(event.scheduled_end_time) <= Date.parse(event.scheduled_start_time)) {
      throw invalidField(['scheduled_end_time'], 'GUILD_SCHEDULED_EVENT_END_BEFORE_START', 'The end must be after the start.')
    }
  }

  const write = (event: ScheduledEvent, body: EventBody): void => {
    if (body.name !== undefined) event.name = body.name.trim()
    if (body.description !== undefined) event.description = body.description
    if (body.channel_id !== undefined) event.channel_id = body.channel_id === null ? null : String(body.channel_id)
    if (body.scheduled_start_time !== undefined) event.scheduled_start_time = timestampOf(Date.parse(body.scheduled_start_time))
    if (body.scheduled_end_time !== undefined) {
      event.scheduled_end_time = body.scheduled_end_time === null ? null : timestampOf(Date.parse(body.scheduled_end_time))
    }
    if (body.entity_type !== undefined) event.entity_type = body.entity_type
    if (body.entity_metadata !== undefined) event.entity_metadata = body.entity_metadata as Wire | null
    if (body.recurrence_rule !== undefined) event.recurrence_rule = body.recurrence_rule
  }

  const interest = (call: Call, on: boolean): unknown => {
    const scope = requireGuild(context, call)
    const event = requireEvent(call, scope)
    if (event.users.includes(call.user.id) === on)
      return { guild_scheduled_event_id: event.id, user_id: call.user.id, response: on ? 1 : 0 }
    event.users = on ? [...event.users, call.user.id] : event.users.filter((id) => id !== call.user.id)
    gateway.toGuild(
      scope.guild,
      on ? 'GUILD_SCHEDULED_EVENT_USER_ADD' : 'GUILD_SCHEDULED_EVENT_USER_REMOVE',
      { guild_scheduled_event_id: event.id, user_id: call.user.id, guild_id: scope.guild.id },
      { intent: Intent.EVENTS },
    )
    return { guild_scheduled_event_id: event.id, user_id: call.user.id, response: on ? 1 : 0 }
  }

  const path = '/guilds/:guild/scheduled-events'
  return [
    {
      method: 'GET',
      pattern: path,
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        return [...guild.events.values()].map((event) => presentEvent(world, event, call.query.get('with_user_count') === 'true'))
      },
    },
    {
      method: 'POST',
      pattern: path,
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireManaging(scope, null)
        const body = validate<
          EventBody & { name: string; scheduled_start_time: string; privacy_level: number; entity_type: number }
        >(
          object({
            ...fields,
            name: required(fields.name),
            scheduled_start_time: required(fields.scheduled_start_time),
            privacy_level: required(fields.privacy_level),
            entity_type: required(fields.entity_type),
          }),
          call.body,
        )
        const live = [...scope.guild.events.values()].filter((event) => event.status < 3).length
        if (live >= LIVE_EVENTS) throw maximumReached(30038, 'guild scheduled events', LIVE_EVENTS)
        const event: ScheduledEvent = {
          id: world.id(),
          guild_id: scope.guild.id,
          channel_id: null,
          creator_id: call.user.id,
          name: '',
          description: null,
          scheduled_start_time: '',
          scheduled_end_time: null,
          privacy_level: 2,
          status: 1,
          entity_type: body.entity_type,
          entity_metadata: null,
          recurrence_rule: null,
          image: null,
          users: [],
        }
        write(event, body)
        checkWhole(scope, event)
        if (Date.parse(event.scheduled_start_time) < world.now()) {
          throw invalidField(['scheduled_start_time'], 'GUILD_SCHEDULED_EVENT_SCHEDULE_PAST', 'Cannot schedule event in the past.')
        }
        scope.guild.events.set(event.id, event)
        announce(scope, event, 'GUILD_SCHEDULED_EVENT_CREATE')
        audit(context, scope.guild, call, 100, event.id)
        return presentEvent(world, event)
      },
    },
    {
      method: 'GET',
      pattern: `${path}/:event`,
      handler: (call) =>
        presentEvent(world, requireEvent(call, requireGuild(context, call)), call.query.get('with_user_count') === 'true'),
    },
    {
      method: 'PATCH',
      pattern: `${path}/:event`,
      handler: (call) => {
        const scope = requireGuild(context, call)
        const event = requireEvent(call, scope)
        requireManaging(scope, event)
        const body = validate<EventBody>(object(fields), call.body)
        if (event.status > 2) throw missingPermissions()
        if (body.status !== undefined && body.status !== event.status && !NEXT[event.status]?.includes(body.status)) {
          throw invalidField(['status'], 'TRANSITION_INVALID', 'Invalid status transition.')
        }
        const next = { ...event }
        write(next, body)
        checkWhole(scope, next)
        Object.assign(event, next, body.status === undefined ? {} : { status: body.status })
        announce(scope, event, 'GUILD_SCHEDULED_EVENT_UPDATE')
        audit(context, scope.guild, call, 101, event.id)
        return presentEvent(world, event)
      },
    },
    {
      method: 'DELETE',
      pattern: `${path}/:event`,
      handler: (call) => {
        const scope = requireGuild(context, call)
        const event = requireEvent(call, scope)
        requireManaging(scope, event)
        scope.guild.events.delete(event.id)
        announce(scope, event, 'GUILD_SCHEDULED_EVENT_DELETE')
        audit(context, scope.guild, call, 102, event.id)
      },
    },
    {
      method: 'GET',
      pattern: `${path}/:event/users`,
      handler: (call) => {
        const scope = requireGuild(context, call)
        const event = requireEvent(call, scope)
        const withMember = call.query.get('with_member') === 'true'
        return pageOfIds(call, event.users, 100).map((id) => {
          const member = scope.guild.members.get(id)
          return {
            guild_scheduled_event_id: event.id,
            user_id: id,
            user: userOf(world, id),
            ...(withMember && member ? { member: presentMember(world, member) } : {}),
            response: 1,
          }
        })
      },
    },
    { method: 'PUT', pattern: `${path}/:event/users/@me`, handler: (call) => interest(call, true) },
    {
      method: 'DELETE',
      pattern: `${path}/:event/users/@me`,
      handler: (call) => {
        interest(call, false)
      },
    },
  ]
}
