// The agreement of the simulation: that of the house, with new versions now and then.
import { type Agreement, agreementOf, bundledAgreement } from '../../../plugins/agreements/documents.ts'

export interface Edition {
  /** What is to be signed now. */
  readonly agreement: Agreement
  /** Brings out the next version, of this day. */
  renew(at: Date): void
}

export function createEdition(): Edition {
  const first = bundledAgreement()
  let current = first
  const agreement: Agreement = {
    get version() {
      return current.version
    },
    get documents() {
      return current.documents
    },
    get canonical() {
      return current.canonical
    },
    get hash() {
      return current.hash
    },
  }
  return {
    agreement,
    renew: (at) => {
      const version = at.toISOString().slice(0, 10)
      current = agreementOf(
        first.documents.map((document) =>
          document.id === 'terms' ? { ...document, version, text: `${document.text}\n\nSince ${version}.` } : document,
        ),
      )
    },
  }
}
