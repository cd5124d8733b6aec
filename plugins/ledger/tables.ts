// Drizzle's view of the ledger's tables. Nothing but the functions of db/migrations/0030_ledger.sql writes them.
import { sql } from 'drizzle-orm'
import { bigint, boolean, integer, pgTable, primaryKey, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { at, minor } from '../../db/tables.ts'
import type { AccountRef } from './public.ts'

export const accounts = pgTable('ledger_accounts', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  programId: uuid('program_id').notNull(),
  kind: text('kind').notNull().$type<AccountRef['kind']>(),
  partnerId: uuid('partner_id'),
  currency: text('currency').notNull(),
  ownerId: uuid('owner_id').notNull().generatedAlwaysAs(sql`coalesce(partner_id, program_id)`),
  debitNormal: boolean('debit_normal').generatedAlwaysAs(sql`kind in ('clawback_debt', 'commission_expense', 'cash', 'settled')`),
})

export const balances = pgTable(
  'ledger_balances',
  {
    accountId: bigint('account_id', { mode: 'number' }).notNull(),
    stripe: smallint('stripe').notNull(),
    amount: minor('amount').notNull(),
    limited: boolean('limited').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.stripe] })],
)

export const transfers = pgTable('ledger_transfers', {
  id: uuid('id').primaryKey(),
  programId: uuid('program_id').notNull(),
  key: text('key').notNull(),
  bodyHash: text('body_hash').notNull(),
  reason: text('reason').notNull(),
  subjectType: text('subject_type').notNull(),
  subjectId: text('subject_id').notNull(),
  corrects: uuid('corrects'),
  postedAt: at('posted_at').notNull(),
  number: bigint('number', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
})

export const entries = pgTable(
  'ledger_entries',
  {
    transferId: uuid('transfer_id').notNull(),
    position: smallint('position').notNull(),
    accountId: bigint('account_id', { mode: 'number' }).notNull(),
    amount: minor('amount').notNull(),
  },
  (t) => [primaryKey({ columns: [t.transferId, t.position] })],
)

export const unsealed = pgTable('ledger_unsealed', {
  transferId: uuid('transfer_id').primaryKey(),
  programId: uuid('program_id').notNull(),
})

export const seals = pgTable(
  'ledger_seals',
  {
    programId: uuid('program_id').notNull(),
    sequence: bigint('sequence', { mode: 'number' }).notNull(),
    transferId: uuid('transfer_id').notNull(),
    previousHash: text('previous_hash').notNull(),
    hash: text('hash').notNull(),
  },
  (t) => [primaryKey({ columns: [t.programId, t.sequence] })],
)

export const heads = pgTable('ledger_heads', {
  programId: uuid('program_id').primaryKey(),
  sequence: bigint('sequence', { mode: 'number' }).notNull(),
  hash: text('hash').notNull(),
})

export const proofs = pgTable('ledger_proofs', {
  programId: uuid('program_id').primaryKey(),
  ok: boolean('ok').notNull(),
  findings: integer('findings').notNull(),
  transfers: bigint('transfers', { mode: 'number' }).notNull(),
  provenAt: at('proven_at').notNull(),
})
