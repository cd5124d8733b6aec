// Messages, threads and forum posts as a real discord.js client and people see them.

import { AttachmentBuilder, ChannelType, EmbedBuilder, MessageFlags } from 'discord.js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Person } from './person.ts'
import { aBench, type Bench, refusal } from './testing.ts'

let bench: Bench
let ada: Person

beforeAll(async () => {
  bench = await aBench()
  ada = await bench.person('ada')
})
afterAll(() => bench.close())
afterEach(() => {
  bench.client.removeAllListeners('interactionCreate')
})

describe('messages', () => {
  test('embeds, files and replies arrive whole', async () => {
    const first = await bench.general.send({
      embeds: [
        new EmbedBuilder()
          .setTitle('Board')
          .setColor(0xff0000)
          .addFields({ name: 'a', value: 'b' })
          .setImage('attachment://chart.png'),
      ],
      files: [
        new AttachmentBuilder(Buffer.from('89504e470d0a1a0a0000000d4948445200000010000000080806', 'hex'), { name: 'chart.png' }),
        new AttachmentBuilder(Buffer.from('text'), { name: 'note.txt' }),
      ],
    })
    expect(first.embeds[0]).toMatchObject({ title: 'Board', color: 0xff0000 })
    expect([...first.attachments.values()].map((file) => file.name)).toEqual(['note.txt'])
    const image = first.embeds[0]?.image?.url ?? ''
    expect((await fetch(image)).headers.get('content-type')).toBe('image/png')
    const reply = await first.reply('agreed')
    expect(reply.reference?.messageId).toBe(first.id)
    expect((await reply.fetchReference()).id).toBe(first.id)
    const edited = await reply.edit('changed')
    expect([edited.content, edited.editedTimestamp !== null]).toEqual(['changed', true])
    await reply.delete()
    expect(await refusal(bench.general.messages.fetch(reply.id))).toMatchObject({ code: 10008 })
  })

  test('the same nonce with enforce_nonce makes one message', async () => {
    const one = await bench.general.send({ content: 'once', nonce: 'payout-1', enforceNonce: true })
    const two = await bench.general.send({ content: 'once', nonce: 'payout-1', enforceNonce: true })
    expect(two.id).toBe(one.id)
  })

  test('allowed_mentions decides who is mentioned', async () => {
    const silent = await bench.general.send({ content: `<@${ada.id}> @everyone`, allowedMentions: { parse: [] } })
    expect([silent.mentions.users.size, silent.mentions.everyone]).toEqual([0, false])
    const named = await bench.general.send({ content: `<@${ada.id}> <@${bench.owner.id}>`, allowedMentions: { users: [ada.id] } })
    expect([...named.mentions.users.keys()]).toEqual([ada.id])
  })

  test('reactions and pins are seen by others', async () => {
    const message = await bench.general.send('react')
    const seen = new Promise<string | null>((resolve) =>
      bench.client.once('messageReactionAdd', (reaction) => resolve(reaction.emoji.name)),
    )
    expect(
      (await ada.rest('PUT', `/channels/${bench.general.id}/messages/${message.id}/reactions/${encodeURIComponent('🎉')}/@me`))
        .status,
    ).toBe(204)
    expect(await seen).toBe('🎉')
    expect((await message.fetch()).reactions.cache.get('🎉')?.count).toBe(1)
    await message.pin()
    expect((await bench.general.messages.fetchPins()).items.map((pin) => pin.message.id)).toContain(message.id)
  })

  test('a DM is delivered, and refused once the person closed it (50007)', async () => {
    const user = await bench.client.users.fetch(ada.id)
    await user.send('welcome')
    const message = await ada.next('MESSAGE_CREATE', (data) => data.content === 'welcome')
    expect(message.guild_id).toBeUndefined()
    const back = new Promise<string>((resolve) => bench.client.once('messageCreate', (received) => resolve(received.content)))
    await ada.rest('POST', `/channels/${message.channel_id}/messages`, { content: 'thanks' })
    expect(await back).toBe('thanks')
    await bench.control('POST', '/faults', { kind: 'dm_closed', user_id: ada.id })
    expect(await refusal(user.send('again'))).toMatchObject({ code: 50007, status: 403 })
    await bench.control('DELETE', '/faults')
    await user.send('open again')
  })

  test('a poll is voted on and ended', async () => {
    const message = await bench.general.send({
      poll: { question: { text: 'Best?' }, answers: [{ text: 'A' }, { text: 'B' }], duration: 1, allowMultiselect: false },
    })
    const voted = new Promise<number>((resolve) => bench.client.once('messagePollVoteAdd', (answered) => resolve(answered.id)))
    expect(
      (await ada.rest('PUT', `/channels/${bench.general.id}/polls/${message.id}/answers/@me`, { answer_ids: ['2'] })).status,
    ).toBe(204)
    expect(await voted).toBe(2)
    await message.poll?.end()
    const ended = await message.fetch(true)
    expect([ended.poll?.resultsFinalized, ended.poll?.answers.get(2)?.voteCount]).toEqual([true, 1])
  })

  test('an announcement is crossposted once', async () => {
    const news = await bench.guild.channels.create({ name: 'news', type: ChannelType.GuildAnnouncement })
    const message = await news.send('launch')
    await message.crosspost()
    expect((await message.fetch(true)).flags.has(MessageFlags.Crossposted)).toBe(true)
    expect(await refusal(message.crosspost())).toMatchObject({ code: 40033 })
  })

  test('a webhook speaks with its own name', async () => {
    const webhook = await bench.general.createWebhook({ name: 'Alerts' })
    const sent = await webhook.send({ content: 'ping', username: 'Watcher' })
    expect(sent.author.username).toBe('Watcher')
    await webhook.editMessage(sent.id, 'pong')
    expect((await webhook.fetchMessage(sent.id)).content).toBe('pong')
    await webhook.delete()
    expect(await refusal(bench.client.fetchWebhook(webhook.id))).toMatchObject({ code: 10015 })
  })
})

