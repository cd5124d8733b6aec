// Suspensions: an admin stops a partner for a reason that the partner reads, or lets them go on. Calls no vendor.
import { and, eq } from 'drizzle-orm'
import type { Message } from '../../commands/messages.ts'
import { audit } from '../../db/tables.ts'
import { staffChannel } from '../channels/public.ts'
import { type Clock, type DiscordEffects, type DomainEvent, type Emit, type Programs, refuseOwn, type Tx } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import { partnerReinstated, partnerSuspended } from './events.ts'
import { standing } from './messages.ts'
import { noPartner, type PartnerRow, progressOf, type Step, statusOf, type Who } from './model.ts'
import type { PartnerService } from './service.ts'
import { updatePartner } from './store.ts'
import { reinstatedForStaff, reinstatedMessage, suspendedForStaff, suspendedMessage } from './suspensionMessages.ts'
import { partners } from './tables.ts'

export interface Suspensions {
  /**
   * Stops the partner, in the server or out of it; told to them, the staff, and other plugins. Nothing changes for who is suspended already. `by` is the
   * admin's Discord id. @throws UserError when there is no such partner, or the partnership is the admin's own
   */
  suspend(tx: Tx, who: Who, because: string, by: string): Promise<{ partner: PartnerRow; changed: boolean }>
  /**
   * Ends the suspension: the partner is as far as they had come, with the steps they took meanwhile, and `next` is what they have to do before they earn;
   * who left meanwhile stays away. Nothing changes for who is not suspended. @throws UserError as `suspend`
   */
  reinstate(tx: Tx, who: Who, by: string): Promise<{ partner: PartnerRow; changed: boolean; next: Step | undefined }>
}

export function createSuspensions(ports: {
  clock: Clock
  emit: Emit
  discord: DiscordEffects
  programs: Programs
  notifications: Notifications
  service: PartnerService
}): Suspensions {
  const { clock, emit, discord, programs, notifications, service } = ports

  async function lock(tx: Tx, { programId, userId }: Who, by: string): Promise<PartnerRow> {
    const [partner] = await tx
      .select()
      .from(partners)
      .where(and(eq(partners.programId, programId), eq(partners.userId, userId)))
      .for('update')
    if (!partner) throw noPartner(userId)
    refuseOwn('partnership', userId, by)
    return partner
  }

  /** The status, which for who is not in the server is the one to come back to. */
  const become = (partner: PartnerRow, status: 'suspended' | ReturnType<typeof progressOf>): Partial<PartnerRow> =>
    partner.status === 'left' ? { statusBeforeLeft: status } : { status }

  interface News {
    readonly act: 'suspend' | 'reinstate'
    readonly event: DomainEvent<{ partnerId: string; userId: string }>
    readonly detail: Record<string, unknown>
    readonly by: string
    readonly forPartner: (program: string) => Message
    readonly forStaff: Message
  }

  /** Keeps who did it, and tells whom it concerns. */
  async function make(tx: Tx, { programId, id: partnerId, userId }: PartnerRow, news: News): Promise<void> {
    const at = clock.now()
    const action = `partners.${news.act}`
    const key = `${action}:${partnerId}:${at.toISOString()}`
    await tx.insert(audit).values({ programId, actor: news.by, action, detail: { partnerId, ...news.detail }, at })
    await emit(tx, news.event, { programId, partnerId, userId })
    const { name } = await programs.byId(tx, programId)
    await notifications.tell(tx, { programId, key, userId, message: news.forPartner(name) })
    await discord.post(tx, { programId, key, channel: staffChannel, message: news.forStaff })
  }

  return {
    suspend: async (tx, who, because, by) => {
      const before = await lock(tx, who, by)
      if (statusOf(before) === 'suspended') return { partner: before, changed: false }
      const change = { ...become(before, 'suspended'), suspendedAt: clock.now(), suspendedBecause: because }
      const partner = await updatePartner(tx, before, change)
      await make(tx, partner, {
        act: 'suspend',
        event: partnerSuspended,
        detail: { because },
        by,
        forPartner: (program) => suspendedMessage(program, partner),
        forStaff: suspendedForStaff(partner, by),
      })
      return { partner, changed: true }
    },

    reinstate: async (tx, who, by) => {
      const before = await lock(tx, who, by)
      if (statusOf(before) !== 'suspended') return { partner: before, changed: false, next: undefined }
      await updatePartner(tx, before, { ...become(before, progressOf(before)), suspendedAt: null, suspendedBecause: null })
      // What was missing may have been done meanwhile.
      await service.reviewActivation(tx, who.programId, before.id)
      const partner = (await service.find(tx, who))!
      const next = (await service.steps(tx, partner)).find((step) => !step.done)
      await make(tx, partner, {
        act: 'reinstate',
        event: partnerReinstated,
        detail: { to: partner.status, because: before.suspendedBecause },
        by,
        forPartner: (program) => reinstatedMessage(program, partner, next),
        forStaff: reinstatedForStaff(partner, standing(partner), by),
      })
      return { partner, changed: true, next }
    },
  }
}
