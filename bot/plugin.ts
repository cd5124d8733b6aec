// The house's own plugin for the guild: the effect jobs, their repair, and what waits for a member who comes (back).
import type { REST } from '@discordjs/rest'
import { type APIGuildMember, Routes } from 'discord-api-types/v10'
import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Reader, Tx } from '../db/connect.ts'
import { type Program, programStore } from '../db/programs.ts'
import { memberRoles, messages } from '../db/tables.ts'
import { minutes } from '../plugins/kit/clock.ts'
import { memberJoined, memberLeft, on } from '../plugins/kit/events.ts'
import { schedule } from '../plugins/kit/jobs.ts'
import { housePermissions } from '../plugins/kit/permissions.ts'
import { definePlugin, type Plugin, type SetupContext } from '../plugins/kit/plugin.ts'
import { applyRole, createEffectJobs, isRefusal, refused } from './effects.ts'

/** The plugin that owns roles and messages in the guild. It talks to Discord over REST only, so any worker can run it. */
export function guildPlugin(rest: REST): Plugin {
  return definePlugin({
    id: 'guild',
    title: 'Guild',
    summary: 'Keeps roles and messages in the server as the program wants them.',
    permissions: housePermissions,
    data: {
      statement: 'The Discord id of a member, the roles the program gives them, and the messages the bot sent to them.',
      exportPartner: exportFor,
      deletePartner: eraseFor,
    },
    setup: (context: SetupContext<unknown>) => ({
      jobs: createEffectJobs({ db: context.db, rest, clock: context.clock, emit: context.emit }),
      listeners: [
        on(memberJoined, 'guild.restore_roles', async (tx, { programId, userId }) => {
          await tx
            .update(memberRoles)
            .set({ applied: null })
            .where(and(eq(memberRoles.programId, programId), eq(memberRoles.userId, userId)))
          const rows = await tx
            .select()
            .from(memberRoles)
            .where(and(eq(memberRoles.programId, programId), eq(memberRoles.userId, userId), eq(memberRoles.wanted, true)))
          for (const { roleKey } of rows)
            await context.enqueue(
              tx,
              applyRole,
              { programId, userId, role: roleKey },
              { programId, dedupeKey: `${userId}:${roleKey}` },
            )
        }),
      ],
      schedules: [schedule('guild.repair_roles', { ms: minutes(15) }, () => repairAll(context, rest))],
    }),
  })
}

const theirRoles = (programId: string, userId: string) => and(eq(memberRoles.programId, programId), eq(memberRoles.userId, userId))
const theirMessages = (programId: string, userId: string) =>
  and(eq(messages.programId, programId), inArray(messages.targetKind, ['dm', 'thread']), eq(messages.target, userId))
const erased = 'erased'

async function exportFor(reader: Reader, programId: string, userId: string): Promise<unknown> {
  return {
    roles: await reader
      .select({ role: memberRoles.roleKey, wanted: memberRoles.wanted, reason: memberRoles.reason, since: memberRoles.updatedAt })
      .from(memberRoles)
      .where(theirRoles(programId, userId)),
    messages: await reader
      .select({ createdAt: messages.createdAt, sentAt: messages.sentAt, message: messages.payload })
      .from(messages)
      .where(theirMessages(programId, userId)),
  }
}

/**
 * The roles are remembered until they are taken, which the repair sees to. What was posted in channels stays there; here it no longer says of whom. Events stay,
 * because they are the program's history, without the person.
 */
async function eraseFor(tx: Tx, programId: string, userId: string): Promise<void> {
  const mention = `<@${userId}>`
  await tx.delete(messages).where(theirMessages(programId, userId))
  await tx.execute(sql`
    update core_messages set payload = replace(payload::text, ${mention}, 'somebody')::jsonb
    where program_id = ${programId} and payload::text like ${`%${mention}%`}`)
  await tx.execute(sql`
    delete from core_outbox where program_id = ${programId} and kind = 'job' and done_at is not null and payload ->> 'userId' = ${userId}`)
  await tx.execute(sql`
    update core_outbox set payload = payload - 'email' - 'username' || ${JSON.stringify({ userId: erased })}::text::jsonb
    where program_id = ${programId} and kind = 'event' and done_at is not null and payload ->> 'userId' = ${userId}`)
  await tx.update(memberRoles).set({ wanted: false, applied: null, reason: erased }).where(theirRoles(programId, userId))
}