describe('threads', () => {
  test('a private thread is for its members and moderators alone', async () => {
    const thread = await bench.general.threads.create({ name: 'ticket 1', type: ChannelType.PrivateThread, invitable: false })
    const eve = await bench.person('eve')
    expect(await eve.rest('GET', `/channels/${thread.id}`)).toMatchObject({ status: 403, body: { code: 50001 } })
    await thread.members.add(ada.id)
    await ada.next('THREAD_CREATE', (data) => data.id === thread.id)
    await thread.send('how can we help')
    await ada.next('MESSAGE_CREATE', (data) => data.channel_id === thread.id && data.content === 'how can we help')
    expect(eve.events.some((event) => event.d?.channel_id === thread.id)).toBe(false)
    await thread.setLocked(true)
    await thread.setArchived(true)
    expect(await ada.rest('POST', `/channels/${thread.id}/messages`, { content: 'hello?' })).toMatchObject({
      status: 403,
      body: { code: 160005 },
    })
  })

  test('mentioning somebody in a private thread brings them in', async () => {
    const thread = await bench.general.threads.create({ name: 'ticket 2', type: ChannelType.PrivateThread })
    await thread.send(`<@${ada.id}> here we are`)
    await ada.next('THREAD_CREATE', (data) => data.id === thread.id)
    expect((await ada.rest('GET', `/channels/${thread.id}/messages`)).body[0].content).toContain('here we are')
  })

  test('a thread starts from a message and shows in the active list', async () => {
    const message = await bench.general.send('topic')
    const thread = await message.startThread({ name: 'discussion' })
    expect(thread.id).toBe(message.id)
    expect((await message.fetch(true)).hasThread).toBe(true)
    expect((await bench.guild.channels.fetchActiveThreads()).threads.has(thread.id)).toBe(true)
    const again = await bench.bot('POST', `/channels/${bench.general.id}/messages/${message.id}/threads`, { name: 'again' })
    expect(again).toMatchObject({ status: 400, body: { code: 160004 } })
  })

  test('a forum post has tags and a first message with its own id', async () => {
    const forum = await bench.guild.channels.create({
      name: 'Help',
      type: ChannelType.GuildForum,
      availableTags: [{ name: 'billing' }],
    })
    const tag = forum.availableTags[0]?.id ?? ''
    const post = await forum.threads.create({ name: 'Where is my payout', message: { content: 'It is late' }, appliedTags: [tag] })
    expect(post.appliedTags).toEqual([tag])
    expect((await post.fetchStarterMessage())?.content).toBe('It is late')
    expect(
      await refusal(forum.threads.create({ name: 'x', message: { content: 'y' }, appliedTags: ['123456789012345678'] })),
    ).toMatchObject({ code: 50035 })
  })
})

test('every answer and request so far fits the published schema of Discord', () => {
  expect(bench.problems).toEqual([])
})
