// Stripe's background work: handling what was kept, and asking for what no event told.
import { handle, handleWithin, type JobHandler } from '../kit/index.ts'
import { checkInvoiceJob, findOriginJob, handleAloneJob, handleEventJob, handleEventsJob, type StripeService } from './service.ts'

export function stripeJobs(service: StripeService): JobHandler[] {
  return [
    handleWithin(handleEventJob, (tx, asked) =>
      service.handleEvents(
        tx,
        asked.map(({ eventId }) => eventId),
      ),
    ),
    handleWithin(handleEventsJob, (tx, asked) => {
      const eventIds = asked.flatMap((one) => one.eventIds)
      // Several jobs that fail together are tried again one by one; a single one has to part its own events.
      return asked.length === 1 ? service.handleOrPart(tx, eventIds) : service.handleEvents(tx, eventIds)
    }),
    handle(handleAloneJob, ({ eventId }) => service.handleAlone(eventId)),
    handle(checkInvoiceJob, ({ programId, invoiceId }) => service.checkInvoice(programId, invoiceId)),
    handle(findOriginJob, ({ programId, paymentKey }) => service.findOrigin(programId, paymentKey)),
  ]
}
