// What admins do with PayPal: see how it stands, hand parked events in again, and settle what nobody can know but they.
import { type Ctx, defineCommand } from '../../commands/define.ts'
import { parkedEvents } from '../../commands/parked.ts'
import { audit } from '../../db/tables.ts'
import { type Db, type Parts, refuseOwn, UserError, type WebhookInbox } from '../kit/index.ts'
import { type Batches, senderBatchIdOf } from './batches.ts'
import { PayPalRefusal } from './client.ts'
import { foundCard, statusCard } from './messages.ts'
import type { Receivers } from './receivers.ts'
import { type PayPalService, source } from './service.ts'

export function paypalTools(ports: {
  db: Db
  webhooks: WebhookInbox
  batches: Batches
  receivers: Receivers
  /** Undefined while PayPal is off. */
  service: PayPalService | undefined
  webhook: boolean
  webhookUrl: string
}): Required<Pick<Parts, 'commands' | 'components'>> {
  const { db, webhooks, batches, receivers, service, webhook, webhookUrl } = ports
  const on = (): PayPalService => {
    if (service) return service
    throw new UserError(
      'paypal_off',
      'PayPal is not set up. Set PAYPAL_CLIENT_ID and PAYPAL_CLIENT_SECRET where the program runs, restart it, and run this command again.',
    )
  }
  const parked = parkedEvents({ source, title: 'PayPal', on }, { db, webhooks })
  const commands = [
    defineCommand({
      path: 'admin paypal status',
      description: 'How PayPal is set up, and what needs you',
      access: 'admin',
      reply: 'ephemeral',
      run: async ({ program }) =>
        statusCard({
          webhook,
          webhookUrl,
          parked: await webhooks.countParked(db, {
            source,
            programId: program.id,
            unassigned: await on().seesUnassigned(db, program.id),
          }),
          unclear: await batches.unclear(db, program.id),
        }),
    }),
    defineCommand({
      path: 'admin paypal found',
      description: 'Say whether PayPal has a payout that was tried long ago without an answer',
      options: {
        payout: {
          type: 'string',
          description: 'The payout',
          required: true,
          suggest: async ({ program }: Ctx, typed: string) =>
            (await batches.unclear(db, program.id))
              .map(({ payoutId }) => ({ name: senderBatchIdOf(payoutId), value: payoutId }))
              .filter(({ name }) => name.includes(typed.trim())),
        },
        batch: {
          type: 'string',
          description: 'PayPal’s batch id; leave it out when you looked and it is not there, and it is sent again',
          max: 100,
        },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { payout, batch }) => {
        const programId = ctx.program.id
        const payoutId = payout.trim()
        if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(payoutId))
          throw new UserError('unknown_payout', 'There is no such payout. Choose one from the list that appears while you type.')
        if (batch !== undefined) await asPayPalSays(on().found(programId, payoutId, batch))
        await db.transaction(async (tx) => {
          if (batch === undefined) {
            const { receiverId } = await batches.noteAbsent(tx, programId, payoutId)
            refuseOwn('payout', (await receivers.find(tx, programId, receiverId))?.userId, ctx.user.id)
          }
          const detail = { payoutId, batch: batch ?? null }
          await tx.insert(audit).values({ programId, actor: ctx.user.id, action: 'paypal.found', detail, at: ctx.now })
        })
        return foundCard(batch)
      },
    }),
    ...parked.commands,
  ]
  return { commands, components: parked.components }
}

/** A refusal of PayPal is for the admin to read. */
async function asPayPalSays(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    throw error instanceof PayPalRefusal ? new UserError('paypal_refused', `${error.message}. Please check the batch id.`) : error
  }
}
