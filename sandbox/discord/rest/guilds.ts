// Guilds: reading and changing one, its audit log, onboarding and the small lists that clients ask for.

import { audit, type Context, changesBetween, requireGuild, requireId, requireInGuild } from '../access.ts'
import { ApiError, invalidField, missingAccess, unknownThing } from '../errors.ts'
import type { Route } from '../http.ts'
import { Intent } from '../intents.ts'
import { setRoles } from '../membership.ts'
import { P } from '../permissions.ts'
import { presentGuild, presentWebhook, userOf } from '../present.ts'
import { compareIds } from '../snowflakes.ts'
import type { Guild, Wire } from '../store.ts'
import { boolean, list, nullable, object, oneOf, required, snowflake, text, validate, whole } from '../validate.ts'
import { queryId, queryNumber } from './members.ts'

const guildShape = object({
  name: text({ min: 2, max: 100 }),
  description: nullable(text({ max: 300 })),
  system_channel_id: nullable(snowflake),
  system_channel_flags: nullable(whole(0)),
  rules_channel_id: nullable(snowflake),
  public_updates_channel_id: nullable(snowflake),
  safety_alerts_channel_id: nullable(snowflake),
  afk_channel_id: nullable(snowflake),
  afk_timeout: nullable(oneOf([60, 300, 900, 1800, 3600])),
  verification_level: nullable(oneOf([0, 1, 2, 3, 4])),
  default_message_notifications: nullable(oneOf([0, 1])),
  explicit_content_filter: nullable(oneOf([0, 1, 2])),
  preferred_locale: nullable(text({ max: 5 })),
  premium_progress_bar_enabled: nullable(boolean),
  features: nullable(list(text())),
})

const onboardingShape = object({
  prompts: nullable(
    list(
      object({
        id: nullable(snowflake),
        title: required(text({ min: 1, max: 100 })),
        options: required(
          list(
            object({
              title: required(text({ min: 1, max: 50 })),
              description: nullable(text({ max: 100 })),
              channel_ids: nullable(list(snowflake, { max: 50 })),
              role_ids: nullable(list(snowflake, { max: 50 })),
            }),
            { min: 1, max: 50 },
          ),
        ),
        single_select: nullable(boolean),
        required: nullable(boolean),
        in_onboarding: nullable(boolean),
        type: nullable(oneOf([0, 1])),
      }),
      { max: 15 },
    ),
  ),
  default_channel_ids: nullable(list(snowflake, { max: 500 })),
  enabled: nullable(boolean),
  mode: nullable(oneOf([0, 1])),
})

