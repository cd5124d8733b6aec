// The commands of the public API, and how their groups are described.
import type { Command } from '../../commands/define.ts'
import type { Db } from '../kit/index.ts'
import type { EndpointService } from './endpoints.ts'
import { keyCommands } from './keyCommands.ts'
import type { KeyService } from './keys.ts'
import { commandGroups } from './messages.ts'
import type { Send } from './sender.ts'
import { webhookCommands } from './webhookCommands.ts'

export function developerCommands(parts: { db: Db; keys: KeyService; endpoints: EndpointService; send: Send }): {
  commandGroups: Readonly<Record<string, string>>
  commands: Command[]
} {
  return { commandGroups, commands: [...keyCommands(parts), ...webhookCommands(parts)] }
}
