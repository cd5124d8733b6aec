// Zod fields for what travels through JSON: amounts as decimal strings, instants as ISO 8601 in UTC.
import { z } from 'zod'

/** An amount in minor units: `bigint` in code, a decimal string in JSON. */
export const amountField = z.codec(z.string().regex(/^-?\d{1,19}$/), z.bigint(), {
  decode: (text) => BigInt(text),
  encode: (amount) => amount.toString(),
})

/** A point in time: `Date` in code, ISO 8601 in UTC in JSON. */
export const instantField = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
})
