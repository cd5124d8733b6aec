// The agreement of the simulation: that of the house, with new versions now and then.
import { type Agreement, agreementOf, bundledAgreement } from '../../../plugins/agreements/documents.ts'
import { shelfWith } from '../../../plugins/agreements/testing.ts'

export interface Edition {
  /** What is to be signed now. */
  readonly agreement: Agreement
  /** Brings out the next version, of this day. */
  renew(at: Date): void
}

export function createEdition(): Edition {
  const first = bundledAgreement()
  const { agreement, put } = shelfWith(first)
  return {
    agreement,
    renew: (at) => {
      const version = at.toISOString().slice(0, 10)
      const renewed = first.documents.map((document) =>
        document.id === 'terms' ? { ...document, version, text: `${document.text}\n\nSince ${version}.` } : document,
      )
      put(agreementOf(renewed))
    },
  }
}
