// What both ends of iperf3's protocol have in common, over TCP: a control connection of states (one octet) and JSON (its
// length in four octets before it), and streams that carry the octets. Each connection begins with the cookie of its test.

// states of a test, after the names in iperf's own API
export const TEST_START = 1
export const TEST_RUNNING = 2
export const TEST_END = 4
export const PARAM_EXCHANGE = 9
export const CREATE_STREAMS = 10
export const SERVER_TERMINATE = 11
export const EXCHANGE_RESULTS = 13
export const DISPLAY_RESULTS = 14
export const IPERF_DONE = 16
export const ACCESS_DENIED = -1

/** 36 characters and a zero. */
export const COOKIE_LENGTH = 37

/** Reads a connection piece by piece, until it is let go. */
export class Reading {
  #socket
  #rest = Buffer.alloc(0)
  #wants = null
  #ended = false

  constructor(socket) {
    this.#socket = socket
    socket.on('data', this.#take)
    socket.on('close', this.#end)
    socket.on('error', this.#end)
  }

  #take = (chunk) => {
    this.#rest = Buffer.concat([this.#rest, chunk])
    this.#serve()
  }

  #end = () => {
    this.#ended = true
    this.#serve()
  }

  #serve() {
    if (this.#wants === null) return
    const { length, resolve } = this.#wants
    if (this.#rest.length < length && !this.#ended) return
    this.#wants = null
    if (this.#rest.length < length) return resolve(null)
    resolve(this.#rest.subarray(0, length))
    this.#rest = this.#rest.subarray(length)
  }

  /** So many octets; null: the connection ended before. */
  octets(length) {
    return new Promise((resolve) => {
      this.#wants = { length, resolve }
      this.#serve()
    })
  }

  async state() {
    const octet = await this.octets(1)
    return octet === null ? IPERF_DONE : octet.readInt8()
  }

  async json() {
    const length = await this.octets(4)
    return JSON.parse(await this.octets(length.readUInt32BE()))
  }

  /** From now on others read; gives what was read too far. */
  letGo() {
    this.#socket.off('data', this.#take)
    return this.#rest
  }
}

/** One octet on the control connection. */
export const say = (control, state) => control.write(Buffer.from([state & 255]))

/** JSON on the control connection. */
export function tell(control, value) {
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  control.write(Buffer.concat([length, text]))
}

/** What one end counted. */
export const results = (streams, seconds) => ({
  cpu_util_total: 0,
  cpu_util_user: 0,
  cpu_util_system: 0,
  sender_has_retransmits: 0,
  streams: streams.map(({ octets }, i) => ({
    // as iperf3 counts: 1, 3, 4 …
    id: i === 0 ? 1 : i + 2,
    bytes: octets,
    retransmits: -1,
    jitter: 0,
    errors: 0,
    packets: 0,
    start_time: 0,
    end_time: seconds,
  })),
})

export function receive(stream) {
  stream.socket.on('data', (chunk) => {
    stream.octets += chunk.length
  })
}

export async function send(stream, block, goesOn) {
  const { socket } = stream
  const written = (error) => {
    if (!error) stream.octets += block.length
  }
  let wake = () => {}
  for (const event of ['drain', 'close']) socket.on(event, () => wake())
  while (goesOn() && !socket.destroyed) {
    if (socket.write(block, written)) continue
    await new Promise((resolve) => {
      wake = resolve
    })
  }
}
