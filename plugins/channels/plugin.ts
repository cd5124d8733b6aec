// The server's roles and channels: rooms for newcomers, partners, industries and staff, and who may enter them.
import { definePlugin } from '../kit/index.ts'
import { notifications } from '../notifications/plugin.ts'
import { partners } from '../partners/plugin.ts'
import { blueprintFor } from './blueprint.ts'
import { createListeners } from './listeners.ts'
import { createChannelService } from './service.ts'
import * as tables from './tables.ts'

export const channels = definePlugin({
  id: 'channels',
  title: 'Channels and roles',
  summary: 'The rooms of the server, the partner role, and one role and channel for each industry.',
  features: [11, 12],
  requires: [notifications, partners],
  tables,
  blueprint: (settingsOf) => blueprintFor(settingsOf(partners).industries),
  permissions: ['ManageRoles', 'ManageChannels'],
  data: { statement: 'Which roles of the program a partner has, for as long as they have them.' },
  setup: ({ clock, discord, programs, use }) => ({
    listeners: createListeners(
      createChannelService({ clock, discord, programs, partners: use(partners), notifications: use(notifications) }),
    ),
  }),
})
