// Proves the books of every program: every amount against every other, and what other plugins say against the ledger. Exit 1 with the findings when they do not hold.
import { withBooks } from './books.ts'
import { readFlags, runScript } from './command.ts'

await runScript(async () => {
  const { json } = readFlags('npm run proof -- [--json]', { json: { type: 'boolean', describe: 'print one JSON object' } })
  await withBooks(async (books, { connection }) => {
    const { programStore } = await import('../db/programs.ts')
    const proofs: { program: string; name: string; proof: Awaited<ReturnType<typeof books.prove>> }[] = []
    for (const { id, name } of await programStore.all(connection.db))
      proofs.push({ program: id, name, proof: await books.prove(connection.db, id) })
    const ok = proofs.every(({ proof }) => proof.ok)
    if (json) console.log(JSON.stringify({ ok, programs: proofs.map(({ program, name, proof }) => ({ program, name, ...proof })) }))
    else if (proofs.length === 0) console.log('There is no program yet, so there are no books.')
    else
      for (const { name, proof } of proofs) {
        console.log(
          `${proof.ok ? '✓' : '✗'} ${name}: ${proof.transfers} transfers (${proof.sealed} sealed), ${proof.accounts} accounts`,
        )
        for (const { check, detail } of proof.findings) console.log(`    ${check}: ${detail}`)
      }
    if (!ok) process.exitCode = 1
  })
})
