// The commands of claims: partners claim sales; admins look at claims, and propose whose a sale should be.
import { type Command, type Ctx, defineCommand, type Upload } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import type { Attribution } from '../attribution/public.ts'
import { type Db, formatMoney, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import type { ClaimService } from './claims.ts'
import { claimCard, claimsCard, filedCard, overrideCard, overridesCard } from './messages.ts'
import type { OverrideService } from './overrides.ts'

export interface Parts {
  readonly db: Db
  readonly claims: ClaimService
  readonly overrides: OverrideService
  readonly attribution: Attribution
  readonly partners: Partners
  readonly readUpload: (upload: Pick<Upload, 'url' | 'size'>) => Promise<Buffer>
}

/** The claim with its evidence and the sales that it may mean. */
export async function showClaim({ db, claims, overrides }: Parts, ctx: Ctx, claimId: string): Promise<Message> {
  const claim = await claims.get(db, ctx.program.id, claimId)
  const matches = await claims.matches(db, claim)
  const parties = matches.map(({ sale }) => ({ programId: ctx.program.id, fromId: sale.partnerId, toId: null }))
  return claimCard(claim, matches, await overrides.namesFor(db, parties))
}

const shown = 15

export function claimCommands(parts: Parts): Command[] {
  const { db, claims, overrides, attribution, partners, readUpload } = parts
  const text = (description: string, max: number) => ({ type: 'string', description, max }) as const
  return [
    defineCommand({
      path: 'sales claim',
      description: 'Tell the team of a sale that should be yours',
      options: {
        date: { ...text('The day of the purchase, as 2026-12-31', 10), required: true },
        story: { ...text('Why it is yours: what you did, whom you talked to, when', 1500), required: true, min: 10 },
        order: text('The order number, if you know it', 200),
        email: text('The customer’s e-mail address, if you know it', 254),
        amount: text('What the customer paid, such as 120.00', 30),
        currency: text('An ISO code such as EUR; left out, the program’s', 3),
        evidence: { type: 'attachment', description: 'A picture, PDF or mail that shows it, up to 1 MB' },
      },
      access: partners.active,
      reply: 'ephemeral',
      run: async (ctx, { evidence, ...typed }) => {
        const partner = await partners.require(db, ctx)
        await claims.assertMayFile(db, partner)
        const file = evidence && { name: evidence.filename, data: await readUpload(evidence) }
        return filedCard(await db.transaction((tx) => claims.file(tx, partner, typed, file, ctx.program)))
      },
    }),
    defineCommand({
      path: 'admin-sales claims',
      description: 'Sales that partners claim and that wait for a decision',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => claimsCard(await claims.queue(db, ctx.program.id, shown)),
    }),
    defineCommand({
      path: 'admin-sales override',
      description: 'Propose that a sale belongs to another partner; a second admin approves',
      options: {
        sale: {
          type: 'string',
          description: 'The sale’s id; the latest are suggested',
          required: true,
          max: 100,
          suggest: (ctx: Ctx, typed: string) => suggestSales(parts, ctx, typed),
        },
        reason: { ...text('Why; both partners read it', 500), required: true, min: 3 },
        partner: { type: 'user', description: 'Who should have it; left out, nobody' },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, { sale: saleId, reason, partner }) => {
        const programId = ctx.program.id
        const to = partner ? await partners.byUser(db, programId, partner.id) : null
        if (to === undefined) throw new UserError('no_partner', `<@${partner!.id}> is not a partner of this program.`)
        const sale = /^[0-9a-f-]{36}$/i.test(saleId.trim()) ? await attribution.sale(db, programId, saleId.trim()) : undefined
        if (!sale)
          throw new UserError(
            'unknown_sale',
            'There is no sale with that id. Choose one from the list that appears while you type.',
          )
        const proposal = { programId, saleId: sale.id, to: to?.id ?? null, reason: reason.trim(), proposedBy: ctx.user.id }
        const row = await db.transaction((tx) => overrides.propose(tx, proposal))
        return overrideCard(row, sale, await overrides.namesFor(db, [row]))
      },
    }),
    defineCommand({
      path: 'admin-sales overrides',
      description: 'The latest changes of whose a sale is, with who proposed and decided',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await overrides.newest(db, ctx.program.id, shown)
        return overridesCard(rows, await overrides.namesFor(db, rows))
      },
    }),
  ]
}

async function suggestSales({ db, attribution }: Parts, ctx: Ctx, typed: string) {
  const latest = await attribution.recent(db, ctx.program.id, 100)
  return latest
    .map((sale) => ({
      name: `${formatMoney(sale.gross, sale.currency)} · ${sale.paidAt.toISOString().slice(0, 16).replace('T', ' ')} UTC · ${sale.id.slice(-8)}`,
      value: sale.id,
    }))
    .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(typed.trim().toLowerCase()))
}
