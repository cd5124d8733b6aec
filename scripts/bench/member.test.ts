// The member of the crowd must tell answers from apologies and silence, or the bench of interactions would count what nobody got.
import { ApplicationCommandOptionType, MessageFlags, TextDisplayBuilder } from 'discord.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { aBench, type Bench } from '../../sandbox/discord/testing.ts'
import { connectMember, type Member } from './member.ts'

let bench: Bench
let member: Member

beforeAll(async () => {
  bench = await aBench()
  await bench.guild.commands.set([
    { name: 'well', description: 'Is answered' },
    { name: 'slow', description: 'Is deferred, then answered' },
    { name: 'sorry', description: 'Ends in an apology' },
    { name: 'silent', description: 'Is never answered' },
    {
      name: 'find',
      description: 'Has suggestions',
      options: [{ type: ApplicationCommandOptionType.String, name: 'what', description: 'What', autocomplete: true }],
    },
  ])
  const card = (content: string) =>
    ({
      components: [new TextDisplayBuilder().setContent(content)],
      flags: MessageFlags.IsComponentsV2 | MessageFlags.Ephemeral,
    }) as const
  bench.client.on('interactionCreate', async (interaction) => {
    if (interaction.isAutocomplete()) await interaction.respond([{ name: 'One', value: '1' }])
    if (!interaction.isChatInputCommand()) return
    if (interaction.commandName === 'well') await interaction.reply(card('Here you are'))
    if (interaction.commandName === 'sorry') await interaction.reply(card('Something went wrong on our side'))
    if (interaction.commandName !== 'slow') return
    await interaction.deferReply({ flags: MessageFlags.Ephemeral })
    await interaction.editReply({ components: card('Here you are').components, flags: MessageFlags.IsComponentsV2 })
  })
  const person = await bench.person('ada')
  const index = (await person.rest('GET', `/guilds/${bench.guildId}/application-command-index`)).body.application_commands
  const { id, token } = person
  const place = { api: bench.sandbox.api, guildId: bench.guildId, channelId: bench.general.id, applicationId: bench.application.id }
  member = await connectMember({ ...place, id, token, index, serial: 1 })
})
afterAll(async () => {
  member.leave()
  await bench.close()
})

/** The sample of what is done, once nothing is waited for. */
async function sampleOf(act: () => Promise<void>) {
  await act()
  await vi.waitFor(() => expect(member.waiting).toBe(0), 10_000)
  return member.samples.at(-1)!
}

test.each(['well', 'slow'])('an interaction that is answered has two times: /%s', async (name) => {
  const sample = await sampleOf(() => member.run(name))
  expect(sample.wrong).toBeUndefined()
  expect(sample.answered).toBeGreaterThanOrEqual(sample.first!)
})

test('suggestions are answers, too', async () => {
  expect(await sampleOf(() => member.suggest('find', 'what', 'o'))).toMatchObject({
    kind: 'suggestions',
    answered: expect.any(Number),
  })
})

test('an apology is no answer', async () => {
  expect((await sampleOf(() => member.run('sorry'))).wrong).toMatch(/went wrong/)
})

test('neither is silence', async () => {
  expect(await sampleOf(() => member.run('silent'))).toMatchObject({ wrong: 'no response within three seconds' })
})
