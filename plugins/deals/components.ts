// The buttons and forms of deals.
import { type Component, type ComponentInput, type Ctx, onComponent, textField } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { UserError } from '../kit/index.ts'
import { decide, type Parts, showPage, showReview, win } from './commands.ts'
import {
  dealForm,
  decidedCard,
  refusedCard,
  rejectModal,
  reviewCard,
  submittedCard,
  updatedCard,
  updateForm,
  wonCard,
} from './messages.ts'
import {
  acceptButton,
  dealsPage,
  openForm,
  otherMoney,
  rejectButton,
  rejectForm,
  reviewPage,
  sameMoney,
  submitForm,
  winAnyway,
} from './refs.ts'
import { statuses } from './tables.ts'

export function dealComponents(parts: Parts): Component[] {
  const { db, service, partners } = parts
  return [
    onComponent(openForm, {
      access: partners.registered,
      reply: 'modal',
      run: async (ctx, { form }) => {
        const draft = await service.draft(db, ctx.program.id, ctx.user.id, form)
        if (form === 'submit') return dealForm(draft ?? {}, ctx.program.currency)
        const { id: partnerId } = await partners.require(db, ctx)
        return updateForm(await service.get(db, ctx.program.id, form, partnerId), draft)
      },
    }),
    onComponent(submitForm, {
      access: partners.registered,
      reply: 'ephemeral',
      run: (ctx, { form }, input) => submit(parts, ctx, form, input),
    }),
    onComponent(sameMoney, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal, sale }) => {
        const before = await service.get(db, ctx.program.id, deal)
        const done = await decide(parts, ctx, 'same_money', (tx) =>
          parts.payments.same(tx, ctx.program.id, deal, sale, ctx.user.id),
        )
        return before.status === 'accepted' ? wonCard(done.deal, done.credited === done.deal.partnerId) : decidedCard(done.deal)
      },
    }),
    onComponent(otherMoney, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal, sale }) => {
        const done = await decide(parts, ctx, 'other_money', async (tx) => {
          await parts.payments.other(tx, ctx.program.id, deal, sale, ctx.user.id)
          return { deal: await service.get(tx, ctx.program.id, deal) }
        })
        return decidedCard(done.deal)
      },
    }),
    onComponent(winAnyway, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal, amount, currency, seen }) => {
        if (!/^\d{1,15}$/.test(amount)) throw new UserError('bad_amount', 'That amount cannot be read. Run /admin deals won again.')
        return win(parts, ctx, deal, { amount: BigInt(amount), currency }, countOf(seen))
      },
    }),
    onComponent(dealsPage, {
      access: partners.registered,
      reply: 'update',
      run: (ctx, { page }) => showPage(parts, ctx, countOf(page)),
    }),
    onComponent(reviewPage, {
      access: 'admin',
      reply: 'update',
      run: (ctx, { status, page }) =>
        showReview(
          parts,
          ctx,
          statuses.find((one) => one === status),
          countOf(page),
        ),
    }),
    onComponent(acceptButton, {
      access: 'admin',
      reply: 'update',
      run: async (ctx, { deal }) => {
        const done = await decide(parts, ctx, 'accept', async (tx) => ({
          deal: await service.accept(tx, ctx.program.id, deal, ctx.user.id),
        }))
        return reviewCard(done.deal)
      },
    }),
    onComponent(rejectButton, {
      access: 'admin',
      reply: 'modal',
      run: async (ctx, { deal }) => rejectModal(await service.get(db, ctx.program.id, deal)),
    }),
    onComponent(rejectForm, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { deal }, input) => {
        const done = await decide(parts, ctx, 'reject', async (tx) => ({
          deal: await service.reject(tx, ctx.program.id, deal, textField(input, 'reason'), ctx.user.id),
        }))
        return decidedCard(done.deal)
      },
    }),
  ]
}

async function submit({ db, service, partners }: Parts, ctx: Ctx, form: string, input: ComponentInput): Promise<Message> {
  const partner = await partners.require(db, ctx)
  const typed = { value: textField(input, 'value'), currency: textField(input, 'currency'), notes: textField(input, 'notes') }
  if (form !== 'submit') {
    const outcome = await service.update(partner, form, { ...typed, lost: textField(input, 'state') === 'lost' })
    return outcome.kind === 'saved' ? updatedCard(outcome.deal) : refusedCard(outcome.refusal, form)
  }
  await partners.active.check(ctx)
  const outcome = await service.submit(partner, {
    company: textField(input, 'company'),
    email: textField(input, 'email'),
    ...typed,
  })
  return outcome.kind === 'saved' ? submittedCard(outcome.deal) : refusedCard(outcome.refusal, form)
}

const countOf = (text: string): number => (/^\d{1,6}$/.test(text) ? Number(text) : 0)
