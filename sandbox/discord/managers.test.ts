// What programs do through discord.js's own managers, step by step, each on what the steps before left behind: the local Discord answers so that the library is content.

import {
  AttachmentBuilder,
  AuditLogEvent,
  ChannelType,
  type ForumChannel,
  type GuildMember,
  GuildScheduledEventEntityType,
  GuildScheduledEventPrivacyLevel,
  GuildScheduledEventStatus,
  type Message,
  MessageFlags,
  type NewsChannel,
  type PrivateThreadChannel,
  type PublicThreadChannel,
  type Role,
  type TextChannel,
  TextDisplayBuilder,
  type Webhook,
} from 'discord.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Person } from './person.ts'
import { aBench, type Bench, refusal } from './testing.ts'

let bench: Bench
let ada: Person
let bob: Person
/** What the steps hand on. */
const made = {} as {
  member: GuildMember
  role: Role
  room: TextChannel
  news: NewsChannel
  forum: ForumChannel
  message: Message<true>
  thread: PublicThreadChannel
  hidden: PrivateThreadChannel
  hook: Webhook
}

beforeAll(async () => {
  bench = await aBench()
  ada = await bench.person('ada')
  bob = await bench.person('bob')
})
afterAll(() => bench.close())

const steps: readonly [name: string, step: () => Promise<unknown>][] = [
  // members and roles
  [
    'members are fetched one by one',
    async () => {
      made.member = await bench.guild.members.fetch(ada.id)
      expect(made.member.user.username).toBe('ada')
    },
  ],
  ['members are searched', async () => expect((await bench.guild.members.search({ query: 'bo', limit: 5 })).size).toBe(1)],
  ['members are listed in pages', async () => expect((await bench.guild.members.list({ limit: 2 })).size).toBe(2)],
  [
    'a role is made',
    async () => {
      made.role = await bench.guild.roles.create({ name: 'Gold', colors: { primaryColor: 'Gold' }, hoist: true, reason: 'a test' })
      expect(made.role.hexColor).toBe('#f1c40f')
    },
  ],
  ['a role is moved', async () => expect((await made.role.setPosition(1)).position).toBe(1)],
  ['a role is edited', async () => expect((await made.role.edit({ mentionable: true })).mentionable).toBe(true)],
  ['a role is given', async () => expect((await made.member.roles.add(made.role)).roles.cache.has(made.role.id)).toBe(true)],
  ['all roles are set', async () => expect((await made.member.roles.set([])).roles.cache.size).toBe(1)],
  ['a nickname is set', async () => expect((await made.member.setNickname('Countess')).displayName).toBe('Countess')],
  [
    'a member is timed out and let free',
    async () => {
      expect((await made.member.timeout(60_000)).isCommunicationDisabled()).toBe(true)
      expect((await made.member.timeout(null)).isCommunicationDisabled()).toBe(false)
    },
  ],
  ['roles are fetched', async () => expect((await bench.guild.roles.fetch()).has(made.role.id)).toBe(true)],
  // channels
  [
    'a channel is made in a category',
    async () => {
      const parent = await bench.guild.channels.create({ name: 'Rooms', type: ChannelType.GuildCategory })
      made.room = await bench.guild.channels.create({ name: 'room', parent, topic: 'a room' })
      expect(made.room.parent?.name).toBe('Rooms')
    },
  ],
  [
    'a channel is edited',
    async () => expect((await made.room.edit({ topic: 'the room', rateLimitPerUser: 5 })).rateLimitPerUser).toBe(5),
  ],
  [
    'an overwrite is set and taken back',
    async () => {
      await made.room.permissionOverwrites.edit(bob.id, { ViewChannel: false })
      expect(made.room.permissionsFor(bob.id)?.has('ViewChannel')).toBe(false)
      await made.room.permissionOverwrites.delete(bob.id)
      expect(made.room.permissionsFor(bob.id)?.has('ViewChannel')).toBe(true)
    },
  ],
  [
    'a channel takes the permissions of its category',
    async () => expect((await made.room.lockPermissions()).permissionsLocked).toBe(true),
  ],
  [
    'a channel is cloned and deleted',
    async () => {
      const copy = await made.room.clone({ name: 'copy' })
      await copy.delete('not needed')
      expect(bench.guild.channels.cache.has(copy.id)).toBe(false)
    },
  ],
  ['channels are fetched', async () => expect((await bench.guild.channels.fetch()).has(made.room.id)).toBe(true)],
  [
    'channel positions are set',
    async () => expect(await bench.guild.channels.setPositions([{ channel: made.room.id, position: 1 }])).toBeTruthy(),
  ],
  ['typing is shown', async () => made.room.sendTyping()],
  // messages
  [
    'a message with a file is sent and fetched',
    async () => {
      const files = [new AttachmentBuilder(Buffer.from('a,b'), { name: 'data.csv', description: 'numbers' })]
      const sent = await made.room.send({ content: 'a file', files })
      made.message = await made.room.messages.fetch(sent.id)
      expect(made.message.attachments.first()).toMatchObject({ name: 'data.csv', description: 'numbers', size: 3 })
    },
  ],
  ['a message is edited', async () => expect((await made.message.edit('a changed file')).editedAt).not.toBeNull()],
  ['a message is answered', async () => expect((await made.message.reply('yes')).reference?.messageId).toBe(made.message.id)],
  [
    'its embeds are suppressed',
    async () => expect((await made.message.suppressEmbeds()).flags.has(MessageFlags.SuppressEmbeds)).toBe(true),
  ],
  [
    'a reaction is made, listed and removed',
    async () => {
      const reaction = await made.message.react('👍')
      expect((await reaction.users.fetch()).has(bench.client.user.id)).toBe(true)
      await reaction.users.remove(bench.client.user.id)
      await made.message.react('🎉')
      await made.message.reactions.removeAll()
    },
  ],
  [
    'a message is pinned, listed and unpinned',
    async () => {
      await made.message.pin()
      expect((await made.room.messages.fetchPins()).items[0]?.message.id).toBe(made.message.id)
      await made.message.unpin()
    },
  ],
  [
    'messages are fetched around one',
    async () => expect((await made.room.messages.fetch({ around: made.message.id, limit: 5 })).size).toBeGreaterThan(1),
  ],
  [
    'messages are deleted in bulk',
    async () => {
      const sent = [await made.room.send('one'), await made.room.send('two')]
      expect((await made.room.bulkDelete(sent)).size).toBe(2)
    },
  ],
  [
    'text in components is sent and edited',
    async () => {
      const text = (content: string) => [new TextDisplayBuilder().setContent(content)]
      const sent = await made.room.send({ components: text('# One'), flags: MessageFlags.IsComponentsV2 })
      expect((await sent.edit({ components: text('# Two') })).components[0]).toMatchObject({ data: { content: '# Two' } })
    },
  ],
  [
    'a poll is sent and ended',
    async () => {
      const poll = { question: { text: 'Yes?' }, answers: [{ text: 'Yes', emoji: '👍' }], duration: 1, allowMultiselect: false }
      const sent = await made.room.send({ poll })
      await ada.rest('PUT', `/channels/${made.room.id}/polls/${sent.id}/answers/@me`, { answer_ids: ['1'] })
      expect((await sent.poll?.answers.first()?.voters.fetch())?.has(ada.id)).toBe(true)
      expect((await sent.poll?.end())?.poll?.resultsFinalized).toBe(true)
    },
  ],
  [
    'a direct message is sent',
    async () => {
      const sent = await (await bench.client.users.fetch(ada.id)).send('hello')
      expect(sent.channel.isDMBased()).toBe(true)
      expect(await ada.next('MESSAGE_CREATE', (data) => data.content === 'hello')).not.toHaveProperty('guild_id')
    },
  ],
  // threads and forums
  [
    'a thread is started on a message',
    async () => {
      made.thread = (await made.message.startThread({ name: 'about it', autoArchiveDuration: 60 })) as PublicThreadChannel
      expect((await made.thread.fetchStarterMessage())?.id).toBe(made.message.id)
    },
  ],
  [
    'people are added to a thread and taken out',
    async () => {
      await made.thread.members.add(ada.id)
      expect((await made.thread.members.fetch()).has(ada.id)).toBe(true)
      await made.thread.members.remove(ada.id)
    },
  ],
  [
    'a private thread is made',
    async () => {
      made.hidden = (await made.room.threads.create({
        name: 'hidden',
        type: ChannelType.PrivateThread,
        invitable: false,
      })) as PrivateThreadChannel
      expect(made.hidden.invitable).toBe(false)
    },
  ],
  [
    'a thread is locked and archived, and found again',
    async () => {
      await made.thread.setLocked(true)
      await made.thread.setArchived(true)
      expect((await made.room.threads.fetchArchived()).threads.has(made.thread.id)).toBe(true)
      expect((await bench.guild.channels.fetchActiveThreads()).threads.has(made.hidden.id)).toBe(true)
    },
  ],
  [
    'a thread is joined, left and deleted',
    async () => {
      await made.hidden.leave()
      await made.hidden.join()
      await made.hidden.delete()
    },
  ],
  [
    'a forum with tags is made',
    async () => {
      made.forum = await bench.guild.channels.create({
        name: 'ideas',
        type: ChannelType.GuildForum,
        availableTags: [{ name: 'new', moderated: false, emoji: { id: null, name: '✨' } }],
      })
      expect(made.forum.availableTags[0]).toMatchObject({ name: 'new', emoji: { name: '✨' } })
    },
  ],
  [
    'a post is written, tagged anew and pinned',
    async () => {
      const [tag] = made.forum.availableTags
      const post = await made.forum.threads.create({ name: 'An idea', message: { content: 'this' }, appliedTags: [tag?.id ?? ''] })
      expect(post.appliedTags).toEqual([tag?.id])
      await post.setAppliedTags([])
      expect((await post.pin()).flags.bitfield).toBe(2)
    },
  ],
  ['tags are replaced', async () => expect((await made.forum.setAvailableTags([{ name: 'old' }])).availableTags).toHaveLength(1)],
  // announcements, webhooks, invites
  [
    'an announcement is published to a follower',
    async () => {
      made.news = await bench.guild.channels.create({ name: 'news', type: ChannelType.GuildAnnouncement })
      await made.news.addFollower(made.room)
      const sent = await made.news.send('extra!')
      expect((await sent.crosspost()).flags.has(MessageFlags.Crossposted)).toBe(true)
      await expect.poll(async () => (await made.room.messages.fetch({ limit: 1, cache: false })).first()?.content).toBe('extra!')
    },
  ],
  [
    'a webhook sends, edits and deletes',
    async () => {
      made.hook = await made.room.createWebhook({ name: 'Till', reason: 'a test' })
      const sent = await made.hook.send({ content: 'sold', username: 'Shop' })
      expect(sent.author.username).toBe('Shop')
      await made.hook.editMessage(sent.id, 'sold out')
      expect((await made.hook.fetchMessage(sent.id)).content).toBe('sold out')
      await made.hook.deleteMessage(sent.id)
    },
  ],
  [
    'webhooks are listed, edited and deleted',
    async () => {
      expect((await bench.guild.fetchWebhooks()).has(made.hook.id)).toBe(true)
      expect((await made.hook.edit({ name: 'Desk' })).name).toBe('Desk')
      await made.hook.delete()
    },
  ],
  [
    'an invite is made, fetched, listed and deleted',
    async () => {
      const invite = await made.room.createInvite({ maxAge: 60, maxUses: 1, unique: true })
      expect((await bench.client.fetchInvite(invite.code)).guild?.id).toBe(bench.guildId)
      expect((await bench.guild.invites.fetch()).has(invite.code)).toBe(true)
      await invite.delete()
    },
  ],
  // events
  [
    'an event is made, started and its people listed',
    async () => {
      const event = await bench.guild.scheduledEvents.create({
        name: 'Webinar',
        scheduledStartTime: Date.now() + 60_000,
        scheduledEndTime: Date.now() + 120_000,
        privacyLevel: GuildScheduledEventPrivacyLevel.GuildOnly,
        entityType: GuildScheduledEventEntityType.External,
        entityMetadata: { location: 'online' },
      })
      await ada.rest('PUT', `/guilds/${bench.guildId}/scheduled-events/${event.id}/users/@me`)
      expect((await event.fetchSubscribers({ withMember: true })).first()?.user.id).toBe(ada.id)
      expect((await event.setStatus(GuildScheduledEventStatus.Active)).status).toBe(GuildScheduledEventStatus.Active)
      expect((await bench.guild.scheduledEvents.fetch()).size).toBe(1)
      await event.delete()
    },
  ],
  // the application and the server
  ['the application is fetched', async () => expect((await bench.client.application.fetch()).owner?.id).toBe(bench.owner.id)],
  [
    'commands are made, edited, fetched and deleted',
    async () => {
      const command = await bench.guild.commands.create({ name: 'hello', description: 'Says hello' })
      expect((await command.edit({ description: 'Greets' })).description).toBe('Greets')
      expect((await bench.guild.commands.fetch()).size).toBe(1)
      await command.delete()
    },
  ],
  [
    'the server is edited and fetched',
    async () => {
      await bench.guild.edit({ name: 'House', systemChannel: bench.general })
      expect((await bench.guild.fetch()).name).toBe('House')
    },
  ],
  [
    'an emoji is made, listed and deleted',
    async () => {
      const emoji = await bench.guild.emojis.create({ name: 'party', attachment: Buffer.from('x') })
      expect((await bench.guild.emojis.fetch()).has(emoji.id)).toBe(true)
      await emoji.delete()
    },
  ],
  ['onboarding is read', async () => expect((await bench.guild.fetchOnboarding()).enabled).toBe(false)],
  ['integrations are listed', async () => expect((await bench.guild.fetchIntegrations()).size).toBe(1)],
  [
    'somebody is banned, listed and let in again',
    async () => {
      await bench.guild.members.ban(bob.id, { reason: 'a test' })
      expect((await bench.guild.bans.fetch(bob.id)).reason).toBe('a test')
      expect((await bench.guild.bans.fetch()).size).toBe(1)
      await bench.guild.members.unban(bob.id)
    },
  ],
  [
    'somebody is kicked',
    async () => {
      await made.member.kick('a test')
      expect(await refusal(bench.guild.members.fetch({ user: ada.id, force: true }))).toMatchObject({ code: 10007, status: 404 })
    },
  ],
  [
    'the audit log tells who did what and why',
    async () => {
      const log = await bench.guild.fetchAuditLogs({ type: AuditLogEvent.MemberKick })
      expect(log.entries.first()).toMatchObject({ reason: 'a test', executorId: bench.client.user.id, targetId: ada.id })
    },
  ],
  [
    'a role is deleted',
    async () => {
      await made.role.delete()
      await expect.poll(() => bench.guild.roles.cache.has(made.role.id)).toBe(false)
    },
  ],
]

test.each(steps)('%s', async (_, step) => {
  await step()
})

test('every answer and request fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
