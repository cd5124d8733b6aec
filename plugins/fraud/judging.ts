// Judges commissions after they have accrued: gathers the facts of many with few statements, asks the signals, keeps a case of what they found and holds what is
// suspicious.
import { and, eq, inArray, or } from 'drizzle-orm'
import type { Attribution, AttributionDecision, Sale, SalesFigures, Touch } from '../attribution/public.ts'
import type { Commissions } from '../commissions/public.ts'
import { amongIds, amongTexts, type Clock, days, hours, minutes, newId, type Reader, type Settings, type Tx } from '../kit/index.ts'
import type { Links } from '../links/public.ts'
import type { Notifications } from '../notifications/public.ts'
import type { Partner, Partners } from '../partners/public.ts'
import type { Payouts } from '../payouts/public.ts'
import { mailboxOf } from './address.ts'
import type { Config } from './config.ts'
import { heldMessage } from './messages.ts'
import type { FraudFacts, FraudSignal, WeighedTouch } from './public.ts'
import { type Finding, judge, type Verdict } from './score.ts'
import { seenAt } from './sightings.ts'
import { winningClick } from './signals.ts'
import { addresses, allowances, type Case, cases } from './tables.ts'

/** A commission that is to be judged. `amount` in minor units. */
export interface Suspect {
  readonly programId: string
  readonly commissionId: string
  readonly saleId: string
  readonly partnerId: string
  readonly amount: bigint
  readonly currency: string
}

export interface JudgingPorts {
  readonly clock: Clock
  readonly settings: Settings<Config>
  readonly partners: Pick<Partners, 'byIds'>
  readonly attribution: Pick<Attribution, 'salesById' | 'latestDecisions' | 'emailHashesOf' | 'figures' | 'hashEmail'>
  readonly links: Pick<Links, 'clickCounts' | 'clickFacts'>
  readonly payouts: Pick<Payouts, 'sharing'>
  readonly commissions: Pick<Commissions, 'hold'>
  readonly notifications: Pick<Notifications, 'tell'>
  readonly signals: () => readonly FraudSignal[]
  readonly wordsOf: (found: Case) => string[]
  readonly showStaff: (tx: Tx, found: Case) => Promise<void>
}

/** What a partner did before. */
interface Past {
  readonly month: SalesFigures
  readonly quarter: SalesFigures
  readonly monthClicks: number
}

/** What is on record of the suspects, their partners and their sales. */
interface Known {
  readonly suspects: readonly Suspect[]
  readonly known: readonly Partner[]
  readonly config: Config
  readonly sales: readonly Sale[]
  readonly decisions: ReadonlyMap<string, AttributionDecision>
  readonly sharedPayout: ReadonlyMap<string, readonly string[]>
}

interface Judged {
  readonly suspect: Suspect
  readonly partner: Partner
  readonly verdict: Verdict
  readonly excused: boolean
}

