// One gateway connection of one person: hello, identify, heartbeat, resume. Hands every dispatch on and knows nothing of its meaning.

const Op = {
  Dispatch: 0,
  Heartbeat: 1,
  Identify: 2,
  PresenceUpdate: 3,
  Resume: 6,
  Reconnect: 7,
  RequestMembers: 8,
  InvalidSession: 9,
  Hello: 10,
  Ack: 11,
}

/** Close codes after which trying again with the same token is pointless. */
const FINAL = new Set([4004, 4010, 4011, 4012, 4013, 4014])

/**
 * Opens a connection that reconnects until `close()`.
 * @param {{ url: string, token: string,
 *   onDispatch: (event: string, data: any) => void,
 *   onStatus: (status: 'connecting' | 'lost' | 'refused') => void }} options
 */
export function openGateway({ url, token, onDispatch, onStatus }) {
  /** @type {WebSocket | undefined} */
  let socket
  /** @type {{ id: string, url: string } | undefined} */
  let session
  /** @type {number | null} */
  let sequence = null
  let closed = false
  let failures = 0
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let heart
  let acknowledged = true

  /**
   * @param {number} op
   * @param {unknown} d
   */
  const send = (op, d) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ op, d }))
  }

  const beat = (/** @type {number} */ interval) => {
    if (!acknowledged) {
      socket?.close(4900)
      return
    }
    acknowledged = false
    send(Op.Heartbeat, sequence)
    heart = setTimeout(() => beat(interval), interval)
  }

  const connect = () => {
    onStatus(failures > 1 ? 'lost' : 'connecting')
    const target = new URL(session?.url ?? url)
    target.searchParams.set('v', '10')
    target.searchParams.set('encoding', 'json')
    const current = new WebSocket(target)
    socket = current
    current.onmessage = ({ data }) => {
      if (socket === current) receive(JSON.parse(data))
    }
    current.onclose = ({ code }) => {
      clearTimeout(heart)
      if (closed || socket !== current) return
      if (FINAL.has(code)) {
        onStatus('refused')
        return
      }
      if (code === 4007 || code === 4009) session = undefined
      failures += 1
      retry = setTimeout(connect, Math.min(8000, 250 * 2 ** Math.min(failures, 5)))
    }
  }

  const receive = (/** @type {{ op: number, d: any, s: number | null, t: string }} */ { op, d, s, t }) => {
    if (s !== null && s !== undefined) sequence = s
    switch (op) {
      case Op.Hello:
        acknowledged = true
        heart = setTimeout(() => beat(d.heartbeat_interval), d.heartbeat_interval * Math.random())
        if (session) send(Op.Resume, { token, session_id: session.id, seq: sequence })
        else
          send(Op.Identify, {
            token,
            capabilities: 0,
            properties: { os: navigator.platform, browser: 'Sandbox', device: '' },
            compress: false,
          })
        break
      case Op.Ack:
        acknowledged = true
        break
      case Op.Heartbeat:
        send(Op.Heartbeat, sequence)
        break
      case Op.Reconnect:
        socket?.close(4901)
        break
      case Op.InvalidSession:
        if (d !== true) {
          session = undefined
          sequence = null
        }
        socket?.close(4902)
        break
      case Op.Dispatch:
        if (t === 'READY') session = { id: d.session_id, url: d.resume_gateway_url ?? url }
        if (t === 'READY' || t === 'RESUMED') failures = 0
        onDispatch(t, d)
        break
    }
  }

  connect()
  return {
    close() {
      closed = true
      clearTimeout(retry)
      clearTimeout(heart)
      socket?.close(1000)
    },
    /** Asks for all members of a guild; they arrive as GUILD_MEMBERS_CHUNK. @param {string} guildId */
    requestMembers: (guildId) => send(Op.RequestMembers, { guild_id: guildId, query: '', limit: 0 }),
  }
}
