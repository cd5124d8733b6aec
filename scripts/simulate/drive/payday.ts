// Paydays of the simulation: the run, what is called back, the second admin, and the list of those who are paid by hand.

import type { Message } from '../../../commands/messages.ts'
import { readCsv } from '../../../plugins/kit/index.ts'
import { paydayBefore } from '../plan/calendar.ts'
import { fateOf, handDaysOf } from '../plan/fates.ts'
import { chance, shuffled } from '../random.ts'
import type { People } from './people.ts'
import { attempt, boss, type Setting, second } from './setting.ts'

export interface Payday {
  /** The run is started by one admin, sometimes several times at once; some of it is called back, and another admin lets the rest go. */
  pay(day: number): Promise<void>
  /** Lists what is to be paid by hand, and brings lists back, filled in. */
  byHand(day: number): Promise<void>
  /** What was paid by hand and did not come back, by `partner currency`. */
  transferred(): Map<string, bigint>
  count(): number
}

/** A line of an exported list. */
interface Listed {
  readonly payoutId: string
  readonly partner: string
  readonly currency: string
  readonly amount: bigint
  readonly decimal: string
  readonly payday: number
}

export function createPayday(setting: Setting, people: People): Payday {
  const { house, faults, size } = setting
  const { sql } = house.connection
  const listed = new Map<string, Listed>()
  const paid = new Map<string, bigint>()
  let prepared = 0

  async function callBack(day: number): Promise<void> {
    const rows = await sql<{ id: string; partner: string; currency: string }[]>`
      select id, partner_id as partner, currency from payouts_payouts
      where prepared_at = ${house.clock.now().toISOString()} and state in ('awaiting_approval', 'queued')`
    prepared += rows.length
    const cancelled = rows
      .map((row) => ({ ...row, partner: people.keyOf(row.partner) }))
      .filter(({ partner, currency }) => fateOf(size, partner, currency, day).cancelled)
    for (const { id, partner, currency } of cancelled)
      await attempt(setting, `cancel ${partner} ${currency} ${day}`, () =>
        house.run('admin payouts cancel', { payout: id, reason: 'The simulation wants it back.' }, boss),
      )
  }

  /** Some runs are shown at a time, so until none is. */
  async function approve(day: number): Promise<void> {
    for (let look = 1; ; look++) {
      const waiting = await faults.survive(`waiting ${day} ${look}`, () => house.run('admin payouts approve', {}, second))
      const buttons = [...JSON.stringify(waiting).matchAll(/"(payouts\.approve:[^"]+)"/g)].map(([, button]) => button!)
      if (buttons.length === 0) return
      for (const button of buttons) await faults.survive(`approve ${day} ${button}`, () => house.press(button, {}, second))
    }
  }

  /** Exports again what was exported: an answer may be lost, and with it the list. */
  async function fetchList(day: number): Promise<void> {
    await attempt(setting, `export ${day}`, () => house.run('admin payouts export', {}, boss))
    const answer = (await attempt(setting, `export again ${day}`, () =>
      house.run('admin payouts export', { again: true }, boss),
    )) as Message
    for (const { cells } of readCsv(answer.files?.[0]?.data.toString('utf8') ?? '')?.rows ?? []) {
      const payoutId = cells.payout_id!
      if (listed.has(payoutId)) continue
      const [row] = await sql<{ partner: string; currency: string; amount: string }[]>`
        select partner_id as partner, currency, amount::text from payouts_payouts where id = ${payoutId}`
      listed.set(payoutId, {
        payoutId,
        partner: people.keyOf(row!.partner),
        currency: row!.currency,
        amount: BigInt(row!.amount),
        decimal: cells.amount!,
        payday: paydayBefore(day),
      })
    }
  }

  /** Every line of one list stands for itself; what is not known yet is left open, and some lists are sent in twice. */
  async function bringBack(day: number): Promise<void> {
    const due: { one: Listed; status: 'paid' | 'returned' }[] = []
    let isAgain = false
    for (const one of shuffled(
      [...listed.values()],
      (line) => `${line.partner} ${line.currency} ${line.payday}`,
      size.seed,
      'hand',
      day,
    )) {
      const fate = fateOf(size, one.partner, one.currency, one.payday)
      const { word, back } = handDaysOf(fate, one.payday)
      isAgain ||= fate.toldTwice && word === day
      if (word === day) due.push({ one, status: fate.word })
      if (back === day) due.push({ one, status: 'returned' })
    }
    if (due.length === 0) return
    const lines = due.map(({ one, status }) => `${one.payoutId},${one.decimal},${one.currency},${status},The bank says so.`)
    const text = ['payout_id,amount,currency,status,reason', ...lines].join('\n')
    const url = `data:text/csv;base64,${Buffer.from(text).toString('base64')}`
    const file = { id: '1', filename: 'payouts.csv', size: text.length, url, contentType: 'text/csv' }
    for (let copy = 0; copy < (isAgain ? 2 : 1); copy++)
      await faults.survive(`import ${day} ${copy}`, () => house.run('admin payouts import', { file }, boss))
    for (const { one, status } of due) {
      const own = `${one.partner} ${one.currency}`
      // What comes back at once was never paid; what comes back later is taken off again.
      const { back } = handDaysOf(fateOf(size, one.partner, one.currency, one.payday), one.payday)
      const change = status === 'paid' ? one.amount : back === day ? -one.amount : 0n
      paid.set(own, (paid.get(own) ?? 0n) + change)
    }
  }

  return {
    pay: async (day) => {
      const runs = chance(size.seed, 'runs', day) < 0.3 ? 3 : 1
      await Promise.all(
        Array.from({ length: runs }, (_, i) => faults.survive(`run ${day} ${i}`, () => house.run('admin payouts run', {}, boss))),
      )
      await faults.quiet()
      await callBack(day)
      await approve(day)
    },
    byHand: async (day) => {
      if (day > 0 && day === paydayBefore(day) + 1) await fetchList(day)
      await bringBack(day)
    },
    transferred: () => paid,
    count: () => prepared,
  }
}
