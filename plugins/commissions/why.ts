// Why a sale earns its partner what it earns, or why it earns someone else: gathers what is on record. Reads only.
import { eq } from 'drizzle-orm'
import type { Attribution, AttributionDecision, Sale } from '../attribution/public.ts'
import { type Reader, UserError } from '../kit/index.ts'
import type { Partner } from '../partners/public.ts'
import { defaultName } from './rules.ts'
import type { CommissionService } from './service.ts'
import { rules } from './tables.ts'
import type { Rule } from './terms.ts'

type History = Awaited<ReturnType<CommissionService['historyOf']>>
type Parts = Awaited<ReturnType<CommissionService['ofSale']>>

/** The sale is the partner's: everything about it. */
export interface Credited {
  readonly kind: 'credited'
  readonly sale: Sale
  readonly decision: AttributionDecision | undefined
  /** Empty while it is not booked yet. */
  readonly parts: Parts
  /** Undefined while it is not booked yet; null for the program's own rate. */
  readonly rule: Rule | null | undefined
  readonly history: History
}

/** The partner was a candidate only: nothing of the sale but when it was, and why it is not theirs. */
export interface Missed {
  readonly kind: 'missed'
  readonly paidAt: Date
  readonly someoneElse: boolean
  readonly decision: AttributionDecision
}

/** @throws UserError for a sale that does not concern the partner, or does not exist: the two look alike */
export async function explainSale(
  needs: { attribution: Attribution; service: CommissionService },
  reader: Reader,
  partner: Partner,
  saleId: string,
): Promise<Credited | Missed> {
  const unknown = () =>
    new UserError(
      'unknown_sale',
      'There is no sale with that id that concerns you. Choose one from the list that appears while you type.',
    )
  if (!/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(saleId)) throw unknown()
  const { attribution, service } = needs
  const sale = await attribution.sale(reader, partner.programId, saleId)
  if (!sale) throw unknown()
  const decisions = await attribution.decisions(reader, partner.programId, saleId)
  const parts = (await service.ofSale(reader, partner.programId, saleId)).filter(({ partnerId }) => partnerId === partner.id)
  if (sale.partnerId === partner.id) {
    const stamped = parts.at(-1)
    const rule = stamped && (await ruleOf(reader, stamped.ruleId))
    const own = new Set(parts.map(({ id }) => id))
    const history = (await service.historyOf(reader, partner.programId, saleId)).filter(({ commissionId }) => own.has(commissionId))
    return { kind: 'credited', sale, decision: decisions.at(-1), parts, rule, history }
  }
  const mine = decisions.findLast(({ candidates }) => candidates.some(({ partnerId }) => partnerId === partner.id))
  if (!mine) throw unknown()
  return { kind: 'missed', paidAt: sale.paidAt, someoneElse: sale.partnerId !== null, decision: mine }
}

async function ruleOf(reader: Reader, id: string): Promise<Rule | null> {
  const [row] = await reader.select().from(rules).where(eq(rules.id, id))
  return row && row.name !== defaultName ? row : null
}
