// What admins read about events that could not be handled, whoever the vendor is. Pure.
import type { ParkedPage, ParkedWebhook } from '../db/webhooks.ts'
import { type ComponentRef, customId } from './customId.ts'
import { button, card, literal, type Message, type Modal, modal, select, time, truncate } from './messages.ts'

export const pageSize = 8
/** So that a page of events fits a card, those set aside with two reasons each; the event's own card has all of them. */
const reasonLength = { parked: 240, aside: 110 } as const

export type List = ParkedPage['list']
/** Which page of which list one came from. */
export interface Place {
  readonly list: List
  readonly page: number
}

type OfList = ComponentRef<'list' | 'page'>
type OfEvent = ComponentRef<'list' | 'page' | 'event'>
export interface ParkedRefs {
  readonly list: OfList
  readonly choose: OfList
  readonly look: OfEvent
  readonly again: OfEvent
  readonly aside: OfEvent
  readonly asideForm: OfEvent
}

interface Vendor {
  readonly source: string
  readonly title: string
  readonly refs: ParkedRefs
}

const counted = (n: number): string => (n === 1 ? '1 event' : `${n} events`)

export function listCard({ source, title, refs }: Vendor, { total, page, events }: ParkedPage, list: List): Message {
  const other = list === 'parked' ? 'aside' : 'parked'
  const go = (to: List, number: number, label: string, disabled = false) =>
    button({ customId: customId(refs.list, { list: to, page: String(number) }), label, disabled })
  const elsewhere = go(other, 0, other === 'aside' ? 'Show those set aside' : 'Show what is parked')
  if (total === 0)
    return list === 'parked'
      ? card({
          title: 'Nothing is parked',
          body: `Every event that ${title} sent was handled, or set aside.`,
          rows: [[elsewhere]],
          tone: 'good',
        })
      : card({ title: 'Nothing was set aside', body: `No event of ${title} was set aside.`, rows: [[elsewhere]] })
  const pages = Math.ceil(total / pageSize)
  const verb = list === 'parked' ? (total === 1 ? 'is parked' : 'are parked') : total === 1 ? 'was set aside' : 'were set aside'
  return card({
    title: `${counted(total)} ${verb}`,
    body: events.map((event) => lineOf(event)),
    rows: [
      select({
        customId: customId(refs.choose, { list, page: String(page) }),
        placeholder: list === 'parked' ? 'Deal with one of these' : 'Look at one of these',
        options: events.map(({ type, eventId, parkReason }) => ({
          label: `${type} · ${eventId}`,
          value: eventId,
          description: parkReason ?? '',
        })),
      }),
      [
        ...(pages > 1 ? [go(list, Math.max(0, page - 1), 'Newer', page <= 0), go(list, page + 1, 'Older', page >= pages - 1)] : []),
        elsewhere,
      ],
    ],
    tone: list === 'parked' ? 'warn' : 'neutral',
    footer: [
      ...(pages > 1 ? [`Page ${page + 1} of ${pages}.`] : []),
      ...(list === 'parked' ? [`Mend the cause, then hand one in again, or all with /admin ${source} replay.`] : []),
    ].join(' '),
  })
}

function lineOf({ type, eventId, parkedAt, parkReason, setAside }: ParkedWebhook): string {
  const short = (reason: string) => literal(truncate(reason, reasonLength[setAside ? 'aside' : 'parked']))
  const reason = short(parkReason ?? '')
  const id = `-# \`${eventId}\``
  if (!setAside) return `**${literal(type)}** · ${time(parkedAt)}\n${reason}\n${id}`
  return `**${literal(type)}**\n${reason}\nSet aside by <@${setAside.by}> ${time(setAside.at)}: ${short(setAside.reason)}\n${id}`
}

