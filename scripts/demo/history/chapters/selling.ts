// Chapters about selling: links and clicks, coupons, deals, what the shop sells through Stripe and what comes back, and what looks odd about it.
import type { Chapter } from '../chapter.ts'
import type { Past } from '../past.ts'
import type { Deal, Order } from '../story.ts'

export const links: Chapter = {
  plugin: 'links',
  happenings: ({ parts, visits }) => [
    ...parts
      .filter(({ fate }) => fate === 'works' || fate === 'leaves')
      .map((part, i) => ({
        day: part.joins,
        hour: 11,
        run: async (past: Past) => {
          await past.run(past.actor(part.username), 'link create', { code: part.code, campaign: 'start' })
          if (i % 3 === 0) await past.run(past.actor(part.username), 'link create', { campaign: 'newsletter' })
        },
      })),
    ...visits.map(({ day, partner, visitor }) => ({
      day,
      hour: 12,
      run: async (past: Past) => void (await follow(past, partner, visitor)),
    })),
  ],
  figures: {
    links: 'select count(*) from links_links',
    clicks: `select count(*) from links_clicks`,
  },
}

/** Follows the partner's link and returns the click that it counts as. */
async function follow(past: Past, partner: string, visitor: string): Promise<string> {
  const answer = await past.visit(`/r/${partner.replace('.', '-')}`, visitor)
  const click = answer.location && new URL(answer.location).searchParams.get('siso_cid')
  if (!click) throw new Error(`the link of ${partner} answered ${answer.status}: ${answer.text}`)
  return click
}

/** Stripe's Checkout sessions of the orders, by the order's key: what is undone later is found there. */
const sessions = new WeakMap<Past, Map<string, string>>()

export const stripe: Chapter = {
  plugin: 'stripe',
  happenings: ({ orders }) => [
    { day: 0, hour: 7, run: async (past) => void (await past.run('owner', 'admin stripe connect')) },
    ...orders.map((order) => ({ day: order.day, hour: 14, run: (past: Past) => sell(past, order) })),
    ...orders.flatMap((order) =>
      order.undone ? [{ day: order.day + order.undone.after, hour: 16, run: (past: Past) => undo(past, order) }] : [],
    ),
  ],
  figures: {
    'events from Stripe': `select count(*) from core_webhooks where source = 'stripe'`,
  },
}

async function sell(past: Past, order: Order): Promise<void> {
  const click = await follow(past, order.partner, order.key)
  // Nobody pays within seconds of a click.
  past.stage.clock.forwardTo(past.stage.clock.now().getTime() + 180_000)
  const session = await past.buy(order.product, order.buyer, click)
  const known = sessions.get(past) ?? new Map<string, string>()
  sessions.set(past, known.set(order.key, session))
}

async function undo(past: Past, { key, undone }: Order): Promise<void> {
  const session = sessions.get(past)!.get(key)!
  if (undone!.how === 'refund') await past.stripe(`charges/${session}/refund`)
  else if (undone!.how === 'part') await past.stripe(`charges/${session}/refund`, { amount: 5_000 })
  else {
    const dispute = (await past.stripe(`charges/${session}/dispute`)) as { id: string }
    await past.settle()
    await past.stripe(`disputes/${dispute.id}/${undone!.how === 'dispute won' ? 'won' : 'lost'}`)
  }
}

export const attribution: Chapter = {
  plugin: 'attribution',
  happenings: () => [],
  figures: {
    sales: 'select count(*) from attribution_sales',
    'sales of partners': 'select count(*) from attribution_sales where partner_id is not null',
  },
}

export const coupons: Chapter = {
  plugin: 'coupons',
  happenings: ({ parts, days }) => {
    const makers = parts.filter(({ coupon, fate }) => coupon && fate === 'works')
    return [
      ...makers.map((part) => ({
        day: Math.min(part.joins + 1, days - 1),
        hour: 10,
        run: async (past: Past) => void (await past.run(past.actor(part.username), 'coupon create', { code: part.coupon! })),
      })),
      ...makers.slice(1, 2).map((part) => ({
        day: days - 2,
        hour: 17,
        run: async (past: Past) => void (await past.run('owner', 'admin coupons pause', { code: part.coupon! })),
      })),
    ]
  },
  figures: { coupons: 'select count(*) from coupons_coupons' },
}

