// What the books believe of the accounts of partners at Stripe: the newest, by Stripe's time, of what it told and of what it answered.
import {
  type AccountChange,
  answersFor,
  changed,
  changedAt,
  errandOf,
  inOrder,
  type Look,
  type Telling,
  tellingsOf,
} from '../plan/accounts.ts'
import { dayOf, type Size, startOf, timesOfDay } from '../plan/calendar.ts'
import { keep } from '../plan/customers.ts'
import type { LifeKind } from '../plan/lives.ts'

/** Where somebody is paid, as the books have it. */
export interface Method {
  ready: boolean
  /** Since when it is ready, or somewhere else. */
  since: number
}

export interface Accounts {
  /** In the morning the partner does something about their account, or something becomes of it. Returns the method, once there is one. */
  change(partner: string, kind: LifeKind, day: number, isActive: boolean): Method | undefined
  /** In the evening those come back from Stripe's page who do. */
  comeBack(day: number): void
  /** What Stripe tells on this day. */
  listen(day: number): void
  /** A payout did not get through, or came back: Stripe is asked about the account. */
  ask(partner: string, now: number): void
  canBePaid(partner: string, now: number): boolean
  count(): number
}

interface Known extends Method {
  /** How the account is in truth, change by change. */
  readonly looks: Look[]
  /** As of when the books know. */
  toldAt: number
  banks: readonly string[] | undefined
  usual: string | undefined
}

export function createAccounts(size: Size): Accounts {
  const accounts = new Map<string, Known>()
  const tellings = new Map<number, Telling[]>()
  const told = new Set<string>()
  let away: string[] = []

  function become(partner: string, change: AccountChange, day: number): void {
    const { looks } = accounts.get(partner)!
    looks.push(changed(looks.at(-1), change, day))
    for (const telling of tellingsOf(size, partner, change, day)) keep(tellings, telling.on, telling)
  }

  const lookAt = (partner: string, at: number): Look => accounts.get(partner)!.looks.findLast((look) => look.at <= at)!

  /** Money that can go, or goes by default, where it did not before waits as that of a new method. The first telling is no move. */
  function learn(partner: string, { ready, banks, usual }: Look, as: number, now: number): void {
    const known = accounts.get(partner)!
    if (as < known.toldAt) return
    const isNew = known.banks !== undefined && banks.some((bank) => !known.banks!.includes(bank))
    const moved = isNew || (known.usual !== undefined && usual !== undefined && usual !== known.usual)
    if (moved || (ready && !known.ready)) known.since = now
    known.ready = ready
    known.toldAt = as
    if (banks.length > 0) Object.assign(known, { banks, usual })
  }

  function ask(partner: string, now: number): void {
    if (answersFor(size, partner, dayOf(now))) learn(partner, lookAt(partner, now), now, now)
  }

  return {
    ask,
    canBePaid: (partner, now) => lookAt(partner, now).ready,
    count: () => accounts.size,
    change: (partner, kind, day, isActive) => {
      const before = accounts.get(partner)
      const { setsUp, comesBack, changes } = errandOf(size, partner, { kind, day, look: before?.looks.at(-1), isActive })
      if (setsUp && !before) {
        const since = startOf(day) + timesOfDay.morning
        const unknown = { toldAt: Number.NEGATIVE_INFINITY, banks: undefined, usual: undefined }
        accounts.set(partner, { ready: false, since, looks: [], ...unknown })
      }
      for (const change of changes) become(partner, change, day)
      if (comesBack) away.push(partner)
      return accounts.get(partner)
    },
    comeBack: (day) => {
      for (const partner of away) ask(partner, startOf(day) + timesOfDay.hands)
      away = []
    },
    listen: (day) => {
      const now = startOf(day) + timesOfDay.evening
      for (const { partner, change, day: of, isRead } of inOrder(size, tellings.get(day) ?? [], day)) {
        const name = `${partner} ${change} ${of}`
        if (told.has(name)) continue
        told.add(name)
        if (isRead) ask(partner, now)
        else {
          const look = lookAt(partner, changedAt(change, of))
          learn(partner, look, look.at, now)
        }
      }
    },
  }
}
