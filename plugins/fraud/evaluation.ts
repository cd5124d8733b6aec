// A labelled set of commissions to measure the signals with: made up, deterministic, honest and fraudulent traffic that overlaps. Writes and reads nothing.
import type { FraudFacts, Limits, WeighedTouch } from './public.ts'
import { judge } from './score.ts'
import { builtInSignals } from './signals.ts'

export interface Labelled {
  readonly profile: string
  readonly fraud: boolean
  readonly facts: FraudFacts
}

export interface Quality {
  /** Of what was flagged, the share that is fraud. */
  readonly precision: number
  /** Of the fraud, the share that was flagged. */
  readonly recall: number
  /** How many of each profile there are, and how many were flagged. */
  readonly profiles: ReadonlyMap<string, { readonly fraud: boolean; readonly all: number; readonly flagged: number }>
}

/** `size` commissions, the same for the same seed; about one in six is fraud. */
export function labelledSet(seed: number, size: number, limits: Limits): Labelled[] {
  const random = createRandom(seed)
  const total = profiles.reduce((sum, { share }) => sum + share, 0)
  return Array.from({ length: size }, () => {
    const profile = chosen(random.share() * total)
    const sketch = { ...ambient(random), ...profile.make(random) }
    return { profile: profile.name, fraud: profile.fraud, facts: factsOf(sketch, limits) }
  })
}

/** The profile in whose share the point lies, when all shares are laid end to end. */
function chosen(point: number): Profile {
  let end = 0
  for (const profile of profiles) {
    end += profile.share
    if (point < end) return profile
  }
  return profiles[0]!
}

/** Judges every commission of the set as the program would. */
export function measure(set: readonly Labelled[], threshold: number): Quality {
  const profiles = new Map<string, { fraud: boolean; all: number; flagged: number }>()
  const sums = { flagged: 0, caught: 0, fraud: 0 }
  for (const { profile, fraud, facts } of set) {
    const found = builtInSignals.flatMap((signal) => {
      const evidence = signal.evaluate(facts)
      return evidence ? [{ signal: signal.id, weight: signal.weight, evidence }] : []
    })
    const flagged = judge(found, { threshold, allowedWith: new Set() }).suspicious
    const row = profiles.get(profile) ?? { fraud, all: 0, flagged: 0 }
    profiles.set(profile, { fraud, all: row.all + 1, flagged: row.flagged + Number(flagged) })
    sums.flagged += Number(flagged)
    sums.caught += Number(flagged && fraud)
    sums.fraud += Number(fraud)
  }
  return { precision: sums.caught / sums.flagged, recall: sums.caught / sums.fraud, profiles }
}

/** What distinguishes one commission from another; the rest of the facts is the same for all. */
interface Sketch {
  /** Seconds between the winning click and the payment; undefined when no click won. */
  readonly gap?: number
  readonly coupon?: boolean
  /** Seconds between the click of another partner and the payment. */
  readonly rival?: number
  readonly burst?: number
  readonly clicks: number
  readonly firstByClick?: number
  readonly firstByCoupon?: number
  readonly sales: number
  readonly refunded: number
  readonly email?: string
  readonly ownAddress?: boolean
  readonly duplicate?: boolean
  /** The partner was seen within a day from the click's computer, or its address. */
  readonly seen?: 'address' | 'device' | null
  readonly datacentre?: boolean
  readonly paidBy?: string | null
  readonly sharedPayout?: boolean
}

/**
 * What happens to anybody: private networks that end in data centres, colleagues behind one address, a customer who is shown the page on the partner's own
 * computer, couples with one account, an advertisement among other traffic. Fraud has these, too, unless its profile says otherwise.
 */
function ambient(random: Random): Pick<Sketch, 'seen' | 'datacentre' | 'paidBy' | 'sharedPayout'> {
  const chance = random.share()
  return {
    seen: chance < 0.002 ? 'device' : chance < 0.02 ? 'address' : null,
    datacentre: random.chance(0.04),
    paidBy: random.chance(0.04) ? 'gclid' : null,
    sharedPayout: random.chance(0.003),
  }
}

/** Somebody who buys for themselves: mostly where they sit, sometimes on a telephone outside. */
const atHome = (random: Random, device: number, address: number): 'address' | 'device' | null => {
  const chance = random.share()
  return chance < device ? 'device' : chance < device + address ? 'address' : null
}

interface Profile {
  readonly name: string
  readonly fraud: boolean
  readonly share: number
  make(random: Random): Sketch
}

