// What other plugins may ask of notifications.
import type { Message } from '../../commands/messages.ts'
import type { Tx } from '../kit/index.ts'

export interface Mail {
  to: string
  subject: string
  /** Plain text; the HTML part is made from it and from `button`. */
  paragraphs: readonly string[]
  button?: { label: string; url: string }
  footer?: string
  attachments?: readonly { filename: string; type: string; data: Buffer }[]
}

export interface Notifications {
  /** The mail should be sent, once per (program, key). Writes rows; sending happens after the commit and is retried. */
  mail(tx: Tx, mail: Mail & { programId: string; key: string }): Promise<void>
  /** The person should read the message in Discord, once per (program, key): as a DM, or in a private thread when DMs are refused. */
  tell(tx: Tx, wish: { programId: string; key: string; userId: string; message: Message }): Promise<void>
}
