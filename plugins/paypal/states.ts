// What PayPal's words mean for a payout. Pure. (https://developer.paypal.com/docs/payouts/standard/reference/payout-status)

/** `in_flight`: the money is on its way, or waits for the receiver. */
export type Outcome = 'in_flight' | 'paid' | 'returned'

/** What is told of a batch and of the one payout in it. */
export interface News {
  readonly batchStatus: string | null
  readonly itemStatus: string | null
  /** PayPal's reason, when it gives one. */
  readonly error: string | null
  /** When it came about, if PayPal said: in ISO 8601. An answer to a question says how it stands, not since when. */
  readonly at?: string | null | undefined
}

const back: Readonly<Record<string, string>> = {
  FAILED: 'PayPal could not pay it',
  RETURNED: 'nobody claimed it within 30 days, so PayPal returned it',
  BLOCKED: 'PayPal blocked it',
  REFUNDED: 'the receiver sent it back',
  REVERSED: 'PayPal reversed it',
  CANCELED: 'it was cancelled at PayPal',
  DENIED: 'PayPal denied it',
}

export function outcomeOf({ batchStatus, itemStatus }: News): Outcome {
  if (itemStatus === 'SUCCESS') return 'paid'
  if (itemStatus !== null && itemStatus in back) return 'returned'
  return batchStatus === 'DENIED' || batchStatus === 'CANCELED' ? 'returned' : 'in_flight'
}

/** Why it came back, or that it arrived, for the books and for people. */
export function detailOf(news: News): string {
  if (outcomeOf(news) === 'paid') return 'PayPal paid it'
  const why = back[news.itemStatus ?? ''] ?? back[news.batchStatus ?? ''] ?? 'PayPal sent it back'
  return news.error ? `${why}: ${news.error}` : why
}

const ranks: readonly Outcome[] = ['in_flight', 'paid', 'returned']

/** Whether the news goes beyond what is known: money that came back stays back, and what was paid does not go on its way again. Order makes no difference. */
export function isNewer(news: News, known: News): boolean {
  return ranks.indexOf(outcomeOf(news)) >= ranks.indexOf(outcomeOf(known))
}
