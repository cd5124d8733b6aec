// What other plugins may ask of notifications.
import type { Message } from '../../commands/messages.ts'
import type { Reader, Tx } from '../kit/index.ts'

export interface Mail {
  to: string
  /** Discord id of the reader, so that the mail is found when their data is exported or erased. */
  userId?: string
  subject: string
  /** Plain text; the HTML part is made from it and from `button`. */
  paragraphs: readonly string[]
  button?: { label: string; url: string }
  footer?: string
  attachments?: readonly { filename: string; type: string; data: Buffer }[]
}

/** How the mail of a program fares. `unsent` mails are kept because no working mail account is configured. */
export interface MailHealth {
  readonly configured: boolean
  readonly waiting: number
  readonly unsent: number
  readonly refused: number
}

export interface Notifications {
  /** The mails should be sent, each once per (program, key). Writes rows; sending happens after the commit and is retried. */
  mail(tx: Tx, ...letters: readonly (Mail & { programId: string; key: string })[]): Promise<void>
  /** The person should read the message in Discord, once per (program, key): as a DM, or in a private thread when DMs are refused. Whoever was erased is told nothing. */
  tell(tx: Tx, ...wishes: readonly { programId: string; key: string; userId: string; message: Message }[]): Promise<void>
  mailHealth(reader: Reader, programId: string): Promise<MailHealth>
}

/** Blueprint key of the channel under which private threads are opened for people whose direct messages are closed. */
export const inboxChannel = 'channels:inbox'
