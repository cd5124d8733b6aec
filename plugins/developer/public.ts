// How a plugin adds to the public API. It needs no `requires: [developer]`: a house without this plugin has no API, and nobody asks for the contributions.
//
// A route: register it under /v1 with a scope and a zod schema for everything it takes and gives; it then appears in the documentation at /docs by itself.
//
//     const route = app.withTypeProvider<ZodTypeProvider>()
//     route.get(
//       '/v1/analytics',
//       {
//         config: { access: 'key', scope: 'analytics:read' },
//         schema: { summary: 'Clicks, leads and sales', tags: ['Analytics'], querystring: z.object({ … }), response: { 200: z.object({ … }) } },
//       },
//       (request) => figures(callerOf(request).programId, request.query),
//     )
//
// The key's program is `callerOf(request).programId` (from the kit); a route never takes a program from what was sent.
// The scope: `extends: [extend(apiScope, { name: 'analytics:read', describes: 'Read clicks, leads and sales' })]` in the plugin's setup. A route whose scope
// nobody contributes keeps the house from starting.
import { defineExtensionPoint } from '../kit/index.ts'

/** Something that an API key may be allowed to do. */
export interface ApiScope {
  /** `things:read` or `things:write`. */
  readonly name: string
  /** For the admin who chooses and for the documentation: “Record sales”. */
  readonly describes: string
}
export const apiScope = defineExtensionPoint<ApiScope>('developer.api_scope')
