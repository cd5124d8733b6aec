// The guild as the plugins want it: compares the blueprint with what is there and makes up the difference. Running it again changes nothing.
import type { REST } from '@discordjs/rest'
import {
  type APIGuild,
  type APIGuildCategoryChannel,
  type APIGuildChannel,
  type APIOverwrite,
  type APIRole,
  ChannelType,
  OverwriteType,
  PermissionFlagsBits,
  Routes,
} from 'discord-api-types/v10'
import { and, eq, isNull, ne, or, sql } from 'drizzle-orm'
import type { Db } from '../db/connect.ts'
import type { Program } from '../db/programs.ts'
import { readSettings } from '../db/settings.ts'
import { type GuildObjectKind, guildObjects, memberRoles, messages } from '../db/tables.ts'
import type { Blueprint, ChannelWish, RoleWish } from '../plugins/kit/blueprint.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { DiscordEffects } from '../plugins/kit/effects.ts'
import type { Enqueue } from '../plugins/kit/jobs.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'
import { applyRole, sendMessage } from './effects.ts'

type Channel = APIGuildChannel

export interface Change {
  readonly action: 'create' | 'update' | 'adopt'
  readonly kind: GuildObjectKind
  readonly key: string
  readonly name: string
  /** What differs, in words. */
  readonly because: string
}

/** One program's wishes, from its settings. */
export async function blueprintOf(db: Db, plugins: readonly Plugin[], programId: string): Promise<Required<Blueprint>> {
  const settings = new Map<string, unknown>()
  for (const plugin of plugins)
    if (plugin.config) settings.set(plugin.id, await readSettings(db, programId, plugin.id, plugin.config))
  const wishes = plugins.map(
    (plugin) => plugin.blueprint?.((other) => settings.get(other.id) as never, settings.get(plugin.id) as never) ?? {},
  )
  return {
    roles: wishes.flatMap((wish) => wish.roles ?? []),
    categories: wishes.flatMap((wish) => wish.categories ?? []).toSorted((a, b) => a.order - b.order),
    channels: wishes.flatMap((wish) => wish.channels ?? []),
  }
}

interface Options {
  db: Db
  rest: REST
  clock: Clock
  discord: DiscordEffects
  enqueue: Enqueue
  plugins: readonly Plugin[]
  program: Program
  /** Only tell what would change. */
  dryRun?: boolean
  onChange?: (change: Change, done: number) => Promise<void> | void
}

/** Makes the guild as the plugins want it and returns what was (or, in a dry run, would be) changed. Objects are found by their stored id, then by name. */
export async function reconcileGuild(options: Options): Promise<Change[]> {
  const { db, rest, program } = options
  const wish = await blueprintOf(db, options.plugins, program.id)
  const changes: Change[] = []
  const tell = async (change: Change) => {
    changes.push(change)
    await options.onChange?.(change, changes.length)
  }
  const known = await knownObjects(db, program.id)
  const me = (await rest.get(Routes.user())) as { id: string }
  const { features } = (await rest.get(Routes.guild(program.guildId))) as APIGuild

  const roles = (await rest.get(Routes.guildRoles(program.guildId))) as APIRole[]
  for (const role of wish.roles)
    await settle(options, tell, 'role', role, findObject(roles, known, 'role', role), roleDifference, {
      create: () => createRole(rest, program, role),
      update: (found) => rest.patch(Routes.guildRole(program.guildId, found.id), { body: roleBody(role) }),
    })

  const channels = (await rest.get(Routes.guildChannels(program.guildId))) as Channel[]
  const categories = channels.filter((channel): channel is APIGuildCategoryChannel => channel.type === ChannelType.GuildCategory)
  for (const category of wish.categories)
    await settle(options, tell, 'category', category, findObject(categories, known, 'category', category), () => undefined, {
      create: () =>
        rest.post(Routes.guildChannels(program.guildId), {
          body: { name: category.name, type: ChannelType.GuildCategory },
        }) as Promise<Channel>,
      update: async () => {},
    })

  const ids = options.dryRun ? known : await knownObjects(db, program.id)
  const others = channels.filter((channel) => channel.type !== ChannelType.GuildCategory)
  for (const channel of wish.channels) {
    const body = channelBody(channel, program, ids, me.id, features)
    await settle(
      options,
      tell,
      'channel',
      channel,
      findObject(others, known, 'channel', channel),
      (_, found) => channelDifference(body, found),
      {
        create: () => rest.post(Routes.guildChannels(program.guildId), { body }) as Promise<Channel>,
        update: (found) =>
          rest.patch(Routes.channel(found.id), {
            body: {
              // Discord allows two renames in ten minutes, so the name is sent only when it differs.
              ...(found.name !== body.name && { name: body.name }),
              topic: body.topic,
              parent_id: body.parent_id,
              permission_overwrites: body.permission_overwrites,
            },
          }),
      },
    )
  }
  if (!options.dryRun) await resume(options, wish.channels)
  return changes
}

