// Components as they are kept: ids given to all, defaults filled in, addresses resolved; and walking through them.

import { Component } from './components.ts'
import type { Wire } from './store.ts'

/** Makes an address of a component's media usable: what `attachment://name` points at, as Discord answers it. */
export type ResolveMedia = (address: string) => Wire

/** The stored form: ids given to all, defaults filled in, nulls dropped, attachments resolved. */
export function storeComponents(components: readonly unknown[], resolve: ResolveMedia): Wire[] {
  const used = new Set<number>()
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect)
    else if (typeof value === 'object' && value !== null) {
      const component = value as Wire
      if (typeof component.id === 'number' && typeof component.type === 'number' && component.id > 0) used.add(component.id)
      for (const key of ['components', 'component', 'accessory']) collect(component[key])
    }
  }
  collect(components)
  let next = 1
  const freshId = (): number => {
    while (used.has(next)) next++
    used.add(next)
    return next
  }
  const picture = (media: unknown): Wire => {
    const { name: _name, size: _size, ...rest } = resolve(String((media as Wire).url))
    return rest
  }
  const store = (value: unknown): Wire => {
    const source = withoutNulls(value as Wire)
    const ident = typeof source.id === 'number' && source.id > 0 ? source.id : freshId()
    const result: Wire = { ...source, type: source.type, id: ident }
    switch (source.type) {
      case Component.ROW:
        result.components = (source.components as unknown[]).map(store)
        break
      case Component.BUTTON:
        if (source.emoji) result.emoji = storeEmoji(source.emoji as Wire)
        break
      case Component.STRING_SELECT:
        result.min_values = source.min_values ?? 1
        result.max_values = source.max_values ?? 1
        result.options = (source.options as Wire[]).map((option) => {
          const kept = withoutNulls(option)
          return kept.emoji ? { ...kept, emoji: storeEmoji(kept.emoji as Wire) } : kept
        })
        break
      case Component.USER_SELECT:
      case Component.ROLE_SELECT:
      case Component.MENTIONABLE_SELECT:
      case Component.CHANNEL_SELECT:
        result.min_values = source.min_values ?? 1
        result.max_values = source.max_values ?? 1
        break
      case Component.SECTION:
        result.components = (source.components as unknown[]).map(store)
        result.accessory = store(source.accessory)
        break
      case Component.THUMBNAIL:
        result.media = picture(source.media)
        result.description = source.description ?? null
        result.spoiler = source.spoiler ?? false
        break
      case Component.MEDIA_GALLERY:
        result.items = (source.items as Wire[]).map((item) => ({
          media: picture(item.media),
          description: item.description ?? null,
          spoiler: item.spoiler ?? false,
        }))
        break
      case Component.FILE: {
        const file = resolve(String((source.file as Wire).url))
        const { name, size, ...rest } = file
        result.file = rest
        result.name = name ?? null
        result.size = size ?? null
        result.spoiler = source.spoiler ?? false
        break
      }
      case Component.SEPARATOR:
        result.spacing = source.spacing ?? 1
        result.divider = source.divider ?? true
        break
      case Component.CONTAINER:
        result.components = (source.components as unknown[]).map(store)
        result.accent_color = source.accent_color ?? null
        result.spoiler = source.spoiler ?? false
        break
      case Component.LABEL:
        result.component = store(source.component)
        break
      default:
        break
    }
    return result
  }
  return components.map(store)
}

function storeEmoji(source: Wire): Wire {
  return {
    ...(source.id ? { id: String(source.id) } : {}),
    name: source.name ?? '',
    ...(source.animated ? { animated: true } : {}),
  }
}

export function withoutNulls(source: Wire): Wire {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== null && value !== undefined))
}

/** All components of a message or modal, flattened. */
export function flatten(components: readonly Wire[]): Wire[] {
  return components.flatMap((component) => [
    component,
    ...flatten((component.components as Wire[] | undefined) ?? []),
    ...flatten(component.accessory ? [component.accessory as Wire] : []),
    ...flatten(component.component ? [component.component as Wire] : []),
  ])
}

/** Text that people read in Components V2 (mentions in it count as mentions of the message). */
export function displayedText(components: readonly Wire[]): string {
  return flatten(components)
    .filter((component) => component.type === Component.TEXT_DISPLAY)
    .map((component) => String(component.content))
    .join('\n')
}
