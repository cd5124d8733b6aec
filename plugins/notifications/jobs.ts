// The job that sends one mail, and the schedules around it.
import { z } from 'zod'
import { defineJob, handle, hours, type JobHandler, minutes, type Schedule, schedule } from '../kit/index.ts'
import type { NotificationService } from './service.ts'

/** With a pause that grows to a minute, an outage of about an hour at the vendor is waited out. */
export const sendMail = defineJob({
  name: 'notifications.send_mail',
  payload: z.object({ id: z.uuid() }),
  attempts: 60,
  backoffMs: 1000,
})

export function createJobs(service: NotificationService): JobHandler[] {
  return [handle(sendMail, ({ id }) => service.sendMail(id))]
}

export function createSchedules(service: NotificationService): Schedule[] {
  return [
    schedule('notifications.retry_unsent', { ms: minutes(10) }, service.retryUnsent),
    schedule('notifications.forget_old', { ms: hours(24) }, service.forgetOld),
  ]
}
