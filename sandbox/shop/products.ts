// What the company's website sells. Prices in minor units of US dollars.

export interface ShopProduct {
  slug: string
  name: string
  tagline: string
  description: string
  points: readonly string[]
  amount: number
  /** Missing: paid once. */
  interval?: 'month'
  action: string
}

export const PRODUCTS: readonly ShopProduct[] = [
  {
    slug: 'website-build',
    name: 'Website build',
    tagline: 'A fast site in two weeks',
    description: 'Design, words and code for a small site that loads at once and sells while you sleep.',
    points: ['Five pages, written with you', 'Yours to keep: code and domain', 'Search and analytics set up'],
    amount: 250_000,
    action: 'Order the build',
  },
  {
    slug: 'care-plan',
    name: 'Care plan',
    tagline: 'We keep it running',
    description: 'Updates, backups, small changes and a person who answers, every month.',
    points: ['Changes within one working day', 'Daily backups, tested monthly', 'Cancel whenever you like'],
    amount: 15_000,
    interval: 'month',
    action: 'Start the plan',
  },
  {
    slug: 'ai-workshop',
    name: 'AI workshop',
    tagline: 'Half a day, your own cases',
    description: 'Your team brings its real work; we leave with three tasks that run on their own.',
    points: ['Up to twelve people', 'Hands on, no slides', 'Follow-up call after two weeks'],
    amount: 90_000,
    action: 'Book the workshop',
  },
]

export function productBySlug(slug: string): ShopProduct | undefined {
  return PRODUCTS.find((product) => product.slug === slug)
}
