// Claims of sales, as partners file them by command, and admins look at them and decide by button and form.
import { customId } from '../../../commands/customId.ts'
import { creditForm, declineForm, lookButton } from '../../../plugins/claims/refs.ts'
import { startOf } from '../plan/calendar.ts'
import type { ClaimStep } from '../plan/claims.ts'
import type { Changes } from './changes.ts'
import type { People } from './people.ts'
import { attempt, boss, type Setting } from './setting.ts'
import type { Shop } from './shop.ts'
import type { Work } from './work.ts'

export interface Claims {
  act(step: ClaimStep, day: number): Promise<void>
  /** How far each claim is. */
  states(): Promise<Map<string, string>>
}

export function createClaims(setting: Setting, people: People, shop: Shop, changes: Changes, work: Work): Claims {
  const { house } = setting
  const { sql } = house.connection
  const ids = new Map<string, string>()
  const keys = new Map<string, string>()

  async function file({ claim, payment, partner, bought, knows }: ClaimStep & { kind: 'filed' }): Promise<void> {
    const sale = shop.saleOf(payment)
    const [known] =
      knows && sale ? await sql<{ order: string }[]>`select payment_key as order from attribution_sales where id = ${sale}` : []
    const date = new Date(startOf(bought)).toISOString().slice(0, 10)
    const options = { date, story: `I sold it: ${claim}.`, order: known?.order ?? 'no such order' }
    // Repeated after its answer was lost it would be a second claim.
    await attempt(setting, `file ${claim}`, async () => {
      const [made] = await sql`select 1 from claims_claims where story = ${options.story}`
      return made ? { components: [] } : house.run('sales claim', options, people.visitor(partner))
    })
    const [made] = await sql<{ id: string }[]>`select id from claims_claims where story = ${options.story}`
    if (!made) return
    ids.set(claim, made.id)
    keys.set(made.id, claim)
  }

  async function decide({ claim: key, payment, kind }: ClaimStep, day: number): Promise<void> {
    const claim = ids.get(key)
    if (!claim) return
    const card = JSON.stringify(await attempt(setting, `look ${key}`, () => house.press(customId(lookButton, { claim }), {}, boss)))
    const sale = shop.saleOf(payment)
    const credits = kind === 'credited' && sale !== undefined && card.includes(`claims.credit:${claim}:${sale}`)
    const form = credits ? customId(creditForm, { claim, sale }) : customId(declineForm, { claim })
    await attempt(setting, `decide ${key}`, () => house.press(form, { fields: { reason: 'So it was.' } }, boss))
    await changes.adopt(key, claim)
    await work.deliverChange(day)
  }

  return {
    act: (step, day) => (step.kind === 'filed' ? file(step) : decide(step, day)),
    states: async () => {
      const rows = await sql<{ id: string; state: string }[]>`select id, state from claims_claims`
      return new Map(rows.map(({ id, state }) => [keys.get(id) ?? id, state]))
    },
  }
}
