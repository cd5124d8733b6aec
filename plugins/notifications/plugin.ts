// E-mail and Discord messages to people, with a fallback for those whose direct messages are closed.
import { definePlugin, directMessageRefused, on } from '../kit/index.ts'
import { createCommands } from './commands.ts'
import { environment, mailAccount } from './environment.ts'
import { createJobs, createSchedules, sendMail } from './jobs.ts'
import type { Notifications } from './public.ts'
import { createSendGridMailer } from './sendgrid.ts'
import { createNotificationService, eraseFor, exportFor } from './service.ts'
import * as tables from './tables.ts'

export const notifications = definePlugin<Record<never, never>, Notifications>({
  id: 'notifications',
  title: 'Notifications',
  summary: 'E-mail and Discord messages to people, with a private thread when direct messages are closed.',
  help: { admins: { id: 'mail', title: 'Mail', emoji: '✉️', about: 'What was sent, and whether it went out' } },
  features: [24],
  tables,
  permissions: ['CreatePrivateThreads', 'SendMessagesInThreads', 'ManageThreads'],
  environment,
  data: {
    statement:
      'Address, subject and state of every mail for a year; its text only until it is sent. Messages sent in Discord for 30 days. Mails go through SendGrid.',
    exportPartner: exportFor,
    deletePartner: eraseFor,
  },
  setup: ({ db, clock, log, env, enqueue, discord, programs }) => {
    const account = mailAccount(env)
    if (!account) log.warn('SENDGRID_API_KEY is not set: mails are kept as “unsent”; /admin mail list shows them')
    const mailer = account && createSendGridMailer(account)
    const service = createNotificationService({ db, clock, enqueue, discord, programs, mailer, sendJob: sendMail })
    return {
      public: { mail: service.mail, tell: service.tell, mailHealth: service.mailHealth },
      commands: createCommands(db, service),
      commandGroups: { 'admin mail': 'Mails of the program' },
      jobs: createJobs(service),
      schedules: createSchedules(service),
      listeners: [on(directMessageRefused, 'notifications.use_thread', service.useThread)],
    }
  },
})
