// A local Discord: REST (v9, v10), gateway and /sandbox on one HTTP port, all state in memory.
// Imports nothing of the product; whoever talks to it is an ordinary client.

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Context } from './access.ts'
import { createAlarms } from './alarms.ts'
import { controlRoutes } from './control.ts'
import { createFaults } from './faults.ts'
import { createGateway } from './gateway.ts'
import { createListener, type Exchange, type Route } from './http.ts'
import { createRateLimits } from './ratelimits.ts'
import { answerRoutes } from './rest/answers.ts'
import { applicationRoutes } from './rest/applications.ts'
import { channelRoutes } from './rest/channels.ts'
import { commandRoutes } from './rest/commands.ts'
import { emojiRoutes } from './rest/emojis.ts'
import { eventRoutes } from './rest/events.ts'
import { fileRoutes, uploadRoutes } from './rest/files.ts'
import { guildRoutes } from './rest/guilds.ts'
import { interactionRoutes } from './rest/interactions.ts'
import { inviteRoutes } from './rest/invites.ts'
import { memberRoutes } from './rest/members.ts'
import { messageRoutes } from './rest/messages.ts'
import { pinRoutes } from './rest/pins.ts'
import { pollRoutes } from './rest/polls.ts'
import { reactionRoutes } from './rest/reactions.ts'
import { roleRoutes } from './rest/roles.ts'
import { threadRoutes } from './rest/threads.ts'
import { userRoutes } from './rest/users.ts'
import { webhookCalls, webhookRoutes } from './rest/webhooks.ts'
import { clearWorld, createWorld } from './store.ts'

/** How often the clock is looked at when nobody calls. */
const TICK_MS = 500

export interface DiscordSandboxOptions {
  /** 0 (the default) takes any free port. */
  port?: number
  /** Loopback unless told otherwise. */
  host?: string
  /** Unix milliseconds; drives ids, timestamps, the fifteen minutes of a token, the end of polls and the sleep of threads. */
  clock?: () => number
  /** Further endpoints outside /api on the same port (`/sandbox/mail` and the like). */
  routes?: readonly Route[]
  /** Sees every answered REST call; an independent check of the wire hangs here. */
  observe?: (exchange: Exchange) => void
  /** Called by POST /sandbox/reset, after Discord itself was emptied. */
  onReset?: () => void
  log?: (line: string) => void
}

export interface DiscordSandbox {
  /** http://host:port */
  url: string
  /** What a client's REST base is set to: url + /api */
  api: string
  /** ws://host:port/gateway */
  gateway: string
  port: number
  /** Every endpoint below /api: `GET /channels/:channel`. */
  endpoints: readonly string[]
  close: () => Promise<void>
}

/** Starts the local Discord. Rejects with the system's error when the port is taken. */
export async function createDiscordSandbox(options: DiscordSandboxOptions = {}): Promise<DiscordSandbox> {
  const host = options.host ?? '127.0.0.1'
  const world = createWorld(options.clock ?? Date.now)
  const urls = { http: '', gateway: '' }
  const timers = new Set<NodeJS.Timeout>()
  const context: Context = {
    world,
    gateway: createGateway(world, () => urls.gateway),
    faults: createFaults(),
    limits: createRateLimits(options.clock ?? Date.now),
    alarms: createAlarms(world.now),
    after: (ms, run) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        run()
      }, ms)
      timer.unref()
      timers.add(timer)
      return timer
    },
    webhooks: webhookCalls(() => context),
  }

  const api: Route[] = [
    { method: 'GET', pattern: '/gateway', open: true, handler: () => ({ url: urls.gateway }) },
    {
      method: 'GET',
      pattern: '/gateway/bot',
      handler: () => ({
        url: urls.gateway,
        shards: 1,
        session_start_limit: { total: 1000, remaining: 1000, reset_after: 14_400_000, max_concurrency: 16 },
      }),
    },
    ...userRoutes(context),
    ...applicationRoutes(context),
    ...guildRoutes(context),
    ...emojiRoutes(context),
    ...channelRoutes(context),
    ...roleRoutes(context),
    ...memberRoutes(context),
    ...messageRoutes(context),
    ...reactionRoutes(context),
    ...pinRoutes(context),
    ...pollRoutes(context),
    ...uploadRoutes(context),
    ...threadRoutes(context),
    ...commandRoutes(context),
    ...interactionRoutes(context),
    ...answerRoutes(context),
    ...webhookRoutes(context),
    ...inviteRoutes(context),
    ...eventRoutes(context),
  ]
  const outside = [...controlRoutes(context, options.onReset), ...fileRoutes(context), ...(options.routes ?? [])]
  const listener = createListener({
    world,
    limits: context.limits,
    faults: context.faults,
    api,
    outside,
    before: context.alarms.ring,
    observe: options.observe,
    log: options.log ?? ((line) => process.stderr.write(`${line}\n`)),
  })
  const server = createServer(listener)
  const tick = setInterval(context.alarms.ring, TICK_MS)
  tick.unref()
  server.on('upgrade', (request, socket, head) => context.gateway.upgrade(request, socket, head))
  const port = await listen(server, options.port ?? 0, host)
  const named = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  urls.http = `http://${named}:${port}`
  urls.gateway = `ws://${named}:${port}/gateway`
  world.origin = urls.http

  return {
    url: urls.http,
    api: `${urls.http}/api`,
    gateway: urls.gateway,
    port,
    endpoints: api.map(({ method, pattern }) => `${method} ${pattern}`),
    close: async () => {
      for (const timer of timers) clearTimeout(timer)
      clearInterval(tick)
      context.gateway.close()
      clearWorld(world)
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}
