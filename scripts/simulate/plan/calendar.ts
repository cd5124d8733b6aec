// Size, days and currencies of a simulation: what plan, driver and oracle share. Amounts in minor units, instants in ms.
export interface Size {
  readonly partners: number
  readonly days: number
  readonly seed: number
}

export const dayMs = 86_400_000
export const hourMs = 3_600_000
export const epoch = Date.UTC(2027, 0, 1)
export const startOf = (day: number): number => epoch + day * dayMs
export const dayOf = (at: number): number => Math.floor((at - epoch) / dayMs)

/** At what time of day things are done: partners and rules change in the morning, news of payments are heard late, what admins know of them is recorded, what they earn is booked, people look at it, and payouts run in the evening. */
export const timesOfDay = {
  morning: 60_000,
  news: 19.5 * hourMs,
  payments: 20 * hourMs,
  bookings: 21 * hourMs,
  hands: 21.5 * hourMs,
  evening: 22 * hourMs,
} as const

export const isPayday = (day: number): boolean => day > 0 && new Date(startOf(day)).getUTCDate() === 1

/** The payday of the month that this day is in. */
export function paydayBefore(day: number): number {
  return day - new Date(startOf(day)).getUTCDate() + 1
}

export const currencies = {
  USD: { exponent: 2, weight: 0.55 },
  EUR: { exponent: 2, weight: 0.25 },
  JPY: { exponent: 0, weight: 0.12 },
  KWD: { exponent: 3, weight: 0.08 },
} as const
export type Currency = keyof typeof currencies
export const exponentOf = (currency: string): number => currencies[currency as Currency].exponent

export const partnerEmail = (partner: string): string => `${partner}@example.com`
/** The partner whose address it is, if it is one's. */
export const partnerOf = (email: string | undefined): string | undefined =>
  /^(p\d+)@example\.com$/i.exec(email ?? '')?.[1]?.toLowerCase()
export const partnerKeys = (size: Size): string[] => Array.from({ length: size.partners }, (_, i) => `p${i}`)