export function guildRoutes(context: Context): Route[] {
  const { world, gateway } = context

  const withCounts = (guild: Guild): Wire => ({
    ...presentGuild(guild),
    approximate_member_count: guild.members.size,
    approximate_presence_count: guild.members.size,
  })

  const onboardingOf = (guild: Guild): Wire =>
    guild.onboarding ?? { guild_id: guild.id, prompts: [], default_channel_ids: [], enabled: false, mode: 0 }

  /** At least seven default channels, five of them writable by everyone (350000 otherwise). */
  const requireEnoughChannels = (guild: Guild, ids: readonly string[]): void => {
    const open = ids.filter((id) => {
      const channel = world.channels.get(id)
      const everyone = guild.roles.get(guild.id)?.permissions ?? 0n
      const overwrite = channel?.overwrites.get(guild.id)
      const bits = overwrite ? (everyone & ~overwrite.deny) | overwrite.allow : everyone
      return channel !== undefined && (bits & P.VIEW_CHANNEL) !== 0n && (bits & P.SEND_MESSAGES) !== 0n
    })
    if (ids.length < 7 || open.length < 5) throw new ApiError(400, 350000, 'Cannot enable onboarding, requirements are not met')
  }

  return [
    {
      method: 'GET',
      pattern: '/guilds/:guild',
      handler: (call) => {
        const guild = world.guilds.get(requireId('guild_id', call.params.guild))
        if (!guild?.members.has(call.user.id)) throw unknownThing('guild')
        return call.query.get('with_counts') === 'true' ? withCounts(guild) : presentGuild(guild)
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/preview',
      handler: (call) => {
        const { guild } = requireGuild(context, call)
        return {
          id: guild.id,
          name: guild.name,
          icon: guild.icon,
          description: guild.description,
          home_header: null,
          splash: null,
          discovery_splash: null,
          features: guild.features,
          approximate_member_count: guild.members.size,
          approximate_presence_count: guild.members.size,
          emojis: [...guild.emojis.values()],
          stickers: [],
        }
      },
    },
    {
      method: 'PATCH',
      pattern: '/guilds/:guild',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_GUILD)
        const body = validate<Wire>(guildShape, call.body)
        const before = presentGuild(scope.guild)
        for (const key of [
          'system_channel_id',
          'rules_channel_id',
          'public_updates_channel_id',
          'safety_alerts_channel_id',
          'afk_channel_id',
        ] as const) {
          const id = body[key]
          if (id === undefined) continue
          if (id !== null && world.channels.get(String(id))?.guild_id !== scope.guild.id) {
            throw invalidField([key], 'CHANNEL_INVALID', 'Invalid channel.')
          }
          scope.guild[key] = id as string | null
        }
        const plain = [
          'name',
          'description',
          'system_channel_flags',
          'afk_timeout',
          'verification_level',
          'default_message_notifications',
          'explicit_content_filter',
          'preferred_locale',
          'premium_progress_bar_enabled',
          'features',
        ]
        const given = Object.fromEntries(
          plain
            .filter((key) => body[key] !== undefined && (body[key] !== null || key === 'description'))
            .map((key) => [key, body[key]]),
        )
        Object.assign(scope.guild, given)
        gateway.toGuild(scope.guild, 'GUILD_UPDATE', presentGuild(scope.guild), { intent: Intent.GUILDS })
        audit(context, scope.guild, call, 1, scope.guild.id, { changes: changesBetween(before, presentGuild(scope.guild)) })
        return presentGuild(scope.guild)
      },
    },
    {
      method: 'GET',
      pattern: '/guilds/:guild/audit-logs',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.VIEW_AUDIT_LOG)
        const limit = queryNumber(call, 'limit', 50, 1, 100)
        const action = call.query.get('action_type')
        const by = call.query.get('user_id')
        const before = queryId(call, 'before')
        const after = queryId(call, 'after')
        const found = scope.guild.auditLog
          .filter((entry) => (action === null || entry.action_type === Number(action)) && (by === null || entry.user_id === by))
          .filter((entry) => before === null || compareIds(String(entry.id), before) < 0)
          .filter((entry) => after === null || compareIds(String(entry.id), after) > 0)
        const entries = after !== null && before === null ? found.slice(0, limit) : found.toReversed().slice(0, limit)
        return {
          audit_log_entries: entries,
          users: [...new Set(entries.map((entry) => String(entry.user_id)))].map((id) => userOf(world, id)),
          integrations: [],
          webhooks: [...world.webhooks.values()]
            .filter((one) => one.guild_id === scope.guild.id)
            .map((one) => presentWebhook(world, one, false)),
          guild_scheduled_events: [],
          threads: [],
          application_commands: [],
          auto_moderation_rules: [],
        }
      },
    },
    { method: 'GET', pattern: '/guilds/:guild/onboarding', handler: (call) => onboardingOf(requireGuild(context, call).guild) },
    {
      method: 'PUT',
      pattern: '/guilds/:guild/onboarding',
      handler: (call) => {
        const scope = requireGuild(context, call)
        requireInGuild(context, scope, P.MANAGE_GUILD | P.MANAGE_ROLES)
        const body = validate<{
          prompts?: Wire[] | null
          default_channel_ids?: string[] | null
          enabled?: boolean | null
          mode?: number | null
        }>(onboardingShape, call.body)
        const before = onboardingOf(scope.guild)
        const prompts = body.prompts
          ? body.prompts.map((prompt) => storePrompt(context, scope.guild, prompt))
          : (before.prompts as Wire[])
        const channels = (body.default_channel_ids ?? (before.default_channel_ids as string[])).map(String)
        for (const id of channels) if (world.channels.get(id)?.guild_id !== scope.guild.id) throw unknownThing('channel')
        const enabled = body.enabled ?? (before.enabled as boolean)
        const mode = body.mode ?? (before.mode as number)
        const offered = prompts.flatMap((prompt) => (prompt.options as Wire[]).flatMap((option) => option.channel_ids as string[]))
        if (enabled) requireEnoughChannels(scope.guild, mode === 1 ? [...new Set([...channels, ...offered])] : channels)
        scope.guild.onboarding = { guild_id: scope.guild.id, prompts, default_channel_ids: channels, enabled, mode }
        audit(context, scope.guild, call, 167, scope.guild.id)
        return scope.guild.onboarding
      },
    },
    {
      method: 'POST',
      pattern: '/guilds/:guild/onboarding-responses',
      handler: (call) => {
        const { guild, member } = requireGuild(context, call)
        const { onboarding_responses } = validate<{ onboarding_responses: string[] }>(
          object({ onboarding_responses: required(list(snowflake)) }),
          call.body,
        )
        const options = ((onboardingOf(guild).prompts as Wire[]) ?? []).flatMap((prompt) => prompt.options as Wire[])
        const chosen = options.filter((option) => onboarding_responses.map(String).includes(String(option.id)))
        member.flags |= 1 << 1
        setRoles(context, guild, member, [...member.roles, ...chosen.flatMap((option) => option.role_ids as string[])])
        return { guild_id: guild.id, user_id: member.user_id, onboarding_responses }
      },
    },
    { method: 'GET', pattern: '/guilds/:guild/stickers', handler: (call) => emptyFor(requireGuild(context, call).guild) },
    {
      method: 'GET',
      pattern: '/guilds/:guild/auto-moderation/rules',
      handler: (call) => emptyFor(requireGuild(context, call).guild),
    },
    { method: 'GET', pattern: '/guilds/:guild/regions', handler: () => REGIONS },
    { method: 'GET', pattern: '/voice/regions', handler: () => REGIONS },
    { method: 'GET', pattern: '/sticker-packs', handler: () => ({ sticker_packs: [] }) },
    {
      method: 'GET',
      pattern: '/guilds/:guild/vanity-url',
      handler: (call) => {
        const scope = requireGuild(context, call)
        if (!scope.guild.features.includes('VANITY_URL')) throw missingAccess()
        return { code: null, uses: 0 }
      },
    },
  ]
}

