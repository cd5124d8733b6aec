// /agreement, and the button that does the same: what is to be signed, or what was.
import { componentRef, customId } from '../../commands/customId.ts'
import { type Command, type Component, type Ctx, defineCommand, onComponent } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import type { Clock, Db } from '../kit/index.ts'
import type { ActivationRequirement, Partners } from '../partners/public.ts'
import { signedCard, toSignCard } from './messages.ts'
import { type AgreementService, copyName } from './service.ts'

/** A button with this id does what /agreement does. */
const agreementButton = componentRef('agreements.show')

interface Needs {
  db: Db
  service: AgreementService
  partners: Partners
}

export function createCommands(needs: Needs): Command[] {
  return [
    defineCommand({
      path: 'agreement',
      description: 'Sign your agreement, or see what you signed',
      access: needs.partners.registered,
      reply: 'ephemeral',
      run: (ctx) => show(needs, ctx),
    }),
  ]
}

export function createComponents(needs: Needs): Component[] {
  return [onComponent(agreementButton, { access: needs.partners.registered, reply: 'ephemeral', run: (ctx) => show(needs, ctx) })]
}

async function show({ db, service, partners }: Needs, ctx: Ctx): Promise<Message> {
  const partner = await partners.require(db, ctx)
  const signature = await service.latest(db, ctx.program.id, partner.id)
  if (signature?.version !== service.agreement.version)
    return toSignCard(service.agreement, await service.freshLink(partner), signature)
  const data = await service.pdf(db, ctx.program.id, signature.id)
  return signedCard(service.agreement, signature, { name: copyName(signature.version), data })
}

/** What stands between a verified partner and an active one. */
export function signingRequirement(service: AgreementService, clock: Clock): ActivationRequirement {
  return {
    id: 'agreement',
    title: 'Sign the agreement',
    nextStep:
      'Open the link in the mail we sent you and sign. The button in the welcome channel leads to a fresh link, as `/agreement` does.',
    button: { customId: customId(agreementButton, {}), label: 'Read and sign' },
    announcesItself: true,
    isMet: (reader, { programId, id }) => service.hasSignedCurrent(reader, programId, id, clock.now()),
  }
}
