// From gateway to handler: claims the interaction, defers as declared, checks access, runs, and answers whatever happens. Never a hanging "thinking…".
import { randomBytes } from 'node:crypto'
import {
  type AutocompleteInteraction,
  type ChatInputCommandInteraction,
  type Interaction,
  MessageFlags,
  type ModalMessageModalSubmitInteraction,
} from 'discord.js'
import { eq } from 'drizzle-orm'
import type { Logger } from 'pino'
import { parseCustomId, readParams } from '../commands/customId.ts'
import {
  type Access,
  type Command,
  type Component,
  type ComponentReply,
  type Ctx,
  isModal,
  type ProgramInfo,
} from '../commands/define.ts'
import { beginning, card, type Message, type Modal } from '../commands/messages.ts'
import type { Db } from '../db/connect.ts'
import { type Program, programStore } from '../db/programs.ts'
import { interactions, messages } from '../db/tables.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import { UserError } from '../plugins/kit/errors.ts'
import type { Loaded } from '../plugins/kit/load.ts'
import { type Answerable, factsOf, inputOf, optionsOf, pathOf, toPayload } from './context.ts'
import type { CommandIds } from './sync.ts'

export interface Router {
  handle(interaction: Interaction): Promise<void>
  /** The ids of the interactions that are being handled. */
  running(): string[]
  /** Resolves when no interaction is being handled. */
  idle(): Promise<void>
}

export function createRouter({
  db,
  clock,
  log,
  loaded,
  idsOf,
  measure,
}: {
  db: Db
  clock: Clock
  log: Logger
  loaded: Pick<Loaded, 'commands' | 'components'>
  /** Discord's ids of a guild's commands, once they are known. */
  idsOf: (guildId: string) => CommandIds | undefined
  /** Told how long the acknowledgement and the answer of an interaction took. */
  measure?: ((action: string, stage: 'acknowledged' | 'answered', ms: number) => void) | undefined
}): Router {
  const commands = new Map(loaded.commands.map((command) => [command.path, command]))
  const running = new Map<Promise<void>, string>()

  async function handle(interaction: Interaction): Promise<void> {
    if (interaction.isAutocomplete()) return suggest(interaction)
    if (!(interaction.isChatInputCommand() || interaction.isMessageComponent() || interaction.isModalSubmit())) return
    const startedAt = performance.now()
    const plan = planFor(interaction, commands, loaded.components)
    try {
      if (!(await claim(interaction, showsThinking(interaction, plan.reply)))) return
    } catch (error) {
      return apologise(interaction, plan, error)
    }
    try {
      await defer(interaction, plan.reply)
      if (plan.reply !== 'modal') measure?.(plan.name, 'acknowledged', performance.now() - startedAt)
      const program = await programOf(db, interaction)
      const ctx = contextFor(interaction, program, clock.now(), idsOf(program.guildId))
      await checkAccess(ctx, plan.access)
      await answer(interaction, plan.reply, await plan.run(ctx))
    } catch (error) {
      await apologise(interaction, plan, error)
    } finally {
      measure?.(plan.name, 'answered', performance.now() - startedAt)
      await db
        .update(interactions)
        .set({ finishedAt: clock.now(), token: null })
        .where(eq(interactions.id, interaction.id))
        .catch((error: unknown) => log.warn({ err: error }, 'an interaction could not be marked as finished'))
    }
  }

  /** The first to insert the id may answer: after a RESUME events replay, and two instances may see one interaction. */
  async function claim(interaction: Answerable, deferred: boolean): Promise<boolean> {
    const claimed = await db
      .insert(interactions)
      .values({
        id: interaction.id,
        applicationId: interaction.applicationId,
        token: interaction.token,
        deferred,
        createdAt: clock.now(),
      })
      .onConflictDoNothing()
      .returning({ id: interactions.id })
    return claimed.length > 0
  }

  async function suggest(interaction: AutocompleteInteraction): Promise<void> {
    try {
      const focused = interaction.options.getFocused(true)
      const command = commands.get(pathOf(interaction))
      const option = command?.options[focused.name]
      const program = await programOf(db, interaction)
      const ctx: Ctx = {
        ...factsOf(interaction, program, clock.now(), idsOf(program.guildId)),
        progress: async () => {},
        followUp: async () => {},
      }
      if (command) await checkAccess(ctx, command.access)
      const choices = option?.type === 'string' && option.suggest ? await option.suggest(ctx, focused.value) : []
      await interaction.respond(choices.slice(0, 25).map(({ name, value }) => ({ name: beginning(name, 100), value })))
    } catch (error) {
      if (!(error instanceof UserError)) log.warn({ err: error }, 'suggestions failed')
      await interaction.respond([]).catch(() => {})
    }
  }

  async function apologise(interaction: Answerable, plan: Plan, error: unknown): Promise<void> {
    const message = error instanceof UserError ? refusal(error) : bugCard(report(interaction, plan, error))
    try {
      if (!interaction.replied && !interaction.deferred)
        await interaction.reply({ ...toPayload(message), flags: MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral })
      else if (plan.reply !== 'public' && showsThinking(interaction, plan.reply)) await interaction.editReply(toPayload(message))
      else {
        if (plan.reply === 'public') await interaction.deleteReply()
        await interaction.followUp({ ...toPayload(message), flags: MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral })
      }
    } catch (failure) {
      log.error({ err: failure, interaction: interaction.id }, 'an interaction could not be answered')
    }
  }

  function report(interaction: Answerable, plan: Plan, error: unknown): string {
    const id = randomBytes(4).toString('hex')
    log.error(
      { err: error, errorId: id, interaction: interaction.id, action: plan.name, user: interaction.user.id },
      'an interaction failed',
    )
    return id
  }

  return {
    handle: (interaction) => {
      const work = handle(interaction)
        .catch((error: unknown) => log.error({ err: error }, 'the router failed'))
        .finally(() => running.delete(work))
      running.set(work, interaction.id)
      return work
    },
    running: () => [...running.values()],
    idle: async () => {
      while (running.size > 0) await Promise.all(running.keys())
    },
  }
}

