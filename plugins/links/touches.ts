// What clicks tell attribution: the click that led to a purchase, and those that the same browser made before it.
import type { TouchSource } from '../attribution/public.ts'
import type { LinksService } from './service.ts'

export function clickTouches({ trail }: Pick<LinksService, 'trail'>): TouchSource {
  return {
    kind: 'click',
    find: async (reader, programId, { clickId }) => {
      const clicks = clickId ? await trail(reader, programId, clickId) : []
      return clicks.map((click) => ({ kind: 'click', ...click, reference: click.id }))
    },
  }
}
