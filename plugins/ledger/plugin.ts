// The ledger: double entry, immutable, and able to prove itself.
import { definePlugin } from '../kit/index.ts'
import { ledgerCommands } from './commands.ts'
import { ledgerGauges } from './gauges.ts'
import { ledgerSchedules } from './jobs.ts'
import { type Ledger, projection } from './public.ts'
import { createLedgerService } from './service.ts'
import * as tables from './tables.ts'

export const ledger = definePlugin<Record<never, never>, Ledger>({
  id: 'ledger',
  title: 'Ledger',
  summary: 'Keeps every amount in double entry, immutable and chained by hash, and proves the books every night.',
  help: { admins: { id: 'books', title: 'Books', emoji: '📒', about: 'Prove every amount, and export every transfer' } },
  tables,
  data: {
    statement:
      'Amounts owed and paid, by partner id, without names or e-mail addresses. Kept as long as the law asks of bookkeeping; entries are never deleted.',
  },
  setup: ({ db, clock, log, programs, contributions }) => {
    const service = createLedgerService({ clock, projections: () => contributions(projection) })
    return {
      public: service,
      commandGroups: { 'admin ledger': 'The books' },
      commands: ledgerCommands({ db, service }),
      schedules: ledgerSchedules({ db, clock, log, programs, service }),
      gauges: ledgerGauges(db, clock),
    }
  },
})
