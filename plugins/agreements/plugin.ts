// The agreement between company and partner: versioned documents, a signing page, evidence, and a signed copy.
import { createHmac } from 'node:crypto'
import { definePlugin, extend, hours, on, schedule } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { emailVerified } from '../partners/events.ts'
import { partners } from '../partners/plugin.ts'
import { activationRequirement, partnerHelp } from '../partners/public.ts'
import { createCommands, createComponents, signingRequirement } from './commands.ts'
import { type AgreementsConfig, config } from './config.ts'
import { type Agreement, bundledAgreement } from './documents.ts'
import { renderSignedCopy } from './pdf.ts'
import { exportFor, statement } from './privacy.ts'
import type { Agreements } from './public.ts'
import { createRoutes } from './routes.ts'
import { createAgreementService } from './service.ts'
import * as tables from './tables.ts'

/** The plugin for other documents than those that come with it. */
export const agreementsWith = (documents: () => Agreement) =>
  definePlugin<AgreementsConfig, Agreements>({
    id: 'agreements',
    title: 'Agreements',
    summary: 'Versioned documents that partners read and sign on the web, with evidence and a signed copy.',
    help: partnerHelp,
    features: [3],
    requires: [notifications, partners],
    config,
    tables,
    data: { statement, exportPartner: exportFor },
    setup: ({ secret, use, ...context }) => {
      const key = secret('agreements.address')
      const service = createAgreementService({
        ...context,
        partners: use(partners),
        notifications: use(notifications),
        agreement: documents(),
        hashAddress: (ip) => createHmac('sha256', key).update(ip).digest('hex'),
        renderCopy: renderSignedCopy,
      })
      const needs = { db: context.db, service, partners: use(partners) }
      return {
        public: service,
        commands: createCommands(needs),
        components: createComponents(needs),
        routes: createRoutes(service),
        listeners: [
          on(emailVerified, 'agreements.invite', (tx, { programId, partnerId }) => service.invite(tx, programId, partnerId)),
        ],
        schedules: [schedule('agreements.announce_version', { ms: hours(1) }, service.announceVersion)],
        extends: [extend(activationRequirement, signingRequirement(service, context.clock))],
      }
    },
  })

export const agreements = agreementsWith(bundledAgreement)
