// A database of its own for each test file, cloned from the migrated template in a few tens of milliseconds.
import { randomBytes } from 'node:crypto'
import { inject } from 'vitest'
import { type Connection, connect } from './connect.ts'

const template = 'siso_template'

/** A fresh, migrated database; `close` drops it. */
export async function testDatabase(options: { max?: number } = {}): Promise<Connection> {
  const serverUrl = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  await onServer(serverUrl, `create database ${name} template ${template}`)
  const connection = await connect(serverUrl.replace(/\/postgres$/, `/${name}`), { max: options.max ?? 4 })
  return {
    ...connection,
    close: async () => {
      await connection.close()
      await onServer(serverUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

async function onServer(url: string, statement: string): Promise<void> {
  const admin = await connect(url, { max: 1 })
  try {
    await admin.sql.unsafe(statement)
  } finally {
    await admin.close()
  }
}
