// Brings the database at DATABASE_URL up to date, and says what was done.
import { houseEnvironment } from '../app/environment.ts'
import { connect } from '../db/connect.ts'
import { migrate } from '../db/migrate.ts'
import { ConfigurationError, readEnvironment } from '../plugins/kit/environment.ts'
import { loadEnvironment, runScript } from './command.ts'

await runScript(async () => {
  const { DATABASE_URL } = readEnvironment(
    houseEnvironment.filter(({ name }) => name === 'DATABASE_URL'),
    loadEnvironment(),
  )
  if (!DATABASE_URL)
    throw new ConfigurationError(
      'DATABASE_URL is missing. The embedded database migrates itself at the start; this command is for a server of your own.',
    )
  const connection = await connect(DATABASE_URL, { max: 1 })
  try {
    const applied = await migrate(connection)
    console.log(
      applied.length === 0
        ? 'The database is up to date.'
        : `Applied ${applied.length} migration(s):\n${applied.map((name) => `  ${name}`).join('\n')}`,
    )
  } finally {
    await connection.close()
  }
})
