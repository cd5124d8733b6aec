// When two e-mail addresses reach the same mailbox. Pure.

const withoutDots = new Set(['gmail.com', 'googlemail.com'])

/** The mailbox that an address reaches: without the tag after a plus, and at Gmail without dots, which it ignores. In lower case. */
export function mailboxOf(email: string): string {
  const lower = email.trim().toLowerCase()
  const at = lower.lastIndexOf('@')
  const [local, domain] = [lower.slice(0, at).replace(/(?<=.)\+.*$/, ''), lower.slice(at + 1)]
  return withoutDots.has(domain) ? `${local.replaceAll('.', '')}@gmail.com` : `${local}@${domain}`
}

/** In lower case. */
export const domainOf = (email: string): string => email.slice(email.lastIndexOf('@') + 1).toLowerCase()
