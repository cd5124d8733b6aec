// When something that is reported happened. Pure.
import { isInTheFuture, UserError } from '../kit/index.ts'

/** The time that was reported, or now. @throws UserError for one in the future, which would count for clicks that are yet to come */
export function whenReported(reported: Date | undefined, now: Date): Date {
  if (reported && isInTheFuture(reported, now))
    throw new UserError(
      'in_the_future',
      `${reported.toISOString()} is in the future. Report when it happened, or leave the time out for now.`,
    )
  return reported ?? now
}