/** Creates, adopts or updates one object and remembers its id. */
async function settle<W extends { key: string; name: string }, F extends { id: string }>(
  options: Options,
  tell: (change: Change) => Promise<void>,
  kind: GuildObjectKind,
  wish: W,
  match: { object: F; remembered: boolean } | undefined,
  difference: (wish: W, found: F) => string | undefined,
  make: { create: () => Promise<{ id: string }>; update: (found: F) => Promise<unknown> },
): Promise<void> {
  const change = (action: Change['action'], because: string) => tell({ action, kind, key: wish.key, name: wish.name, because })
  if (!match) {
    await change('create', 'it does not exist')
    if (!options.dryRun) await remember(options, kind, wish.key, (await make.create()).id)
    return
  }
  const because = difference(wish, match.object)
  if (because) await change('update', because)
  else if (!match.remembered) await change('adopt', 'it exists under this name')
  if (options.dryRun) return
  if (because) await make.update(match.object)
  if (!match.remembered) await remember(options, kind, wish.key, match.object.id)
}

function findObject<F extends { id: string; name?: string | null }>(
  existing: readonly F[],
  known: Known,
  kind: GuildObjectKind,
  wish: { key: string; name: string },
) {
  const id = known.get(`${kind}:${wish.key}`)
  const remembered = existing.find((object) => object.id === id)
  if (remembered) return { object: remembered, remembered: true }
  const claimed = new Set(known.values())
  const byName = existing.find((object) => object.name?.toLowerCase() === wish.name.toLowerCase() && !claimed.has(object.id))
  return byName && { object: byName, remembered: false }
}

function createRole(rest: REST, program: Program, role: RoleWish): Promise<{ id: string }> {
  return rest.post(Routes.guildRoles(program.guildId), { body: roleBody(role) }) as Promise<{ id: string }>
}

function roleBody(role: RoleWish) {
  return { name: role.name, color: role.color ?? 0, hoist: role.hoist ?? false, mentionable: false, permissions: '0' }
}

function roleDifference(wish: RoleWish, found: APIRole): string | undefined {
  const body = roleBody(wish)
  if (found.name !== body.name) return `its name is “${found.name}”`
  if (found.color !== body.color) return 'its colour differs'
  if (found.hoist !== body.hoist) return 'its place in the member list differs'
  if (found.permissions !== body.permissions) return 'it carries permissions'
  return undefined
}

interface ChannelBody {
  name: string
  type: ChannelType
  topic: string
  parent_id: string | null
  permission_overwrites: APIOverwrite[]
}

const kinds = {
  text: ChannelType.GuildText,
  announcement: ChannelType.GuildAnnouncement,
  forum: ChannelType.GuildForum,
  voice: ChannelType.GuildVoice,
} as const
const {
  ViewChannel,
  SendMessages,
  SendMessagesInThreads,
  CreatePublicThreads,
  CreatePrivateThreads,
  ReadMessageHistory,
  UseApplicationCommands,
  ManageThreads,
} = PermissionFlagsBits
const writing = SendMessages | CreatePublicThreads | CreatePrivateThreads

