// The commands of attribution: a partner's own sales, and for admins why a sale is whose it is.
import { type Command, type Component, type Ctx, defineCommand, onComponent } from '../../commands/define.ts'
import type { Message } from '../../commands/messages.ts'
import { type Db, formatMoney, UserError } from '../kit/index.ts'
import type { Partners } from '../partners/public.ts'
import { pageSize, saleExplained, salesList } from './messages.ts'
import { salesPage } from './refs.ts'
import type { AttributionService } from './service.ts'

interface Parts {
  db: Db
  service: AttributionService
  partners: Partners
}

export function attributionCommands(parts: Parts): Command[] {
  const { db, service } = parts
  return [
    defineCommand({
      path: 'sales list',
      description: 'The sales that came through you',
      access: parts.partners.registered,
      reply: 'ephemeral',
      run: (ctx) => showPage(parts, ctx, 0),
    }),
    defineCommand({
      path: 'admin sales why',
      description: 'Why a sale belongs to a partner, or to none',
      options: {
        sale: {
          type: 'string',
          description: 'The sale’s id; the latest are suggested',
          required: true,
          suggest: async (ctx: Ctx, typed: string) => {
            const latest = await service.recent(db, ctx.program.id, 50)
            return latest
              .map((sale) => ({
                name: `${formatMoney(sale.gross, sale.currency)} · ${sale.paidAt.toISOString().slice(0, 16).replace('T', ' ')} UTC · ${sale.id.slice(-8)}`,
                value: sale.id,
              }))
              .filter(({ name, value }) => `${name} ${value}`.toLowerCase().includes(typed.trim().toLowerCase()))
          },
        },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: (ctx, { sale }) => explain(parts, ctx, sale.trim()),
    }),
  ]
}

export function attributionComponents(parts: Parts): Component[] {
  return [
    onComponent(salesPage, {
      access: parts.partners.registered,
      reply: 'update',
      run: (ctx, { page }) => showPage(parts, ctx, /^\d{1,6}$/.test(page) ? Number(page) : 0),
    }),
  ]
}

async function showPage({ db, service, partners }: Parts, ctx: Ctx, page: number): Promise<Message> {
  const partner = await partners.require(db, ctx)
  const found = await service.ofPartner(db, ctx.program.id, partner.id, { limit: pageSize, offset: page * pageSize })
  return salesList({ ...found, page })
}

async function explain({ db, service, partners }: Parts, ctx: Ctx, saleId: string): Promise<Message> {
  const isId = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(saleId)
  const explanation = isId ? await service.explain(db, ctx.program.id, saleId) : undefined
  if (!explanation)
    throw new UserError('unknown_sale', 'There is no sale with that id. Choose one from the list that appears while you type.')
  const names = new Map<string, string>()
  for (const { trace } of explanation.decisions)
    for (const { partnerId } of trace.candidates) {
      const partner = await partners.byId(db, ctx.program.id, partnerId)
      names.set(partnerId, partner ? `<@${partner.userId}>` : 'an unknown partner')
    }
  return saleExplained(explanation, (partnerId) => names.get(partnerId) ?? 'an unknown partner')
}