/** One event: what it is, why it is parked, and what can be done about it. */
export function eventCard(vendor: Vendor, event: ParkedWebhook, place: Place): Message {
  const { setAside } = event
  return card({
    title: setAside ? 'An event that was set aside' : 'A parked event',
    body: factsOf(vendor, event),
    fields: [
      { name: setAside ? 'Why it was parked' : 'Why', value: literal(event.parkReason ?? '') },
      ...(setAside
        ? [{ name: 'Set aside', value: `by <@${setAside.by}> ${time(setAside.at, 'f')}\n${quoted(setAside.reason)}` }]
        : []),
    ],
    rows: [controls(vendor, event, place)],
    tone: setAside ? 'neutral' : 'warn',
    footer: setAside
      ? 'It counts as dealt with. Handed in again, it is parked anew if it still cannot be handled.'
      : 'Set aside what needs nothing any more: it is kept, with your name and reason, and counts as parked no longer.',
  })
}

const quoted = (words: string): string => `> ${literal(words).replaceAll('\n', '\n> ')}`

const factsOf = ({ title }: Vendor, { type, eventId, receivedAt, deliveries, parkedAt }: ParkedWebhook): string =>
  [
    `**${literal(type)}** of ${title}`,
    `\`${eventId}\``,
    `Came ${time(receivedAt, 'f')}${deliveries > 1 ? `, ${deliveries} times` : ''} · parked ${time(parkedAt)}`,
  ].join('\n')

const ofEvent = ({ list, page }: Place, event: string) => ({ list, page: String(page), event })
const back = ({ refs }: Vendor, { list, page }: Place) =>
  button({ customId: customId(refs.list, { list, page: String(page) }), label: 'Back to the list' })

const controls = (vendor: Vendor, { eventId, setAside }: ParkedWebhook, place: Place) => [
  button({ customId: customId(vendor.refs.again, ofEvent(place, eventId)), label: 'Hand in again', style: 'primary' }),
  ...(setAside
    ? []
    : [button({ customId: customId(vendor.refs.aside, ofEvent(place, eventId)), label: 'Set aside …', style: 'danger' })]),
  back(vendor, place),
]

/** What came of handing one in. `event` as it is afterwards; undefined when it was handled. */
export function triedCard(vendor: Vendor, eventId: string, event: ParkedWebhook | undefined, place: Place): Message {
  if (event)
    return card({
      title: 'It is parked again',
      body: factsOf(vendor, event),
      fields: [{ name: 'What still stands in the way', value: literal(event.parkReason ?? '') }],
      rows: [controls(vendor, event, place)],
      tone: 'warn',
    })
  return card({
    title: 'The event was handled',
    body: `\`${eventId}\` is parked no longer. When it asked for more work that comes to nothing, it is parked anew within a minute.`,
    rows: [[button({ customId: customId(vendor.refs.look, ofEvent(place, eventId)), label: 'Look again' }), back(vendor, place)]],
    tone: 'good',
  })
}

export function goneCard(vendor: Vendor, eventId: string, place: Place): Message {
  return card({
    title: 'This event is not parked',
    body: `\`${eventId}\` is neither parked nor set aside: it was handled.`,
    rows: [[back(vendor, place)]],
    tone: 'good',
  })
}

export function asideForm({ title, refs }: Vendor, params: { list: string; page: string; event: string }): Modal {
  return modal({
    customId: customId(refs.asideForm, params),
    title: `Set an event of ${title} aside`,
    fields: [
      {
        kind: 'text',
        key: 'reason',
        label: 'Why nothing is to come of it',
        description: 'Kept with your name and the event.',
        long: true,
        min: 3,
        max: 500,
      },
    ],
  })
}

export function replayedCard({ source }: Vendor, count: number): Message {
  if (count === 0) return card({ title: 'Nothing to replay', body: 'No event is parked.', tone: 'good' })
  return card({
    title: `${counted(count)} ${count === 1 ? 'is' : 'are'} handed in again`,
    body: `What still cannot be handled is parked again, with its reason: see \`/admin ${source} parked\` in a moment.`,
  })
}
