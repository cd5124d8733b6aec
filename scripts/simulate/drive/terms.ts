// Settings and rules of the simulation, as an admin changes them: a setting by its name, a rule as a draft that is published.
import { toDecimal } from '../../../plugins/kit/index.ts'
import { dayMs } from '../plan/calendar.ts'
import type { Setting as Change, RuleStep, RuleTerms } from '../plan/terms.ts'
import type { People } from './people.ts'
import { attempt, boss, controlIn, type Setting } from './setting.ts'

export interface Terms {
  set(change: Change): Promise<void>
  rule(step: RuleStep): Promise<void>
}

export function createTerms(setting: Setting, people: People): Terms {
  const { house } = setting

  async function publish(terms: RuleTerms): Promise<void> {
    const name = `${terms.name} ${house.clock.now().toISOString()}`
    const draft = await attempt(setting, `draft ${name}`, () => house.run('admin rules add', optionsOf(terms), boss))
    const button = controlIn(draft, /"(commissions\.publish_rule:[^"]+)"/)
    await attempt(setting, `publish ${name}`, () => house.press(button, {}, boss))
  }

  function optionsOf(terms: RuleTerms): Record<string, unknown> {
    const { currency, countries, startsIn, endsIn } = terms
    const money = (amount: bigint | undefined) => (amount === undefined ? undefined : toDecimal(amount, currency!))
    const dayIn = (days: number) => new Date(house.clock.now().getTime() + days * dayMs).toISOString().slice(0, 10)
    const options = {
      name: terms.name,
      rate: terms.rate,
      amount: money(terms.flat),
      partner: terms.partner && { id: people.visitor(terms.partner).userId },
      tier: terms.tier,
      product: terms.product,
      customer: terms.customer,
      countries: countries?.join(', '),
      minimum: money(terms.minimum),
      payments: terms.payments,
      months: terms.months,
      max_payments: terms.maxPayments,
      cap_per_sale: money(terms.saleCap),
      cap_per_period: money(terms.periodCap),
      period: terms.period,
      currency,
      starts: startsIn === 0 ? undefined : dayIn(startsIn),
      ends: endsIn === undefined ? undefined : dayIn(endsIn),
    }
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  }

  return {
    set: ({ name, value }) => house.set('commissions', name, name === 'holdDays' ? Number(value) : value),
    rule: async (step) => {
      if (step.kind === 'publish') return publish(step.terms)
      const { name } = step
      await attempt(setting, `end ${name}`, () => house.run('admin rules end', { name }, boss))
    },
  }
}
