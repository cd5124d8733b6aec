// The buttons and forms of registration and profile.
import { type Component, type ComponentInput, type Ctx, onComponent, textField } from '../../commands/define.ts'
import type { Message, Modal } from '../../commands/messages.ts'
import { type Parts, start, status, whoIs } from './commands.ts'
import type { Details } from './details.ts'
import { type Form, form, openForm, refusedCard, resendMail, savedCard, submitAgain, submitForm } from './messages.ts'
import { startButton } from './public.ts'

export function createComponents(parts: Parts): Component[] {
  const { service } = parts
  const submitted = (ctx: Ctx, params: { form: string }, input: ComponentInput) => submit(parts, ctx, params.form as Form, input)
  return [
    onComponent(startButton, { access: 'everyone', reply: 'modal', run: (ctx) => start(parts, ctx) }),
    onComponent(openForm, { access: 'everyone', reply: 'modal', run: (ctx, params) => reopen(parts, ctx, params.form as Form) }),
    onComponent(submitForm, { access: 'everyone', reply: 'ephemeral', run: submitted }),
    onComponent(submitAgain, { access: 'everyone', reply: 'update', run: submitted }),
    onComponent(resendMail, {
      access: service.registered,
      reply: 'update',
      run: async (ctx) => status(parts, ctx, await service.resend(whoIs(ctx))),
    }),
  ]
}

/** The form with what was typed last, else with what is stored. */
async function reopen({ db, service, settings }: Parts, ctx: Ctx, kind: Form): Promise<Modal | Message> {
  const who = whoIs(ctx)
  const partner = await service.find(db, who)
  if (kind === 'register' && partner) return status({ db, service }, ctx)
  const draft = await service.draft(db, who)
  const stored = partner && { name: partner.name, email: partner.pendingEmail ?? partner.email, industry: partner.industry }
  const { industries } = await settings.of(db, who.programId)
  return form(partner ? kind : 'register', industries, draft ?? stored ?? {}, submitAgain)
}

async function submit({ db, service, settings }: Parts, ctx: Ctx, kind: Form, input: ComponentInput): Promise<Message> {
  const who = whoIs(ctx)
  const typed: Details = {
    name: textField(input, 'name'),
    email: textField(input, 'email'),
    industry: textField(input, 'industry'),
  }
  const outcome =
    kind === 'register'
      ? await service.register(who, typed)
      : await service.change(who, kind === 'email' ? { email: typed.email } : typed)
  if (outcome.kind === 'refused') return refusedCard(outcome.refusal, kind, typed)
  if (outcome.kind === 'already' || !outcome.partner.verifiedAt)
    return status({ db, service }, ctx, outcome.kind === 'saved' ? outcome.mailed : undefined)
  const { industries } = await settings.of(db, who.programId)
  return savedCard(outcome.partner, industries, outcome.mailed)
}
