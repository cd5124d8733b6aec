// The commands of partners that change a link: its fields and code, a pause, other pages for some visitors; and its QR code.
import {
  type Command,
  type Component,
  type ComponentInput,
  type Ctx,
  defineCommand,
  onComponent,
  textField,
} from '../../../commands/define.ts'
import type { Message, Modal } from '../../../commands/messages.ts'
import { dayOf, readCountries, type Tx, UserError } from '../../kit/index.ts'
import { changeLink, linkQr, pauseLink, resumeLink, saveLink } from '../refs.ts'
import type { Device, Target } from '../targets.ts'
import { showLinkCard } from './commands.ts'
import { changeFields, held, rename, setPaused, setTargets } from './edit.ts'
import { changeForm, qrCard, targetsCard } from './messages.ts'
import { circumstances, type LinkParts, type LinkRow, ownLink, ownLinkById, ownLinkOption, wishOf, wishOptions } from './parts.ts'
import { qrCode } from './qr.ts'
import { viewLink } from './views.ts'
import { checkedPage, fulfil, type LinkWish } from './wish.ts'

export function editingCommands(parts: LinkParts): Command[] {
  const { db, partners } = parts
  const link = ownLinkOption(parts)
  return [
    defineCommand({
      path: 'link edit',
      description: 'Change a link; “none” takes a value away',
      options: {
        link,
        code: { type: 'string', description: 'A new code; the old one goes on working', max: 32 },
        ...wishOptions(parts),
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { link: typed, code, ...options }) => {
        const { partner, link: found } = await ownLink(parts, ctx, typed)
        const changed = await db.transaction((tx) => change(parts, tx, ctx, found, code, wishOf(options)))
        return showLinkCard(parts, ctx, partner, changed, 'It is changed.')
      },
    }),
    defineCommand({
      path: 'link pause',
      description: 'Let a link lead nowhere for a while',
      options: { link },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, options) => pause(parts, ctx, await ownLink(parts, ctx, options.link), true),
    }),
    defineCommand({
      path: 'link resume',
      description: 'Let a paused link lead on again',
      options: { link },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, options) => pause(parts, ctx, await ownLink(parts, ctx, options.link), false),
    }),
    defineCommand({
      path: 'link target',
      description: 'Lead visitors from some countries, or with some devices, to another page',
      options: {
        link,
        page: { type: 'string', description: 'The address of that page', max: 2000 },
        countries: { type: 'string', description: 'Two letters each, e.g. DE, AT; left out: all', max: 100 },
        devices: { type: 'string', description: 'Left out: all', choices: deviceChoices },
        remove: { type: 'integer', description: 'The number of a page to take away', min: 1, max: 20 },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { link: typed, ...wish }) => {
        const { partner, link: found } = await ownLink(parts, ctx, typed)
        const changed = await db.transaction(async (tx) => {
          const present = await held(tx, found)
          const targets = retarget(present.targets, wish, (await circumstances(parts, tx, ctx, { isAdmin: false })).rule)
          return targets === present.targets ? present : setTargets(tx, present, targets)
        })
        return targetsCard(await viewLink(parts, ctx, partner, changed))
      },
    }),
    defineCommand({
      path: 'link qr',
      description: 'The QR code of a link, as a picture',
      options: { link, for_print: { type: 'boolean', description: 'Larger, and readable even when it is scratched' } },
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { link: found } = await ownLink(parts, ctx, options.link)
        return showQr(parts, found, options.for_print ? 'print' : 'screen')
      },
    }),
  ]
}

export function editingComponents(parts: LinkParts): Component[] {
  const access = parts.partners.registered
  return [
    onComponent(pauseLink, {
      access,
      reply: 'update',
      run: async (ctx, { link }) => pause(parts, ctx, await ownLinkById(parts, ctx, link), true),
    }),
    onComponent(resumeLink, {
      access,
      reply: 'update',
      run: async (ctx, { link }) => pause(parts, ctx, await ownLinkById(parts, ctx, link), false),
    }),
    onComponent(linkQr, {
      access,
      reply: 'ephemeral',
      run: async (ctx, { link }) => showQr(parts, (await ownLinkById(parts, ctx, link)).link, 'screen'),
    }),
    onComponent(changeLink, {
      access: parts.partners.active,
      reply: 'modal',
      run: async (ctx, { link }) => showForm(parts, ctx, (await ownLinkById(parts, ctx, link)).link),
    }),
    onComponent(saveLink, {
      access: parts.partners.active,
      reply: 'update',
      run: async (ctx, { link }, input) => {
        const { partner, link: found } = await ownLinkById(parts, ctx, link)
        const wish = {
          campaign: textField(input, 'campaign'),
          tags: textField(input, 'tags'),
          ...(await readForm(parts, ctx, found, input)),
        }
        const changed = await parts.db.transaction((tx) => change(parts, tx, ctx, found, textField(input, 'code'), wish))
        return showLinkCard(parts, ctx, partner, changed, 'It is changed.')
      },
    }),
  ]
}

