// Gateway intents: what a bot asks to be told of.

export const Intent = {
  GUILDS: 1 << 0,
  MEMBERS: 1 << 1,
  MODERATION: 1 << 2,
  EXPRESSIONS: 1 << 3,
  INTEGRATIONS: 1 << 4,
  WEBHOOKS: 1 << 5,
  INVITES: 1 << 6,
  PRESENCES: 1 << 8,
  MESSAGES: 1 << 9,
  REACTIONS: 1 << 10,
  TYPING: 1 << 11,
  DIRECT_MESSAGES: 1 << 12,
  DIRECT_REACTIONS: 1 << 13,
  DIRECT_TYPING: 1 << 14,
  CONTENT: 1 << 15,
  EVENTS: 1 << 16,
  POLLS: 1 << 24,
  DIRECT_POLLS: 1 << 25,
} as const

/** Every intent that Discord knows today; other bits are refused with 4013. */
export const KNOWN_INTENTS = 0b11_0011_0001_1111_1111_1111_1111
