// The few commands no feature owns: /help and /privacy, and /admin for setup, settings, personal data and failed work.
import { z } from 'zod'
import type { Change } from '../bot/guild.ts'
import { listFailed, retryFailed } from '../db/outbox.ts'
import { prune } from '../db/retention.ts'
import { readSettings } from '../db/settings.ts'
import { UserError } from '../plugins/kit/errors.ts'
import { schedule } from '../plugins/kit/jobs.ts'
import { definePlugin, type Plugin, type SetupContext } from '../plugins/kit/plugin.ts'
import { type Command, type Ctx, defineCommand } from './define.ts'
import { helpCommand, helpComponents } from './help.ts'
import { card, literal, type Message, time } from './messages.ts'
import { privacyCommands, privacyComponents } from './privacy.ts'
import { saveSetting, show } from './settings.ts'

/** Makes the guild as the plugins want it and returns what was (or would be) changed. @throws UserError when the bot is not in the guild */
export type Reconcile = (
  guildId: string,
  options: { dryRun: boolean; onChange: (change: Change, done: number) => Promise<void> },
) => Promise<Change[]>

/** What these commands need from the whole house; handed in lazily because they are set up before it is complete. */
interface WholeHouse {
  commands(): readonly (Command & { readonly plugin: string })[]
  plugins(): readonly Plugin[]
  reconcile: Reconcile
}

export function housePlugin(house: WholeHouse): Plugin {
  return definePlugin({
    id: 'house',
    title: 'Help and administration',
    summary: 'Shows what there is, sets the server up, and changes settings.',
    help: {
      partners: {
        id: 'house',
        title: 'Help and your data',
        emoji: '💡',
        about: 'What you can do here, and what is stored about you',
      },
      admins: {
        id: 'house',
        title: 'Setup and upkeep',
        emoji: '🛠️',
        about: 'Roles and channels, settings, failed work, personal data',
      },
    },
    setup: (context: SetupContext<unknown>) => ({
      commandGroups: {
        admin: 'Run the partner program',
        'admin settings': 'See and change settings',
        'admin jobs': 'Work that failed',
        'admin privacy': 'What is stored about a person',
      },
      schedules: [schedule('house.prune', { cron: '17 * * * *' }, async () => void (await prune(context.db, context.clock.now())))],
      commands: [
        helpCommand(house),
        setup(house),
        ...settingsCommands(house, context),
        ...jobCommands(context),
        ...privacyCommands({ db: context.db, plugins: house.plugins }),
      ],
      components: [...helpComponents(house), ...privacyComponents({ db: context.db, plugins: house.plugins })],
    }),
  })
}

function setup(house: WholeHouse): Command {
  return defineCommand({
    path: 'admin setup',
    description: 'Create or mend the roles and channels of the program',
    options: { dry_run: { type: 'boolean', description: 'Only show what would change' } },
    access: 'admin',
    reply: 'ephemeral',
    run: async (ctx, { dry_run: dryRun = false }) => {
      const changes = await house.reconcile(ctx.program.guildId, {
        dryRun,
        onChange: async (change, done) => {
          if (!dryRun && done % 5 === 1)
            await ctx.progress(
              card({
                title: 'Setting up the server …',
                body: `${done} changes so far; now: ${change.kind} “${literal(change.name)}”`,
              }),
            )
        },
      })
      return setupReport(changes, dryRun)
    },
  })
}

const nouns = { role: 'roles', category: 'categories', channel: 'channels' } as const
const verbs = {
  create: { done: 'Created', planned: 'Would create' },
  adopt: { done: 'Took over', planned: 'Would take over' },
  update: { done: 'Mended', planned: 'Would mend' },
} as const

function setupReport(changes: readonly Change[], dryRun: boolean): Message {
  if (changes.length === 0)
    return card({
      title: 'Everything is in place',
      body: 'Roles and channels are as they should be. Nothing was changed.',
      tone: 'good',
    })
  const groups = Map.groupBy(changes, ({ action, kind }) => `${verbs[action][dryRun ? 'planned' : 'done']} ${nouns[kind]}`)
  return card({
    title: dryRun ? `${changes.length} changes would be made` : `The server is set up: ${changes.length} changes`,
    fields: [...groups].map(([name, members]) => ({
      name,
      value: members
        .map((change) => literal(change.name) + (change.action === 'update' ? ` (${literal(change.because)})` : ''))
        .join(' · '),
    })),
    tone: dryRun ? 'neutral' : 'good',
    ...(dryRun && { footer: 'Run /admin setup without dry_run to make them.' }),
  })
}

