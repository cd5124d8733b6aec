// Brings the roles, channels and commands of a real server up to what the plugins want. Running it again changes nothing.
import { openHouse } from '../app/boot.ts'
import { createLog } from '../app/log.ts'
import { syncCommands } from '../bot/sync.ts'
import { programStore } from '../db/programs.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { inviteLink } from '../plugins/kit/permissions.ts'
import { loadEnvironment, readFlags, runScript } from './command.ts'
import { listPlugins } from './company.ts'

await runScript(async () => {
  const flags = readFlags('npm run setup-guild -- [--guild ID] [--dry-run]', {
    guild: { type: 'string', describe: 'the server’s id; not needed while the bot is in one server only' },
    'dry-run': { type: 'boolean', describe: 'only show what would change' },
  })
  const house = await openHouse({ plugins: await listPlugins(), environment: loadEnvironment(), log: createLog('warn') })
  try {
    const application = (await house.rest.get('/applications/@me')) as { id: string }
    const guilds = (await house.rest.get('/users/@me/guilds')) as { id: string; name: string }[]
    const guild = flags.guild ? guilds.find(({ id }) => id === flags.guild) : guilds.length === 1 ? guilds[0] : undefined
    if (!guild)
      throw new ConfigurationError(
        guilds.length === 0 || flags.guild
          ? `The bot is not in ${flags.guild ? `the server ${flags.guild}` : 'any server'}. Invite it first: ${inviteLink(application.id, house.loaded.plugins)}`
          : `The bot is in ${guilds.length} servers; choose one with --guild:\n${guilds.map(({ id, name }) => `  ${id}  ${name}`).join('\n')}`,
      )
    const dryRun = flags['dry-run'] ?? false
    await house.connection.db.transaction((tx) => programStore.ensure(tx, { guildId: guild.id, name: guild.name }))
    const changes = await house.reconcile(guild.id, {
      dryRun,
      onChange: async (change) =>
        console.log(`${dryRun ? 'would ' : ''}${change.action} ${change.kind} “${change.name}” (${change.because})`),
    })
    if (!dryRun && (await syncCommands(house.rest, application.id, guild.id, house.loaded)).sent)
      console.log('updated the slash commands')
    console.log(
      changes.length === 0
        ? `${guild.name} is as it should be.`
        : `${changes.length} change(s) ${dryRun ? 'would be' : 'were'} made in ${guild.name}.`,
    )
  } finally {
    await house.stop()
  }
})
