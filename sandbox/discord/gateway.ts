// The gateway: sessions over WebSocket (version 9 and 10, JSON), HELLO to RESUME, and who receives which event.
// Sends what it is given; changes nothing in the world.

import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { Intent, KNOWN_INTENTS } from './intents.ts'
import { channelPermissions, P } from './permissions.ts'
import {
  presentBasicApplication,
  presentChannel,
  presentGatewayGuild,
  presentMember,
  presentMyGuild,
  presentSelf,
  userOf,
} from './present.ts'
import { createSocket, parse, type Socket } from './socket.ts'
import {
  type Application,
  type Channel,
  channelsOf,
  type Guild,
  type Member,
  threadsOf,
  type User,
  type Wire,
  type World,
} from './store.ts'

const HEARTBEAT_MS = 41_250
const RESUMABLE_MS = 5 * 60_000
const BUFFERED = 5_000
const COMMANDS_PER_MINUTE = 120

interface Session {
  id: string
  user: User
  application: Application | null
  intents: number
  seq: number
  buffer: { seq: number; text: string }[]
  socket: Socket | null
  /** Ends the session when nobody resumes it. */
  expiry: NodeJS.Timeout | null
  resumable: boolean
  shard: [number, number]
  /** Channels that a person's client knows of, by guild. */
  visible: Map<string, Set<string>>
}

interface GuildAudience {
  /** Bots need one of these intents. */
  intent?: number
  /** Only those who may view this channel. People always need it; bots only when `botsNeedView`. */
  channel?: Channel
  botsNeedView?: boolean
  botsOnly?: boolean
  peopleOnly?: boolean
}

export interface Gateway {
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Sends to every session of the user. A function makes the payload for each session, or null for none. */
  toUser: (userId: string, event: string, data: Wire | ((viewer: Viewer) => Wire | null), intent?: number) => void
  /** Sends to the named session of the user, or to all of them when it is not known. */
  toSession: (userId: string, sessionId: string | null, event: string, data: Wire) => void
  toGuild: (guild: Guild, event: string, data: Wire | ((viewer: Viewer) => Wire | null), audience?: GuildAudience) => void
  /** Tells the user's sessions of a guild they are now in. */
  joined: (guild: Guild, userId: string) => void
  left: (guild: Guild, userId: string) => void
  /** Tells people's sessions which channels appeared or vanished for them since the last time. */
  syncVisibility: (guild: Guild) => void
  isConnected: (userId: string) => boolean
  /** Cuts the sockets of all bots, or of one user, without a close frame. */
  drop: (userId?: string) => void
  /** Makes the sessions of all bots, or of one user, impossible to resume, and says so (opcode 9). */
  invalidate: (userId?: string) => void
  /** Sends the last `count` events (of the given name) of each bot session once more. */
  replay: (count: number, event?: string) => void
  reset: () => void
  close: () => void
}

/** Who reads a payload. */
export interface Viewer {
  userId: string
  bot: boolean
  intents: number
}

