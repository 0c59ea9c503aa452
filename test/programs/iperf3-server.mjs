// What `iperf3 -s` says to `iperf3 -c`, over TCP: a control connection of states (one octet) and JSON (length in four
// octets before it), and streams that carry the octets. Each connection begins with the cookie of its test.
//   node iperf3-server.mjs [PORT]
import { createServer } from 'node:net'

// states of a test, after the names in iperf's own API
const TEST_START = 1
const TEST_RUNNING = 2
const TEST_END = 4
const PARAM_EXCHANGE = 9
const CREATE_STREAMS = 10
const SERVER_TERMINATE = 11
const EXCHANGE_RESULTS = 13
const DISPLAY_RESULTS = 14
const IPERF_DONE = 16
const ACCESS_DENIED = -1

/** 36 characters and a zero. */
const COOKIE_LENGTH = 37

/** Reads a connection piece by piece, until it is let go. */
class Reading {
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

class Test {
  #control
  #reading
  #streams = []
  #complete = null

  constructor(control, reading) {
    this.#control = control
    this.#reading = reading
  }

  #say(state) {
    this.#control.write(Buffer.from([state & 255]))
  }

  #tell(value) {
    const text = Buffer.from(JSON.stringify(value))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(text.length)
    this.#control.write(Buffer.concat([length, text]))
  }

  /** A stream of this test has connected. */
  join(socket, early) {
    this.#streams.push({ socket, octets: early.length })
    this.#complete?.()
  }

  #streamsOf(number) {
    return new Promise((resolve) => {
      this.#complete = () => {
        if (this.#streams.length === number) resolve()
      }
      this.#complete()
    })
  }

  async run() {
    this.#say(PARAM_EXCHANGE)
    const {
      parallel = 1,
      reverse = false,
      bidirectional = false,
      len = 131_072,
      num = 0,
      ...more
    } = await this.#reading.json()
    if (more.udp || num > 0 || more.blockcount > 0) throw new Error('only TCP tests of a certain time are known')
    this.#say(CREATE_STREAMS)
    await this.#streamsOf(bidirectional ? 2 * parallel : parallel)
    this.#say(TEST_START)
    // both ways: the first half is the client's to send
    this.#streams.forEach((stream, i) => {
      stream.sends = bidirectional ? i >= parallel : reverse
    })
    const begun = performance.now()
    let running = true
    for (const stream of this.#streams) {
      if (!stream.sends) receive(stream)
    }
    this.#say(TEST_RUNNING)
    for (const stream of this.#streams) {
      if (stream.sends) void send(stream, Buffer.alloc(len, 'estab '), () => running)
    }
    const state = await this.#reading.state()
    running = false
    if (state !== TEST_END) return `ended by the client, in state ${state}`
    const seconds = (performance.now() - begun) / 1000
    // as the server of iperf3 does: its client reads whole blocks, and would wait for the rest of one that was cut off
    for (const { socket, sends } of this.#streams) if (sends) socket.end()
    this.#say(EXCHANGE_RESULTS)
    const theirs = await this.#reading.json()
    this.#tell({
      cpu_util_total: 0,
      cpu_util_user: 0,
      cpu_util_system: 0,
      sender_has_retransmits: 0,
      streams: this.#streams.map(({ octets }, i) => ({
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
    this.#say(DISPLAY_RESULTS)
    const last = await this.#reading.state()
    return {
      done: last === IPERF_DONE,
      seconds,
      streams: this.#streams.map(({ sends, octets }, i) => ({ sends, octets, theirs: theirs.streams[i].bytes })),
    }
  }

  end() {
    for (const { socket } of this.#streams) socket.destroy()
    this.#control.end()
  }
}

function receive(stream) {
  stream.socket.on('data', (chunk) => {
    stream.octets += chunk.length
  })
}

async function send(stream, block, goesOn) {
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

const tests = new Map()

const server = createServer(async (socket) => {
  socket.setNoDelay(true)
  const reading = new Reading(socket)
  const cookie = String(await reading.octets(COOKIE_LENGTH))
  const known = tests.get(cookie)
  if (known !== undefined) {
    const early = reading.letGo()
    return known.join(socket, early)
  }
  if (tests.size > 0) return socket.end(Buffer.from([ACCESS_DENIED & 255]))
  const test = new Test(socket, reading)
  tests.set(cookie, test)
  try {
    console.log(JSON.stringify(await test.run()))
  } catch (error) {
    socket.write(Buffer.from([SERVER_TERMINATE]))
    console.log(JSON.stringify(String(error)))
  }
  test.end()
  tests.delete(cookie)
})
const port = Number(process.argv[2] ?? 5201)
server.listen(port, () => console.log(JSON.stringify(`listening on port ${port}`)))
process.once('SIGTERM', () => server.close())
