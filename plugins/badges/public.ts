// How another plugin adds a badge: one small rule that looks at facts.
import { defineExtensionPoint, type MonthRange, type Reader, type RoleWish } from '../kit/index.ts'

/** What a badge was earned for, kept with the award: ids and counts, nothing that identifies a person. */
export type Facts = Readonly<Record<string, string | number | boolean>>

export interface BadgeRule {
  /** Stable for ever, `plugin:name`. */
  readonly id: string
  readonly title: string
  /** What one has to do, in one sentence: "Your first sale that was not refunded." */
  readonly description: string
  readonly emoji: string
  /** `once`: at most one for ever. `month`: at most one each calendar month of the program. */
  readonly period: 'once' | 'month'
  /** A role that goes with the badge. The plugin that contributes the rule puts the same wish into its own blueprint. Few badges deserve one: a server has 250 roles. */
  readonly flagshipRole?: RoleWish
  /**
   * Whether the partner has earned it, by the facts as they are now: the facts to remember, or undefined. `range` is the month in question; for badges that
   * are earned once it is all of time. Asked only while the badge was not awarded, after each of the partner's sales and every day.
   */
  earned(reader: Reader, programId: string, partnerId: string, range: MonthRange): Promise<Facts | undefined>
}

/** Contribute badges here. */
export const badgeRule = defineExtensionPoint<BadgeRule>('badges.rule')
