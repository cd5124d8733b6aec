// What the page holds in memory. The wire's own objects come from discord-api-types; only what the page adds is declared here.
import type {
  APIApplicationCommand,
  APIApplicationCommandBasicOption,
  APIChannel,
  APIEmoji,
  APIGuildMember,
  APIMessage,
  APIOverwrite,
  APIRole,
  APIThreadMember,
  APIUser,
} from 'discord-api-types/v10'

export type { APIEmoji as Emoji, APIMessageComponent as Component, APIRole as Role, APIUser as User } from 'discord-api-types/v10'

export type Vnode = import('preact').ComponentChildren

export interface Config {
  api: string
  control: string
  features: Partial<Record<'people' | 'guilds' | 'mail' | 'links' | 'guide' | 'reset', boolean>>
}

/** Someone the switcher can become. */
export interface Person {
  id: string
  username: string
  token: string
  global_name?: string | null
  label?: string
}

/** A channel, thread or direct message, with the fields the page reads whatever its type. */
export type Channel = Pick<APIChannel, 'id'> & {
  type: number
  name?: string | null
  guild_id?: string
  parent_id?: string | null
  position?: number
  topic?: string | null
  nsfw?: boolean
  last_message_id?: string | null
  permission_overwrites?: APIOverwrite[]
  recipients?: APIUser[]
  recipient_ids?: string[]
  owner_id?: string
  message_count?: number
  member_count?: number
  member?: APIThreadMember
  applied_tags?: string[]
  flags?: number
  available_tags?: { id: string; name: string; moderated?: boolean; emoji_name?: string | null }[]
  thread_metadata?: { archived: boolean; locked?: boolean; archive_timestamp?: string }
  rate_limit_per_user?: number
}

export type Member = Omit<APIGuildMember, 'user'> & { user: APIUser; guild_id?: string }

export interface Guild {
  id: string
  name: string
  icon: string | null
  owner_id: string
  description?: string | null
  roles: Map<string, APIRole>
  members: Map<string, Member>
  emojis: APIEmoji[]
  presences: Map<string, string>
  member_count: number
  scheduledEvents: Map<string, ScheduledEvent>
}

export interface ScheduledEvent {
  id: string
  name: string
  description?: string | null
  scheduled_start_time: string
  status: number
  user_count?: number
  channel_id?: string | null
  entity_metadata?: { location?: string } | null
  creator_id?: string | null
  /** Whether the person is interested, once the page knows. */
  interested?: boolean
}

export interface Interaction {
  id: string
  name?: string
  type?: number
  user: APIUser
  command_type?: number
  target_user?: APIUser
  triggering_interaction_metadata?: Interaction
}

export type Message = Omit<APIMessage, 'interaction' | 'interaction_metadata' | 'type'> & {
  type: number
  guild_id?: string
  member?: Partial<Member>
  interaction?: Interaction
  interaction_metadata?: Interaction
  /** Only on the page: a message being sent, one that failed, or a command without an answer yet. */
  local?: { state: 'sending' | 'failed'; text?: string }
}

export interface Timeline {
  messages: Message[]
  loaded: boolean
  loading: boolean
  hasMore: boolean
  error?: string
}

export interface Pending {
  nonce: string
  kind: 'command' | 'component' | 'modal' | 'autocomplete'
  channelId: string
  messageId?: string
  customId?: string
  state: 'waiting' | 'failed'
  id?: string
}

export interface ModalState {
  id: string
  nonce: string
  custom_id: string
  title: string
  components: ModalComponent[]
  application_id: string
  application?: { id: string; name?: string; icon?: string | null }
  channel_id: string
  guild_id?: string
  submitting?: string
  error?: string
}

/** Any component in a modal, read by its `type`. */
export interface ModalComponent {
  type: number
  id?: number
  custom_id?: string
  label?: string
  description?: string
  content?: string
  style?: number
  value?: string
  placeholder?: string
  required?: boolean
  default?: boolean
  min_length?: number
  max_length?: number
  min_values?: number
  max_values?: number
  options?: SelectOption[]
  channel_types?: number[]
  default_values?: { id: string; type: string }[]
  component?: ModalComponent
  components?: ModalComponent[]
  file_types?: string[]
}

