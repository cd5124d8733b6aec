// What the local Discord remembers: people, guilds, channels, messages and the rest, as plain entities. Types only.

/** A JSON object on the wire. */
export type Wire = Record<string, unknown>

export interface User {
  id: string
  username: string
  global_name: string | null
  avatar: string | null
  bot: boolean
  token: string
  locale: string
  /** Refuses DMs from everybody (50007). */
  dmClosed: boolean
}

export interface Application {
  id: string
  name: string
  description: string
  owner_id: string
  bot_id: string
  verify_key: string
  tags: string[]
  /** Registered commands by id; a guild command carries its guild_id. */
  commands: Map<string, Command>
  roleConnectionMetadata: Wire[]
  emojis: Map<string, Wire>
}

export interface Command {
  id: string
  application_id: string
  guild_id: string | null
  version: string
  type: number
  name: string
  name_localizations: Record<string, string> | null
  description: string
  description_localizations: Record<string, string> | null
  options: Wire[]
  default_member_permissions: string | null
  contexts: number[] | null
  integration_types: number[]
  nsfw: boolean
  /** Overrides by guild id: who and where. */
  permissions: Map<string, { id: string; type: number; permission: boolean }[]>
}

export interface Role {
  id: string
  name: string
  permissions: bigint
  position: number
  color: number
  secondary_color: number | null
  tertiary_color: number | null
  hoist: boolean
  managed: boolean
  mentionable: boolean
  icon: string | null
  unicode_emoji: string | null
  tags: Wire | null
}

export interface Member {
  user_id: string
  nick: string | null
  avatar: string | null
  roles: string[]
  joined_at: string
  premium_since: string | null
  pending: boolean
  flags: number
  mute: boolean
  deaf: boolean
  communication_disabled_until: string | null
}

export interface Overwrite {
  id: string
  /** 0 role, 1 member. */
  type: 0 | 1
  allow: bigint
  deny: bigint
}

interface ThreadMeta {
  owner_id: string
  archived: boolean
  archive_timestamp: string
  auto_archive_duration: number
  locked: boolean
  invitable: boolean | null
  create_timestamp: string
  applied_tags: string[]
  total_message_sent: number
  message_count: number
}

export interface Channel {
  id: string
  type: number
  guild_id: string | null
  name: string
  topic: string | null
  position: number
  parent_id: string | null
  nsfw: boolean
  rate_limit_per_user: number
  bitrate: number
  user_limit: number
  rtc_region: string | null
  default_auto_archive_duration: number | null
  default_thread_rate_limit_per_user: number
  available_tags: Wire[]
  default_reaction_emoji: Wire | null
  default_sort_order: number | null
  default_forum_layout: number
  flags: number
  overwrites: Map<string, Overwrite>
  last_message_id: string | null
  last_pin_timestamp: string | null
  /** Who takes part in a DM. */
  recipients: string[]
  thread: ThreadMeta | null
  threadMembers: Map<string, { join_timestamp: string; flags: number }>
  messages: Map<string, Message>
  /** Channels that follow this announcement channel: webhook ids. */
  followers: string[]
  /** When each person last wrote here (slow mode). */
  lastWrote: Map<string, number>
}

export interface Attachment {
  id: string
  filename: string
  size: number
  content_type: string
  description: string | null
  width: number | null
  height: number | null
  ephemeral: boolean
  spoiler: boolean
  path: string
  bytes: Buffer
}

interface Reaction {
  emoji: { id: string | null; name: string; animated: boolean }
  users: string[]
}

export interface Poll {
  question: Wire
  answers: { answer_id: number; poll_media: Wire; voters: string[] }[]
  expiry: string
  allow_multiselect: boolean
  layout_type: number
  finalized: boolean
}