function channelBody(wish: ChannelWish, program: Program, ids: Known, botId: string, features: readonly string[]): ChannelBody {
  const denyAll = wish.seenBy === 'everyone' ? 0n : ViewChannel
  const denyWriting = wish.writtenBy === 'staff' ? writing : 0n
  const readers = typeof wish.seenBy === 'object' ? wish.seenBy.roles.map((key) => ids.get(`role:${key}`) ?? `missing:${key}`) : []
  const everyone = overwrite(
    program.guildId,
    OverwriteType.Role,
    wish.seenBy === 'everyone' ? ViewChannel | ReadMessageHistory | UseApplicationCommands : 0n,
    denyAll | denyWriting,
  )
  return {
    name: wish.name,
    // Only community servers have announcement channels; elsewhere the same channel is a text channel.
    type: wish.kind === 'announcement' && !features.includes('COMMUNITY') ? ChannelType.GuildText : kinds[wish.kind],
    topic: wish.topic ?? '',
    parent_id: ids.get(`category:${wish.category}`) ?? null,
    permission_overwrites: [
      everyone,
      ...readers.map((id) =>
        overwrite(id, OverwriteType.Role, ViewChannel | ReadMessageHistory | UseApplicationCommands, denyWriting),
      ),
      overwrite(
        botId,
        OverwriteType.Member,
        ViewChannel |
          ReadMessageHistory |
          SendMessages |
          SendMessagesInThreads |
          CreatePublicThreads |
          CreatePrivateThreads |
          ManageThreads,
        0n,
      ),
    ],
  }
}

function overwrite(id: string, type: OverwriteType, allow: bigint, deny: bigint): APIOverwrite {
  return { id, type, allow: allow.toString(), deny: deny.toString() }
}

function channelDifference(body: ChannelBody, found: Channel): string | undefined {
  const existing = found as Channel & { topic?: string | null; parent_id?: string | null; permission_overwrites?: APIOverwrite[] }
  if (existing.name !== body.name) return `its name is “${existing.name}”`
  if ((existing.topic ?? '') !== body.topic && body.type !== ChannelType.GuildVoice) return 'its topic differs'
  if ((existing.parent_id ?? null) !== body.parent_id) return 'it stands in another category'
  if (overwriteText(existing.permission_overwrites ?? []) !== overwriteText(body.permission_overwrites))
    return 'its permissions differ'
  return undefined
}

function overwriteText(overwrites: readonly APIOverwrite[]): string {
  return overwrites
    .map(({ id, allow, deny }) => `${id}+${allow}-${deny}`)
    .sort()
    .join()
}

type Known = Map<string, string>

async function knownObjects(db: Db, programId: string): Promise<Known> {
  const rows = await db.select().from(guildObjects).where(eq(guildObjects.programId, programId))
  return new Map(rows.map((row) => [`${row.kind}:${row.key}`, row.discordId]))
}

async function remember({ db, clock, program }: Options, kind: GuildObjectKind, key: string, discordId: string): Promise<void> {
  await db
    .insert(guildObjects)
    .values({ programId: program.id, kind, key, discordId, updatedAt: clock.now() })
    .onConflictDoUpdate({
      target: [guildObjects.programId, guildObjects.kind, guildObjects.key],
      set: { discordId, updatedAt: clock.now() },
    })
}

/** Posts the notices, again where their channel was made anew, and sends what waited for roles and channels to exist. */
async function resume({ db, discord, enqueue, program }: Options, channels: readonly ChannelWish[]): Promise<void> {
  await db.transaction(async (tx) => {
    await tx.execute(sql`
      update core_messages m set state = 'wanted', sent_revision = 0, channel_id = null, message_id = null
      from core_guild_objects o
      where m.program_id = ${program.id} and o.program_id = m.program_id and m.target_kind = 'channel' and m.key = 'notice:' || o.key
        and o.kind = 'channel' and m.channel_id is distinct from o.discord_id`)
    for (const channel of channels)
      if (channel.notice)
        await discord.post(tx, {
          programId: program.id,
          key: `notice:${channel.key}`,
          channel: channel.key,
          message: channel.notice,
        })
    for (const { id } of await tx
      .select({ id: messages.id })
      .from(messages)
      .where(and(eq(messages.programId, program.id), eq(messages.state, 'wanted'), ne(messages.revision, messages.sentRevision))))
      await enqueue(tx, sendMessage, { id }, { programId: program.id, dedupeKey: id })
    const open = await tx
      .select()
      .from(memberRoles)
      .where(
        and(
          eq(memberRoles.programId, program.id),
          or(isNull(memberRoles.applied), sql`${memberRoles.applied} <> ${memberRoles.wanted}`),
        ),
      )
    for (const { userId, roleKey } of open)
      await enqueue(
        tx,
        applyRole,
        { programId: program.id, userId, role: roleKey },
        { programId: program.id, dedupeKey: `${userId}:${roleKey}` },
      )
  })
}
