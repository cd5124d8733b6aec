// Chapters about money: what is earned, by which rules, where it goes, and that the books are right.
import { type Chapter, daily } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Part } from '../story.ts'

export const commissions: Chapter = {
  plugin: 'commissions',
  happenings: (story) => [
    // The reader of the demo should not wait a month for anything, and sixty statements a month are more than anybody reads.
    {
      day: 0,
      hour: 7,
      run: async (past) => {
        await past.run('owner', 'admin settings set', { setting: 'commissions holdDays', value: '14' })
        await past.run('owner', 'admin settings set', { setting: 'commissions mailStatements', value: 'false' })
        const draft = await past.run('owner', 'admin rules add', {
          name: 'Care plans',
          product: 'care-plan',
          rate: '30',
          months: 12,
        })
        await past.press('owner', draft, 'commissions\\.publish_rule')
      },
    },
    ...daily(story, 22, (past) => past.tick('commissions.release')),
  ],
  figures: {
    commissions: 'select count(*) from commissions_commissions',
    'earned, in cents': `select coalesce(sum(amount), 0) from commissions_commissions`,
  },
}

export const payouts: Chapter = {
  plugin: 'payouts',
  happenings: (story) => [
    {
      day: 0,
      hour: 7,
      run: async (past) => {
        await past.run('owner', 'admin settings set', { setting: 'payouts approvalAbove', value: '2500.00' })
      },
    },
    ...story.parts
      .filter(({ fate, paidBy }) => (fate === 'works' || fate === 'leaves') && paidBy === 'stripe')
      .map((part) => ({ day: Math.min(part.joins + 2, story.days - 1), hour: 11, run: (past: Past) => onboard(past, part) })),
    ...paydays(story.days).map((day) => ({ day, hour: 23, run: pay })),
    ...daily(story, 23, (past) => past.tick('payouts.retry')),
  ],
  figures: {
    'payouts paid': `select count(*) from payouts_payouts where state = 'paid'`,
    'paid out, in cents': `select coalesce(sum(amount), 0) from payouts_payouts where state = 'paid'`,
  },
}

/** Every fourth week, the last time some days ago: a reader finds something that is payable. */
function paydays(days: number): number[] {
  return [days - 62, days - 34, days - 6].filter((day) => day > 7)
}

/** Stripe's onboarding: the page is opened, its owner gives the bank details, and comes back. */
async function onboard(past: Past, part: Part): Promise<void> {
  const answer = await past.run(past.actor(part.username), 'payout setup', { provider: 'stripe' })
  const page = /"url":"([^"]+)"/.exec(answer)?.[1]
  if (!page) throw new Error(`${part.name} got no page for payouts: ${answer}`)
  await past.submitPage(page)
}

/** The owner starts the run; what is above the limit is let go by the deputy. */
async function pay(past: Past): Promise<void> {
  await past.run('owner', 'admin payouts run')
  await past.settle()
  const waiting = await past.run('deputy', 'admin payouts approve')
  if (waiting.includes('payouts.approve:')) await past.press('deputy', waiting, 'payouts.approve:')
  await past.settle()
}

export const paypal: Chapter = {
  plugin: 'paypal',
  happenings: ({ parts, days }) =>
    parts
      .filter(({ fate, paidBy }) => fate === 'works' && paidBy === 'paypal')
      .map((part, i) => ({
        day: Math.min(part.joins + 2, days - 1),
        hour: 10,
        run: async (past: Past) => {
          const answer = await past.run(past.actor(part.username), 'payout setup', { provider: 'paypal' })
          const page = /"url":"([^"]+)"/.exec(answer)![1]!
          // One of them has no PayPal account yet, so their money waits there unclaimed.
          const email = i === 1 ? part.email.replace('@', '+unclaimed@') : part.email
          const given = await past.visit(page, part.username, { email, again: email })
          if (given.status !== 303) throw new Error(`PayPal's page answered ${given.status} to ${part.name}`)
          await past.visit(given.location, part.username)
        },
      })),
  figures: { 'paid through PayPal': `select count(*) from payouts_payouts where provider = 'paypal'` },
}

export const tax: Chapter = {
  plugin: 'tax',
  happenings: ({ parts, days }) =>
    parts
      .filter(({ fate }) => fate === 'works')
      .slice(0, 12)
      .map((part, i) => ({
        day: Math.min(part.joins + 3, days - 1),
        hour: 17,
        run: async (past: Past) => {
          const { identity } = past.actor(part.username)
          const form = i % 3 === 0 ? { country: 'US', form: 'W-9' } : { country: 'DE', form: 'W-8BEN' }
          await past.run('owner', 'admin tax record', { partner: { id: identity.id }, ...form, status: 'valid' })
        },
      })),
  figures: { 'tax forms': 'select count(*) from tax_forms where status is not null' },
}

export const ledger: Chapter = {
  plugin: 'ledger',
  happenings: (story) => daily(story, 23, (past) => past.tick('ledger.seal')),
  figures: { transfers: 'select count(*) from ledger_transfers' },
}
