// All links in memory, as fresh as the news from the database. While it hears the news it answers at once; while it does not, it asks the database first, and
// answers from memory when that is away.
import type { Logger } from 'pino'
import { type Db, type Hearer, minutes, within } from '../kit/index.ts'
import { readCode } from './codes.ts'
import type { Watch } from './watch.ts'
import { decide, type LinkRecord, type Resolved, type Rule, type Standing, type Whereabouts } from './whereabouts.ts'

export interface Directory extends Hearer {
  /** What stands behind a code: at once when it is known for sure, otherwise when the database has been asked. Never rejects. */
  resolve(code: string): Resolved | Promise<Resolved>
  /** The programs that call the domain their own; none for a host that is nobody's. Never rejects. */
  programsAt(host: string): readonly string[] | Promise<readonly string[]>
  stop(): void
}

interface Entry {
  readonly record: LinkRecord
  /** What was decided, and from what. */
  decided?: { readonly rule: Rule; readonly standing: Standing; readonly resolved: Resolved }
}

/** About a third of a kilobyte each. Further links are asked for when they are followed. */
const mostKnown = 200_000
/** So much news at once is read faster by reading everything. */
const muchNews = 100
/** The end of a grace period is no news from the database. */
const readAgainMs = minutes(5)
const retryMs = 1000
/** How long a visitor waits for the database. */
const patienceMs = 1000

