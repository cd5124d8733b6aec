// The custom ids of the controls of payouts. `run` is the id of a run, `seen` how many of its payouts the admin was shown.
import { componentRef } from '../../commands/customId.ts'

export const approveButton = componentRef('payouts.approve', ['run', 'seen'])
export const rejectButton = componentRef('payouts.reject', ['run'])