/** Shares and figures are assumptions about a program of middle size, not measurements of a real one. */
const profiles: readonly Profile[] = [
  {
    name: 'blog with steady readers',
    fraud: false,
    share: 30,
    make: (random) => {
      const clicks = random.integer(30, 4000)
      const firstByClick = 1 + random.hits(clicks, 0.025)
      const sales = firstByClick * 3
      return {
        clicks,
        firstByClick,
        sales,
        refunded: random.hits(sales, 0.05),
        gap: random.around(1800, 1.8),
        burst: random.integer(0, 8),
      }
    },
  },
  {
    name: 'newsletter on the day it is sent',
    fraud: false,
    share: 10,
    make: (random) => {
      const clicks = random.integer(400, 3000)
      const firstByClick = 1 + random.hits(clicks, 0.03)
      return {
        clicks,
        firstByClick,
        sales: firstByClick * 2,
        refunded: random.hits(firstByClick * 2, 0.06),
        gap: random.around(900, 1.6),
        burst: random.integer(10, 200),
      }
    },
  },
  {
    name: 'community with one-click checkout',
    fraud: false,
    share: 8,
    make: (random) => {
      const clicks = random.integer(20, 400)
      const firstByClick = 1 + random.hits(clicks, 0.08)
      return {
        clicks,
        firstByClick,
        sales: firstByClick * 2,
        refunded: random.hits(firstByClick * 2, 0.08),
        gap: random.around(60, 0.8),
        burst: random.integer(0, 10),
      }
    },
  },
  {
    name: 'speaker with a coupon on the slides',
    fraud: false,
    share: 8,
    make: (random) => {
      const firstByCoupon = random.integer(1, 40)
      return {
        coupon: true,
        clicks: random.chance(0.4) ? 0 : random.integer(1, 30),
        firstByCoupon,
        sales: firstByCoupon,
        refunded: random.hits(firstByCoupon, 0.06),
      }
    },
  },
  {
    name: 'consultant who brings few, good customers',
    fraud: false,
    share: 12,
    make: (random) => {
      const clicks = random.integer(1, 8)
      const firstByClick = 1 + random.hits(clicks, 0.4)
      return {
        clicks,
        firstByClick,
        sales: firstByClick,
        refunded: random.hits(firstByClick, 0.04),
        gap: random.around(14_400, 1.5),
        burst: random.integer(0, 2),
      }
    },
  },
  {
    name: 'review site that customers compare on',
    fraud: false,
    share: 12,
    make: (random) => {
      const clicks = random.integer(200, 5000)
      const firstByClick = 1 + random.hits(clicks, 0.06)
      return {
        clicks,
        firstByClick,
        sales: firstByClick * 2,
        refunded: random.hits(firstByClick * 2, 0.09),
        gap: random.around(600, 1.4),
        rival: random.around(172_800, 1),
        burst: random.integer(0, 15),
      }
    },
  },
  {
    name: 'fashion shop where much is sent back',
    fraud: false,
    share: 6,
    make: (random) => {
      const clicks = random.integer(200, 3000)
      const firstByClick = 1 + random.hits(clicks, 0.03)
      return {
        clicks,
        firstByClick,
        sales: firstByClick * 2,
        refunded: random.hits(firstByClick * 2, 0.24),
        gap: random.around(1200, 1.5),
        burst: random.integer(0, 90),
      }
    },
  },
  {
    name: 'own purchase with a variant of the address',
    fraud: true,
    share: 3,
    make: (random) => ({
      clicks: random.integer(1, 40),
      firstByClick: 1,
      sales: random.integer(1, 6),
      refunded: 0,
      gap: random.around(300, 1),
      ownAddress: true,
      seen: atHome(random, 0.5, 0.2),
    }),
  },
  {
    name: 'own purchase with an address nobody knows',
    fraud: true,
    share: 1.5,
    make: (random) => ({
      clicks: random.integer(1, 40),
      firstByClick: 1,
      sales: random.integer(1, 6),
      refunded: 0,
      gap: random.around(300, 1),
      seen: atHome(random, 0.5, 0.2),
    }),
  },
  {
    name: 'second account',
    fraud: true,
    share: 2,
    make: (random) => ({
      clicks: random.integer(2, 60),
      firstByClick: random.integer(1, 3),
      sales: random.integer(1, 6),
      refunded: 0,
      gap: random.around(600, 1.2),
      duplicate: random.chance(0.8),
      sharedPayout: random.chance(0.5),
    }),
  },
  {
    name: 'browser extension that injects clicks at the checkout',
    fraud: true,
    share: 3,
    make: (random) => {
      const clicks = random.integer(100, 2000)
      const firstByClick = random.hits(clicks, 0.45)
      const rival = random.chance(0.7) ? { rival: random.around(43_200, 1) } : {}
      return {
        clicks,
        firstByClick,
        sales: firstByClick * 2,
        refunded: random.hits(firstByClick * 2, 0.06),
        gap: random.around(20, 0.7),
        burst: random.integer(0, 30),
        ...rival,
      }
    },
  },
  {
    name: 'script that tests stolen cards',
    fraud: true,
    share: 2,
    make: (random) => {
      const sales = random.integer(4, 60)
      return {
        clicks: sales + random.integer(0, 300),
        firstByClick: sales,
        sales,
        refunded: random.hits(sales, 0.6),
        gap: random.around(9, 0.6),
        burst: random.integer(0, 150),
        ...(random.chance(0.5) ? { email: 'shop@mailinator.com' } : {}),
        datacentre: random.chance(0.6),
      }
    },
  },
  {
    name: 'buyers who are paid to buy and return',
    fraud: true,
    share: 2,
    make: (random) => {
      const sales = random.integer(8, 80)
      return {
        clicks: Math.round(sales * (1 + random.share() * 3)),
        firstByClick: sales,
        sales,
        refunded: random.hits(sales, 0.55),
        gap: random.around(240, 1),
        ...(random.chance(0.3) ? { email: 'deal@yopmail.com' } : {}),
      }
    },
  },
  {
    name: 'advertisements for the company’s own name',
    fraud: true,
    share: 1.5,
    make: (random) => {
      const clicks = random.integer(200, 2000)
      const firstByClick = random.hits(clicks, 0.25)
      return {
        clicks,
        firstByClick,
        sales: firstByClick,
        refunded: random.hits(firstByClick, 0.05),
        gap: random.around(240, 1.2),
        burst: random.integer(0, 60),
        ...(random.chance(0.3) ? { rival: random.around(86_400, 1) } : {}),
        paidBy: random.chance(0.8) ? 'gclid' : null,
      }
    },
  },
  {
    name: 'coupon that stands on coupon sites',
    fraud: true,
    share: 1.5,
    make: (random) => {
      const firstByCoupon = random.integer(15, 200)
      return { coupon: true, clicks: 0, firstByCoupon, sales: firstByCoupon, refunded: random.hits(firstByCoupon, 0.3) }
    },
  },
]

