// What commissions say of a partner on the card that admins open: how much there is in each state, and the latest commissions with their ids. Reads only.
import { time } from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import type { Balance, Ledger, PartnerAccount } from '../ledger/public.ts'
import type { PartnerCardPart } from '../partners/public.ts'
import { reasonWords } from './messages.ts'
import type { CommissionPart, CommissionService } from './service.ts'

const shownCommissions = 5

export const onPartnerCard =
  (service: Pick<CommissionService, 'newest' | 'ofSale'>, ledger: Pick<Ledger, 'balances'>): PartnerCardPart =>
  async (reader, { id, programId }) => {
    const [balances, newest] = await Promise.all([
      ledger.balances(reader, programId, id),
      service.newest(reader, programId, { partnerIds: [id], limit: shownCommissions }),
    ])
    const parts = (await Promise.all(newest.map(({ saleId }) => service.ofSale(reader, programId, saleId)))).flat()
    const own = parts.filter(({ partnerId }) => partnerId === id)
    if (own.length === 0) return [{ name: 'Earnings', value: 'Nothing earned yet.' }]
    return [
      { name: 'Earnings', value: balanceLines(balances).join('\n') || 'Nothing is left of what was earned.' },
      { name: 'Latest commissions', value: own.map(commissionLine).join('\n') },
    ]
  }

const labels: Readonly<Record<PartnerAccount, string>> = {
  pending: '⏳ pending',
  held: '✋ on hold',
  payable: '✅ payable',
  in_flight: '🚚 on its way',
  paid: '💸 paid out',
  clawback_debt: '↩️ owed back',
}
const kinds = Object.keys(labels) as PartnerAccount[]

/** One line for each currency. */
function balanceLines(balances: readonly Balance[]): string[] {
  const currencies = [...Map.groupBy(balances, ({ currency }) => currency)].sort(([a], [b]) => (a < b ? -1 : 1))
  return currencies.flatMap(([currency, own]) => {
    const amounts = kinds.flatMap((kind) => {
      const amount = own.find((balance) => balance.kind === kind)?.amount ?? 0n
      return amount === 0n ? [] : [`${labels[kind]} **${formatMoney(amount, currency)}**`]
    })
    return amounts.length === 0 ? [] : [`${currency}: ${amounts.join(' · ')}`]
  })
}

function commissionLine({ id, saleId, amount, due, currency, state, reason, holdUntil, earnedAt }: CommissionPart): string {
  const left = due === amount ? '' : `, ${formatMoney(due, currency)} due`
  const until = state === 'pending' ? ` until ${time(holdUntil, 'd')}` : ''
  const why = reason === null ? '' : `: ${reasonWords(reason, state)}`
  return `• ${time(earnedAt, 'd')} **${formatMoney(amount, currency)}**${left} · ${state.replace('_', ' ')}${until}${why}\n-# \`${id}\` of sale \`${saleId}\``
}