/** Looks at every server, also when one cannot be looked at: the bot may have been taken out of it. */
async function repairAll(context: SetupContext<unknown>, rest: REST): Promise<void> {
  for (const program of await programStore.all(context.db))
    await repair(context, rest, program).catch((error: unknown) =>
      context.log.warn({ err: error, program: program.id }, 'the roles of a server could not be looked at'),
    )
}

/** Compares the roles that members have with the roles they should have, and asks for what differs. */
async function repair(context: SetupContext<unknown>, rest: REST, program: Program): Promise<void> {
  const { db, enqueue, log } = context
  const rows = await db
    .select({
      userId: memberRoles.userId,
      role: memberRoles.roleKey,
      wanted: memberRoles.wanted,
      applied: memberRoles.applied,
      reason: memberRoles.reason,
      roleId: sql<string>`o.discord_id`,
    })
    .from(memberRoles)
    .innerJoin(
      sql`core_guild_objects o`,
      sql`o.program_id = ${memberRoles.programId} and o.kind = 'role' and o.key = ${memberRoles.roleKey}`,
    )
    .where(eq(memberRoles.programId, program.id))
  if (rows.length === 0) return
  const present = await memberRolesIn(rest, program.guildId)
  const wrong = rows.filter((row) => present.has(row.userId) && present.get(row.userId)!.has(row.roleId) !== row.wanted)
  for (const { userId, role } of wrong)
    await db.transaction(async (tx) => {
      await tx
        .update(memberRoles)
        .set({ applied: null })
        .where(and(theirRoles(program.id, userId), eq(memberRoles.roleKey, role)))
      await enqueue(
        tx,
        applyRole,
        { programId: program.id, userId, role },
        { programId: program.id, dedupeKey: `${userId}:${role}` },
      )
    })
  const gone = rows.filter(({ userId, reason }) => reason === erased && !wrong.some((row) => row.userId === userId))
  for (const { userId } of gone) await db.delete(memberRoles).where(theirRoles(program.id, userId))
  if (wrong.length > 0) log.info({ program: program.id, repaired: wrong.length }, 'roles differed from what they should be')
  const missed = rows.filter(({ userId, applied }) => applied && !present.has(userId)).map(({ userId }) => userId)
  for (const userId of new Set(missed)) await noteMissing(context, rest, program, userId)
}

/** Somebody had a role and is not among the members: tells that they left, once, as the gateway does when the bot is there to hear of it. */
async function noteMissing(
  { db, emit }: SetupContext<unknown>,
  rest: REST,
  { id, guildId }: Program,
  userId: string,
): Promise<void> {
  // They may have come back since the members were listed.
  const isBack = await rest.get(Routes.guildMember(guildId, userId)).then(
    () => true,
    (error: unknown) => {
      if (isRefusal(error, refused.unknownMember) || isRefusal(error, refused.unknownUser)) return false
      throw error
    },
  )
  if (isBack) return
  await db.transaction(async (tx) => {
    await tx.update(memberRoles).set({ applied: null }).where(theirRoles(id, userId))
    await emit(tx, memberLeft, { programId: id, userId })
  })
}

async function memberRolesIn(rest: REST, guildId: string): Promise<Map<string, Set<string>>> {
  const roles = new Map<string, Set<string>>()
  for (let after = '0'; ; ) {
    const members = (await rest.get(Routes.guildMembers(guildId), {
      query: new URLSearchParams({ limit: '1000', after }),
    })) as APIGuildMember[]
    for (const member of members) roles.set(member.user.id, new Set(member.roles))
    if (members.length < 1000) return roles
    after = members.at(-1)!.user.id
  }
}