export interface SelectOption {
  label: string
  value: string
  description?: string
  emoji?: { id?: string | null; name?: string | null; animated?: boolean }
  default?: boolean
  /** Drawn before the label by selects of people, roles and channels. */
  icon?: Vnode
  colour?: string
}

export type Panel =
  | { kind: 'switcher' }
  | { kind: 'pins' | 'threads' | 'post' | 'poll'; channelId: string }
  | { kind: 'thread'; channelId: string; message?: Message }
  | { kind: 'events' | 'onboarding'; guildId: string }
  | { kind: 'reactors' | 'voters'; message: Message }
  | { kind: 'invite'; code: string }
  | { kind: 'link'; title: string; url: string }

export interface MenuItem {
  label: string
  run?: () => void
  danger?: boolean
  items?: MenuItem[]
  hint?: string
}

export interface MenuState {
  x: number
  y: number
  title: string
  items: MenuItem[]
}

export interface CommandIndex {
  applications: Map<string, { id: string; name: string; icon?: string | null; bot?: APIUser }>
  commands: APIApplicationCommand[]
}

/** One thing that can be run: a command, or one subcommand of it. */
export interface Runnable {
  command: APIApplicationCommand
  path: string[]
  name: string
  description: string
  options: APIApplicationCommandBasicOption[]
}

export interface Choice {
  name: string
  value: string | number
}

export interface GuideStep {
  id?: string
  title: string
  text?: string
  why?: string
  done?: boolean
  /** Who does it; without an id, somebody who does not exist yet. */
  who?: { id?: string; username: string }
  /** Lines for the message field, without the slash. */
  commands?: string[]
  links?: { label: string; url: string }[]
}

/** The demo as a whole: what it is doing, and what its recorded past comes to. */
export interface Demo {
  state: 'running' | 'resetting' | 'failed'
  progress: string
}

export interface Mail {
  id: string
  to: string
  from: string
  fromName: string | null
  subject: string
  text: string | null
  html: string | null
  at: string
  attachments: { filename: string; size: number; url: string }[]
}

export interface Toast {
  id: number
  text: string
  kind: 'info' | 'error'
}

export interface State {
  prefix: string
  config: Config
  people: Person[]
  token: string | null
  status: 'choosing' | 'connecting' | 'ready' | 'lost' | 'refused'
  sessionId: string
  me: APIUser | null
  guilds: Map<string, Guild>
  channels: Map<string, Channel>
  users: Map<string, APIUser>
  timelines: Map<string, Timeline>
  /** Newest message id that was seen, by channel. */
  read: Map<string, string>
  mentions: Map<string, number>
  guildId: string | null
  channelId: string | null
  /** What was read when the open channel was opened: what is newer stands below a line. */
  newAfter: string | null
  lastChannel: Map<string, string>
  commands: Map<string, CommandIndex>
  pending: Map<string, Pending>
  autocomplete: { nonce: string; choices: Choice[] } | null
  modal: ModalState | null
  /** The panel above the page. */
  panel: Panel | null
  /** The message that is being written anew. */
  editing: string | null
  menu: MenuState | null
  typing: Map<string, Map<string, number>>
  replyTo: Message | null
  profile: { userId: string; guildId: string | null; x: number; y: number } | null
  picture: { url: string; alt: string } | null
  drawer: 'none' | 'channels' | 'members'
  membersShown: boolean
  side: 'none' | 'guide' | 'mail'
  links: Record<string, string>
  guide: GuideStep[]
  demo: Demo | null
  mail: Mail[]
  /** The newest mail that was there when the inbox was last open. */
  mailSeen: string | null
  joinable: { id: string; name: string }[]
  toasts: Toast[]
}
