// What an admin may change about tracking on the company's own pages.
import { z } from 'zod'

/** An origin as browsers send it: scheme, host and port, without a path. */
const origin = z.string().regex(/^https?:\/\/[a-z\d.-]+(:\d{1,5})?$/, {
  error: 'an origin looks like https://www.example.com, in lower case, without a path',
})

export const config = z.object({
  origins: z
    .array(origin)
    .max(50)
    .default([])
    .describe('Sites whose pages may use /t.js to remember visitors, such as ["https://www.example.com"]. Others are refused.'),
})

export type Config = z.infer<typeof config>