function settingsCommands(house: WholeHouse, context: SetupContext<unknown>): Command[] {
  const configurable = () => house.plugins().filter((plugin) => plugin.config)
  const suggestPlugin = async (_: Ctx, typed: string) =>
    configurable()
      .filter((plugin) => plugin.id.includes(typed.toLowerCase()))
      .map((plugin) => ({ name: plugin.title, value: plugin.id }))
  const find = (id: string): Plugin & { config: z.ZodType } => {
    const plugin = configurable().find((candidate) => candidate.id === id)
    if (!plugin?.config)
      throw new UserError(
        'unknown_plugin',
        `There are no settings for “${id}”. Choose one of: ${configurable()
          .map((candidate) => candidate.id)
          .join(', ')}.`,
      )
    return plugin as Plugin & { config: z.ZodType }
  }
  const fieldsOf = (schema: z.ZodType): Record<string, z.ZodType> =>
    schema instanceof z.ZodObject ? (schema.shape as Record<string, z.ZodType>) : {}
  const suggestSetting = async (_: Ctx, typed: string) =>
    configurable()
      .flatMap((plugin) => Object.keys(fieldsOf(plugin.config!)).map((key) => `${plugin.id} ${key}`))
      .filter((name) => name.toLowerCase().includes(typed.toLowerCase()))
      .map((name) => ({ name, value: name }))

  return [
    defineCommand({
      path: 'admin settings show',
      description: 'The settings of one plugin',
      options: { plugin: { type: 'string', description: 'Which plugin', required: true, suggest: suggestPlugin } },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const plugin = find(options.plugin)
        const values = (await readSettings(context.db, ctx.program.id, plugin.id, plugin.config)) as Record<string, unknown>
        return card({
          title: `Settings of ${plugin.title}`,
          fields: Object.entries(fieldsOf(plugin.config)).map(([key, field]) => ({
            name: `${key} = ${literal(show(values[key]))}`,
            value: field.description ?? '',
          })),
          footer: 'Change one with /admin settings set.',
        })
      },
    }),
    defineCommand({
      path: 'admin settings set',
      description: 'Change one setting',
      options: {
        setting: {
          type: 'string',
          description: 'Plugin and setting, such as “commissions holdDays”',
          required: true,
          suggest: suggestSetting,
        },
        value: { type: 'string', description: 'The new value', required: true, max: 1000 },
      },
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx, options) => {
        const [id = '', key = ''] = options.setting.trim().split(/\s+/)
        const plugin = find(id)
        const value = await context.db.transaction((tx) => saveSetting(context, tx, ctx, plugin, key, options.value))
        return card({
          title: 'Setting saved',
          body: `**${plugin.title}** · ${key} is now **${literal(show(value))}**.`,
          tone: 'good',
        })
      },
    }),
  ]
}

function jobCommands({ db, programs }: SetupContext<unknown>): Command[] {
  return [
    defineCommand({
      path: 'admin jobs failed',
      description: 'Background work that was set aside after its last try',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const rows = await listFailed(db, ctx.program.id)
        const isOnlyProgram = (await programs.all(db)).length === 1
        // What belongs to no program may name another's customers.
        const causeOf = ({ programId, lastError }: (typeof rows)[number]) =>
          programId !== null || isOnlyProgram
            ? literal(lastError ?? '')
            : 'It belongs to no program: `npm run doctor` names its cause.'
        if (rows.length === 0)
          return card({
            title: 'No failed work',
            body: 'Everything that was asked for has been done or is on its way.',
            tone: 'good',
          })
        return card({
          title: 'Work that was set aside',
          body: rows.map((row) => `**${row.name}** ${time(row.failedAt!)}\n${causeOf(row)}`),
          tone: 'warn',
          footer: 'When the cause is mended, run /admin jobs retry.',
        })
      },
    }),
    defineCommand({
      path: 'admin jobs retry',
      description: 'Try failed work again',
      access: 'admin',
      reply: 'ephemeral',
      run: async (ctx) => {
        const count = await retryFailed(db, ctx.program.id)
        return card({ title: count === 0 ? 'Nothing to retry' : `${count} pieces of work are tried again`, tone: 'good' })
      },
    }),
  ]
}
