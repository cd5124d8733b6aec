// What an admin may ask about mail.
import { type Command, defineCommand } from '../../commands/define.ts'
import type { Db } from '../kit/index.ts'
import { mailList } from './messages.ts'
import type { NotificationService } from './service.ts'

export function createCommands(db: Db, service: NotificationService): Command[] {
  return [
    defineCommand({
      path: 'admin mail list',
      description: 'The last mails and whether they were sent',
      access: 'admin',
      reply: 'ephemeral',
      run: async ({ program }) => mailList(await service.recentMails(db, program.id, 15), await service.mailHealth(db, program.id)),
    }),
  ]
}
