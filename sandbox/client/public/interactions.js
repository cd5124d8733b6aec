// What a person does with the bots: commands, suggestions, buttons, selects and forms, over Discord's client wire.

import { changeMessage, insert } from './events.js'
import { freshId } from './format.js'
import { localMessage } from './messages.js'
import { reason } from './notices.js'
import { Permission, permissionsOf } from './permissions.js'
import { rest } from './rest.js'
import { encode } from './slash.js'
import { currentChannel, currentGuild, isThread, state, update } from './store.js'

/** @import { Channel, Message, Runnable } from './types.d.ts' */

/** Requests for commands that have not been answered yet, by server. @type {Map<string, Promise<void>>} */
const asked = new Map()

/** Fetches the commands that may be used in a channel's server, unless they are known. @param {Channel} channel */
export async function loadCommands(channel) {
  if (!state.commands.has(channel.guild_id ?? '@me')) await askForCommands(channel)
}

/** Asks for the commands again: a bot may have registered new ones. Those that are known are offered until then. */
export function refreshCommands() {
  const channel = currentChannel()
  if (channel) void askForCommands(channel)
}

/** Whether the commands of a channel's server are still on their way. @param {Channel} channel */
export const commandsAreAwaited = (channel) => asked.has(channel.guild_id ?? '@me')

/** Asks once at a time. @param {Channel} channel */
async function askForCommands(channel) {
  const key = channel.guild_id ?? '@me'
  const bot = channel.guild_id === undefined ? channel.recipients?.find((user) => user.bot) : undefined
  if (channel.guild_id === undefined && !bot) return
  const asking = asked.get(key) ?? fetchCommands(channel, key).finally(() => asked.delete(key))
  asked.set(key, asking)
  await asking
}

/**
 * @param {Channel} channel
 * @param {string} key
 */
async function fetchCommands(channel, key) {
  const path = channel.guild_id
    ? `/guilds/${channel.guild_id}/application-command-index`
    : `/channels/${channel.id}/application-command-index`
  try {
    const index = await rest('GET', path)
    update((s) =>
      s.commands.set(key, {
        applications: new Map((index.applications ?? []).map((/** @type {any} */ app) => [app.id, app])),
        commands: index.application_commands ?? [],
      }),
    )
  } catch {
    update((s) => s.commands.set(key, s.commands.get(key) ?? { applications: new Map(), commands: [] }))
  }
}

/** The commands offered in the open channel: those whose default permissions the person has. */
export function currentCommands() {
  const index = state.commands.get(state.guildId ?? '@me')
  const guild = currentGuild()
  const channel = currentChannel()
  if (!index || !guild || !channel || !state.me) return index
  const parent = isThread(channel) ? state.channels.get(channel.parent_id ?? '') : undefined
  const held = permissionsOf(guild, state.me.id, channel, parent)
  const offered = index.commands.filter(({ default_member_permissions: wanted }) => {
    if (wanted === null || wanted === undefined) return true
    const needed = BigInt(wanted) || Permission.Administrator
    return (held & needed) === needed
  })
  return { applications: index.applications, commands: offered }
}

/**
 * Runs a slash command in the open channel.
 * @param {Runnable} runnable
 * @param {Map<string, import('./slash.js').Field>} fields
 */
export async function runCommand(runnable, fields) {
  const { data, files } = encode(runnable, fields)
  await invoke(runnable.command, data, runnable.name, files)
}

/**
 * Runs a context-menu command on a user or a message.
 * @param {any} command
 * @param {string} targetId
 */
export async function runOn(command, targetId) {
  const { id, version, name, type, guild_id } = command
  await invoke(
    command,
    { id, version, name, type, ...(guild_id ? { guild_id } : {}), target_id: targetId, options: [], attachments: [] },
    name,
    [],
  )
}

/**
 * @param {any} command
 * @param {unknown} data
 * @param {string} name
 * @param {File[]} files
 */
