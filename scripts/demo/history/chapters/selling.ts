// Chapters about selling: links and clicks, coupons, deals, what the shop sells through Stripe and what comes back.
import type { Chapter } from '../chapter.ts'
import type { Past } from '../past.ts'
import { type Deal, newsletterCode, type Order } from '../story.ts'

export const links: Chapter = {
  plugin: 'links',
  happenings: ({ parts, visits }) => [
    { day: 0, hour: 7, run: landing },
    ...parts
      .filter(({ fate }) => fate === 'works' || fate === 'leaves')
      .map((part) => ({
        day: part.joins,
        hour: 11,
        run: async (past: Past) => {
          await past.run(past.actor(part.username), 'link create', { code: part.code, campaign: 'start' })
          if (part.newsletter)
            await past.run(past.actor(part.username), 'link create', { code: newsletterCode(part), campaign: 'newsletter' })
        },
      })),
    ...visits.map(({ day, code, visitor }) => ({
      day,
      hour: 12,
      run: async (past: Past) => void (await follow(past, code, visitor)),
    })),
  ],
  figures: {
    links: 'select count(*) from links_links',
    clicks: `select count(*) from links_clicks`,
    'landing pages': 'select count(*) from links_landing_pages',
  },
}

/** Links lead to the shop; those of a campaign and of an industry to a part of it. */
async function landing(past: Past): Promise<void> {
  const { shop } = past.stage.urls
  await past.run('owner', 'admin settings set', { setting: 'links landingPage', value: shop })
  await past.run('owner', 'admin-links landing add', { name: 'Prices', url: `${shop}/?from={campaign}#services` })
  await past.run('owner', 'admin-links landing add', { name: 'How we work', url: `${shop}/?from={industry}#how` })
  await past.run('owner', 'admin-links landing assign', { page: 'Prices', campaign: 'newsletter' })
  await past.run('owner', 'admin-links landing assign', { page: 'How we work', industry: 'saas' })
}

/** The clicks of visitors, by visitor: what they do later is told with their click. */
const clicks = new WeakMap<Past, Map<string, string>>()

/** Follows a link, perhaps with more in its address, and returns the click that it counts as. */
export async function follow(past: Past, code: string, visitor: string, query = ''): Promise<string> {
  const answer = await past.visit(`/r/${code}${query}`, visitor)
  const click = answer.location && new URL(answer.location).searchParams.get('siso_cid')
  if (!click) throw new Error(`the link ${code} answered ${answer.status}: ${answer.text}`)
  clicks.set(past, (clicks.get(past) ?? new Map<string, string>()).set(visitor, click))
  return click
}

/** The last click of a visitor. */
export const clickOf = (past: Past, visitor: string): string | undefined => clicks.get(past)?.get(visitor)

/** Stripe's Checkout sessions of the orders, by the order's key: what is undone later is found there. */
const sessions = new WeakMap<Past, Map<string, string>>()

export const stripe: Chapter = {
  plugin: 'stripe',
  happenings: ({ orders, parts }) => [
    { day: 0, hour: 7, run: async (past) => void (await past.run('owner', 'admin stripe connect')) },
    ...orders.map((order) => {
      const { code } = parts.find(({ username }) => username === order.partner)!
      return { day: order.day, hour: 14, run: (past: Past) => sell(past, order, code) }
    }),
    ...orders.flatMap((order) =>
      order.undone ? [{ day: order.day + order.undone.after, hour: 16, run: (past: Past) => undo(past, order) }] : [],
    ),
  ],
  figures: {
    'events from Stripe': `select count(*) from core_webhooks where source = 'stripe'`,
  },
}

async function sell(past: Past, order: Order, code: string): Promise<void> {
  const click = order.coupon === undefined ? await follow(past, code, order.key) : undefined
  // Nobody pays within seconds of a click.
  past.stage.clock.forwardTo(past.stage.clock.now().getTime() + 180_000)
  const buyer = { ...order.buyer, ...(order.coupon !== undefined && { promotion_code: order.coupon }) }
  const session = await past.buy(order.product, buyer, click)
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
      {
        day: 0,
        hour: 7,
        run: (past: Past) => past.company('/v1/coupons', { id: discount, percent_off: '15', duration: 'once' }),
      },
      ...makers.map((part) => ({
        day: Math.min(part.joins + 1, days - 1),
        hour: 10,
        run: async (past: Past) => {
          await past.run(past.actor(part.username), 'coupon create', { code: part.coupon! })
          // The company gives the discount in its shop, under the same letters.
          await past.company('/v1/promotion_codes', {
            code: part.coupon!,
            'promotion[type]': 'coupon',
            'promotion[coupon]': discount,
          })
        },
      })),
      ...makers.slice(1, 2).map((part) => ({
        day: days - 2,
        hour: 17,
        run: async (past: Past) => void (await past.run('owner', 'admin coupons pause', { code: part.coupon! })),
      })),
    ]
  },
  figures: {
    coupons: 'select count(*) from coupons_coupons',
    'sales by coupon': `select count(*) from attribution_sales where partner_id is not null and hints ->> 'coupon' is not null`,
  },
}

/** The discount behind all coupons, in Stripe. */
const discount = 'partners-15'

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
