// What commissions add to other plugins: they prove the books, follow a sale to another partner, count in the statistics, and stand on a partner's card.
import { figureSource } from '../analytics/public.ts'
import { saleFollower } from '../attribution/public.ts'
import { type Extension, extend } from '../kit/index.ts'
import { type Ledger, projection } from '../ledger/public.ts'
import { partnerCardPart } from '../partners/public.ts'
import { commissionFigures } from './figures.ts'
import { onPartnerCard } from './partnerCard.ts'
import { commissionProjection } from './projection.ts'
import { publicEvents } from './publicEvents.ts'
import type { CommissionService } from './service.ts'

export function commissionExtensions(
  service: Pick<CommissionService, 'reassign' | 'newest' | 'ofSale'>,
  ledger: Ledger,
): Extension[] {
  return [
    ...publicEvents,
    extend(projection, commissionProjection(ledger)),
    extend(saleFollower, service.reassign),
    extend(figureSource, commissionFigures),
    extend(partnerCardPart, onPartnerCard(service, ledger)),
  ]
}
