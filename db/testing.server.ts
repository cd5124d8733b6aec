// For the test runner: one embedded server and one migrated template database for the whole run; gone afterwards.
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { connect } from './connect.ts'
import { startEmbedded } from './embedded.ts'
import { migrate } from './migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

export const templateDatabase = 'siso_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbedded({ directory: path.join(tmpdir(), `siso-test-${process.pid}`), unsafeFast: true })
  const admin = await connect(server.url, { max: 1 })
  await admin.sql.unsafe(`create database ${templateDatabase}`)
  await admin.close()
  const template = await connect(server.url.replace(/\/postgres$/, `/${templateDatabase}`), { max: 1 })
  await migrate(template)
  await template.close()
  project.provide('postgresUrl', server.url)
  return async () => {
    await server.stop()
    await rm(server.directory, { recursive: true, force: true })
  }
}
