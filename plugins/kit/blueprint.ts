// What a plugin wants to exist in the guild, as data. The bot compares it with what is there and makes up the difference.
import type { Message } from '../../commands/messages.ts'

export interface RoleWish {
  /** Stable key, `plugin:name`. Rename freely; the key is what finds the role again. */
  key: string
  name: string
  /** RGB as a number. */
  color?: number
  hoist?: boolean
}

/** Who sees a channel: everyone, admins only, or members with one of these role keys. */
export type Audience = 'everyone' | 'admins' | { roles: readonly string[] }

export interface CategoryWish {
  key: string
  name: string
  /** Lower stands higher in the list. */
  order: number
}

export interface ChannelWish {
  key: string
  name: string
  kind: 'text' | 'announcement' | 'forum' | 'voice'
  category: string
  topic?: string
  seenBy: Audience
  /** Who of those who see it may write: all of them, or only the bot and admins. */
  writtenBy: 'all' | 'staff'
  /** A message that always stands in the channel; edited when its words change. */
  notice?: Message
}

export interface Blueprint {
  roles?: readonly RoleWish[]
  categories?: readonly CategoryWish[]
  channels?: readonly ChannelWish[]
}
