// What `iperf3 -s` says to `iperf3 -c`.
//   node iperf3-server.mjs [PORT]
import { createServer } from 'node:net'
import {
  ACCESS_DENIED,
  COOKIE_LENGTH,
  CREATE_STREAMS,
  DISPLAY_RESULTS,
  EXCHANGE_RESULTS,
  IPERF_DONE,
  PARAM_EXCHANGE,
  Reading,
  receive,
  results,
  SERVER_TERMINATE,
  say,
  send,
  TEST_END,
  TEST_RUNNING,
  TEST_START,
  tell,
} from './iperf3.mjs'

class Test {
  #control
  #reading
  #streams = []
  #complete = null

  constructor(control, reading) {
    this.#control = control
    this.#reading = reading
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
    say(this.#control, PARAM_EXCHANGE)
    const {
      parallel = 1,
      reverse = false,
      bidirectional = false,
      len = 131_072,
      num = 0,
      ...more
    } = await this.#reading.json()
    if (more.udp || num > 0 || more.blockcount > 0) throw new Error('only TCP tests of a certain time are known')
    say(this.#control, CREATE_STREAMS)
    await this.#streamsOf(bidirectional ? 2 * parallel : parallel)
    say(this.#control, TEST_START)
    // both ways: the first half is the client's to send
    this.#streams.forEach((stream, i) => {
      stream.sends = bidirectional ? i >= parallel : reverse
    })
    const begun = performance.now()
    let running = true
    for (const stream of this.#streams) {
      if (!stream.sends) receive(stream)
    }
    say(this.#control, TEST_RUNNING)
    for (const stream of this.#streams) {
      if (stream.sends) void send(stream, Buffer.alloc(len, 'estab '), () => running)
    }
    const state = await this.#reading.state()
    running = false
    if (state !== TEST_END) return `ended by the client, in state ${state}`
    const seconds = (performance.now() - begun) / 1000
    // as the server of iperf3 does: its client reads whole blocks, and would wait for the rest of one that was cut off
    for (const { socket, sends } of this.#streams) if (sends) socket.end()
    say(this.#control, EXCHANGE_RESULTS)
    const theirs = await this.#reading.json()
    tell(this.#control, results(this.#streams, seconds))
    say(this.#control, DISPLAY_RESULTS)
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
