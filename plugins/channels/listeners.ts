// What changes a partner's roles.
import { type DomainEvent, type Listener, on } from '../kit/index.ts'
import {
  industryChanged,
  partnerActivated,
  partnerLeft,
  partnerReinstated,
  partnerReturned,
  partnerSuspended,
} from '../partners/events.ts'
import type { ChannelService } from './service.ts'

export function createListeners(service: ChannelService): Listener[] {
  const settle = <T extends { partnerId: string }>(event: DomainEvent<T>, id: string) =>
    on(event, id, (tx, { programId, partnerId }) => service.settleRoles(tx, programId, partnerId))
  return [
    settle(partnerActivated, 'channels.grant_roles'),
    settle(industryChanged, 'channels.swap_roles'),
    settle(partnerLeft, 'channels.remove_roles'),
    settle(partnerReturned, 'channels.return_roles'),
    settle(partnerSuspended, 'channels.suspend_roles'),
    settle(partnerReinstated, 'channels.reinstate_roles'),
    on(partnerActivated, 'channels.welcome', (tx, { programId, partnerId }) => service.welcome(tx, programId, partnerId)),
  ]
}
