// Discord effects as rows: what should be (a role, a message), and the jobs that make it so over REST, whenever and however often they run.
import { DiscordAPIError, type RawFile, type REST } from '@discordjs/rest'
import { type APIMessage, ChannelType, MessageFlags, Routes } from 'discord-api-types/v10'
import { and, eq, sql } from 'drizzle-orm'
import { z } from 'zod'
import { type Attachment, beginning, type Message } from '../commands/messages.ts'
import type { Db, Reader, Tx } from '../db/connect.ts'
import { newId } from '../db/ids.ts'
import { programStore } from '../db/programs.ts'
import { type GuildObjectKind, guildObjects, memberRoles, messages } from '../db/tables.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { DiscordEffects } from '../plugins/kit/effects.ts'
import { directMessageRefused, type Emit } from '../plugins/kit/events.ts'
import { defineJob, type Enqueue, handle, type OuterJobHandler } from '../plugins/kit/jobs.ts'

export const applyRole = defineJob({
  name: 'guild.apply_role',
  payload: z.object({ programId: z.uuid(), userId: z.string(), role: z.string() }),
})
export const sendMessage = defineJob({ name: 'guild.send_message', payload: z.object({ id: z.uuid() }) })

/** Codes of Discord's refusals that have a meaning of their own here (https://docs.discord.com/developers/topics/opcodes-and-status-codes). */
export const refused = {
  unknownChannel: 10003,
  unknownMember: 10007,
  unknownMessage: 10008,
  unknownUser: 10013,
  cannotDm: 50007,
  noMutualGuild: 50278,
} as const

interface WantedMessage {
  readonly programId: string
  readonly key: string
  readonly targetKind: 'channel' | 'dm' | 'thread'
  readonly target: string
  readonly payload: Record<string, unknown>
}

/** The half that plugins use: it only writes rows and asks for jobs. */
export function createDiscordEffects(clock: Clock, enqueue: Enqueue): DiscordEffects {
  const want = async (tx: Tx, ...wishes: readonly WantedMessage[]) => {
    if (wishes.length === 0) return
    const now = clock.now()
    // Of several wishes under one key the last one counts.
    const last = new Map(wishes.map((wish) => [`${wish.programId} ${wish.key}`, wish]))
    const rows = await tx.execute<{ id: string; program_id: string }>(sql`
      insert into core_messages as m (id, program_id, key, target_kind, target, payload, created_at)
      select id, program_id, key, target_kind, target, payload, ${now.toISOString()}::timestamptz
      from jsonb_to_recordset(${JSON.stringify(
        [...last.values()].map(({ programId, targetKind, ...wish }) => ({
          id: newId(now),
          program_id: programId,
          target_kind: targetKind,
          ...wish,
        })),
      )}::text::jsonb) as w (id uuid, program_id uuid, key text, target_kind text, target text, payload jsonb)
      on conflict (program_id, key) do update set payload = excluded.payload, revision = m.revision + 1, state = 'wanted'
        where m.payload is distinct from excluded.payload
      returning id, program_id`)
    await enqueue.many(
      tx,
      sendMessage,
      rows.map((row) => ({ payload: { id: row.id }, programId: row.program_id })),
    )
  }
  return {
    setRole: async (tx, { programId, userId, role, wanted, reason }) => {
      await tx
        .insert(memberRoles)
        .values({ programId, userId, roleKey: role, wanted, reason, updatedAt: clock.now() })
        .onConflictDoUpdate({
          target: [memberRoles.programId, memberRoles.userId, memberRoles.roleKey],
          set: { wanted, reason, updatedAt: clock.now() },
        })
      await enqueue(tx, applyRole, { programId, userId, role }, { programId })
    },
    post: (tx, { programId, key, channel, message }) =>
      want(tx, { programId, key, targetKind: 'channel', target: channel, payload: store(message) }),
    direct: (tx, ...wishes) =>
      want(
        tx,
        ...wishes.map(({ programId, key, userId, message }) => ({
          programId,
          key,
          targetKind: 'dm' as const,
          target: userId,
          payload: store(message),
        })),
      ),
    privateThread: (tx, { programId, key, userId, channel, title, message }) =>
      want(tx, {
        programId,
        key,
        targetKind: 'thread',
        target: userId,
        payload: { ...store({ ...message, mentions: [userId] }), thread: { channel, title } },
      }),
    idOf: (reader, programId, kind, key) => objectId(reader, programId, kind, key),
  }
}

