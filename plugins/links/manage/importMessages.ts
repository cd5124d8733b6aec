// Every word around lists of links: what a list would do, what it did, and the list that is taken along.
import { customId } from '../../../commands/customId.ts'
import { button, card, literal, type Message, withFile } from '../../../commands/messages.ts'
import { csvFile } from '../../kit/index.ts'
import { carryOutImport, dropImport } from '../refs.ts'
import type { MadeLink, NewLink } from './create.ts'
import type { Exported } from './export.ts'
import { mostRows, type Problem } from './import.ts'

const shownLines = 12
const linkCount = (links: number): string => (links === 1 ? '1 link' : `${links.toLocaleString('en-US')} links`)

export function exampleCard(file: Buffer, isAdmin: boolean): Message {
  const shown = card({
    title: 'A list to fill in',
    body: [
      'Write a link in each line, save it as CSV (UTF-8), and bring it back with `file`. Only columns that you use need to be there.',
      [
        ...(isAdmin ? ['• `partner`: Discord id or e-mail of the partner'] : []),
        '• `code`: left empty, a free one',
        '• `page` or `landing`: an address, or the name of a landing page; both empty, the page meant for the partner',
        '• `tags`: separated by commas',
        '• `expires`: the last day, as 2026-12-31',
        '• `sub1` … `sub5`: passed on with every click',
      ].join('\n'),
    ],
    footer: `At most ${mostRows} links at once. Nothing is made before you have seen what would be.`,
  })
  return withFile(shown, { name: 'links.csv', data: file })
}

/** What the list would do; `list` is what the button carries out, and is not there when something is wrong. */
export function importPlanned(links: readonly NewLink[], problems: readonly Problem[], list: string | undefined): Message {
  if (list === undefined) return importRefused(problems)
  const chosen = links.filter(({ code }) => code !== undefined).length
  const owners = new Set(links.map(({ partnerId }) => partnerId)).size
  return card({
    title: `${linkCount(links.length)} can be made`,
    body: [
      'Every line is fine. Nothing is made yet.',
      [
        `• ${chosen} with a code of the list, ${links.length - chosen} with a new one`,
        `• ${links.filter(({ fields }) => fields.destination || fields.landingPageId).length} with a page of their own`,
        ...(owners > 1 ? [`• for ${owners} partners`] : []),
      ].join('\n'),
    ],
    footer: 'All of them are made at once, or none.',
    rows: [
      [
        button({ customId: customId(carryOutImport, { list }), label: `Make ${linkCount(links.length)}`, style: 'success' }),
        button({ customId: customId(dropImport, { list }), label: 'Drop the list' }),
      ],
    ],
  })
}

function importRefused(problems: readonly Problem[]): Message {
  const lines = new Set(problems.map(({ line }) => line)).size
  const isMore = problems.length > shownLines
  const shown = card({
    title: lines === 1 ? 'One line needs mending' : `${lines} lines need mending`,
    body: [
      'Nothing is made. Mend what is named, and bring the list again.',
      problems
        .slice(0, shownLines)
        .map(({ line, why }) => `• Line ${line}: ${why}`)
        .join('\n'),
    ],
    tone: 'warn',
    ...(isMore && { footer: `And ${problems.length - shownLines} more; all of them are in the file.` }),
  })
  const rows = () => problems.map(({ line, why }) => [String(line), why])
  return isMore ? withFile(shown, { name: 'problems.csv', data: csvFile(['line', 'problem'], rows()) }) : shown
}

export function importDone(made: readonly MadeLink[], urlOf: (code: string) => string): Message {
  const isMore = made.length > shownLines
  const shown = card({
    title: `${linkCount(made.length)} made`,
    body: made
      .slice(0, shownLines)
      .map(({ code, campaign }) => `• \`${urlOf(code)}\`${campaign ? ` · ${literal(campaign)}` : ''}`)
      .join('\n'),
    tone: 'good',
    ...(isMore && { footer: `And ${made.length - shownLines} more; all of them are in the file.` }),
  })
  const rows = made.map(({ code, campaign }) => [urlOf(code), code, campaign ?? ''])
  return withFile(shown, { name: 'made.csv', data: csvFile(['link', 'code', 'campaign'], rows) })
}

export function importDropped(): Message {
  return card({ title: 'The list is dropped', body: 'Nothing was made.' })
}

export function exportCard({ links, left, file }: Exported): Message {
  if (links === 0) return card({ title: 'There are no links yet', body: 'Links are made with `/link create`.' })
  const shown = card({
    title: linkCount(links),
    body: 'With their clicks, where they lead, and their former codes.',
    ...(left > 0 && { footer: `${linkCount(left)} made earlier did not fit into the file. Take the list of one partner.` }),
  })
  return withFile(shown, { name: 'links.csv', data: file })
}
