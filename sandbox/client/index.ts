// Serves the browser client of the local Discord: one page, its plain modules and its fonts, all from this machine.
// It knows no guild and no person: the page learns everything over Discord's own wire and the /sandbox endpoints.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import { Reply, type Route } from '../discord/http.ts'

export interface ClientOptions {
  /** Where the page lives, without a trailing slash. Default `/client`. */
  prefix?: string
  /** Base of Discord's REST API as the browser sees it. Default `/api/v9` on the same origin; another origin must allow this one. */
  api?: string
  /** Base of the sandbox's control endpoints as the browser sees it. Default `/sandbox` on the same origin. */
  control?: string
  /** The control endpoints that exist: the page hides what belongs to a missing one and never calls it. Default: people and guilds. */
  features?: readonly Feature[]
}

/** GET /people and POST /people; GET /guilds and PUT /guilds/:guild/members/:user; GET /mail; GET /links; GET /guide; GET /demo and POST /demo/reset. */
export type Feature = 'people' | 'guilds' | 'mail' | 'links' | 'guide' | 'reset'

/** One file of the client. `body` reads it anew, so an edit shows after a reload. */
export interface Asset {
  /** Whole path of the url. */
  path: string
  headers: Record<string, string>
  body: () => Promise<Buffer>
}

const here = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

const MODULES = { preact: 'dist/preact.mjs', 'preact/hooks': 'hooks/dist/hooks.mjs', htm: 'dist/htm.mjs' } as const

/** Fonts close to Discord's own. They are optional: without them the page takes what the machine has. */
const FONTS = { '@fontsource-variable/noto-sans': 'index.css', 'twemoji-colr-font': 'twemoji.css' } as const

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/** Adds the client to a Fastify server: the page at `<prefix>/`, its files below. Throws when a browser library is not installed. */
export async function registerClient(app: FastifyInstance, options: ClientOptions = {}): Promise<void> {
  const prefix = prefixOf(options)
  for (const asset of await clientAssets(options)) {
    const isPage = asset.path === prefix
    app.get(isPage ? `${prefix}/` : asset.path, async (_request, reply) => reply.headers(asset.headers).send(await asset.body()))
  }
  app.get(prefix, (request, reply) => reply.redirect(`${prefix}/${request.url.slice(prefix.length)}`))
}

/** The client as routes of the local Discord's own server, for `createDiscordSandbox({ routes })`: page, API and gateway on one port. */
export async function clientRoutes(options: ClientOptions = {}): Promise<Route[]> {
  const assets = await clientAssets(options)
  return assets.map((asset) => ({
    method: 'GET',
    pattern: asset.path,
    open: true,
    handler: async () => new Reply(200, await asset.body(), asset.headers),
  }))
}

/** Every file of the client; the page itself has the path `prefix`. Throws when a browser library is not installed. */
export async function clientAssets(options: ClientOptions = {}): Promise<Asset[]> {
  const prefix = prefixOf(options)
  const fonts = await fontAssets(prefix)
  const styles = fonts.filter((asset) => asset.path.endsWith('.css')).map((asset) => asset.path)
  const config = {
    api: options.api ?? '/api/v9',
    control: options.control ?? '/sandbox',
    features: Object.fromEntries((options.features ?? ['people', 'guilds']).map((feature) => [feature, true])),
  }
  return [
    await pageAsset(prefix, styles),
    fixedAsset(`${prefix}/config.json`, JSON.stringify(config)),
    ...(await publicAssets(prefix)),
    ...Object.entries(MODULES).map(([name, file]) =>
      fileAsset(moduleUrl(prefix, name), join(requiredRoot(name.split('/')[0]!), file)),
    ),
    ...fonts,
  ]
}

async function pageAsset(prefix: string, styles: readonly string[]): Promise<Asset> {
  const importMap = JSON.stringify({
    imports: Object.fromEntries(Object.keys(MODULES).map((name) => [name, moduleUrl(prefix, name)])),
  })
  const template = await readFile(join(here, 'public/index.html'), 'utf8')
  const html = template
    .replaceAll('{{prefix}}', prefix)
    .replace('"{{importMap}}"', importMap)
    .replace('{{fonts}}', styles.map((href) => `<link rel="stylesheet" href="${href}">`).join(''))
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
    "style-src 'self' 'unsafe-inline'",
    'img-src * data: blob:',
    'media-src * data: blob:',
    'connect-src *',
    "object-src 'none'",
    "base-uri 'none'",
  ].join('; ')
  const asset = fixedAsset(prefix, html)
  return {
    ...asset,
    headers: {
      ...asset.headers,
      'content-type': TYPES['.html']!,
      'content-security-policy': policy,
      'referrer-policy': 'no-referrer',
    },
  }
}

async function publicAssets(prefix: string): Promise<Asset[]> {
  const root = join(here, 'public')
  const names = await readdir(root, { recursive: true })
  return names
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => ['.js', '.css', '.svg'].includes(extname(name)))
    .map((name) => fileAsset(`${prefix}/assets/${name}`, join(root, name)))
}

/** The style sheets of the installed fonts, and exactly the files that these name. */
async function fontAssets(prefix: string): Promise<Asset[]> {
  const found = Object.entries(FONTS).map(async ([name, css]) => {
    const root = packageRoot(name)
    if (root === undefined) return []
    const text = await readFile(join(root, css), 'utf8')
    const files = [...text.matchAll(/url\(["']?(?:\.\/)?([^"')]+\.woff2)["']?\)/g)].map((match) => match[1]!)
    return [css, ...new Set(files)].map((file) => fileAsset(`${prefix}/fonts/${name.replace('@', '')}/${file}`, join(root, file)))
  })
  return (await Promise.all(found)).flat()
}

function fileAsset(path: string, file: string): Asset {
  return { path, headers: headersFor(path), body: () => readFile(file) }
}

function fixedAsset(path: string, text: string): Asset {
  return { path, headers: headersFor(path), body: async () => Buffer.from(text) }
}

const headersFor = (path: string): Record<string, string> => ({
  'content-type': TYPES[extname(path)] ?? 'application/octet-stream',
  'cache-control': path.endsWith('.woff2') ? 'max-age=86400' : 'no-store',
  'x-content-type-options': 'nosniff',
})

const prefixOf = (options: ClientOptions): string => options.prefix ?? '/client'
const moduleUrl = (prefix: string, name: string): string => `${prefix}/modules/${name.replace('/', '-')}.js`

function packageRoot(name: string): string | undefined {
  const folders = require.resolve.paths(name) ?? []
  return folders.map((folder) => join(folder, name)).find((root) => existsSync(join(root, 'package.json')))
}

function requiredRoot(name: string): string {
  const root = packageRoot(name)
  if (root === undefined) throw new Error(`The browser client needs the npm package "${name}", which is not installed: run npm ci.`)
  return root
}
