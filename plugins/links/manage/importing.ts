// The commands around lists of links: bringing one, carrying it out after a look at what it would do, and taking one along.
import { type Command, type Component, type Ctx, defineCommand, onComponent, type Upload } from '../../../commands/define.ts'
import type { Message } from '../../../commands/messages.ts'
import { audit } from '../../../db/tables.ts'
import { csvFile, UserError } from '../../kit/index.ts'
import type { Partner } from '../../partners/public.ts'
import { carryOutImport, dropImport } from '../refs.ts'
import { exportOf } from './export.ts'
import { carryOut, columns, drop, keepImport, planImport } from './import.ts'
import { exampleCard, exportCard, importDone, importDropped, importPlanned } from './importMessages.ts'
import { circumstances, type LinkParts } from './parts.ts'

export function importCommands(parts: LinkParts): Command[] {
  const { db, partners } = parts
  return [
    defineCommand({
      path: 'link import',
      description: 'Make many links from a CSV file; first you see what it would do',
      options: { file: { type: 'attachment', description: 'The list; left out, you get an example to fill in' } },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { file }) => {
        const partner = await partners.require(db, ctx)
        return file ? plan(parts, ctx, file, false, () => partner) : exampleCard(csvFile([...columns], [exampleRow]), false)
      },
    }),
    defineCommand({
      path: 'link export',
      description: 'All your links as a CSV file',
      access: partners.registered,
      reply: 'ephemeral',
      run: async (ctx) => exportCard(await exportOf(parts, ctx, [await partners.require(db, ctx)], { withPartner: false })),
    }),
    defineCommand({
      path: 'admin-links import',
      description: 'Make links for partners from a CSV file; first you see what it would do',
      options: {
        file: { type: 'attachment', description: 'The list; left out, you get an example to fill in' },
        user: { type: 'user', description: 'Whose links they are, where the list has no partner column' },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { file, user }) => {
        if (!file) return exampleCard(csvFile(['partner', ...columns], [[ctx.user.id, ...exampleRow]]), true)
        return plan(parts, ctx, file, true, ownerIn(await partners.list(db, ctx.program.id), user?.id))
      },
    }),
    defineCommand({
      path: 'admin-links export',
      description: 'The links of a partner, or of all of them, as a CSV file',
      options: { user: { type: 'user', description: 'Whose; left out, all' } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { user }) => {
        const all = await partners.list(db, ctx.program.id)
        const wanted = user ? all.filter(({ userId }) => userId === user.id) : all
        if (wanted.length === 0 && user) throw new UserError('unknown_partner', `<@${user.id}> is not a partner of this program.`)
        return exportCard(await exportOf(parts, ctx, wanted, { withPartner: true }))
      },
    }),
  ]
}

export function importComponents({ db, partners, settings, urlOf }: LinkParts): Component[] {
  return [
    onComponent(carryOutImport, {
      access: 'everyone',
      reply: 'update',
      run: async (ctx, { list }) => {
        const bringer = { programId: ctx.program.id, userId: ctx.user.id }
        const made = await db.transaction(async (tx) => {
          const { maxLinks } = await settings.of(tx, ctx.program.id)
          const links = await carryOut(tx, bringer, list, { maxLinks, now: ctx.now })
          const own = await partners.byUser(tx, ctx.program.id, ctx.user.id)
          const isForOthers = links.some(({ partnerId }) => partnerId !== own?.id)
          if (isForOthers && !ctx.member.isAdmin)
            throw new UserError('admins_only', 'Only admins may make links for other partners, and you are none any more.')
          if (!isForOthers) await partners.active.check(ctx)
          else
            await tx.insert(audit).values({
              programId: ctx.program.id,
              actor: ctx.user.id,
              action: 'links.import',
              detail: { links: links.map(({ id }) => id) },
              at: ctx.now,
            })
          return links
        })
        return importDone(made, urlOf)
      },
    }),
    onComponent(dropImport, {
      access: 'everyone',
      reply: 'update',
      run: async (ctx, { list }) => {
        await db.transaction((tx) => drop(tx, { programId: ctx.program.id, userId: ctx.user.id }, list))
        return importDropped()
      },
    }),
  ]
}

/** Nothing is made: the answer says what would be, line by line what is wrong, and has the button that carries it out when nothing is. */
async function plan(
  parts: LinkParts,
  ctx: Ctx,
  file: Upload,
  isAdmin: boolean,
  ownerOf: (partner: string) => Partner,
): Promise<Message> {
  const text = await parts.readAttachment(file)
  return parts.db.transaction(async (tx) => {
    const { links, problems } = await planImport(
      tx,
      ctx.program.id,
      text,
      await circumstances(parts, tx, ctx, { isAdmin }),
      ownerOf,
    )
    if (problems.length > 0) return importPlanned(links, problems, undefined)
    const list = await keepImport(tx, { programId: ctx.program.id, userId: ctx.user.id }, links, ctx.now)
    return importPlanned(links, problems, list)
  })
}

/** Finds partners as lists name them: by Discord id, a mention, or the e-mail. */
function ownerIn(all: readonly Partner[], otherwise: string | undefined): (partner: string) => Partner {
  const byName = new Map(
    all.flatMap((partner) => [[partner.userId, partner] as const, [partner.email.toLowerCase(), partner] as const]),
  )
  return (typed) => {
    const name = typed.replace(/^<@!?(\d+)>$/, '$1').toLowerCase() || otherwise
    if (name === undefined)
      throw new UserError(
        'no_partner',
        'The partner column is empty. Write a Discord id or e-mail there, or name the partner with `user`.',
      )
    const partner = byName.get(name)
    if (!partner) throw new UserError('unknown_partner', `“${name.slice(0, 100)}” is no partner of this program.`)
    return partner
  }
}

const exampleRow = ['', 'newsletter', '', '', 'video, spring', '', '', 'header', '', '', '', '']
