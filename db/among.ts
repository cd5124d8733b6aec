// Conditions on many values at once, in one text however many there are: so the statement is prepared once, and each value finds its row in the index.
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'

/** The column is one of the ids (UUIDs). */
export const amongIds = (column: SQLWrapper, ids: Iterable<string>): SQL => sql`${column} = any(${`{${[...ids].join()}}`}::uuid[])`

/** The column is one of the texts, whatever characters they have. */
export const amongTexts = (column: SQLWrapper, texts: Iterable<string>): SQL => sql`${column} = any(${textArray(texts)}::text[])`

/** Postgres' way to write an array of texts, to be cast to `text[]`. The planner knows from it how many there are, which it does not of rows in JSON. */
export const textArray = (texts: Iterable<string>): string =>
  `{${Array.from(texts, (text) => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join()}}`
