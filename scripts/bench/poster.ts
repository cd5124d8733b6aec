// Posts webhooks over plain keep-alive sockets, which leaves more of the machine to what is measured than an HTTP client would.
import { connect, type Socket } from 'node:net'

export interface Poster {
  /** Resolves when the server has answered. @throws when it answers with anything but 200 */
  post(path: string, headers: Readonly<Record<string, string>>, body: string): Promise<void>
  close(): void
}

interface Wire {
  readonly socket: Socket
  /** Called with the whole answer, or with what became of the connection. */
  answered: (answer: string | Error) => void
}

export function createPoster(address: string): Poster {
  const { hostname, port, host } = new URL(address)
  const idle: Wire[] = []
  const all = new Set<Socket>()

  function open(): Wire {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const wire: Wire = { socket, answered: () => {} }
    let text = ''
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0)
      if (text.length < headEnd + 4 + length) return
      const answer = text
      text = ''
      idle.push(wire)
      wire.answered(answer)
    })
    socket.on('error', (error) => wire.answered(error))
    socket.on('close', () => {
      all.delete(socket)
      if (idle.includes(wire)) idle.splice(idle.indexOf(wire), 1)
      wire.answered(new Error('The server closed the connection'))
    })
    all.add(socket)
    return wire
  }

  return {
    post: (path, headers, body) =>
      new Promise((resolve, reject) => {
        const wire = idle.pop() ?? open()
        wire.answered = (answer) => {
          wire.answered = () => {}
          if (answer instanceof Error) reject(answer)
          else if (answer.startsWith('200', 9)) resolve()
          else reject(new Error(`A webhook was answered with ${answer}`))
        }
        const lines = Object.entries({ host, ...headers, 'content-length': String(Buffer.byteLength(body)) })
        wire.socket.write(`POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
      }),
    close: () => {
      for (const socket of all) socket.destroy()
    },
  }
}