export function createGateway(world: World, gatewayUrl: () => string): Gateway {
  const server = new WebSocketServer({ noServer: true, maxPayload: 15_360 })
  const sessions = new Map<string, Session>()
  const sockets = new Set<WebSocket>()

  const sees = (session: Session, guild: Guild, channel: Channel): boolean => {
    const member = guild.members.get(session.user.id)
    if (!member) return false
    const parent = channel.parent_id === null ? undefined : world.channels.get(channel.parent_id)
    return (channelPermissions(guild, member, channel, parent, world.now()) & P.VIEW_CHANNEL) !== 0n
  }

  function dispatch(session: Session, event: string, data: string): void {
    session.seq += 1
    const text = `{"op":0,"s":${session.seq},"t":${JSON.stringify(event)},"d":${data}}`
    session.buffer.push({ seq: session.seq, text })
    if (session.buffer.length > BUFFERED) session.buffer.shift()
    session.socket?.send(text)
  }

  const viewerOf = (session: Session): Viewer => ({
    userId: session.user.id,
    bot: session.application !== null,
    intents: session.intents,
  })

  function sendTo(targets: Iterable<Session>, event: string, data: Wire | ((viewer: Viewer) => Wire | null)): void {
    const texts = new Map<Wire, string>()
    for (const session of targets) {
      const payload = typeof data === 'function' ? data(viewerOf(session)) : data
      if (payload === null) continue
      const text = texts.get(payload) ?? JSON.stringify(payload)
      texts.set(payload, text)
      dispatch(session, event, text)
    }
  }

  const sessionsOf = (userId: string): Session[] => [...sessions.values()].filter((session) => session.user.id === userId)
  const botSessions = (userId?: string): Session[] =>
    [...sessions.values()].filter((session) => (userId === undefined ? session.application !== null : session.user.id === userId))

  function guildFor(session: Session, guild: Guild): Wire {
    const member = guild.members.get(session.user.id) as Member
    const everybody = [...guild.members.values()]
    const isBot = session.application !== null
    const members = !isBot || session.intents & Intent.PRESENCES ? everybody.slice(0, 1000) : [member]
    if (!isBot) session.visible.set(guild.id, visibleChannels(session, guild))
    return presentGatewayGuild(world, guild, member, members, (channel) => isBot || sees(session, guild, channel))
  }

  function visibleChannels(session: Session, guild: Guild): Set<string> {
    return new Set(
      channelsOf(world, guild.id)
        .filter((channel) => sees(session, guild, channel))
        .map((channel) => channel.id),
    )
  }

  const onShard = (session: Session, guildId: string): boolean =>
    Number((BigInt(guildId) >> 22n) % BigInt(session.shard[1])) === session.shard[0]

  function ready(session: Session): void {
    const guilds = [...world.guilds.values()].filter((guild) => guild.members.has(session.user.id) && onShard(session, guild.id))
    const isBot = session.application !== null
    const dms = [...world.channels.values()].filter((channel) => channel.type === 1 && channel.recipients.includes(session.user.id))
    const common = {
      v: 10,
      user: presentSelf(session.user),
      session_id: session.id,
      session_type: 'normal',
      resume_gateway_url: gatewayUrl(),
      relationships: [],
      presences: [],
      geo_ordered_rtc_regions: [],
      auth: {},
      user_settings: {},
      _trace: ['["sandbox",{"micros":0}]'],
    }
    const data = isBot
      ? {
          ...common,
          shard: session.shard,
          private_channels: [],
          guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
          guild_join_requests: [],
          application: {
            id: session.application?.id,
            flags: presentBasicApplication(world, session.application as Application).flags,
          },
        }
      : {
          ...common,
          private_channels: dms.map((channel) => presentChannel(world, channel, session.user.id)),
          guilds: guilds.map((guild) => ({
            ...guildFor(session, guild),
            permissions: presentMyGuild(world, guild, guild.members.get(session.user.id) as Member).permissions,
          })),
          users: [...new Set(guilds.flatMap((guild) => [...guild.members.keys()]))].map((id) => userOf(world, id)),
          merged_members: guilds.map((guild) => [presentMember(world, guild.members.get(session.user.id) as Member)]),
          read_state: { entries: [], partial: false, version: 0 },
          user_guild_settings: { entries: [], partial: false, version: 0 },
          connected_accounts: [],
          country_code: 'US',
          sessions: [],
        }
    dispatch(session, 'READY', JSON.stringify(data))
    if (!isBot || session.intents & Intent.GUILDS) {
      for (const guild of guilds) dispatch(session, 'GUILD_CREATE', JSON.stringify(guildFor(session, guild)))
    }
  }

  function accept(socket: WebSocket, request: IncomingMessage): void {
    sockets.add(socket)
    const query = new URL(request.url ?? '/', 'http://gateway').searchParams
    const wire = createSocket(socket, query.get('compress') === 'zlib-stream')
    const version = query.get('v')
    if (version !== null && !['6', '7', '8', '9', '10'].includes(version)) {
      wire.close(4012, 'Invalid API version.')
      return
    }
    let session: Session | null = null
    let commands: number[] = []
    let lastBeat = Date.now()
    const watch = setInterval(() => {
      if (Date.now() - lastBeat > HEARTBEAT_MS * 2) wire.close(4009, 'Session timed out.')
    }, HEARTBEAT_MS)
    watch.unref()

    wire.send(
      JSON.stringify({ t: null, s: null, op: 10, d: { heartbeat_interval: HEARTBEAT_MS, _trace: ['["sandbox",{"micros":0}]'] } }),
    )

    socket.on('message', (raw) => {
      const packet = parse(raw)
      if (!packet) return wire.close(4002, 'Error while decoding payload.')
      const now = Date.now()
      commands = [...commands.filter((at) => now - at < 60_000), now]
      if (commands.length > COMMANDS_PER_MINUTE) return wire.close(4008, 'Rate limited.')
      switch (packet.op) {
        case 1:
          lastBeat = now
          return wire.send('{"t":null,"s":null,"op":11,"d":null}')
        case 2:
          if (session) return wire.close(4005, 'Already authenticated.')
          session = identify(wire, packet.d)
          return
        case 6:
          if (session) return wire.close(4005, 'Already authenticated.')
          session = resume(wire, packet.d)
          return
        case 3:
        case 4:
        case 8:
        case 13:
        case 14:
        case 31:
        case 36:
        case 37:
        case 40:
        case 41:
          if (!session) return wire.close(4003, 'Not authenticated.')
          if (packet.op === 8) requestMembers(session, packet.d)
          return
        default:
          return wire.close(4001, 'Unknown opcode.')
      }
    })
    socket.on('close', () => {
      clearInterval(watch)
      sockets.delete(socket)
      if (session && session.socket === wire) abandon(session)
    })
    socket.on('error', () => socket.terminate())
  }

  function abandon(session: Session): void {
    session.socket = null
    session.expiry = setTimeout(() => sessions.delete(session.id), RESUMABLE_MS)
    session.expiry.unref()
  }

  function identify(wire: Socket, data: Wire): Session | null {
    const user = principal(world, data.token)
    if (!user) {
      wire.close(4004, 'Authentication failed.')
      return null
    }
    const application = user.bot ? ([...world.applications.values()].find((one) => one.bot_id === user.id) ?? null) : null
    const intents = typeof data.intents === 'number' ? data.intents : 0
    if (application && (typeof data.intents !== 'number' || (BigInt(intents) & ~BigInt(KNOWN_INTENTS)) !== 0n)) {
      wire.close(4013, 'Invalid intent(s).')
      return null
    }
    const shard = Array.isArray(data.shard) ? (data.shard as [number, number]) : ([0, 1] as [number, number])
    if (!(shard[1] >= 1 && shard[0] >= 0 && shard[0] < shard[1])) {
      wire.close(4010, 'Invalid shard.')
      return null
    }
    const session: Session = {
      id: randomUUID().replaceAll('-', ''),
      user,
      application,
      intents,
      seq: 0,
      buffer: [],
      socket: wire,
      expiry: null,
      resumable: true,
      shard,
      visible: new Map(),
    }
    sessions.set(session.id, session)
    ready(session)
    return session
  }

  function resume(wire: Socket, data: Wire): Session | null {
    const session = sessions.get(String(data.session_id))
    const user = principal(world, data.token)
    const seq = Number(data.seq)
    if (!user) {
      wire.close(4004, 'Authentication failed.')
      return null
    }
    const oldest = session?.buffer[0]?.seq ?? (session?.seq ?? 0) + 1
    if (!session?.resumable || session.user.id !== user.id || seq < oldest - 1) {
      if (session) sessions.delete(session.id)
      wire.send('{"t":null,"s":null,"op":9,"d":false}')
      return null
    }
    if (seq > session.seq) {
      wire.close(4007, 'Invalid seq.')
      return null
    }
    if (session.expiry) clearTimeout(session.expiry)
    session.expiry = null
    session.socket?.close(4000, 'Session resumed elsewhere.')
    session.socket = wire
    for (const entry of session.buffer) if (entry.seq > seq) wire.send(entry.text)
    dispatch(session, 'RESUMED', '{"_trace":["[\\"sandbox\\",{\\"micros\\":0}]"]}')
    return session
  }

  function requestMembers(session: Session, data: Wire): void {
    const ids = [data.guild_id].flat().map(String)
    for (const id of ids) {
      const guild = world.guilds.get(id)
      if (!guild?.members.has(session.user.id)) continue
      const wanted = data.user_ids === undefined ? null : [data.user_ids].flat().map(String)
      const query = typeof data.query === 'string' ? data.query.toLowerCase() : ''
      const limit = Number(data.limit ?? 0)
      if (session.application && wanted === null && query === '' && limit === 0 && !(session.intents & Intent.MEMBERS)) continue
      const found = wanted
        ? wanted.map((userId) => guild.members.get(userId)).filter((member): member is Member => member !== undefined)
        : [...guild.members.values()].filter((member) => {
            const name = world.users.get(member.user_id)?.username.toLowerCase() ?? ''
            return name.startsWith(query) || (member.nick ?? '').toLowerCase().startsWith(query)
          })
      const members = limit > 0 ? found.slice(0, limit) : found
      const chunks = Math.max(1, Math.ceil(members.length / 1000))
      for (let index = 0; index < chunks; index++) {
        dispatch(
          session,
          'GUILD_MEMBERS_CHUNK',
          JSON.stringify({
            guild_id: guild.id,
            members: members.slice(index * 1000, index * 1000 + 1000).map((member) => presentMember(world, member)),
            chunk_index: index,
            chunk_count: chunks,
            ...(wanted ? { not_found: wanted.filter((userId) => !guild.members.has(userId)) } : {}),
            ...(data.presences ? { presences: [] } : {}),
            ...(data.nonce === undefined ? {} : { nonce: data.nonce }),
          }),
        )
      }
    }
  }

  function wants(session: Session, guild: Guild, event: string, audience: GuildAudience): boolean {
    if (!guild.members.has(session.user.id) || !onShard(session, guild.id)) return false
    if (session.application === null) {
      if (audience.botsOnly) return false
      return !audience.channel || sees(session, guild, audience.channel)
    }
    if (audience.peopleOnly) return false
    if (audience.intent !== undefined && !(session.intents & audience.intent) && event !== 'INTERACTION_CREATE') return false
    return !audience.channel || !audience.botsNeedView || sees(session, guild, audience.channel)
  }

  return {
    upgrade: (request, socket, head) => server.handleUpgrade(request, socket, head, (ws) => accept(ws, request)),
    toUser: (userId, event, data, intent) => {
      const targets = sessionsOf(userId).filter(
        (session) => intent === undefined || session.application === null || (session.intents & intent) !== 0,
      )
      sendTo(targets, event, data)
    },
    toSession: (userId, sessionId, event, data) => {
      const all = sessionsOf(userId)
      const named = all.filter((session) => session.id === sessionId)
      sendTo(named.length > 0 ? named : all, event, data)
    },
    toGuild: (guild, event, data, audience = {}) => {
      sendTo(
        [...sessions.values()].filter((session) => wants(session, guild, event, audience)),
        event,
        data,
      )
    },
    joined: (guild, userId) => {
      for (const session of sessionsOf(userId)) {
        if (!onShard(session, guild.id)) continue
        if (session.application && !(session.intents & Intent.GUILDS)) continue
        dispatch(session, 'GUILD_CREATE', JSON.stringify(guildFor(session, guild)))
      }
    },
    left: (guild, userId) => {
      for (const session of sessionsOf(userId)) {
        session.visible.delete(guild.id)
        dispatch(session, 'GUILD_DELETE', JSON.stringify({ id: guild.id }))
      }
    },
    syncVisibility: (guild) => {
      for (const session of sessions.values()) {
        const before = session.visible.get(guild.id)
        if (session.application || !before || !guild.members.has(session.user.id)) continue
        const after = visibleChannels(session, guild)
        session.visible.set(guild.id, after)
        const gained = [...after].filter((id) => !before.has(id))
        for (const id of gained)
          dispatch(session, 'CHANNEL_CREATE', JSON.stringify(presentChannel(world, world.channels.get(id) as Channel)))
        for (const id of before) {
          const channel = world.channels.get(id)
          if (!after.has(id) && channel) dispatch(session, 'CHANNEL_DELETE', JSON.stringify(presentChannel(world, channel)))
        }
        const threads = threadsOf(world, guild.id).filter(
          (thread) => gained.includes(thread.parent_id ?? '') && !thread.thread?.archived && sees(session, guild, thread),
        )
        if (threads.length === 0) continue
        dispatch(
          session,
          'THREAD_LIST_SYNC',
          JSON.stringify({
            guild_id: guild.id,
            channel_ids: [...new Set(threads.map((thread) => thread.parent_id))],
            threads: threads.map((thread) => presentChannel(world, thread, session.user.id)),
            members: [],
          }),
        )
      }
    },
    isConnected: (userId) => sessionsOf(userId).some((session) => session.socket !== null),
    drop: (userId) => {
      for (const session of botSessions(userId)) session.socket?.terminate()
    },
    invalidate: (userId) => {
      for (const session of botSessions(userId)) {
        session.resumable = false
        session.socket?.send('{"t":null,"s":null,"op":9,"d":false}')
      }
    },
    replay: (count, event) => {
      for (const session of botSessions()) {
        const again = session.buffer
          .map((entry) => JSON.parse(entry.text) as { t: string; d: unknown })
          .filter((packet) => packet.t !== 'READY' && packet.t !== 'RESUMED' && (event === undefined || packet.t === event))
          .slice(-count)
        for (const packet of again) dispatch(session, packet.t, JSON.stringify(packet.d))
      }
    },
    reset: () => {
      for (const session of sessions.values()) {
        if (session.expiry) clearTimeout(session.expiry)
        session.socket?.close(4004, 'The sandbox was reset.')
      }
      sessions.clear()
    },
    close: () => {
      for (const session of sessions.values()) if (session.expiry) clearTimeout(session.expiry)
      for (const socket of sockets) socket.terminate()
      server.close()
    },
  }
}

/** The user behind a token: `Bot x` or x for a bot, the plain token for a person. */
export function principal(world: World, token: unknown): User | undefined {
  if (typeof token !== 'string') return undefined
  const plain = token.startsWith('Bot ') ? token.slice(4) : token
  const id = Buffer.from(plain.split('.')[0] ?? '', 'base64url').toString()
  const user = world.users.get(id)
  return user?.token === plain ? user : undefined
}
