// What clicks tell attribution: the click that led to a purchase, and those that the same browser made before it.
import type { Touch, TouchSource } from '../attribution/public.ts'
import type { LinksService, TrailClick } from './service.ts'

export function clickTouches(links: Pick<LinksService, 'trail' | 'trails'>): TouchSource {
  const touches = (trail: readonly TrailClick[]) => trail.map((click): Touch => ({ kind: 'click', ...click, reference: click.id }))
  return {
    kind: 'click',
    find: async (reader, programId, { clickId }) => (clickId ? touches(await links.trail(reader, programId, clickId)) : []),
    findAll: async (reader, programId, asked) => {
      const trails = await links.trails(
        reader,
        programId,
        asked.flatMap(({ hints }) => hints.clickId ?? []),
      )
      return asked.map(({ hints }) => touches((hints.clickId && trails.get(hints.clickId)) || []))
    },
  }
}
