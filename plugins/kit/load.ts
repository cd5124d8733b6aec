// Sets plugins up in the order of their needs and collects what they contribute. Knows no plugin by name.
import type { FastifyInstance } from 'fastify'
import type { Command, Component } from '../../commands/define.ts'
import type { KeyGuard } from './access.ts'
import type { Listener } from './events.ts'
import type { ExtensionPoint } from './extensions.ts'
import type { Gauge } from './gauges.ts'
import type { JobHandler, Schedule } from './jobs.ts'
import type { Check, Parts, Plugin, SetupContext } from './plugin.ts'

export interface Loaded {
  /** In the order of their needs. */
  readonly plugins: readonly Plugin[]
  readonly commands: readonly (Command & { readonly plugin: string })[]
  readonly commandGroups: Readonly<Record<string, string>>
  readonly components: ReadonlyMap<string, Component>
  readonly listeners: readonly Listener[]
  readonly jobs: ReadonlyMap<string, JobHandler>
  readonly schedules: readonly Schedule[]
  readonly routes: readonly { plugin: string; register: (app: FastifyInstance) => void | Promise<void> }[]
  readonly keyGuard: KeyGuard | undefined
  readonly checks: readonly Check[]
  readonly gauges: readonly Gauge[]
  stop(): Promise<void>
}

/** What the hosts give to every plugin; `load` adds `use` and `contributions`. */
export type ContextFor = (plugin: Plugin) => Omit<SetupContext<unknown>, 'use' | 'contributions'>

/** @throws Error for a cycle, a duplicate or an unmet requirement */
export async function load(plugins: readonly Plugin[], contextFor: ContextFor): Promise<Loaded> {
  const ordered = inOrderOfNeed(plugins)
  const parts = new Map<string, Parts>()
  const contributions = new Map<string, unknown[]>()
  let complete = false
  for (const plugin of ordered) {
    const context = {
      ...contextFor(plugin),
      use: (other: Plugin) => {
        if (!plugin.requires?.some((needed) => needed.id === other.id))
          throw new Error(`Plugin ${plugin.id} uses ${other.id} without naming it in \`requires\``)
        return parts.get(other.id)!.public
      },
      contributions: (point: ExtensionPoint<unknown>) => {
        if (!complete)
          throw new Error(`Plugin ${plugin.id} reads ${point.id} during setup, when not every plugin has contributed yet`)
        return contributions.get(point.id) ?? []
      },
    }
    let made: Parts
    try {
      made = await plugin.setup(context as never)
    } catch (error) {
      await stopAll(ordered, parts)
      throw error
    }
    parts.set(plugin.id, made)
    for (const extension of made.extends ?? [])
      contributions.set(extension.point, [...(contributions.get(extension.point) ?? []), extension.value])
  }
  complete = true
  const all = ordered.map((plugin) => ({ id: plugin.id, parts: parts.get(plugin.id)! }))
  return {
    plugins: ordered,
    commands: unique(
      'command',
      all.flatMap(({ id, parts }) => (parts.commands ?? []).map((command) => ({ ...command, plugin: id }))),
      (command) => command.path,
    ),
    commandGroups: Object.assign({}, ...all.map(({ parts }) => parts.commandGroups ?? {})),
    components: new Map(
      unique(
        'component',
        all.flatMap(({ parts }) => parts.components ?? []),
        (component) => component.ref.id,
      ).map((component) => [component.ref.id, component]),
    ),
    listeners: unique(
      'listener',
      all.flatMap(({ parts }) => parts.listeners ?? []),
      (listener) => listener.id,
    ),
    jobs: new Map(
      unique(
        'job',
        all.flatMap(({ parts }) => parts.jobs ?? []),
        (handler) => handler.job.name,
      ).map((handler) => [handler.job.name, handler]),
    ),
    schedules: unique(
      'schedule',
      all.flatMap(({ parts }) => parts.schedules ?? []),
      (schedule) => schedule.id,
    ),
    routes: all.flatMap(({ id, parts }) => (parts.routes ? [{ plugin: id, register: parts.routes }] : [])),
    keyGuard: unique(
      'part',
      all.flatMap(({ parts }) => (parts.keyGuard ? [parts.keyGuard] : [])),
      () => 'keyGuard',
    )[0],
    checks: all.flatMap(({ parts }) => parts.checks ?? []),
    gauges: unique(
      'gauge',
      all.flatMap(({ parts }) => parts.gauges ?? []),
      (gauge) => gauge.name,
    ),
    stop: () => stopAll(ordered, parts),
  }
}

/** Stops what was set up, the last first. */
async function stopAll(ordered: readonly Plugin[], parts: ReadonlyMap<string, Parts>): Promise<void> {
  for (const plugin of ordered.toReversed()) await parts.get(plugin.id)?.stop?.()
}

/** Sorts plugins so that each comes after what it requires, otherwise keeping the given order. @throws Error naming a cycle or what is missing */
export function inOrderOfNeed(plugins: readonly Plugin[]): Plugin[] {
  unique('plugin', plugins, (plugin) => plugin.id)
  const listed = new Map(plugins.map((plugin) => [plugin.id, plugin]))
  const ordered: Plugin[] = []
  const visit = (plugin: Plugin, path: readonly string[]): void => {
    if (ordered.includes(plugin)) return
    if (path.includes(plugin.id))
      throw new Error(`Plugins require each other in a cycle: ${[...path.slice(path.indexOf(plugin.id)), plugin.id].join(' → ')}`)
    for (const needed of plugin.requires ?? []) {
      const present = listed.get(needed.id)
      if (!present) throw new Error(`Plugin ${plugin.id} requires ${needed.id}, which is not listed`)
      visit(present, [...path, plugin.id])
    }
    ordered.push(plugin)
  }
  for (const plugin of plugins) visit(plugin, [])
  return ordered
}

function unique<T>(what: string, items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Set<string>()
  for (const key of items.map(keyOf)) {
    if (seen.has(key)) throw new Error(`Two plugins declare the ${what} “${key}”`)
    seen.add(key)
  }
  return items
}