/** See `FraudService.evaluateAll`. */
export function createJudging(ports: JudgingPorts): (tx: Tx, suspects: readonly Suspect[]) => Promise<void> {
  const { clock, settings, partners, attribution, links, payouts, commissions, notifications, signals, wordsOf, showStaff } = ports

  return async (tx, suspects) => {
    for (const [programId, own] of Map.groupBy(suspects, (suspect) => suspect.programId)) await judgeIn(tx, programId, own)
  }

  async function judgeIn(tx: Tx, programId: string, given: readonly Suspect[]): Promise<void> {
    const partnerIds = [...new Set(given.map(({ partnerId }) => partnerId))]
    const saleIds = given.map(({ saleId }) => saleId)
    const [before, known, config, sales, decisions, sharedPayout, allowanceOf, cleared] = await Promise.all([
      casesOf(tx, programId, given),
      partners.byIds(tx, programId, partnerIds),
      settings.of(tx, programId),
      attribution.salesById(tx, programId, saleIds),
      attribution.latestDecisions(tx, programId, saleIds),
      payouts.sharing(tx, programId, partnerIds),
      allowancesOf(tx, programId, partnerIds),
      clearedBefore(tx, programId, given),
    ])
    const suspects = given.filter(({ commissionId }) => !before.has(commissionId))
    if (suspects.length === 0) return
    await noteAddresses(tx, programId, known)
    const facts = await gather(tx, programId, { suspects, known, config, sales, decisions, sharedPayout })
    const judged: Judged[] = []
    for (const suspect of suspects) {
      const mine = facts.get(suspect.commissionId)
      if (!mine) continue
      const allowance = allowanceOf(suspect.partnerId)
      const verdict = judge(await findings(tx, mine, config), { threshold: config.threshold, allowedWith: allowance.with })
      const excused = allowance.always || cleared.has(`${suspect.saleId} ${suspect.partnerId}`)
      if (verdict.strongest !== undefined) judged.push({ suspect, partner: mine.partner, verdict, excused })
    }
    for (const kept of await keep(tx, judged, config.threshold)) if (kept.state === 'open') await stop(tx, kept)
  }

  /** Everything the signals look at, as it is now; of sales and partners that do not exist there is nothing. */
  async function gather(reader: Reader, programId: string, given: Known): Promise<Map<string, FraudFacts>> {
    const saleOf = new Map(given.sales.map((sale) => [sale.id, sale]))
    const partnerOf = new Map(given.known.map((partner) => [partner.id, partner]))
    const all = given.suspects.flatMap((suspect) => {
      const sale = saleOf.get(suspect.saleId)
      const partner = partnerOf.get(suspect.partnerId)
      if (!sale || !partner) return []
      return [{ suspect, sale, partner, touches: touchesOf(given.decisions.get(sale.id)) }]
    })
    const clicks = all.map(({ suspect, touches }) => ({ partnerId: suspect.partnerId, click: winningClick({ touches }) }))
    const bursting = clicks.flatMap(({ partnerId, click }) => (click ? [{ partnerId, ...upTo(click.at, minutes(10)) }] : []))
    const [emails, customerEmails, { past, bursts }, factsOfClick] = await Promise.all([
      emailsOf(reader, programId, [...partnerOf.keys()]),
      attribution.emailHashesOf(
        reader,
        programId,
        all.map(({ sale }) => sale.customerId),
      ),
      pastOf(reader, programId, all, bursting),
      clicksOf(reader, programId, clicks),
    ])
    let next = 0
    return new Map(
      all.map(({ suspect, sale, partner, touches }, i): [string, FraudFacts] => {
        const { month, quarter, monthClicks } = past.get(partner.id)!
        const { click } = clicks[i]!
        const facts: FraudFacts = {
          partner,
          sale,
          touches,
          customerEmails: customerEmails.get(sale.customerId) ?? [],
          partnerEmails: emails.get(partner.id)?.own ?? [],
          sharedMailbox: emails.get(partner.id)?.sharing ?? [],
          sharedPayout: given.sharedPayout.get(partner.id) ?? [],
          click: click && factsOfClick.get(click.reference),
          clicks: { burst: click ? bursts[next++]! : 0, month: monthClicks },
          month,
          quarter,
          limits: given.config,
        }
        return [suspect.commissionId, facts]
      }),
    )
  }

  /** What each partner did before the newest of their sales that are judged together, and the clicks within other spans that are asked for. */
  async function pastOf(
    reader: Reader,
    programId: string,
    all: readonly { readonly sale: Sale; readonly partner: Partner }[],
    spans: Parameters<Links['clickCounts']>[2],
  ): Promise<{ past: Map<string, Past>; bursts: readonly number[] }> {
    const newest = new Map<string, Date>()
    for (const { sale, partner } of all)
      if (sale.paidAt > (newest.get(partner.id) ?? new Date(0))) newest.set(partner.id, sale.paidAt)
    const asked = [...newest].map(([partnerId, at]) => ({ partnerId, at }))
    const within = (ms: number) => asked.map(({ partnerId, at }) => ({ partnerId, ...upTo(at, ms) }))
    const [sales, clicks] = await Promise.all([
      attribution.figures(reader, programId, [...within(days(30)), ...within(days(90))]),
      // Whole hours, which are read from sums: an hour more of 30 days changes nothing, and without the last one there might be purchases of no click.
      links.clickCounts(reader, programId, [...within(days(30)).map(inWholeHours), ...spans]),
    ])
    const count = asked.length
    const past = asked.map(({ partnerId }, i): [string, Past] => [
      partnerId,
      { month: sales[i]!, quarter: sales[count + i]!, monthClicks: clicks[i]! },
    ])
    return { past: new Map(past), bursts: clicks.slice(count) }
  }

  /** What is on record of the winning clicks, by their ids. */
  async function clicksOf(
    reader: Reader,
    programId: string,
    won: readonly { readonly partnerId: string; readonly click: Touch | undefined }[],
  ): Promise<Map<string, NonNullable<FraudFacts['click']>>> {
    const found = await links.clickFacts(
      reader,
      programId,
      won.flatMap(({ click }) => click?.reference ?? []),
    )
    const known = won.flatMap(({ partnerId, click }) => {
      const facts = click && found.get(click.reference)
      return facts ? [{ id: click.reference, partnerId, ...facts }] : []
    })
    const seen = await seenAt(reader, programId, known)
    return new Map(known.map(({ id, paidBy, referrer, datacentre }, i) => [id, { paidBy, referrer, datacentre, seen: seen[i]! }]))
  }

  async function findings(reader: Reader, facts: FraudFacts, { weights }: Config): Promise<Finding[]> {
    const found: Finding[] = []
    for (const signal of signals()) {
      const weight = weights[signal.id] ?? signal.weight
      const evidence = weight > 0 ? await signal.evaluate(reader, facts) : undefined
      if (evidence) found.push({ signal: signal.id, weight, evidence })
    }
    return found
  }

  async function noteAddresses(tx: Tx, programId: string, of: readonly Partner[]): Promise<void> {
    if (of.length === 0) return
    const now = clock.now()
    await tx
      .insert(addresses)
      .values(
        of.map(({ id: partnerId, userId, email }) => ({
          programId,
          partnerId,
          userId,
          address: attribution.hashEmail(email),
          mailbox: attribution.hashEmail(mailboxOf(email)),
          firstSeenAt: now,
        })),
      )
      .onConflictDoNothing()
  }

  /** Stores the cases; those of which another run was first are left out. */
  async function keep(tx: Tx, judged: readonly Judged[], threshold: number): Promise<Case[]> {
    if (judged.length === 0) return []
    const now = clock.now()
    return tx
      .insert(cases)
      .values(
        judged.map(({ suspect, partner, verdict: { findings, score, strongest, suspicious }, excused }) => ({
          id: newId(now),
          ...suspect,
          userId: partner.userId,
          score,
          threshold,
          strongest: strongest!,
          findings,
          state: suspicious && !excused ? ('open' as const) : ('noted' as const),
          held: false,
          openedAt: now,
        })),
      )
      .onConflictDoNothing()
      .returning()
  }

  /** Holds the commission, shows the case to the staff, and tells the partner. */
  async function stop(tx: Tx, kept: Case): Promise<void> {
    const { programId } = kept
    const held = await commissions.hold(tx, programId, kept.commissionId, reasonOf(kept))
    const [opened] = await tx.update(cases).set({ held }).where(eq(cases.id, kept.id)).returning()
    await showStaff(tx, opened!)
    if (!held) return
    await notifications.tell(tx, {
      programId,
      key: `fraud:held:${kept.id}`,
      userId: kept.userId,
      message: heldMessage(opened!, wordsOf(opened!)),
    })
  }
}