export interface Message {
  id: string
  channel_id: string
  guild_id: string | null
  author_id: string
  /** Name and picture of a webhook that spoke; null for users. */
  webhookAuthor: { username: string; avatar: string | null } | null
  type: number
  content: string
  timestamp: string
  edited_timestamp: string | null
  tts: boolean
  mention_everyone: boolean
  mentions: string[]
  mention_roles: string[]
  attachments: Attachment[]
  embeds: Wire[]
  components: Wire[]
  flags: number
  pinned_at: string | null
  reactions: Reaction[]
  reference: { type: number; channel_id: string; message_id?: string; guild_id?: string } | null
  snapshots: Wire[] | null
  nonce: string | number | null
  webhook_id: string | null
  application_id: string | null
  interaction_metadata: Wire | null
  interaction: Wire | null
  poll: Poll | null
  thread_id: string | null
  /** Position inside a thread. */
  position: number | null
  /** Set for an ephemeral: the only person who sees it. */
  ephemeralFor: string | null
}

export interface Interaction {
  id: string
  token: string
  application_id: string
  type: number
  created: number
  user_id: string
  session_id: string | null
  nonce: string | null
  guild_id: string | null
  channel_id: string
  /** The command's name, for the message it leads to. */
  name: string
  command: Command | null
  targetId: string | null
  message: Message | null
  /** The interaction that opened the modal, for a modal submit. */
  origin: Interaction | null
  modal: Wire | null
  /** 0 until acknowledged; then the callback type. */
  acknowledged: number
  failed: boolean
  originalId: string | null
  /** Messages that this interaction's token may read, edit and delete. */
  messageIds: Set<string>
  timer: NodeJS.Timeout | null
}

export interface Webhook {
  id: string
  type: 1 | 2
  guild_id: string
  channel_id: string
  user_id: string
  name: string
  avatar: string | null
  token: string
  application_id: string | null
  source: { guild_id: string; channel_id: string } | null
}

export interface Invite {
  code: string
  guild_id: string
  channel_id: string
  inviter_id: string
  created_at: string
  max_age: number
  max_uses: number
  uses: number
  temporary: boolean
  role_ids: string[]
  target_user_ids: string[]
}

export interface ScheduledEvent {
  id: string
  guild_id: string
  channel_id: string | null
  creator_id: string
  name: string
  description: string | null
  scheduled_start_time: string
  scheduled_end_time: string | null
  privacy_level: number
  status: number
  entity_type: number
  entity_metadata: Wire | null
  recurrence_rule: Wire | null
  image: string | null
  users: string[]
}

export interface Guild {
  id: string
  name: string
  owner_id: string
  icon: string | null
  description: string | null
  features: string[]
  afk_channel_id: string | null
  afk_timeout: number
  system_channel_id: string | null
  system_channel_flags: number
  rules_channel_id: string | null
  public_updates_channel_id: string | null
  safety_alerts_channel_id: string | null
  verification_level: number
  default_message_notifications: number
  explicit_content_filter: number
  mfa_level: number
  preferred_locale: string
  premium_progress_bar_enabled: boolean
  roles: Map<string, Role>
  members: Map<string, Member>
  bans: Map<string, string | null>
  events: Map<string, ScheduledEvent>
  emojis: Map<string, Wire>
  applications: Set<string>
  onboarding: Wire | null
  auditLog: Wire[]
  integrations: Map<string, string>
}

interface Upload {
  name: string
  bytes: Buffer
}

export interface World {
  now: () => number
  iso: () => string
  id: () => string
  users: Map<string, User>
  applications: Map<string, Application>
  guilds: Map<string, Guild>
  channels: Map<string, Channel>
  interactions: Map<string, Interaction>
  interactionTokens: Map<string, Interaction>
  /** Ephemeral messages by id; they are in no channel. */
  ephemerals: Map<string, Message>
  webhooks: Map<string, Webhook>
  invites: Map<string, Invite>
  /** Stored files by the path of their URL. */
  files: Map<string, Attachment>
  /** Files that a client uploaded before it named them in a message or option. */
  uploads: Map<string, Upload>
  /** Role connections by application and user. */
  roleConnections: Map<string, Wire>
  /** The sandbox's own address, where stored files are fetched. Set once the server listens. */
  origin: string
}
