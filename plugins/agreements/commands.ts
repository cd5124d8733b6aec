// /agreement: what is to be signed, or what was.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Db } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { signedCard, toSignCard } from './messages.ts'
import { type AgreementService, copyName } from './service.ts'

export function createCommands({ db, service, partners }: { db: Db; service: AgreementService; partners: Partners }): Command[] {
  return [
    defineCommand({
      path: 'agreement',
      description: 'Sign your agreement, or see what you signed',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => {
        const partner = await partners.require(db, ctx)
        const signature = await service.latest(db, ctx.program.id, partner.id)
        if (signature?.version !== service.agreement.version)
          return toSignCard(service.agreement, await service.freshLink(partner), signature)
        const data = await service.pdf(db, ctx.program.id, signature.id)
        return signedCard(service.agreement, signature, { name: copyName(signature.version), data })
      },
    }),
  ]
}
