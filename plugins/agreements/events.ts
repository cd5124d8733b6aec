// What agreements tells the house.
import { z } from 'zod'
import { defineEvent } from '../kit/index.ts'

export const agreementSigned = defineEvent('agreements.signed', { partnerId: z.uuid(), signatureId: z.uuid(), version: z.string() })