/** The half that talks to Discord. Each handler looks at the row, does what is missing, and records it; running twice changes nothing. */
export function createEffectJobs({ db, rest, clock, emit }: { db: Db; rest: REST; clock: Clock; emit: Emit }): OuterJobHandler[] {
  const oneAtATime = turns()
  return [
    handle(applyRole, async (wish) => {
      // The wish may change while Discord is told of the earlier one, and the job of the change may have found nothing to do by then.
      for (let again = true; again; ) again = await applyWish(wish)
    }),

    handle(sendMessage, ({ id }) => oneAtATime(id, () => send(id))),
  ]

  /** Makes Discord's role what the row says; true when the row said something else by the time it was done. */
  async function applyWish({ programId, userId, role }: { programId: string; userId: string; role: string }): Promise<boolean> {
    const mine = and(eq(memberRoles.programId, programId), eq(memberRoles.userId, userId), eq(memberRoles.roleKey, role))
    const [row] = await db.select().from(memberRoles).where(mine)
    if (!row || row.applied === row.wanted) return false
    const { guildId } = await programStore.byId(db, programId)
    const roleId = await objectId(db, programId, 'role', role)
    if (!roleId) throw new Error(`The role ${role} does not exist yet; run /admin setup`)
    const route = Routes.guildMemberRole(guildId, userId, roleId)
    try {
      await (row.wanted ? rest.put(route, { reason: row.reason }) : rest.delete(route, { reason: row.reason }))
    } catch (error) {
      if (!isRefusal(error, refused.unknownMember) && !isRefusal(error, refused.unknownUser)) throw error
      await db.update(memberRoles).set({ applied: null, lastError: 'not in the server' }).where(mine)
      return false
    }
    const [now] = await db
      .update(memberRoles)
      .set({ applied: row.wanted, lastError: null, updatedAt: clock.now() })
      .where(mine)
      .returning({ wanted: memberRoles.wanted })
    return now !== undefined && now.wanted !== row.wanted
  }

  async function send(id: string): Promise<void> {
    const [row] = await db.select().from(messages).where(eq(messages.id, id))
    if (row?.state !== 'wanted') return
    const one = eq(messages.id, id)
    try {
      const channelId = row.channelId ?? (await openChannel(row))
      if (!channelId) return
      if (!row.channelId) await db.update(messages).set({ channelId }).where(one)
      // Here rather than where the thread is made: an earlier try may have ended between the two.
      if (row.targetKind === 'thread' && !row.messageId) await rest.put(Routes.threadMembers(channelId, row.target))
      const sent = await deliver(row, channelId)
      await db
        .update(messages)
        .set({
          channelId,
          messageId: sent.id,
          sentRevision: row.revision,
          sentAt: clock.now(),
          lastError: null,
          state: sql`case when ${messages.revision} = ${row.revision} then 'sent' else ${messages.state} end`,
        })
        .where(one)
    } catch (error) {
      // The channel was deleted: forget it, so that the next try looks for the one that has taken its place.
      if (isRefusal(error, refused.unknownChannel)) await db.update(messages).set({ channelId: null, messageId: null }).where(one)
      // Whoever has left cannot be reached, neither directly nor in a thread.
      if (isRefusal(error, refused.noMutualGuild) || isRefusal(error, refused.unknownMember))
        return void (await db.update(messages).set({ state: 'refused', lastError: 'not in the server' }).where(one))
      if (!isRefusal(error, refused.cannotDm)) throw error
      await db.transaction(async (tx) => {
        await tx.update(messages).set({ state: 'refused', lastError: 'direct messages are closed' }).where(one)
        await emit(tx, directMessageRefused, { programId: row.programId, userId: row.target, key: row.key })
      })
    }
  }

  type Row = typeof messages.$inferSelect

  /** Where the message goes; undefined while a channel of the blueprint does not exist (the guild's setup sends what waits). */
  async function openChannel(row: Row): Promise<string | undefined> {
    if (row.targetKind === 'channel') return objectId(db, row.programId, 'channel', row.target)
    if (row.targetKind === 'dm')
      return ((await rest.post(Routes.userChannels(), { body: { recipient_id: row.target } })) as { id: string }).id
    const { channel, title } = row.payload.thread as { channel: string; title: string }
    const parent = await objectId(db, row.programId, 'channel', channel)
    if (!parent) return undefined
    const thread = (await rest.post(Routes.threads(parent), {
      body: { name: beginning(title, 100), type: ChannelType.PrivateThread, invitable: false, auto_archive_duration: 10080 },
    })) as { id: string }
    return thread.id
  }

  async function deliver(row: Row, channelId: string): Promise<APIMessage> {
    const { body, files } = unpack(row.payload)
    if (row.messageId) {
      try {
        return (await rest.patch(Routes.channelMessage(channelId, row.messageId), { body, files })) as APIMessage
      } catch (error) {
        if (!isRefusal(error, refused.unknownMessage)) throw error
      }
    }
    // Discord answers a known nonce with the message that it made before: one row never becomes two messages, even after a crash before the record.
    const nonce = row.id.replaceAll('-', '').slice(-20) + (row.messageId ? `.${row.revision % 10_000}` : '')
    const sent = (await rest.post(Routes.channelMessages(channelId), {
      body: { ...body, nonce, enforce_nonce: true },
      files,
    })) as APIMessage
    // That earlier message may carry the words of an earlier revision.
    if (row.revision > 1) await rest.patch(Routes.channelMessage(channelId, sent.id), { body, files })
    return sent
  }
}

