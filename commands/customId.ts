// The codec of custom ids: `plugin.action:arg:arg`, at most 100 characters, so that a button works after any restart without stored state.

export interface ComponentRef<P extends string = string> {
  /** `plugin.action`; unique in the house. */
  readonly id: string
  readonly params: readonly P[]
}

export type ParamsOf<R> = R extends ComponentRef<infer P> ? Record<P, string> : never

const longest = 100

/** Declares a component's id and the parameters that travel in its custom id. */
export function componentRef<const P extends string = never>(id: string, params: readonly P[] = []): ComponentRef<P> {
  if (!/^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$/.test(id))
    throw new Error(`“${id}” is not a component id: write plugin.action in lower case`)
  return { id, params }
}

/** The custom id for these parameters. @throws Error when it would be longer than Discord allows */
export function customId<P extends string>(ref: ComponentRef<P>, params: Record<P, string>): string {
  const encoded = [
    ref.id,
    ...ref.params.map((name) => params[name].replace(/[%:]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)),
  ].join(':')
  if (encoded.length > longest)
    throw new Error(`The custom id of ${ref.id} has ${encoded.length} characters; Discord allows ${longest}`)
  return encoded
}

/** The id and raw arguments of a custom id, whoever made it. */
export function parseCustomId(text: string): { id: string; args: string[] } {
  const [id = '', ...args] = text.split(':')
  return {
    id,
    args: args.map((arg) => arg.replace(/%(25|3a)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))),
  }
}

/** The parameters by name, or undefined when their number does not fit (a button from an older version). */
export function readParams<P extends string>(ref: ComponentRef<P>, args: readonly string[]): Record<P, string> | undefined {
  if (args.length !== ref.params.length) return undefined
  return Object.fromEntries(ref.params.map((name, i) => [name, args[i]!])) as Record<P, string>
}
