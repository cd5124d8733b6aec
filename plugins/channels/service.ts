// Who has which of the program's roles: computed from what the partner is now, so that events may come in any order and more than once.
import { and, eq, sql } from 'drizzle-orm'
import type { Clock, DiscordEffects, Programs, Reader, Tx } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import { partnerWelcome } from './messages.ts'
import { announcementsChannel, industryChannel, industryRole, partnerRole, winsChannel } from './public.ts'
import { grants } from './tables.ts'

export interface ChannelService {
  /** Gives the partner the roles they should have now, and takes those they should not. */
  settleRoles(tx: Tx, programId: string, partnerId: string): Promise<void>
  /** Tells a new partner what to do next, once. */
  welcome(tx: Tx, programId: string, partnerId: string): Promise<void>
}

export function createChannelService(ports: {
  clock: Clock
  discord: DiscordEffects
  programs: Programs
  partners: Partners
  notifications: Notifications
}): ChannelService {
  const { clock, discord, programs, partners, notifications } = ports

  async function roomsOf(reader: Reader, { programId, industry }: Partner): Promise<string[]> {
    const keys = [industryChannel(industry), announcementsChannel, winsChannel]
    const ids = await Promise.all(keys.map((key) => discord.idOf(reader, programId, 'channel', key)))
    return ids.flatMap((id) => (id ? [`<#${id}>`] : []))
  }

  return {
    settleRoles: async (tx, programId, partnerId) => {
      // Before the partner is read: of two events that are handled at the same time, the later one then sees what the earlier one did.
      await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`channels.roles ${partnerId}`}, 0))`)
      const partner = await partners.byId(tx, programId, partnerId)
      if (!partner) return
      const mine = and(eq(grants.programId, programId), eq(grants.partnerId, partnerId))
      const given = (await tx.select({ role: grants.roleKey }).from(grants).where(mine)).map(({ role }) => role)
      const { add, remove } = differences(given, rolesOf(partner))
      const wish = (role: string, wanted: boolean) =>
        discord.setRole(tx, {
          programId,
          userId: partner.userId,
          role,
          wanted,
          reason: reasons[partner.status] ?? 'not an active partner',
        })
      for (const role of add) {
        await tx.insert(grants).values({ programId, partnerId, roleKey: role, grantedAt: clock.now() })
        await wish(role, true)
      }
      for (const role of remove) {
        await tx.delete(grants).where(and(mine, eq(grants.roleKey, role)))
        await wish(role, false)
      }
    },

    welcome: async (tx, programId, partnerId) => {
      const partner = await partners.byId(tx, programId, partnerId)
      if (partner?.status !== 'active') return
      const { name } = await programs.byId(tx, programId)
      await notifications.tell(tx, {
        programId,
        key: `channels.welcome:${partnerId}`,
        userId: partner.userId,
        message: partnerWelcome(name, partner.name, await roomsOf(tx, partner)),
      })
    },
  }
}

const reasons: Partial<Record<Partner['status'], string>> = {
  active: 'active partner',
  suspended: 'suspended',
  left: 'left the server',
}

/** The roles that follow from what the partner is. */
export function rolesOf({ status, industry }: Pick<Partner, 'status' | 'industry'>): string[] {
  return status === 'active' ? [partnerRole, industryRole(industry)] : []
}

function differences(given: readonly string[], wanted: readonly string[]): { add: string[]; remove: string[] } {
  return { add: wanted.filter((role) => !given.includes(role)), remove: given.filter((role) => !wanted.includes(role)) }
}
