// A visitor on the company's own page who agreed to being remembered: which click brought them. Knows no HTTP.
import type { Attribution } from '../attribution/public.ts'
import type { Clock, Db, Settings } from '../kit/index.ts'
import type { Links } from '../links/public.ts'
import type { Config } from './config.ts'

export interface Visit {
  readonly programId: string
  /** The click id in the page's address. */
  readonly clickId: string | undefined
  /** The code of a link in the page's address. */
  readonly ref: string | undefined
  /** The click id that the browser's cookie carries. */
  readonly remembered: string | undefined
  readonly ip: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface Visits {
  /** Whether pages of this origin may ask. */
  allows(programId: string, origin: string | undefined): Promise<boolean>
  /** The click to remember, the newest first: that of the address, of the code, or of the cookie. Undefined when none is known, or too old to count. */
  clickOf(visit: Visit): Promise<string | undefined>
  /** How long it is remembered: as long as a click counts. */
  rememberedDays(programId: string): Promise<number>
}

interface Parts {
  db: Db
  clock: Clock
  settings: Settings<Config>
  attribution: Pick<Attribution, 'pointsTo' | 'windowDays'>
  land: Links['land']
}

export function createVisits({ db, clock, settings, attribution, land }: Parts): Visits {
  const counts = async (programId: string, clickId: string) => {
    const pointer = await attribution.pointsTo(db, { programId, hints: { clickId }, emailHash: undefined, at: clock.now() })
    return pointer?.kind === 'click' && pointer.reference.toLowerCase() === clickId.toLowerCase()
  }
  return {
    // A program that does not exist has allowed nobody.
    allows: async (programId, origin) => origin !== undefined && (await settings.of(db, programId)).origins.includes(origin),
    clickOf: async ({ programId, clickId, ref, remembered, ip, headers }) => {
      if (clickId !== undefined && (await counts(programId, clickId))) return clickId
      const landed = ref === undefined ? undefined : await land(programId, ref, { ip, headers })
      if (landed !== undefined) return landed
      return remembered !== undefined && (await counts(programId, remembered)) ? remembered : undefined
    },
    rememberedDays: (programId) => attribution.windowDays(db, programId),
  }
}
