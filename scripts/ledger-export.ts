// Writes the books of a program to a file or to the standard output: CSV with one line for each entry, or a journal for hledger.
import { createWriteStream } from 'node:fs'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import { withBooks } from './books.ts'
import { readFlags, runScript } from './command.ts'

await runScript(async () => {
  const flags = readFlags('npm run ledger-export -- [--format csv|journal] [--guild ID] [--month 2026-11] [--out FILE]', {
    format: { type: 'string', default: 'journal', describe: 'csv or journal (default: journal)' },
    guild: { type: 'string', describe: 'the Discord id of the server; needed when there are several programs' },
    month: { type: 'string', describe: 'only what was posted in this month of the program, as 2026-11' },
    out: { type: 'string', describe: 'the file to write (default: the standard output)' },
  })
  const { format, guild, month, out } = flags
  if (format !== 'csv' && format !== 'journal') throw new ConfigurationError(`--format is csv or journal, not “${format}”.`)
  if (month !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new ConfigurationError(`--month is a month such as 2026-11, not “${month}”.`)
  await withBooks(async (_books, { connection: { db } }) => {
    const { programStore } = await import('../db/programs.ts')
    const { rangeOf } = await import('../plugins/kit/index.ts')
    const { exportLedger } = await import('../plugins/ledger/export.ts')
    const programs = (await programStore.all(db)).filter(({ guildId }) => guild === undefined || guildId === guild)
    const [program] = programs
    if (!program)
      throw new ConfigurationError(guild === undefined ? 'There is no program yet.' : `No program belongs to the server ${guild}.`)
    if (programs.length > 1)
      throw new ConfigurationError(
        `There are several programs. Name one with --guild:\n${programs.map(({ guildId, name }) => `  ${guildId}  ${name}`).join('\n')}`,
      )
    const stream = new PassThrough()
    const written = pipeline(stream, out === undefined ? process.stdout : createWriteStream(out), { end: out !== undefined })
    const range = month === undefined ? {} : { range: rangeOf(month, program.timeZone) }
    const count = await exportLedger(db, { programId: program.id, format, ...range }, async (text) => {
      if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve))
    })
    stream.end()
    await written
    process.stderr.write(`${count} transfers${out === undefined ? '' : ` in ${out}`}\n`)
  })
})
