// Acting on plugins that are set up but have no hosts: commands and components through a recording context, background work when the caller says so.
import { and, asc, isNull, lte } from 'drizzle-orm'
import type { Logger } from 'pino'
import { parseCustomId, readParams } from '../commands/customId.ts'
import type { ComponentInput, Ctx } from '../commands/define.ts'
import type { Message, Modal } from '../commands/messages.ts'
import type { Db } from '../db/connect.ts'
import type { Program } from '../db/programs.ts'
import { outbox } from '../db/tables.ts'
import { createDeliverer } from '../jobs/deliver.ts'
import type { Clock } from '../plugins/kit/clock.ts'
import type { Loaded } from '../plugins/kit/load.ts'

export interface Visitor {
  userId?: string
  username?: string
  isAdmin?: boolean
  /** Another program than the house's own. */
  program?: Program
}

export interface Acting {
  /** Runs a command as this visitor and returns its answer. @throws what the command throws */
  run(path: string, options?: Record<string, unknown>, visitor?: Visitor): Promise<Message | Modal>
  /** Presses a button, chooses from a select, or submits a modal by its custom id. */
  press(customId: string, input?: Partial<ComponentInput>, visitor?: Visitor): Promise<Message | Modal>
  /** Delivers everything that is due, including what that work asks for, until nothing is left. Jobs without a handler in this house are left alone. */
  drain(): Promise<void>
  /** Runs a schedule now. */
  tick(scheduleId: string): Promise<void>
}

/** `atOnce`: how many rows are delivered side by side; one, the default, keeps to the order in which they were written. */
export function createActing(parts: {
  db: Db
  clock: Clock
  log: Logger
  loaded: Loaded
  program: Program
  atOnce?: number
}): Acting {
  const { db, clock, log, loaded, program, atOnce = 1 } = parts
  const deliverer = createDeliverer({ db, clock, log, loaded })
  let interactionCount = 0

  const contextOf = ({
    userId = '100000000000000001',
    username = 'ada',
    isAdmin = false,
    program: place = program,
  }: Visitor): Ctx => ({
    program: place,
    user: { id: userId, username, displayName: username },
    member: { roleIds: [], isAdmin },
    channelId: '800000000000000001',
    locale: 'en-US',
    interactionId: `7${String(++interactionCount).padStart(17, '0')}`,
    now: clock.now(),
    mention: (path) => `\`/${path}\``,
    progress: async () => {},
    followUp: async () => {},
  })
  const checked = async (ctx: Ctx, access: Loaded['commands'][number]['access']) => {
    if (access === 'admin' && !ctx.member.isAdmin) throw new Error('an admin command is run as someone who is no admin')
    if (typeof access === 'object') await access.check(ctx)
    return ctx
  }
  const deliver = async (row: typeof outbox.$inferSelect) => {
    for (const target of deliverer.targetsOf(row)) await deliverer.deliver(row.id, target, 1, new AbortController().signal)
  }

  return {
    run: async (path, given = {}, visitor = {}) => {
      const command = loaded.commands.find((candidate) => candidate.path === path)
      if (!command) throw new Error(`there is no command /${path}`)
      return command.run(await checked(contextOf(visitor), command.access), given as never)
    },
    press: async (customId, input = {}, visitor = {}) => {
      const { id, args } = parseCustomId(customId)
      const component = loaded.components.get(id)
      const params = component && readParams(component.ref, args)
      if (!component || !params) throw new Error(`there is no component for ${customId}`)
      return component.run(await checked(contextOf(visitor), component.access), params as never, {
        values: [],
        fields: {},
        ...input,
      })
    },
    drain: async () => {
      for (let round = 0; round < 100; round++) {
        const due = await db
          .select()
          .from(outbox)
          .where(and(isNull(outbox.doneAt), lte(outbox.availableAt, clock.now())))
          .orderBy(asc(outbox.id))
        const runnable = due.filter((row) => row.kind === 'event' || loaded.jobs.has(row.name))
        if (runnable.length === 0) return
        // As the relay does it: what is fresh and only touches the database together, and one by one when that fails.
        const fresh = runnable.filter((row) => deliverer.isInner(row) && row.relayedAt === null)
        const isDone = await db
          .transaction((tx) => deliverer.deliverTogether(tx, fresh))
          .then(() => true)
          .catch(() => false)
        const waiting = runnable.filter((row) => !isDone || !fresh.includes(row)).values()
        await Promise.all(
          Array.from({ length: atOnce }, async () => {
            for (const row of waiting) await deliver(row)
          }),
        )
      }
      throw new Error('the outbox never runs dry: some work asks for itself')
    },
    tick: async (scheduleId) => {
      const found = loaded.schedules.find((schedule) => schedule.id === scheduleId)
      if (!found) throw new Error(`there is no schedule ${scheduleId}`)
      await found.run()
    },
  }
}
