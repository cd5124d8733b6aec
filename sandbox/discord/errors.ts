// Discord's refusals: HTTP status, JSON code and message as its API documents them (Topics › Opcodes and Status Codes).
// Says what is refused, never decides whether.

/** The nested `errors` object of a 50035: keys are field names or indexes, leaves hold `_errors`. */
export type ErrorTree = { [key: string]: ErrorTree | { code: string; message: string }[] }

/** A refusal that is answered to the caller as Discord's error body. */
export class ApiError extends Error {
  readonly status: number
  readonly code: number
  readonly errors: ErrorTree | undefined

  constructor(status: number, code: number, message: string, errors?: ErrorTree) {
    super(message)
    this.status = status
    this.code = code
    this.errors = errors
  }

  body(): Record<string, unknown> {
    return { message: this.message, code: this.code, ...(this.errors ? { errors: this.errors } : {}) }
  }
}

const unknown = {
  account: 10001,
  application: 10002,
  channel: 10003,
  guild: 10004,
  integration: 10005,
  invite: 10006,
  member: 10007,
  message: 10008,
  overwrite: 10009,
  role: 10011,
  token: 10012,
  user: 10013,
  emoji: 10014,
  webhook: 10015,
  ban: 10026,
  interaction: 10062,
  command: 10063,
  commandPermissions: 10066,
  event: 10070,
} as const

const unknownNames: Record<keyof typeof unknown, string> = {
  account: 'Unknown Account',
  application: 'Unknown Application',
  channel: 'Unknown Channel',
  guild: 'Unknown Guild',
  integration: 'Unknown Integration',
  invite: 'Unknown Invite',
  member: 'Unknown Member',
  message: 'Unknown Message',
  overwrite: 'Unknown permission overwrite',
  role: 'Unknown Role',
  token: 'Unknown Token',
  user: 'Unknown User',
  emoji: 'Unknown Emoji',
  webhook: 'Unknown Webhook',
  ban: 'Unknown Ban',
  interaction: 'Unknown interaction',
  command: 'Unknown application command',
  commandPermissions: 'Unknown application command permissions',
  event: 'Unknown Guild Scheduled Event',
}

/** 404 for an id that names nothing the caller may know of. */
export function unknownThing(what: keyof typeof unknown): ApiError {
  return new ApiError(404, unknown[what], unknownNames[what])
}

export const unauthorized = (): ApiError => new ApiError(401, 0, '401: Unauthorized')
export const notFound = (): ApiError => new ApiError(404, 0, '404: Not Found')
export const tooLarge = (): ApiError => new ApiError(413, 40005, 'Request entity too large')
export const methodNotAllowed = (): ApiError => new ApiError(405, 0, '405: Method Not Allowed')
export const botsOnly = (): ApiError => new ApiError(403, 20001, 'Only bots can use this endpoint')
export const missingAccess = (): ApiError => new ApiError(403, 50001, 'Missing Access')
export const missingPermissions = (): ApiError => new ApiError(403, 50013, 'Missing Permissions')
export const emptyMessage = (): ApiError => new ApiError(400, 50006, 'Cannot send an empty message')
export const cannotMessageUser = (): ApiError => new ApiError(403, 50007, 'Cannot send messages to this user')
export const wrongChannelType = (): ApiError => new ApiError(400, 50024, 'Cannot execute action on this channel type')
export const invalidWebhookToken = (): ApiError => new ApiError(401, 50027, 'Invalid Webhook Token')
export const alreadyAcknowledged = (): ApiError => new ApiError(400, 40060, 'Interaction has already been acknowledged.')
export const notTheAuthor = (): ApiError => new ApiError(403, 50005, 'Cannot edit a message authored by another user')
export const systemMessage = (): ApiError => new ApiError(403, 50021, 'Cannot execute action on a system message')
export const invalidJson = (): ApiError => new ApiError(400, 50109, 'The request body contains invalid JSON.')

/** 400 for a count limit of the guild, channel or message (codes 30001 to 30061). */
export function maximumReached(code: number, what: string, limit: number): ApiError {
  return new ApiError(400, code, `Maximum number of ${what} reached (${limit})`)
}

/** 50035 with one leaf per problem. Paths are the field names and indexes from the body's root. */
export function invalidForm(problems: readonly { path: readonly (string | number)[]; code: string; message: string }[]): ApiError {
  const errors: ErrorTree = {}
  for (const { path, code, message } of problems) {
    let node = errors
    for (const key of path) {
      const next = node[String(key)]
      if (next && !Array.isArray(next)) node = next
      else {
        const made: ErrorTree = {}
        node[String(key)] = made
        node = made
      }
    }
    const leaves = node._errors
    if (Array.isArray(leaves)) leaves.push({ code, message })
    else node._errors = [{ code, message }]
  }
  return new ApiError(400, 50035, 'Invalid Form Body', errors)
}

/** 50035 with a single problem. */
export function invalidField(path: readonly (string | number)[], code: string, message: string): ApiError {
  return invalidForm([{ path, code, message }])
}
