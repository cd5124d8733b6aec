// What the bot may do in a server: the union of what its plugins need. The invite link carries exactly this.
import { PermissionFlagsBits } from 'discord-api-types/v10'
import type { Plugin } from './plugin.ts'

/** The union of the plugins' permissions and the house's own, as Discord's bit field. */
export function permissionsOf(plugins: readonly Plugin[]): bigint {
  return [...housePermissions, ...plugins.flatMap((plugin) => plugin.permissions ?? [])].reduce(
    (bits, name) => bits | PermissionFlagsBits[name],
    0n,
  )
}

/** What keeping roles, channels and messages in place needs. */
export const housePermissions = [
  'ManageRoles',
  'ManageChannels',
  'ViewChannel',
  'SendMessages',
  'SendMessagesInThreads',
  'CreatePublicThreads',
  'CreatePrivateThreads',
  'ManageThreads',
  'ReadMessageHistory',
  'EmbedLinks',
  'AttachFiles',
  'UseApplicationCommands',
] as const satisfies readonly (keyof typeof PermissionFlagsBits)[]

/** The link with which an admin invites the bot. */
export function inviteLink(applicationId: string, plugins: readonly Plugin[]): string {
  return `https://discord.com/oauth2/authorize?${new URLSearchParams({ client_id: applicationId, scope: 'bot applications.commands', permissions: permissionsOf(plugins).toString() })}`
}
