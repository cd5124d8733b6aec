// Links listen to one thing: someone becoming an active partner, who then has links from the first day on.
import { type Listener, on } from '../kit/index.ts'
import type { Notifications } from '../notifications/public.ts'
import { partnerActivated } from '../partners/events.ts'
import { makeDefaultLinks } from './manage/defaults.ts'
import { firstLinks } from './manage/messages.ts'

export function linkListeners(
  parts: Parameters<typeof makeDefaultLinks>[0] & { notifications: Notifications; urlOf: (code: string) => string },
): Listener[] {
  return [
    on(partnerActivated, 'links.make_default_links', async (tx, { programId, partnerId, userId }) => {
      const made = await makeDefaultLinks(parts, tx, { programId, partnerId })
      if (made.length === 0) return
      const message = firstLinks(made.map(({ code }) => parts.urlOf(code)))
      await parts.notifications.tell(tx, { programId, key: `links.first:${partnerId}`, userId, message })
    }),
  ]
}
