// The commands with which admins name landing pages and say who gets which.
import { type Command, type Ctx, defineCommand } from '../../../commands/define.ts'
import { audit } from '../../../db/tables.ts'
import { type Tx, UserError } from '../../kit/index.ts'
import type { LinkParts } from '../manage/parts.ts'
import { campaignsIn } from '../manage/read.ts'
import { assigned, pageAdded, pageEdited, pageList, pageRemoved, unassigned } from './messages.ts'
import type { Assignment } from './pages.ts'

export function landingCommands(parts: LinkParts): Command[] {
  const { db, settings, pages, partners } = parts
  const page = {
    type: 'string',
    description: 'Which page',
    required: true,
    suggest: async (ctx: Ctx, typed: string) =>
      (await pages.list(db, ctx.program.id))
        .filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase()))
        .map(({ name }) => ({ name, value: name })),
  } as const
  const whom = {
    partner: { type: 'user', description: 'All links of this partner' },
    campaign: {
      type: 'string',
      description: 'All links of this campaign',
      max: 50,
      suggest: async (ctx: Ctx, typed: string) =>
        (await campaignsIn(db, ctx.program.id, undefined, typed)).map((name) => ({ name, value: name })),
    },
    industry: {
      type: 'string',
      description: 'All links of partners in this industry',
      suggest: async (ctx: Ctx, typed: string) =>
        (await partners.industries(db, ctx.program.id))
          .filter(({ key, name }) => `${key} ${name}`.toLowerCase().includes(typed.trim().toLowerCase()))
          .map(({ key, name }) => ({ name, value: key })),
    },
  } as const
  const note = (tx: Tx, ctx: Ctx, action: string, detail: Record<string, unknown>) =>
    tx.insert(audit).values({ programId: ctx.program.id, actor: ctx.user.id, action: `links.${action}`, detail, at: ctx.now })

  return [
    defineCommand({
      path: 'admin-links landing add',
      description: 'Name a page that links may lead to',
      options: {
        name: { type: 'string', description: 'A name that partners understand', required: true, max: 50 },
        url: {
          type: 'string',
          description: 'Its address; {code}, {campaign} and {industry} may stand in it',
          required: true,
          max: 1000,
        },
        offered: { type: 'boolean', description: 'Whether partners may choose it themselves (they may, unless you say no)' },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { name, url, offered = true }) =>
        db.transaction(async (tx) => {
          const added = await pages.add(tx, ctx.program.id, { name, address: url, offered })
          await note(tx, ctx, 'page_add', { ...added })
          return pageAdded(added)
        }),
    }),
    defineCommand({
      path: 'admin-links landing edit',
      description: 'Change a page; links that lead there follow at once',
      options: {
        page,
        name: { type: 'string', description: 'A new name', max: 50 },
        url: { type: 'string', description: 'A new address', max: 1000 },
        offered: { type: 'boolean', description: 'Whether partners may choose it themselves' },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { page: typed, name, url, offered }) =>
        db.transaction(async (tx) => {
          const change = {
            ...(name !== undefined && { name }),
            ...(url !== undefined && { address: url }),
            ...(offered !== undefined && { offered }),
          }
          const edited = await pages.edit(tx, ctx.program.id, typed, change)
          await note(tx, ctx, 'page_edit', { ...edited })
          return pageEdited(edited)
        }),
    }),
    defineCommand({
      path: 'admin-links landing list',
      description: 'The pages, and who gets which',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const programId = ctx.program.id
        const [known, assignments, counts, { landingPage }, industries, all] = await Promise.all([
          pages.list(db, programId),
          pages.assignments(db, programId),
          pages.linkCounts(db, programId),
          settings.of(db, programId),
          partners.industries(db, programId),
          partners.list(db, programId),
        ])
        const names = new Map([
          ...industries.map(({ key, name, emoji }) => [`industry ${key}`, `${emoji} ${name}`] as const),
          ...all.map(({ id, userId }) => [`partner ${id}`, `<@${userId}>`] as const),
        ])
        return pageList(known, assignments, counts, landingPage, names)
      },
    }),
    defineCommand({
      path: 'admin-links landing remove',
      description: 'Take a page away; its links lead to the next page that is meant for them',
      options: { page },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, options) =>
        db.transaction(async (tx) => {
          const removed = await pages.remove(tx, ctx.program.id, options.page)
          await note(tx, ctx, 'page_remove', { page: removed.page.id, name: removed.page.name })
          return pageRemoved(removed)
        }),
    }),
    defineCommand({
      path: 'admin-links landing assign',
      description: 'Say whose links lead to a page: those of a partner, a campaign or an industry',
      options: { page, ...whom },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { page: typed, ...options }) => {
        const { subject, shown } = await subjectOf(parts, ctx, options)
        return db.transaction(async (tx) => {
          const given = await pages.assign(tx, ctx.program.id, typed, subject)
          await note(tx, ctx, 'page_assign', { page: given.id, ...subject })
          return assigned(given, subject.kind, shown)
        })
      },
    }),
    defineCommand({
      path: 'admin-links landing unassign',
      description: 'Take the page of a partner, a campaign or an industry back',
      options: whom,
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const { subject, shown } = await subjectOf(parts, ctx, options)
        return db.transaction(async (tx) => {
          const changed = await pages.unassign(tx, ctx.program.id, subject)
          if (changed) await note(tx, ctx, 'page_unassign', { ...subject })
          return unassigned(subject.kind, shown, changed)
        })
      },
    }),
  ]
}

/** Whose page it is about, and how to name them. @throws UserError unless exactly one is named, and is there */
async function subjectOf(
  { db, partners }: LinkParts,
  ctx: Ctx,
  {
    partner,
    campaign,
    industry,
  }: { partner?: { id: string } | undefined; campaign?: string | undefined; industry?: string | undefined },
): Promise<{ subject: Pick<Assignment, 'kind' | 'subject'>; shown: string }> {
  if ([partner, campaign?.trim(), industry].filter(Boolean).length !== 1)
    throw new UserError('one_of', 'Name one of the three: a partner, a campaign, or an industry.')
  if (partner) {
    const found = await partners.byUser(db, ctx.program.id, partner.id)
    if (!found) throw new UserError('unknown_partner', `<@${partner.id}> is not a partner of this program.`)
    return { subject: { kind: 'partner', subject: found.id }, shown: `<@${partner.id}>` }
  }
  if (campaign) return { subject: { kind: 'campaign', subject: campaign.trim() }, shown: campaign.trim() }
  const known = await partners.industries(db, ctx.program.id)
  const found = known.find(({ key, name }) => [key, name].some((word) => word.toLowerCase() === industry!.trim().toLowerCase()))
  if (!found)
    throw new UserError(
      'unknown_industry',
      `There is no industry “${industry}”. Choose one of: ${known.map(({ name }) => name).join(', ')}.`,
    )
  return { subject: { kind: 'industry', subject: found.key }, shown: `${found.emoji} ${found.name}` }
}
