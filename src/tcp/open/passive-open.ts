import type { Segment } from '../../wire/index.js'
import { Connection } from '../connection.js'
import { noteTimestamp } from '../options/timestamps.js'
import { beginReceiving, establishReceiving, synReceived } from '../receive/receive-window.js'
import { textArrives } from '../receive/text-arrives.js'
import { ackProcessed } from '../segment-arrives.js'
import { beginSending, mssChanged, recordSyn, seedRtt } from '../send/output.js'
import { seqAdd } from '../sequence.js'
import { State } from '../states/state-name.js'
import { setState } from '../states/states.js'
import type { Instant } from '../time.js'
import { FastOpen, type FastOpenAnswer } from './fast-open.js'
import { armSyn, emitSynAck, handshakeCompletes } from './handshake.js'
import { Opening } from './opening.js'
import type { SynEntry } from './syn-queue.js'

/** The TCB that an entry of the SYN queue becomes, in the entry's state. */
function connectionOf(entry: SynEntry): Connection {
  const { listener } = entry
  const c = new Connection(listener.env, entry.remote, listener.options, entry.id)
  c.local = entry.local
  c.localPort = entry.localPort
  c.remotePort = entry.remotePort
  c.state = entry.state
  c.listener = listener
  c.ipOptions = entry.ipOptions
  c.md5Key = entry.md5Key
  c.tsOffset = entry.tsOffset
  c.synEcn = entry.ecn
  return c
}

/** What SYN and SYN-ACK settled, without the SYN at hand. */
function agreed(c: Connection, entry: SynEntry, now: Instant): void {
  const { snd, rcv, env } = c
  const { settings } = env
  const buffer = c.listener!.options.receiveBuffer
  beginReceiving(c, entry.windowOffer(), buffer, buffer > 0, entry.advertised)
  synReceived(c, entry.irs)
  const said = entry.saidMss > 0 ? entry.saidMss : c.remote.isIPv4 ? settings.defaultMss4 : settings.defaultMss6
  snd.peerMss = c.options.maxSegment > 0 ? Math.min(said, c.options.maxSegment) : said
  snd.wscaleOk = entry.windowScale >= 0
  snd.wscale = snd.wscaleOk ? entry.windowScale : 0
  if (!snd.wscaleOk) {
    rcv.wscale = 0
    rcv.clamp = Math.min(rcv.clamp, 65535)
  }
  snd.sackOk = entry.sackOk
  snd.tsOk = entry.tsOk
  if (snd.tsOk) {
    rcv.tsRecent = entry.tsRecent
    rcv.tsRecentAt = now
  }
  mssChanged(c, now)
}

/** The third segment of a handshake arrived for an entry: it becomes a connection, which the segment goes on to. */
export function connectionFromEntry(entry: SynEntry, seg: Segment, now: Instant): Connection {
  const { env } = entry
  const c = connectionOf(entry)
  const fromCookie = entry.state === State.Listen
  // the SYN-ACK was the entry's, not the send queue's
  beginSending(c, seqAdd(entry.iss, 1), now)
  c.snd.iss = entry.iss
  c.synsResent = entry.resent
  agreed(c, entry, now)
  const roundTrip = entry.roundTrip(now)
  if (roundTrip >= 0) seedRtt(c, roundTrip, now)
  entry.deadline = Number.POSITIVE_INFINITY
  if (fromCookie) env.register(c)
  else {
    env.unschedule(entry)
    env.replace(entry, c)
  }
  if (fromCookie) setState(c, State.Established, 'rcv ACK of SYN cookie', env.observer, now)
  c.lastReceived = now
  noteTimestamp(c, seg, now)
  handshakeCompletes(c, seg, now)
  env.counters.count('TcpPassiveOpens')
  ackProcessed(c, seg, now)
  return c
}

/** A SYN with a good cookie (RFC 7413 4.2.2): the connection begins at once, its text is taken, the SYN-ACK is its own. */
export function connectionFromFastOpen(
  entry: SynEntry,
  seg: Segment,
  answer: FastOpenAnswer,
  now: Instant,
): Connection {
  const { env, listener } = entry
  const c = connectionOf(entry)
  const fastOpen = new FastOpen(true)
  fastOpen.cookie = answer.cookie
  fastOpen.experimental = answer.experimental
  fastOpen.synText = seg.textLength
  fastOpen.synTextAcknowledged = seg.textLength > 0
  fastOpen.queued = listener
  listener.fastOpenQueued++
  c.fastOpen = fastOpen
  beginSending(c, entry.iss, now)
  agreed(c, entry, now)
  recordSyn(c, 0, now)
  c.snd.wnd = seg.window
  c.snd.maxWnd = seg.window
  c.snd.wl1 = seg.seq
  setState(c, State.SynReceived, 'rcv SYN', env.observer, now)
  env.register(c)
  establishReceiving(c, now)
  c.lastReceived = now
  if (seg.textLength > 0) takeSynText(c, seg, now)
  // the SYN-ACK acknowledges it; it says nothing of how the peer sends later
  c.rcv.owed = 0
  c.rcv.ato = 0
  c.rcv.quick = 0
  c.opening = new Opening()
  c.opening.begunAt = now
  env.counters.count('TcpExtTCPFastOpenPassive')
  env.counters.count('TcpPassiveOpens')
  emitSynAck(c, false, now)
  armSyn(c, now)
  return c
}

/** The text begins one behind the SYN; a FIN with it is not believed yet. */
function takeSynText(c: Connection, seg: Segment, now: Instant): void {
  const { seq, flags } = seg
  seg.seq = seqAdd(seq, 1)
  seg.flags = flags & ~0x03
  textArrives(c, seg, now)
  seg.seq = seq
  seg.flags = flags
}
