// Changing a setting: kept in the audit, told to plugins, and to the staff where money depends on it.
import type { z } from 'zod'
import type { Tx } from '../db/connect.ts'
import { changeSetting } from '../db/settings.ts'
import type { DiscordEffects } from '../plugins/kit/effects.ts'
import { type Emit, settingsChanged } from '../plugins/kit/events.ts'
import { concernsMoney, staffChannel } from '../plugins/kit/settings.ts'
import type { Ctx } from './define.ts'
import { card, literal, type Message, truncate } from './messages.ts'

/** The plugin whose setting is changed: its manifest, or as much of it. */
interface Configurable {
  readonly id: string
  readonly title: string
  readonly config: z.ZodType
}

/**
 * Saves what an admin typed as a setting of the plugin and returns what it is now. Every way to change a setting goes through here, so that the staff
 * hears of each change that money depends on: who made it, and what it was before. @throws UserError that names the setting and what it accepts
 */
export async function saveSetting(
  { emit, discord }: { emit: Emit; discord: DiscordEffects },
  tx: Tx,
  ctx: Pick<Ctx, 'program' | 'user' | 'now' | 'interactionId'>,
  { id, title, config }: Configurable,
  key: string,
  text: string,
): Promise<unknown> {
  const programId = ctx.program.id
  const actor = ctx.user.id
  const { field, was, is } = await changeSetting(tx, { programId, plugin: id, schema: config, key, text }, { actor, at: ctx.now })
  await emit(tx, settingsChanged, { programId, plugin: id, actor })
  if (concernsMoney(config) && show(was) !== show(is))
    await discord.post(tx, {
      programId,
      key: `settings.changed:${id}:${key}:${ctx.interactionId}`,
      channel: staffChannel,
      message: changedForStaff({ title, key, was, is, about: field.description ?? '', actor }),
    })
  return is
}

function changedForStaff(change: { title: string; key: string; was: unknown; is: unknown; about: string; actor: string }): Message {
  const { title, key, was, is, about, actor } = change
  return card({
    title: `${title}: ${key} was changed`,
    body: [`<@${actor}> changed it from **${short(was)}** to **${short(is)}**.`, about],
    footer: 'Was that not meant? Set it back with /admin settings set.',
    tone: 'warn',
  })
}

/** Lists may be long; what they hold in full is shown by /admin settings show. */
const short = (value: unknown): string => literal(truncate(show(value), 300))

/** A setting as an admin would type it. */
export function show(value: unknown): string {
  if (value === '') return '(empty)'
  return typeof value === 'string'
    ? value
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner))
}
