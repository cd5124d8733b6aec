// Which plugins run here: those that come with the house, or what a company lists in siso.config.ts at the root, which may add its own.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { plugins as builtin } from '../plugins/index.ts'
import { ConfigurationError } from '../plugins/kit/environment.ts'
import type { Plugin } from '../plugins/kit/plugin.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const names = ['siso.config.ts', 'siso.config.js']

/** The plugins that siso.config.ts in the directory (the project's root) lists; without that file, those of plugins/index.ts. @throws ConfigurationError when the file cannot be used */
export async function listPlugins(directory = root): Promise<readonly Plugin[]> {
  const name = names.find((candidate) => existsSync(path.join(directory, candidate)))
  if (!name) return builtin
  const exported = await import(pathToFileURL(path.join(directory, name)).href).catch((error: Error) => {
    throw new ConfigurationError(`${name} cannot be read: ${error.message}`)
  })
  const listed: unknown = exported.default?.plugins
  if (!Array.isArray(listed) || !listed.every(isPlugin))
    throw new ConfigurationError(
      `${name} has to export its plugins: export default defineConfig({ plugins: [...plugins, yours] }), with both names from ./plugins/index.ts.`,
    )
  return listed
}

function isPlugin(value: unknown): value is Plugin {
  const { id, setup } = (value ?? {}) as Partial<Plugin>
  return typeof id === 'string' && typeof setup === 'function'
}
