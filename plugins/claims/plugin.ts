// Claims: partners claim sales that were not credited to them, and admins, always two people, change whose a sale is.
import { attribution } from '../attribution/plugin.ts'
import { saleHelp } from '../attribution/public.ts'
import { channels } from '../channels/plugin.ts'
import { readUpload } from '../kit/attachments.ts'
import { definePlugin } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { createClaimService } from './claims.ts'
import { claimCommands } from './commands.ts'
import { claimComponents } from './components.ts'
import { type Config, config } from './config.ts'
import { createOverrideService } from './overrides.ts'
import { eraseFor, exportFor } from './privacy.ts'
import * as tables from './tables.ts'

export const claims = definePlugin<Config>({
  id: 'claims',
  title: 'Claims and overrides',
  summary: 'Partners claim sales that were not credited to them, and two people change whose a sale is.',
  help: saleHelp,
  features: [20],
  requires: [partners, attribution, channels, notifications],
  config,
  tables,
  data: {
    statement:
      'Claims of sales: what the partner knows of the purchase, in their words, with the file they attached and a keyed hash of the customer’s address; the decision and its reason. Until erased. Who changed whose a sale is, and why: with the books.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, discord, settings, use }) => {
    const needs = { clock, discord, attribution: use(attribution), partners: use(partners), notifications: use(notifications) }
    const overrides = createOverrideService(needs)
    const parts = { db, claims: createClaimService({ ...needs, settings, overrides }), overrides, readUpload, ...needs }
    return {
      commandGroups: { 'admin-sales': 'Claims of sales, and whose a sale is' },
      commands: claimCommands(parts),
      components: claimComponents(parts),
    }
  },
})
