// What admins do with events of a vendor that could not be handled: see all of them, hand one in again or all, set one aside for good. One facility for every
// plugin that keeps its vendor's events in the inbox of webhooks; it knows no vendor.
import type { Db, Reader, Tx } from '../db/connect.ts'
import { audit } from '../db/tables.ts'
import type { ParkedWebhook, WebhookInbox, Whose } from '../db/webhooks.ts'
import { UserError } from '../plugins/kit/errors.ts'
import { componentRef } from './customId.ts'
import { type Command, type Component, type Ctx, defineCommand, onComponent, textField } from './define.ts'
import type { Message } from './messages.ts'
import {
  asideForm,
  eventCard,
  goneCard,
  type List,
  listCard,
  type ParkedRefs,
  type Place,
  pageSize,
  replayedCard,
  triedCard,
} from './parkedCards.ts'

/** A vendor whose events are kept in the inbox. */
export interface Vendor {
  /** The plugin's id, its source in the inbox, and its word below /admin. */
  readonly source: string
  readonly title: string
  /** How its events are handled. @throws UserError while the vendor is not set up */
  on(): Handling
}

export interface Handling {
  /** Handles a kept event once, now. What cannot be handled is parked with a reason. */
  handleAlone(eventId: string): Promise<void>
  /** Asks for the handling of kept events once more, in the background. */
  handleAgain(tx: Tx, programId: string, eventIds: readonly string[]): Promise<void>
  /** Whether events of no program yet are for this program's admins to see. */
  seesUnassigned(reader: Reader, programId: string): Promise<boolean>
}

/** The commands `/admin VENDOR parked` and `/admin VENDOR replay`, with the controls below what they show. */
export function parkedEvents(
  { source, title, on }: Vendor,
  { db, webhooks }: { db: Db; webhooks: WebhookInbox },
): { commands: Command[]; components: Component[] } {
  const refs: ParkedRefs = {
    list: componentRef(`${source}.parked`, ['list', 'page']),
    choose: componentRef(`${source}.parked_choose`, ['list', 'page']),
    look: componentRef(`${source}.parked_event`, ['list', 'page', 'event']),
    again: componentRef(`${source}.parked_again`, ['list', 'page', 'event']),
    aside: componentRef(`${source}.parked_aside`, ['list', 'page', 'event']),
    asideForm: componentRef(`${source}.parked_reason`, ['list', 'page', 'event']),
  }
  const vendor = { source, title, refs }

  async function whoseOf(reader: Reader, programId: string): Promise<Whose> {
    return { source, programId, unassigned: await on().seesUnassigned(reader, programId) }
  }

  async function showList({ program }: Ctx, { list, page }: Place): Promise<Message> {
    const found = await webhooks.parkedPage(db, await whoseOf(db, program.id), { list, page, size: pageSize })
    return listCard(vendor, found, list)
  }

  /** What the event is now, in a card of the given kind; another when it is neither parked nor set aside any more. */
  async function showEvent(
    { program }: Ctx,
    eventId: string,
    place: Place,
    show: (event: ParkedWebhook) => Message = (event) => eventCard(vendor, event, place),
  ): Promise<Message> {
    const event = await webhooks.parkedOne(db, await whoseOf(db, program.id), eventId)
    return event ? show(event) : goneCard(vendor, eventId, place)
  }

  const noted = (tx: Tx, ctx: Ctx, what: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action: `${source}.${what}`, detail, at: ctx.now })

  async function handIn(ctx: Ctx, eventId: string, place: Place): Promise<Message> {
    await db.transaction(async (tx) => {
      if (!(await webhooks.reopen(tx, await whoseOf(tx, ctx.program.id), eventId))) throw unknownEvent()
      await noted(tx, ctx, 'replay', { event: eventId })
    })
    await on().handleAlone(eventId)
    const event = await webhooks.parkedOne(db, await whoseOf(db, ctx.program.id), eventId)
    return triedCard(vendor, eventId, event, place)
  }

  async function setAside(ctx: Ctx, eventId: string, reason: string): Promise<void> {
    await db.transaction(async (tx) => {
      const event = await webhooks.setAside(tx, await whoseOf(tx, ctx.program.id), eventId, { by: ctx.user.id, reason })
      if (!event) throw unknownEvent()
      await noted(tx, ctx, 'set_aside', { event: eventId, type: event.type, parkedBecause: event.parkReason, reason })
    })
  }

  return {
    commands: [
      defineCommand({
        path: `admin ${source} parked`,
        description: `Events of ${title} that could not be handled, and why; hand one in again, or set it aside`,
        options: { set_aside: { type: 'boolean', description: 'Those that were set aside, instead' } },
        access: 'admin',
        reply: 'ephemeral',
        run: (ctx, { set_aside: aside = false }) => showList(ctx, { list: aside ? 'aside' : 'parked', page: 0 }),
      }),
      defineCommand({
        path: `admin ${source} replay`,
        description: 'Hand all parked events in again',
        access: 'admin',
        reply: 'ephemeral',
        run: (ctx) =>
          db.transaction(async (tx) => {
            const eventIds = await webhooks.parkedIds(tx, await whoseOf(tx, ctx.program.id))
            await on().handleAgain(tx, ctx.program.id, eventIds)
            if (eventIds.length > 0) await noted(tx, ctx, 'replay', { events: eventIds.length })
            return replayedCard(vendor, eventIds.length)
          }),
      }),
    ],
    components: [
      onComponent(refs.list, { access: 'admin', reply: 'update', run: (ctx, params) => showList(ctx, placeOf(params)) }),
      onComponent(refs.choose, {
        access: 'admin',
        reply: 'update',
        run: (ctx, params, { values }) => showEvent(ctx, values[0] ?? '', placeOf(params)),
      }),
      onComponent(refs.look, {
        access: 'admin',
        reply: 'update',
        run: (ctx, params) => showEvent(ctx, params.event, placeOf(params)),
      }),
      onComponent(refs.again, {
        access: 'admin',
        reply: 'update',
        run: (ctx, params) => handIn(ctx, params.event, placeOf(params)),
      }),
      onComponent(refs.aside, { access: 'admin', reply: 'modal', run: async (_ctx, params) => asideForm(vendor, params) }),
      onComponent(refs.asideForm, {
        access: 'admin',
        reply: 'update',
        run: async (ctx, params, input) => {
          await setAside(ctx, params.event, textField(input, 'reason'))
          return showEvent(ctx, params.event, placeOf(params))
        },
      }),
    ],
  }
}

const placeOf = ({ list, page }: { list: string; page: string }): Place => ({
  list: list === 'aside' ? 'aside' : ('parked' satisfies List),
  page: /^\d{1,6}$/.test(page) ? Number(page) : 0,
})

const unknownEvent = () =>
  new UserError('event_not_parked', 'This event is not parked any more. Run the command again to see what is.')
