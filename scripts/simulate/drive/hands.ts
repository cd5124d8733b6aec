// What admins of the simulation do to single commissions, through their commands.
import { toDecimal } from '../../../plugins/kit/index.ts'
import type { Hand } from '../plan/hands.ts'
import type { People } from './people.ts'
import { attempt, attemptOnce, boss, type Setting } from './setting.ts'
import type { Shop } from './shop.ts'

export interface Hands {
  act(hand: Hand, day: number): Promise<void>
}

const reason = 'The simulation wants it.'

export function createHands(setting: Setting, people: People, shop: Shop): Hands {
  const { house } = setting

  /** What whoever has the sale earns by it. For a decision about fraud, what the case is about, if there is one: the sale may be another's by now. */
  async function commissionOf({ payment, kind }: Exclude<Hand, { kind: 'allow' }>): Promise<string | undefined> {
    const sale = shop.saleOf(payment)
    if (!sale) return undefined
    const { sql } = house.connection
    const [about] =
      kind === 'clear' || kind === 'reject'
        ? await sql<{ id: string }[]>`select commission_id as id from fraud_cases where sale_id = ${sale}`
        : []
    const [row] = await sql<{ id: string }[]>`
      select c.id from commissions_commissions c join attribution_sales s on s.id = c.sale_id and s.partner_id = c.partner_id
      where s.id = ${sale} and s.program_id = ${house.program.id} order by c.part limit 1`
    return (about ?? row)?.id
  }

  function commandFor(hand: Exclude<Hand, { kind: 'allow' }>, commission: string): [string, Record<string, unknown>] {
    switch (hand.kind) {
      case 'adjust':
        return ['admin commissions adjust', { commission, amount: toDecimal(hand.amount, hand.currency), reason }]
      case 'void':
        return ['admin commissions void', { commission, reason }]
      case 'hold':
        return ['admin commissions hold-one', { commission, reason }]
      case 'release':
        return ['admin commissions release-one', { commission, reason }]
      case 'clear':
        return ['admin fraud clear', { case: commission, reason }]
      case 'reject':
        return ['admin fraud reject', { case: commission, reason }]
    }
  }

  return {
    act: async (hand, day) => {
      if (hand.kind === 'allow') {
        const partner = { id: people.visitor(hand.partner).userId }
        await attempt(setting, `allow ${hand.partner}`, () => house.run('admin fraud allow', { partner, reason }, boss))
        return
      }
      const commission = await commissionOf(hand)
      if (!commission) return
      const [path, options] = commandFor(hand, commission)
      const run = () => house.run(path, options, boss)
      if (hand.kind === 'adjust') await attemptOnce(setting, run)
      else await attempt(setting, `${hand.kind} ${hand.payment} ${day}`, run)
    },
  }
}
