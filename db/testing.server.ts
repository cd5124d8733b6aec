// For the test runner: one embedded server and one migrated template database for the whole run; gone afterwards.
import { readdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { connect } from './connect.ts'
import { removeEmbedded, startEmbedded } from './embedded.ts'
import { migrate } from './migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

export const templateDatabase = 'siso_template'

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = await roomyMemory()
  await removeLeftovers(parent)
  const server = await startEmbedded({ directory: path.join(parent, `${prefix}${process.pid}`), unsafeFast: true })
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

const prefix = 'siso-test-'

/** Memory that is a file system, where there is enough of it: ext4 takes ever longer to make the files of a database soon after others were dropped. */
async function roomyMemory(): Promise<string> {
  const memory = '/dev/shm'
  const free = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  )
  return free > 4 * 2 ** 30 ? memory : tmpdir()
}

/** What killed runs left behind. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent))
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length)))) await removeEmbedded(path.join(parent, name))
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
