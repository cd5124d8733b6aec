// Lines that must not be lost while the database is away, in files on this machine. Any number of processes may share the directory, at the same time or after
// each other's death. Knows nothing of what the lines say.
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { newId } from '../kit/index.ts'

/** Where clicks wait, below a process's directory. */
export const spoolIn = (dataDirectory: string): string => path.join(dataDirectory, 'spool')

export interface Spool {
  /** Returns once the lines are on the disk. @throws when they cannot be written */
  append(lines: readonly string[]): Promise<void>
  /**
   * Hands over what is there, oldest file first, in portions, and forgets a file once all of it was taken. Lines may be handed over twice (after a crash), and a
   * line that was only half written when the power went, and so was never promised, comes as it is. @throws what `take` throws; the rest stays for another time
   */
  replay(take: (lines: readonly string[]) => Promise<void>): Promise<void>
  close(): Promise<void>
}

const extension = '.spool'
const portion = 500
const idLength = 36

export function createSpool(directory: string): Spool {
  let file: { handle: FileHandle; name: string } | undefined
  let turn: Promise<unknown> = Promise.resolve()
  /** One thing at a time. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work)
    turn = result.catch(() => {})
    return result
  }

  const opened = async () => {
    if (file) return file
    await mkdir(directory, { recursive: true })
    const name = path.join(directory, `${newId()}${extension}`)
    file = { handle: await open(name, 'ax', 0o600), name }
    await syncDirectory(directory)
    return file
  }
  const closeFile = async () => {
    const { handle } = file ?? {}
    file = undefined
    await handle?.close()
  }

  const write = async (text: string): Promise<void> => {
    const { handle, name } = await opened()
    try {
      await handle.appendFile(text)
      await handle.datasync()
    } catch (error) {
      // Half a line may be there: nothing is written behind it.
      await closeFile()
      throw error
    }
    // Whoever replays takes a file away before reading it, so lines behind the last that was read are in a file without its name.
    if (await isStillThere(handle, name)) return
    await closeFile()
    await write(text)
  }

  return {
    append: (lines) => inTurn(() => write(`${lines.join('\n')}\n`)),
    replay: async (take) => {
      await inTurn(closeFile)
      for (const name of await filesIn(directory)) {
        // A name of its own that keeps its place in the order. Whose it was finds it gone.
        const mine = path.join(directory, `${name.slice(0, idLength)}-${randomUUID()}${extension}`)
        try {
          await rename(path.join(directory, name), mine)
          for await (const lines of portionsOf(mine)) await take(lines)
          await rm(mine, { force: true })
        } catch (error) {
          // Another process took it.
          if (!isMissing(error)) throw error
        }
      }
    },
    close: () => inTurn(closeFile),
  }
}

async function filesIn(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith(extension)).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function* portionsOf(name: string): AsyncGenerator<string[]> {
  let lines: string[] = []
  for await (const line of createInterface({ input: createReadStream(name), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line) lines.push(line)
    if (lines.length < portion) continue
    yield lines
    lines = []
  }
  if (lines.length > 0) yield lines
}

async function isStillThere(handle: FileHandle, name: string): Promise<boolean> {
  try {
    return (await stat(name)).ino === (await handle.stat()).ino
  } catch {
    return false
  }
}

/** A new file survives a power cut only once its directory is on the disk, too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  await handle.sync().finally(() => handle.close())
}

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'
