// Stripe's background work: handling what was kept, and asking for what no event told.
import { handle, handleWithin, type JobHandler } from '../kit/index.ts'
import { findOriginJob, handleAloneJob, handleEventJob, type StripeService } from './service.ts'

export function stripeJobs(service: StripeService): JobHandler[] {
  return [
    handleWithin(handleEventJob, (tx, asked) =>
      service.handleEvents(
        tx,
        asked.map(({ eventId }) => eventId),
      ),
    ),
    handle(handleAloneJob, ({ eventId }) => service.handleAlone(eventId)),
    handle(findOriginJob, ({ programId, paymentKey }) => service.findOrigin(programId, paymentKey)),
  ]
}
