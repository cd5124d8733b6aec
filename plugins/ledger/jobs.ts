// The ledger's work in the background: sealing what was posted, and the nightly proof.
import type { Logger } from 'pino'
import { type Clock, type Db, type Programs, type Schedule, schedule } from '../kit/index.ts'
import { keepProof } from './gauges.ts'
import type { LedgerService } from './service.ts'

export function ledgerSchedules(options: {
  db: Db
  clock: Clock
  log: Logger
  programs: Programs
  service: LedgerService
}): Schedule[] {
  const { db, clock, log, programs, service } = options
  return [
    schedule('ledger.seal', { ms: 5_000 }, async () => void (await service.seal(db))),
    schedule('ledger.prove', { cron: '17 3 * * *' }, async () => {
      await service.seal(db)
      for (const program of await programs.all(db)) {
        const proof = await service.prove(db, program.id)
        await keepProof(db, program.id, proof, clock.now())
        const { ok, findings, ...counts } = proof
        if (ok) log.info({ programId: program.id, ...counts }, 'the ledger proof holds')
        else log.error({ programId: program.id, ...counts, findings }, 'the ledger proof failed')
      }
    }),
  ]
}