/** The sandbox keeps no stickers and no automatic moderation. */
const emptyFor = (_guild: Guild): never[] => []

const REGIONS = [{ id: 'us-east', name: 'US East', optimal: true, deprecated: false, custom: false }]

function storePrompt(context: Context, guild: Guild, prompt: Wire): Wire {
  const options = (prompt.options as Wire[]).map((option) => {
    const role_ids = ((option.role_ids as string[] | null) ?? []).map(String)
    const channel_ids = ((option.channel_ids as string[] | null) ?? []).map(String)
    for (const id of role_ids) if (!guild.roles.has(id)) throw unknownThing('role')
    for (const id of channel_ids) if (context.world.channels.get(id)?.guild_id !== guild.id) throw unknownThing('channel')
    const given = option.emoji as Wire | undefined
    return {
      id: context.world.id(),
      title: option.title,
      description: option.description ?? '',
      emoji: {
        id: option.emoji_id ?? given?.id ?? null,
        name: option.emoji_name ?? given?.name ?? null,
        animated: option.emoji_animated ?? given?.animated ?? false,
      },
      role_ids,
      channel_ids,
    }
  })
  return {
    id: context.world.id(),
    title: prompt.title,
    options,
    single_select: prompt.single_select ?? false,
    required: prompt.required ?? false,
    in_onboarding: prompt.in_onboarding ?? true,
    type: prompt.type ?? 0,
  }
}
