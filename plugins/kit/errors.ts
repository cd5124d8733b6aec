// The one family of errors that a person can act on. Everything else that is thrown is a bug: logged with an id that the person sees.

/** A refusal with a message written for the person who reads it: what happened, and what to do next. `code` is stable and fit for machines. */
export class UserError extends Error {
  override name = 'UserError'
  readonly code: string
  /** The HTTP status when the refusal reaches a web page or the API. */
  readonly status: number

  constructor(code: string, message: string, options: { status?: number } = {}) {
    super(message)
    this.code = code
    this.status = options.status ?? 422
  }
}

/**
 * Nobody decides about what is their own, not even an admin who is a partner, too. `thing` says what it is in a word or two, such as “deal”; `owner` and
 * `actor` are Discord ids. @throws UserError when they are the same
 */
export function refuseOwn(thing: string, owner: string | null | undefined, actor: string): void {
  if (owner === actor)
    throw new UserError(`own_${thing.replaceAll(' ', '_')}`, `This ${thing} is your own. Another admin decides about it.`)
}
