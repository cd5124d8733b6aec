// Fails with a sentence when the files in db/migrations cannot be put in order. Part of `npm run check`.
import { allMigrations } from '../db/migrate.ts'
import { runScript } from './command.ts'

await runScript(async () => void (await allMigrations()))