async function invoke(command, data, name, files) {
  const channel = currentChannel()
  const { me } = state
  if (!channel || !me) return
  const nonce = freshId()
  const application = currentCommands()?.applications.get(command.application_id)
  const author =
    application?.bot ??
    /** @type {any} */ ({ id: application?.id ?? me.id, username: application?.name ?? 'Application', bot: true })
  const interaction = { id: nonce, name, user: me, type: 2, command_type: command.type }
  update((s) => {
    s.pending.set(nonce, { nonce, kind: 'command', channelId: channel.id, state: 'waiting' })
    insert(
      localMessage(channel, author, nonce, {
        type: command.type > 1 ? 23 : 20,
        interaction,
        local: { state: 'sending', text: 'Sending command…' },
      }),
    )
  })
  const error = await interact({ type: 2, application_id: command.application_id, data, nonce }, channel, files)
  if (error !== undefined)
    update(() => {
      changeMessage(channel.id, nonce, (message) => ({ ...message, local: { state: 'failed', text: error } }))
    })
}

/**
 * Asks the bot for choices; the answer arrives in `state.autocomplete` under the nonce that is returned.
 * @param {Runnable} runnable
 * @param {Map<string, import('./slash.js').Field>} fields
 * @param {string} focused
 */
export function autocomplete(runnable, fields, focused) {
  const channel = currentChannel()
  if (!channel) return undefined
  const nonce = freshId()
  const { data } = encode(runnable, fields, focused)
  state.pending.set(nonce, { nonce, kind: 'autocomplete', channelId: channel.id, state: 'waiting' })
  void interact({ type: 4, application_id: runnable.command.application_id, data, nonce }, channel)
  return nonce
}

/**
 * Presses a button or hands in a select of a message.
 * @param {Message} message
 * @param {{ type: number, custom_id: string, values?: string[] }} component
 */
export async function press(message, component) {
  const channel = state.channels.get(message.channel_id) ?? currentChannel()
  if (!channel || !component.custom_id) return
  const nonce = freshId()
  update((s) => {
    for (const pending of s.pending.values())
      if (pending.messageId === message.id && pending.state === 'failed') s.pending.delete(pending.nonce)
    s.pending.set(nonce, {
      nonce,
      kind: 'component',
      channelId: channel.id,
      messageId: message.id,
      customId: component.custom_id,
      state: 'waiting',
    })
  })
  const { type, custom_id, values } = component
  const data = { component_type: type, custom_id, ...(values === undefined ? {} : { type, values }) }
  const application_id = message.application_id ?? message.author.id
  const error = await interact(
    { type: 3, application_id, data, nonce, message_id: message.id, message_flags: message.flags ?? 0 },
    channel,
  )
  if (error !== undefined)
    update((s) => {
      const pending = s.pending.get(nonce)
      if (pending) s.pending.set(nonce, { ...pending, state: 'failed' })
    })
}

/**
 * Sends the open modal's values.
 * @param {unknown[]} components
 * @param {File[]} files
 */
export async function submitModal(components, files) {
  const { modal } = state
  if (!modal) return
  const nonce = freshId()
  const channel = state.channels.get(modal.channel_id) ?? currentChannel()
  if (!channel) return
  update((s) => {
    s.pending.set(nonce, { nonce, kind: 'modal', channelId: channel.id, state: 'waiting' })
    s.modal = { ...modal, submitting: nonce, error: undefined }
  })
  const attachments = files.map((file, id) => ({ id: String(id), filename: file.name }))
  const data = { id: modal.id, custom_id: modal.custom_id, components, ...(files.length > 0 ? { attachments } : {}) }
  const error = await interact({ type: 5, application_id: modal.application_id, data, nonce }, channel, files)
  if (error !== undefined)
    update((s) => {
      s.pending.delete(nonce)
      if (s.modal) s.modal = { ...s.modal, submitting: undefined, error }
    })
}

export function closeModal() {
  update((s) => (s.modal = null))
}

/**
 * @param {Record<string, unknown>} interaction
 * @param {Channel} channel
 * @param {File[]} [files]
 * @returns {Promise<string | undefined>} what went wrong, if anything did
 */
async function interact(interaction, channel, files = []) {
  const place = channel.guild_id === undefined ? {} : { guild_id: channel.guild_id }
  try {
    await rest('POST', '/interactions', { ...interaction, ...place, channel_id: channel.id, session_id: state.sessionId }, files)
    return undefined
  } catch (error) {
    return reason(error)
  }
}
