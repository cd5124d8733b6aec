// Stripe's background work: handling what was kept, and asking for what no event told.
import { handle, type JobHandler } from '../kit/index.ts'
import { findOriginJob, handleEventJob, type StripeService } from './service.ts'

export function stripeJobs(service: StripeService): JobHandler[] {
  return [
    handle(handleEventJob, ({ eventId }) => service.handleEvent(eventId)),
    handle(findOriginJob, ({ programId, paymentKey }) => service.findOrigin(programId, paymentKey)),
  ]
}
