// A partner's statement of a month, computed from the ledger alone: opening balance, every movement, closing balance, by currency. Pure.
import type { Balance, PostedTransfer } from '../ledger/public.ts'

export interface StatementLine {
  readonly at: Date
  readonly what: string
  /** What it is about: a sale or a payout, by the end of its id. */
  readonly reference: string
  /** What was moved: between two states of the partner's money, or into or out of it. */
  readonly moved: bigint
  /** By how much it changed what the partner is owed; zero when money only changed its state. */
  readonly change: bigint
  /** What the partner was owed afterwards. */
  readonly balance: bigint
}

export interface StatementSection {
  readonly currency: string
  readonly opening: bigint
  readonly lines: readonly StatementLine[]
  readonly closing: bigint
  /** What arrived at the partner, less what came back. */
  readonly paid: bigint
  /** What the closing balance is made of, in natural sign; `clawback_debt` lowers it. */
  readonly accounts: readonly { readonly kind: string; readonly amount: bigint }[]
}

export interface Statement {
  readonly program: string
  readonly partner: { readonly id: string; readonly name: string }
  /** “November 2026”. */
  readonly title: string
  readonly month: string
  readonly timeZone: string
  /** True while the month goes on. */
  readonly unfinished: boolean
  readonly sections: readonly StatementSection[]
}

/** What the partner is owed lies in these; a debt is owed by them. */
const owed: ReadonlySet<string> = new Set(['pending', 'held', 'payable', 'in_flight', 'clawback_debt'])

const words: Readonly<Record<string, string>> = {
  accrue: 'Commission',
  refund: 'Refund or dispute',
  restore: 'Refund taken back',
  adjust: 'Adjustment',
  void: 'Voided',
  hold: 'Put on hold',
  unhold: 'Hold lifted',
  release: 'Became payable',
  repay_debt: 'Repaid what was owed back',
  payout_prepared: 'Payout prepared',
  payout_confirmed: 'Paid out',
  payout_returned: 'Payout came back',
  payout_refused: 'Payout was refused',
  payout_cancelled: 'Payout was cancelled',
}

/**
 * One section for each currency that has a balance or a movement. `saleOf` names the sale of a commission. The closing balance is the opening balance plus
 * all changes, and so equals what the accounts say.
 */
export function sectionsOf(
  partnerId: string,
  opening: readonly Balance[],
  transfers: readonly PostedTransfer[],
  saleOf: (commissionId: string) => string | undefined,
): StatementSection[] {
  const touched = transfers.flatMap(({ entries }) =>
    entries.filter(({ account }) => account.partnerId === partnerId).map(({ account }) => account.currency),
  )
  const currencies = [...new Set([...opening.map(({ currency }) => currency), ...touched])].sort()
  return currencies.map((currency) => {
    const accounts = new Map(opening.filter((one) => one.currency === currency).map(({ kind, amount }) => [kind as string, amount]))
    const start = owedIn(accounts)
    const paidBefore = accounts.get('paid') ?? 0n
    let balance = start
    const lines = transfers.flatMap((transfer): StatementLine[] => {
      const own = transfer.entries.filter(({ account }) => account.partnerId === partnerId && account.currency === currency)
      if (own.length === 0) return []
      for (const { account, amount } of own) {
        const natural = account.kind === 'clawback_debt' ? amount : -amount
        accounts.set(account.kind, (accounts.get(account.kind) ?? 0n) + natural)
      }
      const after = owedIn(accounts)
      const change = after - balance
      balance = after
      const { type, id } = transfer.subject
      return [
        {
          at: transfer.postedAt,
          what: words[transfer.reason] ?? transfer.reason.replaceAll('_', ' '),
          reference: type === 'commission' ? `sale ${(saleOf(id) ?? id).slice(-8)}` : `${type} ${id.slice(-8)}`,
          moved: movedBy(own.map(({ amount }) => amount)),
          change,
          balance,
        },
      ]
    })
    return {
      currency,
      opening: start,
      lines,
      closing: balance,
      paid: (accounts.get('paid') ?? 0n) - paidBefore,
      accounts: [...accounts]
        .filter(([kind, amount]) => owed.has(kind) && amount !== 0n)
        .map(([kind, amount]) => ({ kind, amount })),
    }
  })
}

function owedIn(accounts: ReadonlyMap<string, bigint>): bigint {
  let total = 0n
  for (const [kind, amount] of accounts) if (owed.has(kind)) total += kind === 'clawback_debt' ? -amount : amount
  return total
}

/** The larger side of the partner's entries: both sides are equal when money only changed its state. */
function movedBy(amounts: readonly bigint[]): bigint {
  let debits = 0n
  let credits = 0n
  for (const amount of amounts)
    if (amount > 0n) debits += amount
    else credits -= amount
  return debits > credits ? debits : credits
}
