// The people of the interactions bench: a crowd on the gateway that uses the bot as partners do. Runs as a process of its own; prints one JSON line.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectMember, type Member, type Sample } from './member.ts'

export interface CrowdOrder {
  api: string
  guildId: string
  applicationId: string
  channelId: string
  people: { id: string; token: string }[]
  perSecond: number
  warmUpSeconds: number
  seconds: number
}

export interface CrowdResult {
  sent: number
  /** Interactions whose whole answer arrived: the message, the form, the suggestions. */
  answered: number
  /** The first response of the bot, in ms: “thinking…”, the form, the suggestions. */
  p50: number
  p99: number
  slowest: number
  /** The whole answer, in ms. */
  answers: { p50: number; p99: number }
  kinds: Record<string, { sent: number; p50: number; p99: number }>
  /** Answers that were no answer: refusals by Discord, failures after three seconds, apologies of the bot. The first few, in words. */
  wrong: string[]
}

/** What one person does next, and how often out of all. Forms that were opened and choices that were suggested are followed up first. */
const habits: readonly { weight: number; act: (member: Member) => Promise<void> }[] = [
  { weight: 18, act: (member) => member.run('link list') },
  { weight: 12, act: (member) => member.run('earnings show') },
  { weight: 8, act: (member) => member.run('leaderboard show') },
  { weight: 6, act: (member) => member.run('sales list') },
  { weight: 6, act: (member) => member.run('deal list') },
  { weight: 5, act: (member) => member.run('profile show') },
  { weight: 4, act: (member) => member.run('badges show') },
  { weight: 3, act: (member) => member.run('payout status') },
  { weight: 2, act: (member) => member.run('link create', { campaign: 'newsletter' }) },
  { weight: 14, act: (member) => member.suggest('deal show', 'deal', 'c') },
  { weight: 5, act: (member) => member.run('profile edit') },
  { weight: 2, act: (member) => member.run('deal submit') },
  { weight: 15, act: (member) => member.press() },
]
/** Each habit as often as it weighs. */
const wheel = habits.flatMap((habit) => Array.from({ length: habit.weight }, () => habit))

async function crowd(order: CrowdOrder): Promise<CrowdResult> {
  const index = await readIndex(order)
  const members: Member[] = []
  for (let i = 0; i < order.people.length; i += 20) {
    const group = order.people.slice(i, i + 20)
    members.push(...(await Promise.all(group.map((person, k) => connectMember({ ...order, ...person, index, serial: i + k })))))
  }
  await traffic(members, order.perSecond, order.warmUpSeconds)
  await settled(members)
  const warm = members.map((member) => member.samples.length)
  process.send?.({ measuring: true })
  await traffic(members, order.perSecond, order.seconds)
  await settled(members)
  const samples = members.flatMap((member, i) => member.samples.slice(warm[i]))
  for (const member of members) member.leave()
  return resultOf(samples)
}

/** Sends on a fixed beat, whether or not earlier interactions were answered: a slow bot does not slow the people down. */
async function traffic(members: readonly Member[], perSecond: number, seconds: number): Promise<void> {
  const begin = performance.now()
  const order = shuffled(members)
  for (let i = 0; i < perSecond * seconds; i++) {
    const due = begin + (i * 1000) / perSecond
    if (due > performance.now()) await sleep(due - performance.now())
    const member = order[i % order.length]!
    void member.followUp(() => pick().act(member))
  }
}

const pick = () => wheel[Math.floor(Math.random() * wheel.length)]!

async function settled(members: readonly Member[]): Promise<void> {
  const deadline = performance.now() + 20_000
  while (members.some((member) => member.waiting > 0) && performance.now() < deadline) await sleep(50)
}

async function readIndex({ api, guildId, people }: CrowdOrder) {
  const response = await fetch(`${api}/v9/guilds/${guildId}/application-command-index`, {
    headers: { authorization: people[0]!.token },
  })
  return ((await response.json()) as { application_commands: never[] }).application_commands
}

function resultOf(samples: readonly Sample[]): CrowdResult {
  const answered = samples.filter((sample) => sample.answered !== undefined && sample.wrong === undefined)
  const firsts = samples.flatMap(({ first }) => first ?? [])
  const kinds = [...new Set(samples.map(({ kind }) => kind))].sort()
  return {
    sent: samples.length,
    answered: answered.length,
    p50: at(firsts, 0.5),
    p99: at(firsts, 0.99),
    slowest: at(firsts, 1),
    answers: percentiles(answered.flatMap((sample) => sample.answered ?? [])),
    kinds: Object.fromEntries(
      kinds.map((kind) => {
        const those = samples.filter((sample) => sample.kind === kind)
        return [kind, { sent: those.length, ...percentiles(those.flatMap(({ first }) => first ?? [])) }]
      }),
    ),
    wrong: samples.flatMap(({ wrong, answered }) => wrong ?? (answered === undefined ? ['no answer'] : [])).slice(0, 10),
  }
}

const percentiles = (values: readonly number[]) => ({ p50: at(values, 0.5), p99: at(values, 0.99) })

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

if (import.meta.main) {
  // Whoever sent the crowd has gone.
  process.once('disconnect', () => process.exit())
  const result = await crowd(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as CrowdOrder)
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
}
