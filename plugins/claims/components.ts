// The buttons, selects and forms of claims: for admins only.
import { type Component, type ComponentInput, type Ctx, onComponent, textField } from '../../commands/define.ts'
import { UserError } from '../kit/index.ts'
import { type Parts, showClaim } from './commands.ts'
import { claimSettledCard, overrideCard, reasonModal } from './messages.ts'
import {
  approveOverride,
  creditButton,
  creditForm,
  declineButton,
  declineForm,
  declineOverride,
  lookButton,
  openClaim,
} from './refs.ts'

export function claimComponents(parts: Parts): Component[] {
  const { db, claims, overrides, attribution } = parts
  const by = (ctx: Ctx, input: ComponentInput) => {
    const reason = textField(input, 'reason')
    if (reason.length < 3 || reason.length > 500)
      throw new UserError('bad_reason', 'Say why, in 3 to 500 characters: the partner reads it.')
    return { id: ctx.user.id, reason }
  }
  const decide = (decision: 'approved' | 'declined') => async (ctx: Ctx, params: { override: string }) => {
    const programId = ctx.program.id
    if (!/^[0-9a-f-]{36}$/.test(params.override)) throw new UserError('unknown_override', 'There is no such proposal.')
    const row = await db.transaction(async (tx) => {
      const decided = await overrides.decide(tx, programId, params.override, decision, ctx.user.id)
      await claims.overrideDecided(tx, decided, ctx.user.id)
      return decided
    })
    return overrideCard(row, (await attribution.sale(db, programId, row.saleId))!, await overrides.namesFor(db, [row]))
  }
  return [
    onComponent(openClaim, {
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, _, { values }) => showClaim(parts, ctx, values[0] ?? ''),
    }),
    onComponent(lookButton, { access: 'admin', reply: 'ephemeral', run: (ctx, { claim }) => showClaim(parts, ctx, claim) }),
    onComponent(creditButton, {
      access: 'admin',
      reply: 'modal',
      run: async (_, { claim, sale }) => reasonModal('credit', claim, sale),
    }),
    onComponent(declineButton, { access: 'admin', reply: 'modal', run: async (_, { claim }) => reasonModal('decline', claim) }),
    onComponent(creditForm, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { claim, sale }, input) =>
        claimSettledCard(await db.transaction((tx) => claims.credit(tx, ctx.program.id, claim, sale, by(ctx, input)))),
    }),
    onComponent(declineForm, {
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { claim }, input) =>
        claimSettledCard(await db.transaction((tx) => claims.decline(tx, ctx.program.id, claim, by(ctx, input)))),
    }),
    onComponent(approveOverride, { access: 'admin', reply: 'ephemeral', run: decide('approved') }),
    onComponent(declineOverride, { access: 'admin', reply: 'ephemeral', run: decide('declined') }),
  ]
}
