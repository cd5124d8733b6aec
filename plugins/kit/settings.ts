// Settings on which money depends, and where the staff hears of them.
import { z } from 'zod'

/** Blueprint key of the channel that admins alone see. */
export const staffChannel = 'channels:staff'

/**
 * Settings that decide who earns or is paid what, and when. Each change by an admin is told in the staff channel with the values of before and after, so
 * none of them may be a secret.
 */
export const moneySettings = <S extends z.core.$ZodLooseShape>(shape: S) => z.object(shape).meta({ concernsMoney: true })

export const concernsMoney = (settings: z.ZodType): boolean => settings.meta()?.concernsMoney === true
