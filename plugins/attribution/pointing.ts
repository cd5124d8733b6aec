// Asks the rule of attribution whom something that is no sale points to, such as a lead: decides as for a sale, but binds nobody and stores nothing.
import { and, eq } from 'drizzle-orm'
import type { Reader, Settings } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import { decide, originOf, type Standing } from './decide.ts'
import type { Attribution, Touch, TouchSource } from './public.ts'
import { bindings, identities } from './tables.ts'

interface Parts {
  settings: Settings<Config>
  partners: Partners
  touchSources: () => readonly TouchSource[]
  hashEmail: (email: string) => string
}

export function createPointing({ settings, partners, touchSources, hashEmail }: Parts): Pick<Attribution, 'pointsTo'> {
  return {
    pointsTo: async (reader, { programId, hints, emailHash, at }) => {
      const customer = { key: '', emailHash, country: undefined }
      const touches: Touch[] = []
      for (const source of touchSources()) touches.push(...(await source.find(reader, programId, hints, customer, at)))
      const existing = emailHash === undefined ? undefined : await bindingOf(reader, programId, emailHash)
      const standings = new Map<string, Standing>()
      for (const id of new Set([...(existing ? [existing.partnerId] : []), ...touches.map((touch) => touch.partnerId)])) {
        const partner = await partners.byId(reader, programId, id)
        if (partner) standings.set(id, { status: partner.status, emailHash: hashEmail(partner.email) })
      }
      const customerEmails = emailHash === undefined ? [] : [emailHash]
      const facts = { boundAt: at, customerEmails, existing, touches, partners: standings }
      const trace = decide(facts, await settings.of(reader, programId))
      const winner = trace.candidates.find(({ lost }) => lost === null)
      // An override is made of a sale, by hand; the rule never gives one.
      if (!winner || winner.kind === 'override') return undefined
      const { partnerId, kind, reference } = winner
      return { partnerId, kind, reference, at: new Date(winner.at), origin: originOf(trace, touches, null) }
    },
  }
}

async function bindingOf(reader: Reader, programId: string, emailHash: string) {
  const [binding] = await reader
    .select({ partnerId: bindings.partnerId, boundAt: bindings.boundAt })
    .from(identities)
    .innerJoin(bindings, and(eq(bindings.programId, identities.programId), eq(bindings.customerId, identities.customerId)))
    .where(and(eq(identities.programId, programId), eq(identities.kind, 'email'), eq(identities.value, emailHash)))
  return binding
}
