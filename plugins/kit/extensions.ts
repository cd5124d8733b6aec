// Extension points: the second of the two ways in which plugins influence each other. The plugin that is extended owns the point.

declare const contribution: unique symbol

export interface ExtensionPoint<T> {
  readonly id: string
  readonly [contribution]?: T
}

export interface Extension {
  readonly point: string
  readonly value: unknown
}

/** Declares a point; ids are `plugin.point`. */
export function defineExtensionPoint<T>(id: string): ExtensionPoint<T> {
  return { id }
}

/** Contributes a value to a point of another plugin; return it in `extends` of the setup. */
export function extend<T>(point: ExtensionPoint<T>, value: T): Extension {
  return { point: point.id, value }
}
