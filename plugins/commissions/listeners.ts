// What commissions react to: sales, their refunds and disputes, and partners who become eligible, leave or come back. Each computes from the facts of now.
import { agreementSigned } from '../agreements/events.ts'
import { saleAttributed, saleDisputed, saleRebased, saleRecorded, saleRefunded } from '../attribution/events.ts'
import { type Listener, on, onAll } from '../kit/index.ts'
import { partnerActivated, partnerLeft, partnerReinstated, partnerReturned } from '../partners/events.ts'
import type { CommissionService } from './service.ts'

export const commissionListeners = (service: CommissionService): Listener[] => [
  onAll(saleRecorded, 'commissions.accrue', (tx, told) =>
    service.bookSales(
      tx,
      told.map(({ payload }) => payload),
    ),
  ),
  on(saleAttributed, 'commissions.accrue_late', service.bookSale),
  on(saleRefunded, 'commissions.adjust_for_refund', service.bookSale),
  on(saleRebased, 'commissions.adjust_for_basis', service.bookSale),
  on(saleDisputed, 'commissions.adjust_for_dispute', service.bookSale),
  on(agreementSigned, 'commissions.review_signed', (tx, { programId, partnerId }) => service.reviewHeld(tx, programId, partnerId)),
  on(partnerActivated, 'commissions.review_active', (tx, { programId, partnerId }) => service.reviewHeld(tx, programId, partnerId)),
  on(partnerLeft, 'commissions.review_left', (tx, { programId, partnerId }) => service.reviewHeld(tx, programId, partnerId)),
  on(partnerReturned, 'commissions.review_returned', (tx, { programId, partnerId }) =>
    service.reviewHeld(tx, programId, partnerId),
  ),
  on(partnerReinstated, 'commissions.review_reinstated', (tx, { programId, partnerId }) =>
    service.reviewHeld(tx, programId, partnerId),
  ),
]
