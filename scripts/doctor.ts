// Looks at everything that must be right outside the program, changes nothing, and says how to mend what is wrong. Exit 1 when something is.
import {
  type APIApplication,
  type APIGuildMember,
  type APIRole,
  ApplicationFlags,
  PermissionFlagsBits,
  Routes,
} from 'discord-api-types/v10'
import { type House, openHouse } from '../app/boot.ts'
import { createLog } from '../app/log.ts'
import { programStore } from '../db/programs.ts'
import { openQueueStore } from '../jobs/queue.ts'
import { inviteLink, permissionsOf } from '../plugins/kit/permissions.ts'
import type { Check } from '../plugins/kit/plugin.ts'
import { loadEnvironment, readFlags, runScript } from './command.ts'
import { listPlugins } from './company.ts'

await runScript(async () => {
  const { json } = readFlags('npm run doctor -- [--json]', { json: { type: 'boolean', describe: 'print one JSON object' } })
  const log = createLog('silent')
  // Configuration, database version and migrations are checked by opening the house; its errors say what to do.
  const house = await openHouse({ plugins: await listPlugins(), environment: loadEnvironment(), log })
  try {
    const results: { title: string; problem: string | undefined }[] = [
      { title: 'configuration, database, migrations', problem: undefined },
    ]
    for (const { title, run } of [...houseChecks(house), ...house.loaded.checks]) {
      const problem = await run().catch(
        (error: unknown) => `The check itself failed: ${error instanceof Error ? error.message : String(error)}`,
      )
      results.push({ title, problem })
    }
    const ok = results.every((result) => result.problem === undefined)
    if (json)
      console.log(
        JSON.stringify({
          ok,
          checks: results.map(({ title, problem }) => ({
            title,
            ok: problem === undefined,
            ...(problem !== undefined && { problem }),
          })),
        }),
      )
    else
      for (const { title, problem } of results)
        console.log(problem === undefined ? `✓ ${title}` : `✗ ${title}\n    ${problem.replaceAll('\n', '\n    ')}`)
    if (!ok) process.exitCode = 1
  } finally {
    await house.stop()
  }
})

function houseChecks(house: House): Check[] {
  const { env, rest, connection } = house
  const application = () => rest.get(Routes.currentApplication()) as Promise<APIApplication>
  return [
    {
      title: 'queue store',
      run: async () => {
        const store = await openQueueStore({ redisUrl: env.REDIS_URL, databaseUrl: connection.url, log: createLog('silent') })
        await store.queue('work').waitUntilReady()
        await store.close()
        return undefined
      },
    },
    {
      title: 'Discord: the token and the Server Members intent',
      run: async () => {
        const { flags = 0 } = await application()
        const allowed = (flags & (ApplicationFlags.GatewayGuildMembers | ApplicationFlags.GatewayGuildMembersLimited)) !== 0
        return allowed
          ? undefined
          : 'The bot may not see who joins. Switch on “Server Members Intent” at https://discord.com/developers/applications → your application → Bot.'
      },
    },
    {
      title: 'Discord: permissions in every server',
      run: async () => {
        const { id } = await application()
        const guilds = (await rest.get(Routes.userGuilds())) as { id: string; name: string }[]
        if (guilds.length === 0) return `The bot is in no server. Invite it: ${inviteLink(id, house.loaded.plugins)}`
        const lacking = await Promise.all(
          guilds.map(async (guild) => ({ guild, missing: await missingPermissions(house, guild.id) })),
        )
        const bad = lacking.filter(({ missing }) => missing.length > 0)
        return bad.length === 0
          ? undefined
          : `${bad.map(({ guild, missing }) => `In ${guild.name} the bot lacks: ${missing.join(', ')}.`).join('\n')}\nInvite it again to grant them: ${inviteLink(id, house.loaded.plugins)}`
      },
    },
    {
      title: 'Discord: roles and channels of every program',
      run: async () => {
        const problems: string[] = []
        for (const program of await programStore.all(connection.db)) {
          const changes = await house.reconcile(program.guildId, { dryRun: true, onChange: async () => {} })
          if (changes.length > 0)
            problems.push(
              `${program.name}: ${changes.length} roles or channels differ. Run \`npm run setup-guild -- --guild ${program.guildId}\` or /admin setup.`,
            )
        }
        return problems.length === 0 ? undefined : problems.join('\n')
      },
    },
    {
      title: 'background work',
      run: async () => {
        const [row] = await connection.sql<{ failed: number; late: number }[]>`
          select count(*) filter (where failed_at is not null)::int as failed,
                 count(*) filter (where failed_at is null and available_at < now() - interval '10 minutes')::int as late
          from core_outbox where done_at is null`
        const [unassigned] = await connection.sql<{ name: string; error: string }[]>`
          select name, last_error as error from core_outbox where done_at is null and failed_at is not null and program_id is null order by id desc limit 1`
        const example = unassigned ? ` The newest that belongs to no program, ${unassigned.name}: ${unassigned.error}` : ''
        if (row!.failed > 0)
          return `${row!.failed} pieces of work were set aside. See /admin jobs failed, mend the cause, then /admin jobs retry.${example}`
        return row!.late > 0
          ? `${row!.late} pieces of work wait for more than ten minutes. Is a process with ROLE=worker (or all) running?`
          : undefined
      },
    },
    {
      title: 'webhooks',
      run: async () => {
        const parked = await connection.sql<
          { source: string; count: number }[]
        >`select source, count(*)::int as count from core_webhooks where parked_at is not null and handled_at is null group by source`
        return parked.length === 0
          ? undefined
          : parked.map((row) => `${row.count} events of ${row.source} are parked: see /admin ${row.source} parked.`).join('\n')
      },
    },
  ]
}

async function missingPermissions({ rest, loaded }: House, guildId: string): Promise<string[]> {
  const { id } = (await rest.get(Routes.user())) as { id: string }
  const member = (await rest.get(Routes.guildMember(guildId, id))) as APIGuildMember
  const roles = (await rest.get(Routes.guildRoles(guildId))) as APIRole[]
  const has = roles
    .filter((role) => role.id === guildId || member.roles.includes(role.id))
    .reduce((bits, role) => bits | BigInt(role.permissions), 0n)
  if ((has & PermissionFlagsBits.Administrator) !== 0n) return []
  const wanted = permissionsOf(loaded.plugins)
  return Object.entries(PermissionFlagsBits).flatMap(([name, bit]) => ((wanted & bit) !== 0n && (has & bit) === 0n ? [name] : []))
}
