// What the service of commissions is given.
import type { Agreements } from '../agreements/public.ts'
import type { Attribution, Sale } from '../attribution/public.ts'
import type { Clock, Db, Emit, Settings, Tx } from '../kit/index.ts'
import type { Ledger } from '../ledger/public.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partners } from '../partners/public.ts'
import type { Config } from './config.ts'
import type { RuleLimit, RuleStamp, ToStamp } from './rules.ts'

export interface Needs {
  readonly db: Db
  readonly clock: Clock
  readonly emit: Emit
  readonly settings: Settings<Config>
  readonly ledger: Ledger
  readonly partners: Partners
  readonly agreements: Agreements
  readonly attribution: Attribution
  readonly notifications: Notifications
  /** Chooses the rule of a new commission. */
  readonly stamp: (tx: Tx, sale: Sale, partnerId: string, config: Config) => Promise<RuleStamp>
  /** How much of the cap per period under which a commission of the sale was stamped nothing takes up; under the lock of its books. */
  readonly roomIn: (tx: Tx, sale: Sale, stamped: { partnerId: string; ruleId: string }) => Promise<bigint>
  /** What changes in the stamp of a sale that came back to the partner: what room its cap per period has left. */
  readonly limitReturned: (tx: Tx, sale: Sale, before: RuleStamp & { partnerId: string }) => Promise<RuleLimit>
  /** As `stamp` for several of one program; undefined for those that must be stamped alone. */
  readonly stampTogether: (tx: Tx, given: readonly ToStamp[], config: Config) => Promise<(RuleStamp | undefined)[]>
}
