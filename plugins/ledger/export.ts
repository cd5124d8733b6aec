// The books as text for other programs: CSV with one line for each entry, and a journal that hledger reads. One snapshot, in chunks; reads only.
import { sql } from 'drizzle-orm'
import { csvLine, exponentOf, type Reader, toDecimal } from '../kit/index.ts'
import type { AccountRef, PostedTransfer } from './public.ts'
import { inSnapshot, postedWithin, transfersWhere } from './read.ts'

export type ExportFormat = 'csv' | 'journal'

export interface ExportRequest {
  readonly programId: string
  readonly format: ExportFormat
  /** Only what was posted within [from, to); everything when it is left out. */
  readonly range?: { readonly from: Date; readonly to: Date }
}

const chunkSize = 2_000

/** Writes the export piece by piece, each of whole lines; returns how many transfers it holds. Amounts are decimals, debits positive. */
export function exportLedger(
  reader: Reader,
  request: ExportRequest,
  write: (text: string) => void | Promise<void>,
): Promise<number> {
  const { programId, format, range } = request
  return inSnapshot(reader, async (tx) => {
    await write(format === 'csv' ? csvHeader : await journalHeader(tx, programId))
    const render = format === 'csv' ? csvLines : journalEntry
    let last = '00000000-0000-0000-0000-000000000000'
    for (let count = 0; ; ) {
      const transfers = await transfersWhere(
        tx,
        sql`t.id in (select t.id from ledger_transfers t where t.program_id = ${programId}::uuid and t.id > ${last}::uuid
          and ${range === undefined ? sql`true` : postedWithin(range)} order by t.id limit ${chunkSize})`,
      )
      count += transfers.length
      if (transfers.length > 0) await write(transfers.map(render).join(''))
      if (transfers.length < chunkSize) return count
      last = transfers
        .map(({ id }) => id)
        .sort()
        .at(-1)!
    }
  })
}

const csvHeader = 'transfer,posted_at,key,reason,subject_type,subject_id,corrects,account,partner,currency,debit,credit\r\n'

function csvLines({ id, postedAt, key, reason, subject, corrects, entries }: PostedTransfer): string {
  return entries
    .map(({ account: { kind, partnerId, currency }, amount }) => {
      const money = toDecimal(amount < 0n ? -amount : amount, currency)
      const sides = amount > 0n ? [money, ''] : ['', money]
      const cells = [
        id,
        postedAt.toISOString(),
        key,
        reason,
        subject.type,
        subject.id,
        corrects ?? '',
        kind,
        partnerId ?? '',
        currency,
      ]
      return csvLine([...cells, ...sides])
    })
    .join('')
}

/** Declares accounts and currencies, so that `hledger check --strict` finds nothing that was not meant. */
async function journalHeader(reader: Reader, programId: string): Promise<string> {
  const accounts = await reader.execute<{ kind: AccountRef['kind']; partner_id: string | null; currency: string }>(sql`
    select kind, partner_id, currency from ledger_accounts where program_id = ${programId}::uuid order by partner_id nulls first, kind, currency`)
  const names = new Set(accounts.map(({ kind, partner_id: partnerId }) => accountName({ kind, partnerId })))
  const currencies = [...new Set(accounts.map(({ currency }) => currency))].sort()
  return [
    `; The ledger of program ${programId}. Debits are positive.`,
    'decimal-mark .',
    ...currencies.map((currency) => `commodity 1000.${'0'.repeat(exponentOf(currency))} ${currency}`),
    ...[...names].map((name) => `account ${name}`),
    '',
    '',
  ].join('\n')
}

/** Commissions owed are what the program owes, a debt is what it is owed; `settled` stands against the memory of what was paid. */
const places: Readonly<Record<AccountRef['kind'], string>> = {
  pending: 'liabilities:partners',
  held: 'liabilities:partners',
  payable: 'liabilities:partners',
  in_flight: 'liabilities:partners',
  paid: 'equity:paid to partners',
  clawback_debt: 'assets:partners',
  commission_expense: 'expenses',
  cash: 'assets',
  settled: 'equity',
}

export const accountName = ({ kind, partnerId }: Pick<AccountRef, 'kind' | 'partnerId'>): string =>
  [places[kind], ...(partnerId === null ? [] : [partnerId]), kind].join(':')

function journalEntry({ id, postedAt, key, reason, subject, corrects, entries }: PostedTransfer): string {
  const tags = [
    `id:${id}`,
    `time:${postedAt.toISOString()}`,
    `key:${oneLine(key)}`,
    `subject:${oneLine(`${subject.type} ${subject.id}`)}`,
  ]
  return [
    `${postedAt.toISOString().slice(0, 10)} * ${reason.replaceAll('_', ' ')}`,
    ...[...tags, ...(corrects === null ? [] : [`corrects:${corrects}`])].map((tag) => `    ; ${tag}`),
    ...entries.map(
      ({ account, amount }) => `    ${accountName(account)}  ${toDecimal(amount, account.currency)} ${account.currency}`,
    ),
    '',
    '',
  ].join('\n')
}

const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
