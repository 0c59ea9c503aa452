// What `iperf3 -c` says to `iperf3 -s`; prints what was sent and received as JSON.
//   node iperf3-client.mjs HOST SECONDS STREAMS [reverse]
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import {
  COOKIE_LENGTH,
  CREATE_STREAMS,
  DISPLAY_RESULTS,
  EXCHANGE_RESULTS,
  IPERF_DONE,
  PARAM_EXCHANGE,
  Reading,
  receive,
  results,
  say,
  send,
  TEST_END,
  TEST_RUNNING,
  TEST_START,
  tell,
} from './iperf3.mjs'

const [host, time, parallel, way] = process.argv.slice(2)
const reverse = way === 'reverse'
const cookie = Buffer.concat([Buffer.from(randomBytes(18).toString('hex')), Buffer.alloc(1)], COOKIE_LENGTH)
const len = 131_072

async function open() {
  const socket = connect(5201, host)
  await once(socket, 'connect')
  socket.write(cookie)
  return socket
}

const control = await open()
control.setNoDelay(true)
const reading = new Reading(control)
const streams = []
let begun = 0
let seconds = 0
for (let state = 0; state !== IPERF_DONE; ) {
  state = await reading.state()
  if (state === PARAM_EXCHANGE) {
    const test = { tcp: true, omit: 0, time: Number(time), num: 0, blockcount: 0, parallel: Number(parallel), len }
    // 'reverse' says yes by being there
    tell(control, { ...test, ...(reverse ? { reverse } : {}), pacing_timer: 1000, client_version: '3.12' })
  } else if (state === CREATE_STREAMS) {
    for (let i = 0; i < Number(parallel); i++) {
      const socket = await open()
      socket.on('error', () => {})
      streams.push({ socket, octets: 0, sends: !reverse })
    }
    if (reverse) for (const stream of streams) receive(stream)
  } else if (state === TEST_RUNNING) {
    begun = performance.now()
    let running = true
    if (!reverse) for (const stream of streams) void send(stream, Buffer.alloc(len, 'estab '), () => running)
    setTimeout(() => {
      running = false
      seconds = (performance.now() - begun) / 1000
      say(control, TEST_END)
    }, Number(time) * 1000)
  } else if (state === EXCHANGE_RESULTS) {
    tell(control, results(streams, seconds))
    const theirs = await reading.json()
    const end = streams.map(({ octets }, i) => ({ ours: octets, theirs: theirs.streams[i].bytes }))
    console.log(JSON.stringify({ seconds, streams: end }))
  } else if (state === DISPLAY_RESULTS) {
    say(control, IPERF_DONE)
    break
  } else if (state !== TEST_START) throw new Error(`ended by the server, in state ${state}`)
}
for (const { socket } of streams) socket.destroy()
control.end()
