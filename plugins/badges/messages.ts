// What people read about badges. Celebrations are public: they name the badge, never an amount.
import { card, literal, type Message, time } from '../../commands/messages.ts'
import { monthName } from '../kit/index.ts'
import type { BadgeRule } from './public.ts'
import type { Award } from './tables.ts'

const nameOf = (rule: BadgeRule) => `${rule.emoji} ${rule.title}`

export const celebration = (userId: string, rule: BadgeRule): Message =>
  card({ title: nameOf(rule), body: `<@${userId}> has earned it. Congratulations! 🎉`, tone: 'celebrate' })

/** Stands where a celebration stood whose badge was taken back. */
export const withdrawnCelebration = (): Message =>
  card({ title: 'A celebration was withdrawn', body: 'The badge that stood here was taken back.' })

export const awardedMessage = (rule: BadgeRule, period: string): Message =>
  card({
    title: `You have earned a badge: ${nameOf(rule)}`,
    body: `${rule.description}${period === 'once' ? '' : ` For ${monthName(period)}.`} Well done!`,
    tone: 'celebrate',
    footer: 'See all of yours with /badges show.',
  })

/** The person's badges, and what is still to be earned. */
export function collection(rules: readonly BadgeRule[], awards: readonly Award[]): Message {
  const ruleOf = new Map(rules.map((rule) => [rule.id, rule]))
  const had = new Set(awards.map((award) => award.badge))
  const earned = awards.map((award) => {
    const rule = ruleOf.get(award.badge)
    const month = award.period === 'once' ? '' : ` · ${monthName(award.period)}`
    return `**${rule ? nameOf(rule) : literal(award.badge)}**${month} · ${time(award.awardedAt, 'D')}`
  })
  const open = rules.filter((rule) => !had.has(rule.id)).map((rule) => `${nameOf(rule)} · ${rule.description}`)
  return card({
    title: 'Your badges',
    body: earned.length > 0 ? earned.join('\n') : 'None yet: the first one is waiting for you.',
    fields: open.length > 0 ? [{ name: 'Still to earn', value: open.join('\n') }] : [],
    tone: 'celebrate',
  })
}

export const givenMessage = (userId: string, rule: BadgeRule): Message =>
  card({ title: 'Badge given', body: `<@${userId}> now has **${nameOf(rule)}** and was told.`, tone: 'good' })

export const takenMessage = (userId: string, rule: BadgeRule): Message =>
  card({
    title: 'Badge taken back',
    body: `<@${userId}> no longer has **${nameOf(rule)}**. It is not earned again by itself; you can give it with \`/admin badges award\`.`,
    tone: 'good',
  })
