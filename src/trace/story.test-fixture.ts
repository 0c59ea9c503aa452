import { type Observed, State, type State as StateValue, type TimerName } from '../tcp/index.js'
import {
  ACK,
  type DropReason,
  FIN,
  PacketHeader,
  PSH,
  parseIpAddress,
  parsePacket,
  parseTcp,
  putMss,
  putSackPermitted,
  RST,
  Segment,
  SYN,
  takePacketHeader,
} from '../wire/index.js'
import type { TraceLog } from './log.js'
import { packetSent } from './packets.js'

const CLIENT = parseIpAddress('192.0.2.1')
const SERVER = parseIpAddress('192.0.2.2')

const FLAGS: Record<string, number> = { S: SYN, F: FIN, R: RST, P: PSH, '.': ACK }

interface End extends Observed {
  state: StateValue
}

/** Tells an exchange to the observers of two hosts, so that views can be tested without a machine. Times in ms. */
export function story(log: TraceLog) {
  const end = (id: number, flip: boolean): End => ({
    id,
    local: flip ? SERVER : CLIENT,
    localPort: flip ? 80 : 1000,
    remote: flip ? CLIENT : SERVER,
    remotePort: flip ? 1000 : 80,
    state: State.Closed,
  })
  const ends = { client: end(1, false), server: end(7, true) }
  const iss = { client: 5000, server: -7000 }
  const observers = { client: log.observe('client'), server: log.observe('server') }
  type Who = keyof typeof ends
  const other = (who: Who): Who => (who === 'client' ? 'server' : 'client')

  /** `seq` and `ack` are relative. */
  const segment = (who: Who, flags: string, seq: number, length: number, ack: number): Segment => {
    const s = new Segment()
    s.source = ends[who].local
    s.destination = ends[who].remote
    s.sourcePort = ends[who].localPort
    s.destinationPort = ends[who].remotePort
    for (const flag of flags) s.flags |= FLAGS[flag]!
    s.seq = (iss[who] + seq) | 0
    s.ack = s.flags & ACK ? (iss[other(who)] + ack) | 0 : 0
    s.window = 65535
    s.textLength = length
    s.text = { copyText: (_seq, n, target, at) => void target.fill(0x61, at, at + n) }
    if (s.flags & SYN) s.optionBytesLength = putSackPermitted(s.optionBytes, putMss(s.optionBytes, 0, 1460))
    return s
  }
  /** As the other host's IP layer would parse it. */
  const arrived = (s: Segment): Segment => {
    const packet = packetSent(s)
    const header = new PacketHeader()
    const received = new Segment()
    if (parsePacket(packet, 0, packet.length, header) !== null) throw new Error('our own packet is not understood')
    takePacketHeader(received, header)
    if (parseTcp(packet, header.payloadStart, header.payloadEnd, received, true) !== null)
      throw new Error('nor our TCP')
    return received
  }

  return {
    ends,
    observers,
    listens(at: number) {
      const listener = { ...ends.server, remote: parseIpAddress('0.0.0.0'), remotePort: 0, id: 6, state: State.Listen }
      observers.server.stateChanged(listener, State.Closed, State.Listen, 'OPEN', at)
      ends.server.state = State.Listen
    },
    sends(who: Who, at: number, flags: string, seq: number, length: number, ack = 0, again = false) {
      observers[who].segmentSent(ends[who], segment(who, flags, seq, length, ack), again, at)
    },
    receives(who: Who, at: number, flags: string, seq: number, length: number, ack = 0) {
      observers[who].segmentReceived(ends[who], arrived(segment(other(who), flags, seq, length, ack)), at)
    },
    drops(who: Who, at: number, reason: DropReason, flags: string, seq: number, length: number, ack = 0) {
      observers[who].dropped(ends[who], arrived(segment(other(who), flags, seq, length, ack)), reason, at)
    },
    enters(who: Who, at: number, to: StateValue, cause: string) {
      const from = ends[who].state
      ends[who].state = to
      observers[who].stateChanged(ends[who], from, to, cause, at)
    },
    fires(who: Who, at: number, timer: TimerName) {
      observers[who].timerFired(ends[who], timer, at)
    },
    calls(who: Who, at: number, call: string, result: string) {
      observers[who].called(ends[who], call, result, at)
    },
  }
}

export type Story = ReturnType<typeof story>

/** A handshake, some text of which a segment is lost, and a close. `latency` ms each way; `ends` that are watched. */
export function tellConnection(s: Story, latency: number, watched: 'both' | 'client' = 'both'): void {
  const both = watched === 'both'
  if (both) s.listens(0)
  s.enters('client', 0, State.SynSent, 'active OPEN')
  s.sends('client', 0, 'S', 0, 0)
  s.calls('client', 0, 'connect(3, …)', '0')
  if (both) s.receives('server', latency, 'S', 0, 0)
  if (both) s.enters('server', latency, State.SynReceived, 'rcv SYN')
  if (both) s.sends('server', latency, 'S.', 0, 0, 1)
  s.receives('client', 2 * latency, 'S.', 0, 0, 1)
  s.enters('client', 2 * latency, State.Established, 'rcv SYN,ACK')
  s.sends('client', 2 * latency, '.', 1, 0, 1)
  if (both) s.receives('server', 3 * latency, '.', 1, 0, 1)
  if (both) s.enters('server', 3 * latency, State.Established, 'rcv ACK of SYN')
  s.sends('client', 100, 'P.', 1, 1000, 1)
  s.fires('client', 300, 'retransmit')
  s.sends('client', 300, 'P.', 1, 1000, 1, true)
  if (both) s.receives('server', 300 + latency, 'P.', 1, 1000, 1)
  if (both) s.sends('server', 300 + latency, '.', 1, 0, 1001)
  s.receives('client', 300 + 2 * latency, '.', 1, 0, 1001)
  s.enters('client', 400, State.FinWait1, 'CLOSE')
  s.sends('client', 400, 'F.', 1001, 0, 1)
  s.calls('client', 400, 'close(3)', '0')
  if (both) s.receives('server', 400 + latency, 'F.', 1001, 0, 1)
  if (both) s.enters('server', 400 + latency, State.CloseWait, 'rcv FIN')
  if (both) s.sends('server', 400 + latency, '.', 1, 0, 1002)
  s.receives('client', 400 + 2 * latency, '.', 1, 0, 1002)
  s.enters('client', 400 + 2 * latency, State.FinWait2, 'rcv ACK of FIN')
  if (both) s.enters('server', 500, State.LastAck, 'CLOSE')
  if (both) s.sends('server', 500, 'F.', 1, 0, 1002)
  s.receives('client', 500 + latency, 'F.', 1, 0, 1002)
  s.enters('client', 500 + latency, State.TimeWait, 'rcv FIN')
  s.sends('client', 500 + latency, '.', 1002, 0, 2)
  if (both) s.receives('server', 500 + 2 * latency, '.', 1002, 0, 2)
  if (both) s.enters('server', 500 + 2 * latency, State.Closed, 'rcv ACK of FIN')
  s.enters('client', 60500 + latency, State.Closed, 'timeout: time-wait')
}
