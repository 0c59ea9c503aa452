import net from 'node:net'

type Command = (args: string[], socket: net.Socket) => string

const bulk = (text: string | undefined): string =>
  text === undefined ? '$-1\r\n' : `$${Buffer.byteLength(text)}\r\n${text}\r\n`
const list = (items: readonly string[]): string => `*${items.length}\r\n${items.join('')}`

/** As much of Redis as a client needs to feel at home: RESP2, strings, channels. */
export function redisServer(): net.Server {
  const strings = new Map<string, string>()
  const channels = new Map<string, Set<net.Socket>>()
  const commands: Record<string, Command> = {
    PING: () => '+PONG\r\n',
    CLIENT: () => '+OK\r\n',
    GET: ([key]) => bulk(strings.get(key!)),
    SET([key, value]) {
      strings.set(key!, value!)
      return '+OK\r\n'
    },
    INCR([key]) {
      strings.set(key!, String(Number(strings.get(key!) ?? 0) + 1))
      return `:${strings.get(key!)}\r\n`
    },
    SUBSCRIBE([channel], socket) {
      const hearers = channels.get(channel!) ?? new Set()
      channels.set(channel!, hearers.add(socket))
      socket.once('close', () => hearers.delete(socket))
      return list([bulk('subscribe'), bulk(channel), ':1\r\n'])
    },
    PUBLISH([channel, message]) {
      const hearers = channels.get(channel!) ?? new Set()
      for (const socket of hearers) socket.write(list([bulk('message'), bulk(channel), bulk(message)]))
      return `:${hearers.size}\r\n`
    },
  }

  return net.createServer((socket) => {
    let waiting = ''
    socket.setEncoding('latin1')
    socket.on('data', (text) => {
      waiting += text
      for (let [words, rest] = read(waiting); words !== null; [words, rest] = read(waiting)) {
        waiting = rest
        const [name = '', ...args] = words
        const command = commands[name.toUpperCase()]
        socket.write(command?.(args, socket) ?? `-ERR unknown command '${name}'\r\n`, 'latin1')
      }
    })
  })
}

/** One command, an array of bulk strings, off the front; null: it is not all there. */
function read(text: string): [words: string[] | null, rest: string] {
  const head = /^\*(\d+)\r\n/.exec(text)
  if (head === null) return [null, text]
  const words: string[] = []
  let at = head[0].length
  for (let i = 0; i < Number(head[1]); i++) {
    const length = /^\$(\d+)\r\n/.exec(text.slice(at))
    if (length === null) return [null, text]
    const from = at + length[0].length
    at = from + Number(length[1]) + 2
    if (text.length < at) return [null, text]
    words.push(text.slice(from, at - 2))
  }
  return [words, text.slice(at)]
}
