// The partners as the oracle knows them: who is there, who has signed what, and where they are paid.

import { dayMs, type Size, timesOfDay } from '../plan/calendar.ts'
import { wayOf } from '../plan/lives.ts'
import type { Day } from '../plan.ts'
import type { Accounts, Method } from './accounts.ts'

export interface Person {
  active: boolean
  version: number
  method: Method | undefined
}

export interface People {
  /** The morning of the day; returns whose held commissions are looked at again, in turn. */
  morning(day: Day): string[]
  get(partner: string): Person | undefined
  isActive(partner: string): boolean
  /** Whether what they signed counts at this time. */
  hasSigned(partner: string, now: number): boolean
}

const graceMs = 14 * dayMs

export function createPeople(size: Size, accounts: Accounts): People {
  const people = new Map<string, Person>()
  let current = { version: 1, publishedAt: Number.NEGATIVE_INFINITY }

  function change(partner: string, kind: Day['partners'][number]['kind'], day: number, now: number): boolean {
    const one = people.get(partner) ?? { active: false, version: 0, method: undefined }
    people.set(partner, one)
    const wasActive = one.active
    if (kind === 'joined' || kind === 'returned') one.active = true
    if (kind === 'joined' || kind === 'signed') one.version = current.version
    if (kind === 'left') one.active = false
    if (wayOf(size, partner) === 'stripe') one.method = accounts.change(partner, kind, day, one.active)
    else if (kind === 'method_ready' && one.active && !one.method?.ready) one.method = { ready: true, since: now }
    else if (kind === 'method_broken' && one.method) one.method.ready = false
    else if (kind === 'reference_changed' && one.active && one.method) one.method.since = now
    return kind === 'signed' || wasActive !== one.active
  }

  return {
    morning: ({ day, start, newVersion, partners }) => {
      const now = start + timesOfDay.morning
      if (newVersion) current = { version: current.version + 1, publishedAt: now }
      return partners.filter(({ partner, kind }) => change(partner, kind, day, now)).map(({ partner }) => partner)
    },
    get: (partner) => people.get(partner),
    isActive: (partner) => people.get(partner)?.active === true,
    hasSigned: (partner, now) => {
      const version = people.get(partner)?.version ?? 0
      return version === current.version || (version > 0 && now < current.publishedAt + graceMs)
    },
  }
}
