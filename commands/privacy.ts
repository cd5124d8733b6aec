// What is stored about a person: told, handed over, and erased. Each plugin says and does its own part; nothing here knows what that is.
import type { Reader } from '../db/connect.ts'
import { audit } from '../db/tables.ts'
import type { Plugin, SetupContext } from '../plugins/kit/plugin.ts'
import { componentRef, customId } from './customId.ts'
import { type Command, type Component, type Ctx, defineCommand, onComponent } from './define.ts'
import { button, card, literal, type Message, withFile } from './messages.ts'
import { pageAsked, pagesOf } from './pages.ts'

const told = componentRef('house.privacy', ['page'])
const handedOver = componentRef('house.privacy-export')
const erased = componentRef('house.privacy-erase', ['user'])

type Needs = Pick<SetupContext<unknown>, 'db'> & { plugins(): readonly Plugin[] }

export function privacyCommands(needs: Needs): Command[] {
  return [
    defineCommand({
      path: 'privacy',
      description: 'What is stored about you, and a copy of it',
      access: 'everyone',
      reply: 'ephemeral',
      run: async () => statements(needs.plugins(), '0'),
    }),
    defineCommand({
      path: 'admin privacy export',
      description: 'All that is stored about a person, as a file',
      options: { user: { type: 'user', description: 'Whose data', required: true } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user }) => copyFor(needs, ctx, user.id),
    }),
    defineCommand({
      path: 'admin privacy erase',
      description: 'Erase a person from the program, for good',
      options: { user: { type: 'user', description: 'Who asked to be erased', required: true } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user }) => (await notYet(needs, needs.db, ctx, user.id)) ?? erasureToConfirm(user.id),
    }),
  ]
}

export function privacyComponents(needs: Needs): Component[] {
  return [
    onComponent(told, {
      access: 'everyone',
      reply: 'update',
      run: async (_ctx, { page }) => statements(needs.plugins(), page),
    }),
    onComponent(handedOver, { access: 'everyone', reply: 'ephemeral', run: (ctx) => copyFor(needs, ctx, ctx.user.id) }),
    onComponent(erased, { access: 'admin', reply: 'update', run: (ctx, { user }) => erase(needs, ctx, user) }),
  ]
}

/** Of the 4,000 characters that a card has, with room for the rest of it. */
const pageLength = 3_000

function statements(plugins: readonly Plugin[], asked: string): Message {
  const pages = pagesOf(
    plugins.flatMap(({ title, data }) => (data ? [`**${title}**\n${data.statement}`] : [])),
    pageLength,
  )
  const page = pageAsked(asked, pages.length)
  const turn = (to: number, label: string) =>
    to >= 0 && to < pages.length ? [button({ customId: customId(told, { page: String(to) }), label, style: 'secondary' })] : []
  return card({
    title: 'What is stored about you',
    body: pages[page]!,
    rows: [
      [
        ...turn(page - 1, 'Back'),
        ...turn(page + 1, 'More'),
        button({ customId: customId(handedOver, {}), label: 'Give me a copy', emoji: '📄' }),
      ],
    ],
    footer: 'To have something corrected, or to be erased, ask the people who run the program.',
  })
}

async function copyFor({ db, plugins }: Needs, ctx: Ctx, userId: string): Promise<Message> {
  const parts: [string, unknown][] = []
  for (const { id, data } of plugins())
    if (data?.exportPartner) parts.push([id, await data.exportPartner(db, ctx.program.id, userId)])
  const content = { program: ctx.program.name, person: userId, writtenAt: ctx.now, ...Object.fromEntries(parts) }
  const isOwn = userId === ctx.user.id
  return withFile(
    card({
      title: isOwn ? 'A copy of what is stored about you' : 'A copy of what is stored about this person',
      body: `By part of the program, in JSON, which people and programs can read. ${isOwn ? 'Your' : 'Their'} commissions and payouts are in \`/earnings statement\`, month by month.`,
    }),
    { name: 'personal-data.json', data: Buffer.from(`${JSON.stringify(content, plainly, 2)}\n`) },
  )
}

const plainly = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)

function erasureToConfirm(userId: string): Message {
  return card({
    title: 'Erase this person?',
    body: [
      `<@${userId}> is taken out of the program for good: name, e-mail address, Discord id, texts and files, in every part of it that keeps any.`,
      'What they signed stays, as evidence. Sales, commissions and payouts stay in the books without a name: the law asks for them, and others’ figures rest on them. Their links go on leading where they lead, and what was posted about them in channels stays until somebody deletes it.',
      '**What they have coming can no longer be paid afterwards**: run their payout first. Their roles in this server are taken within a quarter of an hour.',
    ],
    tone: 'warn',
    rows: [[button({ customId: customId(erased, { user: userId }), label: 'Erase for good', style: 'danger' })]],
    footer: 'Nothing has been changed so far. A copy first: /admin privacy export.',
  })
}

/** Those who need others go first: they find the person by what the others keep. */
async function erase({ db, plugins }: Needs, ctx: Ctx, userId: string): Promise<Message> {
  const parts = plugins()
    .filter(({ data }) => data?.deletePartner)
    .toReversed()
  const refused = await db.transaction(async (tx) => {
    const waits = await notYet({ plugins }, tx, ctx, userId)
    if (waits) return waits
    for (const { data } of parts) await data!.deletePartner!(tx, ctx.program.id, userId)
    // Who was erased is not kept.
    await tx.insert(audit).values({
      programId: ctx.program.id,
      actor: ctx.user.id,
      action: 'privacy.erase',
      detail: { parts: parts.map(({ id }) => id) },
      at: ctx.now,
    })
    return undefined
  })
  return (
    refused ??
    card({
      title: 'The person is erased',
      body: `Taken out of: ${parts.map(({ title }) => literal(title)).join(' · ')}.`,
      tone: 'good',
    })
  )
}

/** What stands in the way of the erasure, by every part of the program; undefined when nothing does. */
async function notYet({ plugins }: Pick<Needs, 'plugins'>, reader: Reader, ctx: Ctx, userId: string): Promise<Message | undefined> {
  const reasons: string[] = []
  for (const { data } of plugins()) {
    const reason = await data?.whyNotYet?.(reader, ctx.program.id, userId)
    if (reason) reasons.push(reason)
  }
  if (reasons.length === 0) return undefined
  return card({
    title: 'This person cannot be erased yet',
    body: [...reasons, 'Then run `/admin privacy erase` again. Nothing has been changed.'],
    tone: 'warn',
  })
}
