// Changes of whose a sale is, as admins propose them by command and decide them with the buttons of the card.
import { customId } from '../../../commands/customId.ts'
import { approveOverride, declineOverride } from '../../../plugins/claims/refs.ts'
import type { ChangeStep, Judge } from '../plan/changes.ts'
import type { People } from './people.ts'
import { attempt, boss, type Setting, second } from './setting.ts'
import type { Shop } from './shop.ts'
import type { Work } from './work.ts'

export interface Changes {
  /** A claim may have asked for a change, which goes by the name of the claim. */
  adopt(change: string, claimId: string): Promise<void>
  act(step: ChangeStep, day: number): Promise<void>
  /** How far each proposal is. */
  states(): Promise<Map<string, string>>
}

interface Proposal {
  readonly id: string
  readonly from_id: string | null
  readonly to_id: string | null
}

export function createChanges(setting: Setting, people: People, shop: Shop, work: Work): Changes {
  const { house } = setting
  const { sql } = house.connection
  const proposals = new Map<string, Proposal>()
  const keys = new Map<string, string>()

  const rowsOf = (sale: string) => sql<(Proposal & { state: string })[]>`
    select id, from_id, to_id, state from claims_overrides where sale_id = ${sale} order by decided_at desc nulls first, id desc`

  async function propose({ change, payment, heir }: ChangeStep & { kind: 'proposed' }): Promise<void> {
    const sale = shop.saleOf(payment)
    if (!sale) return
    const last = (await rowsOf(sale)).find(({ state }) => state === 'approved')
    if (heir === 'before' && !last) return
    const before = last?.from_id ? people.keyOf(last.from_id) : undefined
    const partner = heir === 'before' ? before : heir === 'nobody' ? undefined : heir.partner
    const options = { sale, reason: 'So says the contract.', ...(partner && { partner: { id: people.visitor(partner).userId } }) }
    await attempt(setting, `propose ${change}`, () => house.run('admin-sales override', options, boss))
    const made = (await rowsOf(sale)).find(({ id, state }) => state === 'open' && !keys.has(id))
    if (!made) return
    proposals.set(change, made)
    keys.set(made.id, change)
  }

  /** Some of those who decide are partners, too: who would get the sale, or keep it. */
  function judgeOf(by: Judge, { from_id, to_id }: Proposal) {
    if (by === 'proposer') return boss
    if (by === 'other') return second
    const partner = by === 'receiver' ? to_id : from_id
    return partner === null ? undefined : { isAdmin: true, ...people.visitor(people.keyOf(partner)) }
  }

  async function decide({ change, kind, by }: ChangeStep & { kind: 'approved' | 'declined' }, day: number): Promise<void> {
    const proposal = proposals.get(change)
    const judge = proposal && judgeOf(by, proposal)
    if (!judge) return
    const button = customId(kind === 'approved' ? approveOverride : declineOverride, { override: proposal.id })
    await attempt(setting, `${kind} ${change} ${by} ${day}`, () => house.press(button, {}, judge))
    await work.deliverChange(day)
  }

  return {
    adopt: async (change, claimId) => {
      const [made] = await sql<Proposal[]>`select id, from_id, to_id from claims_overrides where claim_id = ${claimId}`
      if (!made) return
      proposals.set(change, made)
      keys.set(made.id, change)
    },
    act: (step, day) => (step.kind === 'proposed' ? propose(step) : decide(step, day)),
    states: async () => {
      const rows = await sql<{ id: string; state: string }[]>`select id, state from claims_overrides`
      return new Map(rows.map(({ id, state }) => [keys.get(id) ?? id, state]))
    },
  }
}
