// The words around a statement: pure functions.
import { card, type Message } from '../../commands/messages.ts'
import { formatMoney } from '../kit/index.ts'
import type { Statement } from './statement.ts'
import { accountWords, statementCsv, statementName, statementPdf } from './statementFiles.ts'

export async function statementCard(statement: Statement): Promise<Message> {
  const { sections, title, unfinished } = statement
  return card({
    title: `Your statement of ${title}${unfinished ? ', so far' : ''}`,
    ...(sections.length === 0
      ? { body: 'Nothing was earned, changed or paid in this month.' }
      : {
          fields: sections.map(({ currency, opening, closing, paid, lines, accounts }) => ({
            name: currency,
            value: [
              `Opening balance ${formatMoney(opening, currency)} → closing balance **${formatMoney(closing, currency)}**`,
              `${lines.length} movement${lines.length === 1 ? '' : 's'} · paid out ${formatMoney(paid, currency)}`,
              ...accounts.map(({ kind, amount }) => `-# ${accountWords[kind] ?? kind}: ${formatMoney(amount, currency)}`),
            ].join('\n'),
          })),
        }),
    footer: 'Every movement is in the files. Ask about a sale with /earnings why.',
    files: [
      { name: statementName(statement, 'pdf'), data: await statementPdf(statement) },
      { name: statementName(statement, 'csv'), data: statementCsv(statement) },
    ],
  })
}

export function statementLetter({ program, partner, title, sections }: Statement): {
  subject: string
  paragraphs: string[]
  footer: string
} {
  return {
    subject: `Your ${title} statement from ${program}`,
    paragraphs: [
      `Hello ${partner.name},`,
      `here is what happened to your earnings in ${title}:`,
      ...sections.map(
        ({ currency, opening, closing, paid }) =>
          `${currency}: opening balance ${formatMoney(opening, currency)}, paid out ${formatMoney(paid, currency)}, closing balance ${formatMoney(closing, currency)}.`,
      ),
      'Every movement is in the attached files. In Discord, /earnings show tells how things stand now.',
    ],
    footer: 'You get this once a month while there is something to tell.',
  }
}
