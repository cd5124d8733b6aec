// The custom ids of the controls of claims. `claim`, `sale` and `override` are ids.
import { componentRef } from '../../commands/customId.ts'

export const openClaim = componentRef('claims.open')
export const lookButton = componentRef('claims.look', ['claim'])
export const creditButton = componentRef('claims.credit', ['claim', 'sale'])
export const creditForm = componentRef('claims.credit_reason', ['claim', 'sale'])
export const declineButton = componentRef('claims.decline', ['claim'])
export const declineForm = componentRef('claims.decline_reason', ['claim'])
export const approveOverride = componentRef('claims.approve', ['override'])
export const declineOverride = componentRef('claims.refuse', ['override'])
