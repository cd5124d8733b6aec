// What a key may be allowed to do with leads, sales and refunds.
import type { ApiScope } from '../developer/public.ts'

export const scopes: readonly ApiScope[] = [
  { name: 'leads:write', describes: 'Report leads' },
  { name: 'leads:read', describes: 'Read leads' },
  { name: 'sales:write', describes: 'Report sales' },
  { name: 'sales:read', describes: 'Read all sales' },
  { name: 'refunds:write', describes: 'Report refunds' },
  { name: 'refunds:read', describes: 'Read refunds' },
]
