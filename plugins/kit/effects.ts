// The effects on Discord that a plugin may ask for. Each call writes a row within the transaction; the bot makes it so after the commit and repairs it later.
import type { Message } from '../../commands/messages.ts'
import type { Reader, Tx } from '../../db/connect.ts'

export interface DiscordEffects {
  /** The member should have the role (by blueprint key), or should not. Takes effect when they are in the guild. */
  setRole(tx: Tx, wish: { programId: string; userId: string; role: string; wanted: boolean; reason: string }): Promise<void>
  /**
   * The message should stand in the channel (by blueprint key). One message per `key`: posting again with other words edits it.
   */
  post(tx: Tx, wish: { programId: string; key: string; channel: string; message: Message }): Promise<void>
  /** The message should reach the person as a DM; `guild.direct_message_refused` is emitted when their settings forbid it. */
  direct(tx: Tx, ...wishes: readonly { programId: string; key: string; userId: string; message: Message }[]): Promise<void>
  /** The message should reach the person in a private thread under the channel (by blueprint key): what is left when a DM is refused. */
  privateThread(
    tx: Tx,
    wish: { programId: string; key: string; userId: string; channel: string; title: string; message: Message },
  ): Promise<void>
  /** The Discord id of a role or channel of the blueprint, once it exists. */
  idOf(reader: Reader, programId: string, kind: 'role' | 'channel', key: string): Promise<string | undefined>
}
