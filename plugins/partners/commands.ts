// What partners and admins may ask: /start, /profile, /admin partners.
import { type Command, type Ctx, defineCommand } from '../../commands/define.ts'
import type { Message, Modal } from '../../commands/messages.ts'
import type { Db, Settings } from '../kit/index.ts'
import type { PartnersConfig } from './config.ts'
import { form, partnerDetails, partnerList, profileCard, statusCard, statusChoices, submitForm } from './messages.ts'
import { noPartner, unverifiedAddress, type Who } from './model.ts'
import type { PartnerCardPart, PartnerStatus } from './public.ts'
import type { PartnerService } from './service.ts'

export interface Parts {
  readonly db: Db
  readonly service: PartnerService
  readonly settings: Settings<PartnersConfig>
  /** What other plugins say of a partner on the card that admins open. */
  readonly cardParts: () => readonly PartnerCardPart[]
}

export const whoIs = ({ program, user }: Ctx): Who => ({ programId: program.id, userId: user.id })

/** What /start does: the form for a newcomer, the present state and next step for everyone else. */
export async function start(
  { db, service, settings }: Pick<Parts, 'db' | 'service' | 'settings'>,
  ctx: Ctx,
): Promise<Message | Modal> {
  const who = whoIs(ctx)
  const partner = await service.find(db, who)
  if (!partner) {
    const { industries } = await settings.of(db, who.programId)
    return form('register', industries, (await service.draft(db, who)) ?? {}, submitForm)
  }
  if (partner.status === 'left') await service.comeBack(who)
  return status({ db, service }, ctx)
}

/** The card with the present state. `mailed`: the address that a verification mail has just gone to. */
export async function status({ db, service }: Pick<Parts, 'db' | 'service'>, ctx: Ctx, mailed?: string): Promise<Message> {
  const partner = (await service.find(db, whoIs(ctx)))!
  return statusCard({
    program: ctx.program.name,
    partner,
    steps: await service.steps(db, partner),
    awaited: unverifiedAddress(partner),
    mailed,
  })
}

export function createCommands(parts: Parts): Command[] {
  const { db, service, settings } = parts
  const industriesOf = async (ctx: Ctx) => (await settings.of(db, ctx.program.id)).industries
  return [
    defineCommand({
      path: 'start',
      description: 'Become a partner, or see your next step',
      access: 'everyone',
      reply: 'modal',
      run: (ctx) => start(parts, ctx),
    }),
    defineCommand({
      path: 'profile show',
      description: 'Your details as a partner',
      access: service.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        const partner = (await service.find(db, whoIs(ctx)))!
        return profileCard(partner, await industriesOf(ctx), unverifiedAddress(partner))
      },
    }),
    defineCommand({
      path: 'profile edit',
      description: 'Change your name, e-mail or industry',
      access: service.registered,
      reply: 'modal',
      run: async (ctx) => {
        const { name, email, pendingEmail, industry } = (await service.find(db, whoIs(ctx)))!
        return form('details', await industriesOf(ctx), { name, email: pendingEmail ?? email, industry }, submitForm)
      },
    }),
    defineCommand({
      path: 'admin partners list',
      description: 'The partners and how far they are',
      options: { status: { type: 'string', description: 'Only those with this status', choices: statusChoices } },
      access: 'admin',
      reply: 'ephemeral',
      run: async ({ program }, options) => {
        const wanted = options.status as PartnerStatus | undefined
        return partnerList(await service.newest(db, program.id, wanted, 25), await service.countByStatus(db, program.id), wanted)
      },
    }),
    defineCommand({
      path: 'admin partners show',
      description: 'One partner in detail',
      options: { user: { type: 'user', description: 'The member', required: true } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user }) => {
        const partner = await service.find(db, { programId: ctx.program.id, userId: user.id })
        if (!partner) throw noPartner(user.id)
        const [steps, industries, more] = await Promise.all([
          service.steps(db, partner),
          industriesOf(ctx),
          Promise.all(parts.cardParts().map((part) => part(db, partner))),
        ])
        return partnerDetails(partner, steps, industries, more.flat())
      },
    }),
  ]
}