/** The reason code under which the commission of the case is held. */
export const reasonOf = ({ strongest }: Pick<Case, 'strongest'>): string => `fraud_${strongest}`

const upTo = (at: Date, ms: number) => ({ from: new Date(at.getTime() - ms), to: new Date(at.getTime() + 1) })

const inWholeHours = <T extends { from: Date; to: Date }>(span: T): T => ({
  ...span,
  from: new Date(Math.floor(span.from.getTime() / hours(1)) * hours(1)),
  to: new Date(Math.ceil(span.to.getTime() / hours(1)) * hours(1)),
})

async function casesOf(reader: Reader, programId: string, suspects: readonly Suspect[]): Promise<ReadonlySet<string>> {
  const ids = suspects.map(({ commissionId }) => commissionId)
  const rows = await reader
    .select({ id: cases.commissionId })
    .from(cases)
    .where(and(eq(cases.programId, programId), amongIds(cases.commissionId, ids)))
  return new Set(rows.map(({ id }) => id))
}

/** What a person decided about a sale of a partner before stands for whatever the sale earns later: the pairs of sale and partner that were cleared. */
async function clearedBefore(reader: Reader, programId: string, suspects: readonly Suspect[]): Promise<ReadonlySet<string>> {
  const ids = suspects.map(({ saleId }) => saleId)
  const rows = await reader
    .select({ saleId: cases.saleId, partnerId: cases.partnerId })
    .from(cases)
    .where(and(eq(cases.programId, programId), amongIds(cases.saleId, ids), eq(cases.state, 'cleared')))
  return new Set(rows.map(({ saleId, partnerId }) => `${saleId} ${partnerId}`))
}

