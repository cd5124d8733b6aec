// /help: what this person can do here, by subject. Each plugin says under which subject its commands belong; nothing here knows what there is.
import { UserError } from '../plugins/kit/errors.ts'
import type { Plugin, Subject } from '../plugins/kit/plugin.ts'
import { componentRef, customId } from './customId.ts'
import { type Command, type Component, type Ctx, defineCommand, onComponent, type Precondition } from './define.ts'
import { button, card, literal, type Message, select } from './messages.ts'
import { pageAsked, pagesOf } from './pages.ts'

const overview = componentRef('house.help')
const chosen = componentRef('house.help_choose', ['side', 'part'])
const opened = componentRef('house.help_subject', ['side', 'subject', 'page'])

interface Needs {
  commands(): readonly (Command & { readonly plugin: string })[]
  plugins(): readonly Plugin[]
}

/** What partners do, and what admins do. */
type Side = 'partners' | 'admins'
interface Topic extends Subject {
  readonly side: Side
  readonly commands: readonly Command[]
}
interface Known {
  readonly topics: readonly Topic[]
  /** Why other commands are not for this person, or not yet, in sentences that say what to do. */
  readonly closed: readonly string[]
}

export function helpCommand(needs: Needs): Command {
  return defineCommand({
    path: 'help',
    description: 'What you can do here',
    access: 'everyone',
    reply: 'ephemeral',
    run: async (ctx) => overviewCard(ctx, await knownTo(needs, ctx)),
  })
}

export function helpComponents(needs: Needs): Component[] {
  const open = async (ctx: Ctx, side: string, id: string, page: string) => {
    const known = await knownTo(needs, ctx)
    const topic = known.topics.find((candidate) => candidate.side === side && candidate.id === id)
    return topic ? topicCard(ctx, known, topic, page) : overviewCard(ctx, known)
  }
  return [
    onComponent(overview, {
      access: 'everyone',
      reply: 'update',
      run: async (ctx) => overviewCard(ctx, await knownTo(needs, ctx)),
    }),
    onComponent(chosen, {
      access: 'everyone',
      reply: 'update',
      run: (ctx, { side }, { values }) => open(ctx, side, values[0] ?? '', '0'),
    }),
    onComponent(opened, {
      access: 'everyone',
      reply: 'update',
      run: (ctx, { side, subject, page }) => open(ctx, side, subject, page),
    }),
  ]
}

/** The commands that this person may use, by subject, in the order of the plugins; the house's own come last. */
async function knownTo(needs: Needs, ctx: Ctx): Promise<Known> {
  const all = needs.commands()
  const preconditions = new Map(all.flatMap(({ access }) => (typeof access === 'object' ? [[access.id, access]] : [])))
  const refusals = new Map<string, string>()
  await Promise.all(
    [...preconditions.values()].map(async (precondition) => {
      const refusal = await refusalOf(precondition, ctx)
      if (refusal !== undefined) refusals.set(precondition.id, refusal)
    }),
  )
  const isUsable = ({ access }: Command) =>
    typeof access === 'object' ? !refusals.has(access.id) : access === 'everyone' || ctx.member.isAdmin
  const topics = new Map<string, Topic & { commands: Command[] }>()
  for (const plugin of needs.plugins().toSorted((a, b) => Number(a.id === 'house') - Number(b.id === 'house')))
    for (const command of all) {
      if (command.plugin !== plugin.id || !isUsable(command)) continue
      const side = command.access === 'admin' ? 'admins' : 'partners'
      const subject = plugin.help?.[side] ?? { id: plugin.id, title: plugin.title, emoji: '🧩', about: plugin.summary }
      const key = `${side} ${subject.id}`
      const topic = topics.get(key) ?? { ...subject, side, commands: [] }
      topic.commands.push(command)
      topics.set(key, topic)
    }
  const ofSide = (side: Side) => [...topics.values()].filter((topic) => topic.side === side)
  return { topics: [...ofSide('partners'), ...ofSide('admins')], closed: [...new Set(refusals.values())] }
}

async function refusalOf(precondition: Precondition, ctx: Ctx): Promise<string | undefined> {
  try {
    await precondition.check(ctx)
    return undefined
  } catch (error) {
    if (error instanceof UserError) return error.message
    throw error
  }
}

/** A subject of at most so many commands shows all of them in the overview; others show one less, and how many more there are. */
const shownCommands = 4
/** Of the 4,000 characters that a card has, with room for the rest of it. */
const pageLength = 3_000

function overviewCard(ctx: Ctx, known: Known): Message {
  const of = (side: Side) => known.topics.filter((topic) => topic.side === side)
  const titles = (side: Side) =>
    of(side)
      .map(({ emoji, title }) => `${emoji}\u00a0${title}`)
      .join(' · ')
  const withCommands = of('partners')
    .map((topic) => startOf(ctx, topic))
    .join('\n')
  const admins = titles('admins')
  return card({
    title: `What you can do in ${literal(ctx.program.name)}`,
    body: [
      withCommands.length + admins.length <= pageLength ? withCommands : titles('partners'),
      ...known.closed.map((sentence) => `🔒 ${sentence}`),
    ],
    fields: admins ? [{ name: 'As an admin', value: admins }] : [],
    rows: subjectRows(known),
    footer: 'Choose a subject to see all of it. A command that you click is put into your message box.',
  })
}

/** A subject with its first commands. */
function startOf(ctx: Ctx, { emoji, title, commands }: Topic): string {
  const shown = commands.length > shownCommands ? shownCommands - 1 : shownCommands
  const more = commands.length - shown
  const first = commands.slice(0, shown).map(({ path }) => ctx.mention(path))
  return `${emoji} **${title}**\n${first.join(' ')}${more > 0 ? ` and ${more} more` : ''}`
}

function topicCard(ctx: Ctx, known: Known, topic: Topic, asked: string): Message {
  const lines = topic.commands.map(({ path, description }) => `${ctx.mention(path)} · ${description}`)
  const pages = pagesOf(lines, pageLength)
  const page = pageAsked(asked, pages.length)
  const turn = (to: number, label: string) =>
    button({
      customId: customId(opened, { side: topic.side, subject: topic.id, page: String(to) }),
      label,
      disabled: to < 0 || to >= pages.length,
    })
  return card({
    title: `${topic.emoji} ${topic.title}`,
    body: [topic.about, pages[page]!.join('\n')],
    rows: [
      ...subjectRows(known, topic),
      [
        button({ customId: customId(overview, {}), label: 'All subjects' }),
        ...(pages.length > 1 ? [turn(page - 1, 'Back'), turn(page + 1, 'Next')] : []),
      ],
    ],
    footer: 'A command that you click is put into your message box.',
  })
}

const placeholders: Record<Side, string> = {
  partners: 'What would you like to do?',
  admins: 'And as an admin?',
}
/** A select holds 25 options. */
const most = 25

/** A select of subjects for partners and one for admins; more where there are more than a select holds. */
function subjectRows({ topics }: Known, current?: Topic) {
  return (['partners', 'admins'] as const).flatMap((side) => {
    const own = topics.filter((topic) => topic.side === side)
    return Array.from({ length: Math.ceil(own.length / most) }, (_, part) =>
      select({
        customId: customId(chosen, { side, part: String(part) }),
        placeholder: placeholders[side],
        options: own.slice(part * most, (part + 1) * most).map((topic) => ({
          label: topic.title,
          value: topic.id,
          description: topic.about,
          emoji: topic.emoji,
          default: topic === current,
        })),
      }),
    )
  })
}