interface Plan {
  name: string
  reply: ComponentReply
  access: Access
  run(ctx: Ctx): Promise<Message | Modal>
}

function planFor(
  interaction: Answerable,
  commands: ReadonlyMap<string, Command>,
  components: ReadonlyMap<string, Component>,
): Plan {
  if (interaction.isChatInputCommand()) {
    const command = commands.get(pathOf(interaction))
    if (!command) return stale(`/${pathOf(interaction)}`)
    const options = defaults(command, interaction)
    return {
      name: `/${command.path}`,
      reply: command.reply,
      access: command.access,
      run: (ctx) => command.run(ctx, options as never),
    }
  }
  const { id, args } = parseCustomId(interaction.customId)
  const component = components.get(id)
  const params = component && readParams(component.ref, args)
  if (!component || !params) return stale(id)
  return {
    name: id,
    reply: component.reply,
    access: component.access,
    run: (ctx) => component.run(ctx, params as never, inputOf(interaction)),
  }
}

function defaults(command: Command, interaction: ChatInputCommandInteraction): Record<string, unknown> {
  const given = optionsOf(interaction)
  return Object.fromEntries(Object.keys(command.options).map((name) => [name, given[name]]))
}

function stale(name: string): Plan {
  return {
    name,
    reply: 'ephemeral',
    access: 'everyone',
    run: () =>
      Promise.reject(
        new UserError(
          'stale_control',
          'This control belongs to an older version of the bot. Run the command again to get a fresh one.',
        ),
      ),
  }
}

/** Whether the deferral shows “thinking…”, which has to be replaced by an answer whatever happens. */
function showsThinking(interaction: Answerable, reply: ComponentReply): boolean {
  if (reply === 'update') return !interaction.isMessageComponent() && !isFormOfMessage(interaction)
  return reply !== 'modal'
}

function isFormOfMessage(interaction: Answerable): interaction is ModalMessageModalSubmitInteraction {
  return interaction.isModalSubmit() && interaction.isFromMessage()
}

async function defer(interaction: Answerable, reply: ComponentReply): Promise<void> {
  if (reply === 'modal') return
  if (reply === 'update' && (interaction.isMessageComponent() || isFormOfMessage(interaction))) await interaction.deferUpdate()
  else await interaction.deferReply(reply === 'public' ? {} : { flags: MessageFlags.Ephemeral })
}

async function answer(interaction: Answerable, reply: ComponentReply, result: Message | Modal): Promise<void> {
  if (!isModal(result)) {
    if (interaction.deferred) await interaction.editReply(toPayload(result))
    else await interaction.reply({ ...toPayload(result), flags: MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral })
    return
  }
  if (reply !== 'modal' || interaction.isModalSubmit())
    throw new Error('only an interaction declared with reply: modal may answer with a form')
  await interaction.showModal(result)
}

function contextFor(interaction: Answerable, program: ProgramInfo, now: Date, ids: CommandIds | undefined): Ctx {
  return {
    ...factsOf(interaction, program, now, ids),
    progress: async (message) => {
      if (interaction.deferred) await interaction.editReply(toPayload(message))
    },
    followUp: async (message) => {
      await interaction.followUp({ ...toPayload(message), flags: MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral })
    },
  }
}

/** In a guild by its id; in a DM by the message that the control sits on. */
async function programOf(db: Db, interaction: Answerable | AutocompleteInteraction): Promise<Program> {
  if (interaction.guildId) {
    const program = await programStore.byGuild(db, interaction.guildId)
    if (program) return program
    throw new UserError('no_program', 'This server has no partner program yet. An admin can start one with /admin setup.')
  }
  const messageId = 'message' in interaction ? interaction.message?.id : undefined
  const [row] = messageId
    ? await db.select({ programId: messages.programId }).from(messages).where(eq(messages.messageId, messageId))
    : []
  if (!row) throw new UserError('not_in_server', 'This works in the server of your partner program. Open it there and try again.')
  return programStore.byId(db, row.programId)
}

async function checkAccess(ctx: Ctx, access: Access): Promise<void> {
  if (access === 'everyone') return
  if (access !== 'admin') return access.check(ctx)
  if (!ctx.member.isAdmin)
    throw new UserError('admins_only', 'This is for admins of the server (permission “Manage Server”). Ask one of them for help.')
}

function refusal(error: UserError): Message {
  return card({ title: 'That did not work', body: error.message, tone: 'warn' })
}

function bugCard(id: string): Message {
  return card({
    title: 'Something went wrong on our side',
    body: `It was recorded and the team can look into it. Please try again in a moment; if it happens again, give an admin this number: \`${id}\`.`,
    tone: 'bad',
  })
}
