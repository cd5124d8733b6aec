// The buttons, selects and forms of fraud.
import { type Component, type ComponentInput, type Ctx, onComponent, textField } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { UserError } from '../kit/index.ts'
import { type Parts, showCase, showQueue } from './commands.ts'
import { appealedCard, decidedCard, decisionModal, refusedCard } from './messages.ts'
import { appealForm, clearButton, clearForm, openCase, queuePage, rejectButton, rejectForm } from './refs.ts'

export function fraudComponents(parts: Parts): Component[] {
  const { db, service, partners } = parts
  const ask = (decision: 'cleared' | 'rejected') => async (ctx: Ctx, params: { case: string }) =>
    decisionModal(await service.get(db, ctx.program.id, params.case), decision)
  const decide = (decision: 'cleared' | 'rejected') => (ctx: Ctx, params: { case: string }, input: ComponentInput) => {
    const reason = textField(input, 'reason')
    return orRefused(reason, async () =>
      decidedCard(
        await db.transaction((tx) => service.decide(tx, ctx.program.id, params.case, decision, { id: ctx.user.id, reason })),
      ),
    )
  }
  return [
    onComponent(clearButton, { access: 'admin', reply: 'modal', run: ask('cleared') }),
    onComponent(rejectButton, { access: 'admin', reply: 'modal', run: ask('rejected') }),
    onComponent(clearForm, { access: 'admin', reply: 'ephemeral', run: decide('cleared') }),
    onComponent(rejectForm, { access: 'admin', reply: 'ephemeral', run: decide('rejected') }),
    onComponent(queuePage, {
      access: 'admin',
      reply: 'update',
      run: (ctx, { page }) => showQueue(parts, ctx, /^\d{1,6}$/.test(page) ? Number(page) : 0),
    }),
    onComponent(openCase, {
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, _, { values }) => showCase(parts, ctx, values[0] ?? ''),
    }),
    onComponent(appealForm, {
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, params, input) => {
        const partner = await partners.require(db, ctx)
        const text = textField(input, 'text')
        return orRefused(text, async () =>
          appealedCard(await db.transaction((tx) => service.appeal(tx, ctx.program.id, params.case, partner.id, text))),
        )
      },
    }),
  ]
}

/** What a person typed is shown again when it is refused. */
async function orRefused(typed: string, work: () => Promise<Message>): Promise<Message> {
  try {
    return await work()
  } catch (refusal) {
    if (refusal instanceof UserError) return refusedCard(refusal.message, typed)
    throw refusal
  }
}