const paidAt = new Date('2026-11-02T12:00:00Z')
const partnerId = '018f0000-0000-7000-8000-000000000001'
const rivalId = '018f0000-0000-7000-8000-000000000002'

function factsOf(sketch: Sketch, limits: Limits): FraudFacts {
  const {
    gap,
    coupon,
    rival,
    burst = 0,
    clicks,
    firstByClick = 0,
    firstByCoupon = 0,
    sales,
    refunded,
    email = 'partner@example.com',
  } = sketch
  const before = (seconds: number) => new Date(paidAt.getTime() - Math.round(seconds) * 1000)
  const touches: WeighedTouch[] = [
    ...(gap === undefined ? [] : [{ kind: 'click' as const, partnerId, at: before(gap), reference: 'click', won: true }]),
    ...(coupon ? [{ kind: 'coupon' as const, partnerId, at: paidAt, reference: 'CODE', won: true }] : []),
    ...(rival === undefined || rival <= (gap ?? 0)
      ? []
      : [{ kind: 'click' as const, partnerId: rivalId, at: before(rival), reference: 'rival', won: false }]),
  ]
  const month = { sales, refunded, firstByClick, firstByCoupon }
  return {
    partner: {
      id: partnerId,
      programId: '018f0000-0000-7000-8000-000000000000',
      userId: '200000000000000001',
      name: 'A Partner',
      email,
      industry: 'saas',
      status: 'active',
      registeredAt: before(86_400 * 90),
      verifiedAt: before(86_400 * 90),
      activatedAt: before(86_400 * 90),
    },
    sale: {
      id: '018f0000-0000-7000-8000-000000000003',
      programId: '018f0000-0000-7000-8000-000000000000',
      partnerId,
      customerId: '018f0000-0000-7000-8000-000000000004',
      currency: 'USD',
      gross: 10_000n,
      basis: 10_000n,
      refunded: 0n,
      dispute: 'none',
      lost: 0n,
      net: 10_000n,
      paidAt,
      product: null,
      subscription: null,
      sequence: null,
      firstOfCustomer: true,
      origin: null,
    },
    touches,
    customerEmails: [sketch.ownAddress ? 'own' : 'customer'],
    partnerEmails: ['own'],
    sharedMailbox: sketch.duplicate ? [rivalId] : [],
    sharedPayout: sketch.sharedPayout ? [rivalId] : [],
    click:
      gap === undefined
        ? undefined
        : { paidBy: sketch.paidBy ?? null, referrer: null, datacentre: sketch.datacentre ?? false, seen: sketch.seen ?? null },
    clicks: { burst, month: clicks },
    month,
    quarter: month,
    limits,
  }
}

interface Random {
  /** In [0, 1). */
  share(): number
  chance(probability: number): boolean
  /** Both ends included. */
  integer(from: number, to: number): number
  /** How many of `tries` hit. */
  hits(tries: number, probability: number): number
  /** Log-normal: half of the values are below `median`; `spread` is the deviation of the logarithm. */
  around(median: number, spread: number): number
}

/** Mulberry32: small, and the same on every machine. */
function createRandom(seed: number): Random {
  let state = seed >>> 0
  const share = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    share,
    chance: (probability) => share() < probability,
    integer: (from, to) => from + Math.floor(share() * (to - from + 1)),
    hits: (tries, probability) => {
      let hits = 0
      for (let i = 0; i < tries; i++) if (share() < probability) hits++
      return hits
    },
    around: (median, spread) => {
      const normal = Math.sqrt(-2 * Math.log(1 - share())) * Math.cos(2 * Math.PI * share())
      return median * Math.exp(spread * normal)
    },
  }
}