export function createDirectory(parts: { db: Db; whereabouts: Whereabouts; watch: Watch; log: Logger }): Directory {
  const { db, whereabouts, watch, log } = parts
  let entries = new Map<string, Entry>()
  let rules = new Map<string, Rule>()
  let domains = new Map<string, readonly string[]>()
  /** By partner. Absent: never asked. */
  let standings = new Map<string, Standing>()
  let isComplete = false
  let isHearing = false
  let isFresh = false
  /** Counts what was heard, so that an answer that is older than the news is not remembered. */
  let heardSoFar = 0
  const news = new Set<string>()
  let reading = false
  let stopped = false
  const asked = new Map<string, Promise<Resolved>>()
  const askedRules = new Map<string, Promise<Rule>>()
  const askedStandings = new Map<string, Promise<Standing>>()

  const answer = (entry: Entry): Resolved | undefined => {
    const rule = rules.get(entry.record.programId)
    const standing = standings.get(entry.record.partnerId)
    if (!rule || standing === undefined) return undefined
    if (entry.decided?.rule !== rule || entry.decided.standing !== standing)
      entry.decided = { rule, standing, resolved: decide(entry.record, rule, standing) }
    return entry.decided.resolved
  }

  const ask = async (folded: string): Promise<Resolved> => {
    if (!watch.isAway)
      try {
        return await within(patienceMs, look(folded))
      } catch (error) {
        watch.failed(error)
      }
    const entry = entries.get(folded)
    return (entry && answer(entry)) ?? { state: isComplete && !entry ? 'unknown' : 'unavailable' }
  }

  const look = async (folded: string): Promise<Resolved> => {
    const before = heardSoFar
    const record = await whereabouts.record(db, folded)
    if (!record) return { state: 'unknown' }
    const { programId, partnerId } = record
    const known = isFresh ? standings.get(partnerId) : undefined
    const [rule, standing] = await Promise.all([
      (isFresh && rules.get(programId)) || shared(askedRules, programId, () => whereabouts.rule(db, programId)),
      known === undefined ? shared(askedStandings, partnerId, () => whereabouts.standing(db, programId, partnerId)) : known,
    ])
    if (heardSoFar === before) {
      if (entries.size >= mostKnown) {
        entries.delete(entries.keys().next().value!)
        isComplete = false
      }
      entries.set(folded, { record })
      rules.set(programId, rule)
      standings.set(partnerId, standing)
    }
    return decide(record, rule, standing)
  }

  const readEverything = async () => {
    const records = await whereabouts.records(db, mostKnown)
    const nextRules = new Map<string, Rule>()
    const nextStandings = new Map<string, Standing>()
    for (const { partnerId } of records.values()) nextStandings.set(partnerId, null)
    for (const programId of await whereabouts.programs(db)) {
      nextRules.set(programId, await whereabouts.rule(db, programId))
      for (const [partnerId, industry] of await whereabouts.standings(db, programId)) nextStandings.set(partnerId, industry)
    }
    const nextDomains = await whereabouts.domains(db)
    entries = new Map([...records].map(([folded, record]) => [folded, { record }]))
    rules = nextRules
    standings = nextStandings
    domains = nextDomains
    isComplete = records.size < mostKnown
    log.info({ links: entries.size }, 'all links are in memory')
  }

  const readItem = async (item: string) => {
    const [kind, programId, id] = item.split(' ') as [string, string, string | undefined]
    if (kind === 'all') return readEverything()
    if (kind === 'link' && id) {
      const records = await whereabouts.records(db, mostKnown, { programId, linkId: id })
      for (const [folded, record] of records) {
        if (!standings.has(record.partnerId))
          standings.set(record.partnerId, await whereabouts.standing(db, programId, record.partnerId))
        if (!rules.has(programId)) rules.set(programId, await whereabouts.rule(db, programId))
        entries.set(folded, { record })
      }
    } else if (kind === 'partner' && id) standings.set(id, await whereabouts.standing(db, programId, id))
    else if (kind === 'rule') rules.set(programId, await whereabouts.rule(db, programId))
    else if (kind === 'program') {
      rules.set(programId, await whereabouts.rule(db, programId))
      domains = await whereabouts.domains(db)
      const open = await whereabouts.standings(db, programId)
      const partners = new Set(
        [...entries.values()].flatMap(({ record }) => (record.programId === programId ? [record.partnerId] : [])),
      )
      for (const partnerId of new Set([...partners, ...open.keys()])) standings.set(partnerId, open.get(partnerId) ?? null)
    }
  }

  /** One piece of news after the other. What could not be read is read again. */
  const readNews = async (): Promise<void> => {
    if (reading || stopped) return
    reading = true
    try {
      while (news.size > 0 && isHearing && !stopped) {
        if (news.size > muchNews) tell('all')
        const item = news.has('all') ? 'all' : news.values().next().value!
        const round = heardSoFar
        if (item === 'all') news.clear()
        else news.delete(item)
        try {
          await readItem(item)
        } catch (error) {
          news.add(item)
          throw error
        }
        if (item === 'all' && isHearing && !lostSince(round)) isFresh = true
      }
    } catch (error) {
      log.warn({ err: error }, 'links could not be read')
      setTimeout(() => void readNews(), retryMs).unref()
    } finally {
      reading = false
    }
  }

  let lostAt = -1
  const lostSince = (round: number) => lostAt >= round
  const tell = (item: string) => {
    heardSoFar++
    news.add(item)
  }
  const rereading = setInterval(() => {
    if (isHearing) directory.heard('all')
  }, readAgainMs).unref()

  const directory: Directory = {
    resolve: (code) => {
      const folded = readCode(code)
      if (!folded) return { state: 'unknown' }
      if (isFresh || watch.isAway) {
        const entry = entries.get(folded)
        const known = entry && answer(entry)
        if (known) return known
      }
      return shared(asked, folded, () => ask(folded))
    },
    programsAt: (host) => {
      const named = host.toLowerCase().replace(/:\d*$/, '')
      const remembered = () => domains.get(named) ?? []
      if (isFresh || watch.isAway) return remembered()
      return within(patienceMs, whereabouts.domains(db)).then(
        (found) => found.get(named) ?? [],
        (error: unknown) => {
          watch.failed(error)
          return remembered()
        },
      )
    },
    connected: () => {
      isHearing = true
      isFresh = false
      directory.heard('all')
    },
    heard: (item) => {
      tell(item)
      void readNews()
    },
    lost: () => {
      isHearing = false
      isFresh = false
      lostAt = ++heardSoFar
    },
    stop: () => {
      stopped = true
      clearInterval(rereading)
    },
  }
  return directory
}

/** What is asked already is not asked twice. */
function shared<T>(asked: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const found = asked.get(key)
  if (found) return found
  const question = ask().finally(() => asked.delete(key))
  asked.set(key, question)
  return question
}
