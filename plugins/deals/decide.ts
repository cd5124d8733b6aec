// How far a deal may go from where it is: a pure table of steps.
import { UserError } from '../kit/index.ts'
import type { DealStatus } from './tables.ts'

export type Step = 'accept' | 'reject' | 'win' | 'lose' | 'expire' | 'update'

const steps: Record<Step, { readonly from: readonly DealStatus[]; readonly to: DealStatus | undefined }> = {
  accept: { from: ['submitted'], to: 'accepted' },
  reject: { from: ['submitted'], to: 'rejected' },
  win: { from: ['accepted'], to: 'won' },
  lose: { from: ['submitted', 'accepted'], to: 'lost' },
  expire: { from: ['submitted', 'accepted'], to: 'expired' },
  update: { from: ['submitted', 'accepted'], to: undefined },
}

/** The status after the step; the present one for an update. @throws UserError that says where the deal is and what can be done */
export function after(step: Step, status: DealStatus): DealStatus {
  const { from, to } = steps[step]
  if (from.includes(status)) return to ?? status
  throw new UserError('wrong_status', wrongStatus[status])
}

const wrongStatus: Record<DealStatus, string> = {
  submitted: 'This deal has not been reviewed yet. Accept it first, with `/admin deals accept`.',
  accepted: 'This deal is accepted already. What can still happen is that it is won or lost.',
  won: 'This deal is won and its sale is recorded; that stands. `/sales list` has the sale.',
  lost: 'This deal was lost, so it cannot be changed any more. If it comes back to life, register it again with `/deal submit`.',
  rejected:
    'This deal was rejected, so it cannot be changed any more. If circumstances changed, register it again with `/deal submit`.',
  expired:
    'The protection of this deal has run out, so it cannot be changed any more. If it is still alive, register it again with `/deal submit`.',
}