export const deals: Chapter = {
  plugin: 'deals',
  happenings: ({ deals: all, days }) =>
    all.flatMap((deal) => [
      { day: deal.day, hour: 10, run: (past: Past) => submit(past, deal) },
      ...(deal.outcome === 'open'
        ? []
        : [{ day: Math.min(days - 1, deal.day + 1), hour: 17, run: (past: Past) => decide(past, deal) }]),
    ]),
  figures: {
    'registered deals': 'select count(*) from deals_deals',
    'deals won': `select count(*) from deals_deals where status = 'won'`,
  },
}

async function submit(past: Past, deal: Deal): Promise<void> {
  await past.fill(past.actor(deal.partner), 'deal submit', {
    company: deal.company,
    email: deal.email,
    value: deal.value,
    currency: 'USD',
    notes: 'They asked for an offer after a talk at the fair.',
  })
}

async function decide(past: Past, deal: Deal): Promise<void> {
  const id = await past.figure(`select id from deals_deals where company = '${deal.company}'`)
  if (deal.outcome === 'rejected') {
    await past.fill('owner', 'admin deals reject', { reason: 'They were customers before.' }, { deal: id })
    return
  }
  await past.run('owner', 'admin deals accept', { deal: id })
  if (deal.outcome === 'won') await past.run('owner', 'admin deals won', { deal: id, amount: deal.value })
  if (deal.outcome === 'lost') await past.run('owner', 'admin deals lost', { deal: id, reason: 'They chose somebody nearer.' })
}

export const fraud: Chapter = {
  plugin: 'fraud',
  happenings: ({ parts, days }) => {
    // Two partners buy from themselves: one case is decided, the other waits for the reader.
    const own = parts.filter(({ fate }) => fate === 'works').slice(2, 4)
    return own.flatMap((part, i) => [
      {
        day: Math.min(days - 3 + i, part.joins + 3 + i),
        hour: 13,
        run: async (past: Past) => {
          const click = await follow(past, part.username, `${part.username} at home`)
          await past.buy('ai-workshop', { email: part.email, name: part.name, country: 'US' }, click)
        },
      },
      ...(i === 0
        ? [
            {
              day: days - 1,
              hour: 17,
              run: async (past: Past) => {
                const id = await past.figure(`select id from fraud_cases where state = 'open' order by id limit 1`)
                if (id) await past.run('owner', 'admin fraud reject', { case: id, reason: 'A purchase of their own.' })
              },
            },
          ]
        : []),
    ])
  },
  figures: { 'cases of fraud': 'select count(*) from fraud_cases' },
}

export const claims: Chapter = {
  plugin: 'claims',
  happenings: ({ orders, parts, days }) =>
    orders
      .filter(({ partner }) => parts.some(({ username, fate }) => username === partner && fate === 'works'))
      .slice(-1)
      .map(({ partner, day }) => ({
        day: days - 1,
        hour: 18,
        run: async (past) => {
          const date = new Date(past.stage.clock.now().getTime() - (days - day) * 86_400_000).toISOString().slice(0, 10)
          const story = 'They told me at the fair that they would order, and forgot to use my link.'
          await past.run(past.actor(partner), 'sales claim', { date, story, amount: '900.00' })
        },
      })),
  figures: { 'claimed sales': 'select count(*) from claims_claims' },
}

export const developer: Chapter = {
  plugin: 'developer',
  happenings: () => [
    {
      day: 0,
      hour: 7,
      run: async (past) => void (await past.run('owner', 'admin-api keys create', { name: 'Shop', scopes: 'sales:write' })),
    },
  ],
  figures: { 'API keys': 'select count(*) from developer_keys' },
}
