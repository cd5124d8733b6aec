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
    handleWithin(
      handleEventsJob,
      (tx, asked) =>
        service.handleEvents(
          tx,
          asked.flatMap(({ eventIds }) => eventIds),
        ),
      (tx, { eventIds }) => service.handleOrPart(tx, eventIds),
    ),
    handle(handleAloneJob, ({ eventId }) => service.handleAlone(eventId)),
    handle(checkInvoiceJob, ({ programId, invoiceId }) => service.checkInvoice(programId, invoiceId)),
    handle(findOriginJob, ({ programId, paymentKey }) => service.findOrigin(programId, paymentKey)),
  ]
}
