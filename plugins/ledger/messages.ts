// The words of the ledger.
import { type Attachment, card, literal, type Message } from '../../commands/messages.ts'
import type { Proof } from './public.ts'

const shown = 10
const count = (n: number, what: string): string => `${n.toLocaleString('en-US')} ${what}${n === 1 ? '' : 's'}`

export function proofCard(proof: Proof): Message {
  const size = `${count(proof.transfers, 'transfer')}, ${count(proof.accounts, 'account')}, ${count(proof.sealed, 'link')} in the hash chain.`
  if (proof.ok)
    return card({
      title: 'The books hold',
      body: [
        'Every transfer balances, every balance is the sum of its entries, the chain holds, and commissions and payouts agree with the ledger.',
        size,
      ],
      tone: 'good',
    })
  return card({
    title: `The books do not hold: ${count(proof.findings.length, 'finding')}`,
    body: [
      ...proof.findings.slice(0, shown).map(({ check, detail }) => `**${literal(check)}**\n${literal(detail)}`),
      ...(proof.findings.length > shown ? [`… and ${proof.findings.length - shown} more, in the log of the nightly proof.`] : []),
      size,
    ],
    tone: 'bad',
    footer: 'Stop payouts, keep a copy of the database, and find out who changed rows outside the program.',
  })
}

export function exportCard(transfers: number, month: string | undefined, files: readonly Attachment[]): Message {
  return card({
    title: month === undefined ? 'The books' : `The books of ${month}`,
    body: [
      `${transfers} transfer${transfers === 1 ? '' : 's'}, as CSV with one line for each entry, and as a journal.`,
      'Try `hledger -f ledger.journal balance`. Partners appear by their id.',
    ],
    files,
  })
}
