// Chapters about the company's own programs: they have a key, report leads and what is sold on a bill, are told what happens, and look at the figures.
import { type Chapter, daily } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Lead } from '../story.ts'
import { clickOf } from './selling.ts'

/** The key of the company's programs. */
const keys = new WeakMap<Past, string>()

export const developer: Chapter = {
  plugin: 'developer',
  happenings: (story) => [
    {
      day: 0,
      hour: 7,
      run: async (past) => {
        const scopes = 'leads:write leads:read sales:write sales:read refunds:write refunds:read analytics:read events:read'
        const shown = await past.run('owner', 'admin-api keys create', { name: 'Office', scopes })
        const key = /siso_key_[\w-]+/.exec(shown)?.[0]
        if (!key) throw new Error(`no key is shown in ${shown}`)
        keys.set(past, key)
        const url = `${past.stage.urls.shop}/hooks/partners`
        await past.run('owner', 'admin-api webhooks add', { url, events: 'partner.activated payout.paid lead.attributed' })
      },
    },
    ...daily(story, 23, (past) => past.tick('developer.send')),
  ],
  figures: {
    'API keys': 'select count(*) from developer_keys',
    'messages to the company': `select count(*) from developer_sends where state = 'delivered'`,
  },
}

export const tracking: Chapter = {
  plugin: 'tracking',
  happenings: ({ leads }) =>
    leads.flatMap((lead, i) => [
      { day: lead.day, hour: 13, run: (past: Past) => report(past, lead, i) },
      ...(lead.buys ? [{ day: lead.day + lead.buys.after, hour: 15, run: (past: Past) => bill(past, lead, i) }] : []),
    ]),
  figures: {
    leads: 'select count(*) from tracking_leads',
    'leads of partners': 'select count(*) from tracking_leads where partner_id is not null',
    'sales on a bill': 'select count(*) from tracking_payments',
  },
}

const keyOf = (past: Past): string => keys.get(past)!

async function report(past: Past, { email, visitor }: Lead, i: number): Promise<void> {
  const click = clickOf(past, visitor)
  await past.report(keyOf(past), '/v1/leads', {
    external_id: `lead_${i + 1}`,
    email,
    click_id: click,
    metadata: { form: i % 2 === 0 ? 'call back' : 'offer' },
  })
}

async function bill(past: Past, { email, buys }: Lead, i: number): Promise<void> {
  const payment_id = `bill_${i + 1}`
  const { amount, returns } = buys!
  await past.report(keyOf(past), '/v1/sales', { payment_id, amount, currency: 'USD', customer: { email }, product: 'consulting' })
  if (returns) await past.report(keyOf(past), '/v1/refunds', { payment_id, refund_id: `credit_${i + 1}`, amount: amount / 2 })
}

export const analytics: Chapter = {
  plugin: 'analytics',
  happenings: ({ parts, days }) => {
    const reader = parts.find(({ fate }) => fate === 'works')
    return [
      {
        day: days - 1,
        hour: 20,
        run: async (past) => {
          if (reader) await past.run(past.actor(reader.username), 'stats show', {})
          await past.run('owner', 'admin-stats show', {})
        },
      },
    ]
  },
  figures: {},
}
