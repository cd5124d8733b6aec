// Coupons and deals of the simulation, through the commands and forms with which people make and decide them.
import { toDecimal } from '../../../plugins/kit/index.ts'
import type { CouponStep, DealStep, Prospect } from '../plan/offers.ts'
import type { People } from './people.ts'
import { attempt, boss, controlIn, type Setting } from './setting.ts'
import type { Shop } from './shop.ts'

export interface Offers {
  coupon(step: CouponStep): Promise<void>
  /** Ends the protection of what has run out. */
  expire(): Promise<void>
  deal(step: DealStep): Promise<void>
  /** The deals, as key → status. */
  statuses(): Promise<Map<string, string>>
  keyOf(dealId: string): string | undefined
}

export function createOffers(setting: Setting, people: People, shop: Shop): Offers {
  const { house } = setting
  const { sql } = house.connection
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()

  /** The partner's form, with the firm written in some other way each time. */
  async function submit(deal: string, partner: string, prospect: Prospect): Promise<void> {
    const fields = {
      company: deal.length % 2 === 0 ? `${prospect.firm.toUpperCase()}, Inc.` : prospect.firm,
      email: prospect.email,
      value: '1,250.00',
      currency: 'USD',
      notes: '',
    }
    await attempt(setting, `submit ${deal}`, () => house.press('deals.submit:submit', { fields }, people.visitor(partner)))
    const rows = await sql<{ id: string }[]>`
      select id from deals_deals where user_id = ${people.visitor(partner).userId} and submitted_at = ${house.clock.now().toISOString()}`
    const made = rows.find(({ id }) => !keys.has(id))
    if (!made) return
    ids.set(deal, made.id)
    keys.set(made.id, deal)
  }

  /** When the contact has paid meanwhile, the admin is asked whether it is the same money. */
  async function win({ deal, amount, currency, same }: DealStep & { kind: 'won' }, id: string): Promise<void> {
    const answer = await attempt(setting, `win ${deal}`, () =>
      house.run('admin deals won', { deal: id, amount: toDecimal(amount, currency), currency }, boss),
    )
    if (/is it the same money/.test(JSON.stringify(answer ?? ''))) {
      const button = controlIn(answer, same ? /"(deals\.same:[^"]+)"/ : /"(deals\.win:[^"]+)"/)
      await attempt(setting, `say ${deal}`, () => house.press(button, {}, boss))
      if (same) return
    }
    const [row] = await sql<{ sale_id: string | null }[]>`select sale_id from deals_deals where id = ${id}`
    if (row?.sale_id) shop.paymentOf.set(row.sale_id, deal)
  }

  function decide(step: Exclude<DealStep, { kind: 'submitted' | 'won' }>, id: string) {
    switch (step.kind) {
      case 'accepted':
        return house.press(`deals.accept:${id}`, {}, boss)
      case 'rejected':
        return house.press(`deals.reject_reason:${id}`, { fields: { reason: 'Known to us before.' } }, boss)
      case 'lost':
        return house.run('admin deals lost', { deal: id }, boss)
      case 'given_up': {
        const fields = { value: '10', currency: 'USD', notes: '', state: 'lost' }
        return house.press(`deals.submit:${id}`, { fields }, people.visitor(step.partner))
      }
    }
  }

  return {
    keyOf: (dealId) => keys.get(dealId),
    coupon: async ({ kind, code, partner }) => {
      const visitor = people.visitor(partner)
      await attempt(setting, `coupon ${kind} ${code}`, () =>
        kind === 'made'
          ? house.run('coupon create', { code }, visitor)
          : kind === 'assigned'
            ? house.run('admin coupons assign', { user: { id: visitor.userId }, code }, boss)
            : house.run(`admin coupons ${kind === 'paused' ? 'pause' : 'resume'}`, { code: code.toLowerCase() }, boss),
      )
    },
    expire: () => setting.faults.survive(`expire ${house.clock.now().toISOString()}`, () => house.tick('deals.expire')),
    deal: async (step) => {
      if (step.kind === 'submitted') return submit(step.deal, step.partner, step.prospect)
      const id = ids.get(step.deal)
      if (!id) return
      if (step.kind === 'won') return win(step, id)
      await attempt(setting, `${step.kind} ${step.deal}`, () => decide(step, id))
    },
    statuses: async () => {
      const rows = await sql<{ id: string; status: string }[]>`select id, status from deals_deals`
      return new Map(rows.map(({ id, status }) => [keys.get(id) ?? id, status]))
    },
  }
}