async function allowancesOf(reader: Reader, programId: string, partnerIds: readonly string[]) {
  const rows = await reader
    .select()
    .from(allowances)
    .where(
      and(
        eq(allowances.programId, programId),
        or(inArray(allowances.partnerId, [...partnerIds]), inArray(allowances.otherId, [...partnerIds])),
      ),
    )
  return (partnerId: string) => {
    const mine = rows.filter((row) => row.partnerId === partnerId || row.otherId === partnerId)
    return {
      always: mine.some(({ otherId }) => otherId === null),
      with: new Set(
        mine.flatMap((row) => (row.otherId === null ? [] : [row.partnerId === partnerId ? row.otherId : row.partnerId])),
      ),
    }
  }
}

/** Each partner's addresses as hashes, and the others whose mail reaches the same mailbox. */
async function emailsOf(
  reader: Reader,
  programId: string,
  partnerIds: readonly string[],
): Promise<Map<string, { own: string[]; sharing: string[] }>> {
  const rows = await reader
    .select()
    .from(addresses)
    .where(and(eq(addresses.programId, programId), amongIds(addresses.partnerId, partnerIds)))
  const mailboxes = new Set(rows.map(({ mailbox }) => mailbox))
  const sharers = await reader
    .selectDistinct({ mailbox: addresses.mailbox, partnerId: addresses.partnerId })
    .from(addresses)
    .where(and(eq(addresses.programId, programId), amongTexts(addresses.mailbox, mailboxes)))
  const usersOf = Map.groupBy(sharers, ({ mailbox }) => mailbox)
  return new Map(
    [...Map.groupBy(rows, ({ partnerId }) => partnerId)].map(([partnerId, own]) => [
      partnerId,
      {
        own: [...new Set(own.flatMap(({ address, mailbox }) => [address, mailbox]))],
        sharing: [
          ...new Set(
            own
              .flatMap(({ mailbox }) => (usersOf.get(mailbox) ?? []).map((user) => user.partnerId))
              .filter((id) => id !== partnerId),
          ),
        ].sort(),
      },
    ]),
  )
}

function touchesOf(decision: AttributionDecision | undefined): WeighedTouch[] {
  return (decision?.candidates ?? []).flatMap(({ kind, lost, ...candidate }) =>
    kind === 'binding' || kind === 'override' ? [] : [{ ...candidate, kind, won: lost === null }],
  )
}
