// Adds to package-lock.json the optional platform packages that npm left out because the registry in reach did not have them. Without them `npm ci` refuses on
// every machine; with them each machine installs its own platform's package and skips the rest. Run it after `npm install` behind a partial mirror.
import { readFile, writeFile } from 'node:fs/promises'

interface Entry {
  version?: string
  dev?: boolean
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
  optionalDependencies?: Record<string, string>
}

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(await readFile(file, 'utf8')) as { packages: Record<string, Entry> }

const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32', 'aix']
const processors: Record<string, string> = {
  arm: 'arm',
  arm64: 'arm64',
  armv7: 'arm',
  x64: 'x64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  loong64: 'loong64',
}

const added: string[] = []
for (const parent of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`
    const platform = platformOf(name)
    if (lock.packages[key] || !platform || !/^\d+\.\d+\.\d+/.test(version)) continue
    lock.packages[key] = { version, ...platform, ...(parent.dev && { dev: true }), optional: true }
    added.push(`${name} ${version}`)
  }
}

if (added.length > 0) {
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`)
}
console.log(
  added.length === 0
    ? 'The lockfile is complete.'
    : `Added ${added.length} platform package(s):\n${added.map((line) => `  ${line}`).join('\n')}`,
)

/** The platform that a package name ends with, such as `core-linux-x64-musl`; undefined for a package of another kind. */
function platformOf(name: string): Pick<Entry, 'os' | 'cpu' | 'libc'> | undefined {
  const words = name.split('/').at(-1)!.split('-')
  const os = words.find((word) => systems.includes(word))
  const cpu = words.map((word) => processors[word]).find(Boolean)
  if (!os || !cpu) return undefined
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined
  return { cpu: [cpu], ...(libc && { libc: [libc] }), os: [os] }
}
