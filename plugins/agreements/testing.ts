// For tests and simulations: an agreement that comes out in a new version while the house stands.
import type { Agreement } from './documents.ts'

export interface Shelf {
  /** What is to be signed now. */
  readonly agreement: Agreement
  put(next: Agreement): void
}

export function shelfWith(first: Agreement): Shelf {
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
    put: (next) => {
      current = next
    },
  }
}