/** Runs work of one key after the other: two revisions of a message must not overtake each other on their way to Discord. */
function turns(): (key: string, work: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>()
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).catch(() => {}).then(work)
    const done = mine.finally(() => last.get(key) === done && last.delete(key))
    last.set(key, done)
    return done
  }
}

/** The Discord id behind a blueprint key. */
export async function objectId(reader: Reader, programId: string, kind: GuildObjectKind, key: string): Promise<string | undefined> {
  const [row] = await reader
    .select({ id: guildObjects.discordId })
    .from(guildObjects)
    .where(and(eq(guildObjects.programId, programId), eq(guildObjects.kind, kind), eq(guildObjects.key, key)))
  return row?.id
}

/** A message as a row keeps it: plain JSON, attachments in base64. */
function store(message: Message): Record<string, unknown> {
  const { files, ...rest } = message
  return { ...rest, ...(files && { files: files.map((file) => ({ ...file, data: file.data.toString('base64') })) }) }
}

/** A message as Discord's REST API takes it. */
export function toRestBody(message: Message): { body: Record<string, unknown>; files: RawFile[] } {
  return {
    body: {
      components: message.components,
      flags: MessageFlags.IsComponentsV2,
      allowed_mentions: { parse: [], users: message.mentions ?? [] },
      ...(message.files && {
        attachments: message.files.map((file, id) => ({
          id,
          filename: file.name,
          ...(file.description && { description: file.description }),
        })),
      }),
    },
    files: (message.files ?? []).map((file) => ({ name: file.name, data: file.data })),
  }
}

function unpack(payload: Record<string, unknown>): ReturnType<typeof toRestBody> {
  const { files, ...rest } = payload as unknown as Omit<Message, 'files'> & {
    files?: (Omit<Attachment, 'data'> & { data: string })[]
  }
  return toRestBody({
    ...rest,
    ...(files && { files: files.map((file) => ({ ...file, data: Buffer.from(file.data, 'base64') })) }),
  })
}

export function isRefusal(error: unknown, code: number): boolean {
  return error instanceof DiscordAPIError && error.code === code
}
