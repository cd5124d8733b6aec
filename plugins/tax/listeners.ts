// What tax hears: providers that tell how far a form is.
import { type Listener, on } from '../kit/index.ts'
import { taxFormTold } from '../payouts/events.ts'
import type { Tax } from './public.ts'

export const taxListeners = ({ report }: Tax): Listener[] => [
  on(taxFormTold, 'tax.form_told', (tx, { programId, partnerId, provider, at, form }) =>
    report(tx, { programId, partnerId, source: provider, recordedBy: null, at, form: form && { ...form, validUntil: null } }),
  ),
]
