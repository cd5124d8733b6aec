// What commissions add to other plugins: they prove the books, follow a sale to another partner, and count in the statistics.
import { figureSource } from '../analytics/public.ts'
import { saleFollower } from '../attribution/public.ts'
import { type Extension, extend } from '../kit/index.ts'
import { type Ledger, projection } from '../ledger/public.ts'
import { commissionFigures } from './figures.ts'
import { commissionProjection } from './projection.ts'
import { publicEvents } from './publicEvents.ts'
import type { CommissionService } from './service.ts'

export function commissionExtensions(service: Pick<CommissionService, 'reassign'>, ledger: Ledger): Extension[] {
  return [
    ...publicEvents,
    extend(projection, commissionProjection(ledger)),
    extend(saleFollower, service.reassign),
    extend(figureSource, commissionFigures),
  ]
}