async function change(
  parts: LinkParts,
  tx: Tx,
  ctx: Ctx,
  found: LinkRow,
  code: string | undefined,
  wish: LinkWish,
): Promise<LinkRow> {
  const link = await held(tx, found)
  const changed = await changeFields(tx, link, fulfil(link, wish, await circumstances(parts, tx, ctx, { isAdmin: false })))
  return code === undefined || code === link.code ? changed : rename(tx, changed, code, ctx.now)
}

async function pause(
  parts: LinkParts,
  ctx: Ctx,
  { partner, link }: Awaited<ReturnType<typeof ownLink>>,
  paused: boolean,
): Promise<Message> {
  const { link: changed, changed: isNew } = await parts.db.transaction(async (tx) =>
    setPaused(tx, await held(tx, link), paused, ctx.now),
  )
  const [done, before] = paused
    ? ['It is paused: who follows it sees a page that says so, and the way to the shop.', 'It was paused already.']
    : ['It leads on again.', 'It was not paused.']
  return showLinkCard(parts, ctx, partner, changed, isNew ? done : before)
}

async function showQr({ urlOf }: LinkParts, link: LinkRow, use: 'screen' | 'print'): Promise<Message> {
  const url = urlOf(link.code)
  return qrCard(link, url, await qrCode(url, use), use)
}

async function showForm(parts: LinkParts, ctx: Ctx, link: LinkRow): Promise<Modal> {
  return changeForm(link, await ownPageOf(parts, ctx, link), lastDayOf(link, ctx))
}

/** What the form says of page and end, as far as it was changed: what stands there already need not be allowed to be chosen today. */
async function readForm(parts: LinkParts, ctx: Ctx, link: LinkRow, input: ComponentInput): Promise<LinkWish> {
  const [page, expires] = [textField(input, 'page'), textField(input, 'expires')]
  return {
    ...(page !== ((await ownPageOf(parts, ctx, link)) ?? '') && { [page.includes('://') ? 'page' : 'landing']: page }),
    ...(expires !== (lastDayOf(link, ctx) ?? '') && { expires }),
  }
}

/** The address or the name of the landing page that the link names itself. */
async function ownPageOf({ db, pages }: LinkParts, ctx: Ctx, link: LinkRow): Promise<string | undefined> {
  if (link.destination) return link.destination
  const named = link.landingPageId ? await pages.list(db, ctx.program.id) : []
  return named.find(({ id }) => id === link.landingPageId)?.name
}

/** The day that was typed for the link's end, in the program's time zone. */
function lastDayOf({ expiresAt }: LinkRow, { program }: Ctx): string | undefined {
  return expiresAt ? dayOf(new Date(expiresAt.getTime() - 1), program.timeZone) : undefined
}

const deviceChoices = [
  { name: 'Phones', value: 'mobile' },
  { name: 'Tablets', value: 'tablet' },
  { name: 'Phones and tablets', value: 'mobile tablet' },
  { name: 'Computers', value: 'desktop' },
] as const

/** The other pages with the wished one added or taken away; the same list when nothing was wished. */
function retarget(
  targets: readonly Target[],
  wish: { page?: string | undefined; countries?: string | undefined; devices?: string | undefined; remove?: number | undefined },
  rule: Parameters<typeof checkedPage>[1],
): readonly Target[] {
  const { page, countries, devices, remove } = wish
  if (remove !== undefined && !targets[remove - 1])
    throw new UserError(
      'unknown_target',
      `There is no page with the number ${remove}. \`/link target\` shows those that are there.`,
    )
  const kept = remove === undefined ? targets : targets.filter((_, at) => at !== remove - 1)
  if (page === undefined) {
    if (countries !== undefined || devices !== undefined)
      throw new UserError('no_page', 'Name the page, too: where should these visitors be led?')
    return kept
  }
  if (countries === undefined && devices === undefined)
    throw new UserError('no_visitors', 'Name countries or devices. For all visitors, change the page with `/link edit`.')
  const target: Target = {
    ...(countries !== undefined && { countries: readCountries(countries) }),
    ...(devices !== undefined && { devices: devices.split(' ') as Device[] }),
    page: checkedPage(page, rule),
  }
  return [...kept, target]
}
