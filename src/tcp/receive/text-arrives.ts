import { ACK, DropReason, FIN, RST, type Segment, type Slab, SYN } from '../../wire/index.js'
import { type Connection, Ready } from '../connection.js'
import { duplicateTextArrives } from '../options/ecn.js'
import { after, atOrAfter, atOrBefore, before, seqAdd, seqDiff } from '../sequence.js'
import { State } from '../states/state-name.js'
import { finArrives } from '../states/states-entered.js'
import type { Instant } from '../time.js'
import { ackNow, enterPingpong, enterQuickAcks, measureSegments, scheduleAck, textReceived } from './acknowledge.js'
import { Reassembly } from './reassembly.js'
import { growBuffer } from './receive-autotuning.js'
import { chargeOf, collapsedCost, tailroomOfLastCharge } from './receive-memory.js'
import { Owed } from './receive-state.js'
import { chargedMemory, growWindow, largestReceiveWindow, receiveWindow } from './receive-window.js'
import { duplicateArrived } from './sack.js'
import { captureUrgentOctet } from './urgent.js'

/** Segments acknowledged at once after a loss or an old duplicate (Linux TCP_MAX_QUICKACKS). */
const QUICK_ACKS = 16

/**
 * First check of RFC 9293 3.10.7.4: whether any of a segment lies in the window. What lies outside is trimmed by
 * `textArrives`. A segment at the edge of a closed window is acceptable for its ACK, URG and RST (MUST-66).
 */
export function sequenceAcceptable(c: Connection, seg: Segment): boolean {
  const { settings } = c.env
  const { rcv } = c
  const length = seg.length
  const end = seqAdd(seg.seq, length)
  if (settings.acceptBeyondWindow) return endAcceptable(c, seg, end)
  const window = receiveWindow(c)
  if (length === 0) {
    if (seg.seq === rcv.nxt) return true
    if (before(seg.seq, rcv.nxt)) return oldSegment(c)
    // a peer that filled the window acknowledges from its edge; without this, two that did and lost text never agree
    return seqDiff(seg.seq, rcv.nxt) < (seg.flags & RST ? window : window + 1)
  }
  if (atOrBefore(end, rcv.nxt)) return oldSegment(c)
  // closed: nothing of it is taken, but it is looked at
  if (window === 0) return atOrBefore(seg.seq, rcv.nxt)
  return seqDiff(seg.seq, rcv.nxt) < window
}

/** BSD looks at the ACK of an old segment too, and answers it at the end. */
function oldSegment(c: Connection): boolean {
  if (c.env.settings.oldSegments === 'drop') return false
  ackNow(c)
  return true
}

/** Linux takes a segment whole or not at all: within the largest window offered, or anything if nothing waits to be read. */
function endAcceptable(c: Connection, seg: Segment, end: number): boolean {
  const { rcv } = c
  if (before(end, rcv.wup)) return false
  const limit = seqAdd(rcv.nxt, largestReceiveWindow(c))
  if (!after(end, limit)) return true
  // some hosts send a FIN beyond the window; it is looked at later
  if (seg.flags & FIN && !after(seqAdd(end, -1), limit)) return true
  if (after(seg.seq, limit) || rcv.queue.octets > 0) {
    c.env.counters.count('TcpExtBeyondWindow')
    return false
  }
  return true
}

/**
 * An unacceptable segment is about to be answered: its text is old, so the ACK for it was lost or is late; the answer
 * says so (RFC 2883), and the next ones are not delayed (Linux tcp_send_dupack).
 */
export function unacceptableText(c: Connection, seg: Segment): void {
  const { rcv } = c
  if (seg.length === 0 || !before(seg.seq, rcv.nxt) || c.state < State.Established) return
  c.env.counters.count('TcpExtDelayedACKLost')
  if (c.env.settings.quickAcks > 0) enterQuickAcks(c, c.env.settings.quickAcks)
  const end = seqAdd(seg.seq, seg.length)
  duplicateTextArrives(c, seg.seq)
  duplicateArrived(c, seg.seq, after(end, rcv.nxt) ? rcv.nxt : end)
}

/**
 * The text of a segment as most are: it is the next, all of it lies in the window, and there is nothing to it but an ACK.
 * What `textArrives` would do with it, with few instructions.
 */
export function nextTextArrives(c: Connection, seg: Segment, now: Instant): void {
  const { rcv } = c
  if (rcv.finReceived || rcv.reassembly !== null || (c.env.settings.chargeOverhead && !fits(c, seg))) {
    return textArrives(c, seg, now)
  }
  rcv.textSegments += segmentsIn(seg)
  takeInOrder(c, seg, rcv.nxt, seg.textLength, false, now)
}

/** Seventh and eighth (RFC 9293 3.10.7.4): the text of an acceptable segment, and its FIN, in order or not. */
export function textArrives(c: Connection, seg: Segment, now: Instant): void {
  const fin = (seg.flags & FIN) !== 0
  if (seg.textLength === 0 && !fin) return
  if (seg.textLength > 0) c.rcv.textSegments += segmentsIn(seg)
  // the peer said that nothing follows its FIN: only duplicates can come (RFC 9293 3.10.7.4, CLOSE-WAIT and later)
  if (c.rcv.finReceived) oldTextArrives(c, seg)
  else if (c.env.settings.acceptBeyondWindow) wholeTextArrives(c, seg, now)
  else trimmedTextArrives(c, seg, now)
}

const segmentsIn = (seg: Segment): number => (seg.gsoSize > 0 ? Math.ceil(seg.textLength / seg.gsoSize) : 1)

/** Text or FIN of an old duplicate, answered at once: the ACK for it was lost, or the peer's timer is too short. */
function oldTextArrives(c: Connection, seg: Segment): void {
  const { rcv } = c
  if (!before(seg.seq, rcv.nxt)) return
  c.env.counters.count('TcpExtDelayedACKLost')
  duplicateTextArrives(c, seg.seq)
  const end = seqAdd(seg.seq, c.env.settings.sackCoversFin ? seg.length : seg.textLength)
  duplicateArrived(c, seg.seq, after(end, rcv.nxt) ? rcv.nxt : end)
  enterQuickAcks(c, QUICK_ACKS)
  if (c.env.settings.quickAcks > 0) scheduleAck(c)
  else ackNow(c)
}

// --- as the RFC says: what does not fit the window is trimmed ---

function trimmedTextArrives(c: Connection, seg: Segment, now: Instant): void {
  const { rcv } = c
  let from = seg.seq
  let to = seqAdd(seg.seq, seg.textLength)
  let fin = (seg.flags & FIN) !== 0
  const old = seqDiff(rcv.nxt, from)
  if (old > 0) {
    if (old > seg.textLength || (old === seg.textLength && !fin)) {
      oldTextArrives(c, seg)
      return
    }
    duplicateArrived(c, from, rcv.nxt)
    ackNow(c)
    from = rcv.nxt
  }
  const edge = seqAdd(rcv.nxt, receiveWindow(c))
  if (after(seqAdd(to, fin ? 1 : 0), edge) && !(fin && to === edge && from === to)) {
    if (after(to, edge)) {
      to = after(edge, from) ? edge : from
      fin = false
      ackNow(c)
    }
    // a FIN alone at the edge of the window costs nothing to take
  }
  const length = seqDiff(to, from)
  if (length === 0 && !fin) {
    ackNow(c)
    return
  }
  if (from === rcv.nxt) takeInOrder(c, seg, from, length, fin, now)
  else takeOutOfOrder(c, seg, from, length, fin)
}

// --- as Linux does: whole segments, by the memory they take ---

function wholeTextArrives(c: Connection, seg: Segment, now: Instant): void {
  const { rcv } = c
  const { counters } = c.env
  const fin = (seg.flags & FIN) !== 0
  const end = seqAdd(seg.seq, seg.length)
  if (!after(end, rcv.nxt)) {
    oldTextArrives(c, seg)
    return
  }
  const window = receiveWindow(c)
  if (seg.seq === rcv.nxt) {
    // some hosts send FIN in a loop while the window is closed: taking it costs nothing and ends that
    if (window === 0 && !(fin && seg.textLength === 0)) {
      counters.count('TcpExtTCPZeroWindowDrop')
      outsideWindow(c)
      return
    }
  } else if (!before(seg.seq, seqAdd(rcv.nxt, window))) {
    counters.count('TcpExtBeyondWindow')
    outsideWindow(c)
    return
  } else if (before(seg.seq, rcv.nxt)) {
    duplicateArrived(c, seg.seq, rcv.nxt)
    if (window === 0) {
      counters.count('TcpExtTCPZeroWindowDrop')
      outsideWindow(c)
      return
    }
  } else {
    takeOutOfOrder(c, seg, seg.seq, seg.textLength, fin)
    return
  }
  if (!makeRoom(c, seg)) {
    rcv.owed |= Owed.NoMemory
    ackNow(c)
    c.user?.notify(c, Ready.Readable, now)
    // one segment may exceed the buffer; with nothing to read the program could never make room
    if (rcv.queue.octets > 0 && seg.textLength > 0 && chargedMemory(c) > rcv.buffer) {
      counters.count('TcpExtTCPRcvQDrop')
      drop(c, seg, DropReason.ReceiveBufferFull, now)
      return
    }
  }
  const from = rcv.nxt
  takeInOrder(c, seg, from, seqDiff(seqAdd(seg.seq, seg.textLength), from), fin, now)
}

function outsideWindow(c: Connection): void {
  enterQuickAcks(c, QUICK_ACKS)
  scheduleAck(c)
}

/** Room in the receive buffer for a segment, by collapsing what is held and pruning what is out of order (Linux tcp_prune_queue). */
function makeRoom(c: Connection, seg: Segment): boolean {
  const { rcv } = c
  if (!c.env.settings.chargeOverhead || fits(c, seg)) return true
  if (chargedMemory(c) === 0) return false
  c.env.counters.count('TcpExtPruneCalled')
  clampWindow(c)
  if (fits(c, seg)) return true
  if (rcv.queue.charged > rcv.queue.octets * 1.5) {
    rcv.queue.collapse(collapsedCost)
    c.env.counters.count('TcpExtTCPRcvCollapsed')
    if (fits(c, seg)) return true
  }
  if (pruneReassembly(c, seg)) return true
  c.env.counters.count('TcpExtRcvPruned')
  return false
}

const fits = (c: Connection, seg: Segment): boolean => chargedMemory(c) + seg.textLength <= c.rcv.buffer

function pruneReassembly(c: Connection, seg: Segment): boolean {
  const { reassembly } = c.rcv
  if (reassembly === null || reassembly.isEmpty) return false
  if (reassembly.prune(seg.seq, () => fits(c, seg))) c.env.counters.count('TcpExtOfoPruned')
  return fits(c, seg)
}

/** Memory ran short: the buffer grows to what is held if it may, else the window shrinks to two segments (Linux tcp_clamp_window). */
function clampWindow(c: Connection): void {
  const { rcv } = c
  const most = c.env.settings.receiveBuffer[2]
  rcv.quick = 0
  const charged = chargedMemory(c)
  if (rcv.buffer < most && !rcv.bufferFixed) rcv.buffer = Math.max(rcv.buffer, Math.min(charged, most))
  if (charged > rcv.buffer) rcv.ssthresh = Math.min(rcv.clamp, 2 * rcv.advMss)
}

// --- taking it ---

/** Text [from, from + length) is the next expected; then what waited behind it, and FIN. */
function takeInOrder(c: Connection, seg: Segment, from: number, length: number, fin: boolean, now: Instant): void {
  const { rcv } = c
  const { settings } = c.env
  let charge = 0
  if (length > 0) {
    charge = chargeOf(c, seg)
    if (!settings.chargeOverhead) charge = length
    rcv.nxt = seqAdd(from, length)
    rcv.octetsReceived += length
    if (seg.joined.count === 0)
      queueText(c, seg.bytes, seg.textStart + seqDiff(from, seg.seq), length, charge, seg.slab)
    else queueJoined(c, seg, charge)
    textReceived(c, seg, charge, now)
  }
  if (fin) peersFin(c, now)
  const { reassembly } = rcv
  if (reassembly !== null) {
    if (!reassembly.isEmpty && !rcv.finReceived) drainReassembly(c, reassembly, from, now)
    else reassembly.sacks.acknowledged(rcv.nxt)
  }
  if (!rcv.finReceived) c.user?.notify(c, Ready.Readable, now)
}

/** Appends text to what the program will read, or throws it away when nobody will. */
function queueText(
  c: Connection,
  bytes: Uint8Array,
  start: number,
  length: number,
  charge: number,
  slab: Slab | null,
): void {
  const { rcv } = c
  if (rcv.shutdown) return
  const { queue } = rcv
  let cost = charge
  if (c.env.settings.chargeOverhead) {
    // behind the text before it, in the same buffer, it costs nothing
    if (length <= queue.tailroom) {
      cost = 0
      queue.tailroom -= length
    } else queue.tailroom = tailroomOfLastCharge()
  }
  queue.append(bytes, start, length, cost, rcv.buffer, slab)
  if (rcv.urgent) captureUrgentOctet(c)
}

/**
 * How many octets of text may arrive as one segment that begins as this one does: what fits the window, if it is the next
 * text and there is nothing to it but an ACK; 0: it is to be looked at by itself.
 */
export function joinableText(c: Connection, seg: Segment): number {
  const { rcv } = c
  if (c.state !== State.Established || seg.flags !== ACK || seg.seq !== rcv.nxt || rcv.shutdown) return 0
  if (seg.md5Start >= 0 || c.md5Key !== null || seg.sackCount > 0 || rcv.urgent) return 0
  // text that fills a gap is acknowledged at once
  if (rcv.reassembly !== null && !rcv.reassembly.isEmpty) return 0
  return rcv.wnd - seqDiff(rcv.nxt, rcv.wup)
}

/** Text of several segments, all of it new: `joinableText` saw to that. Each is charged its share. */
function queueJoined(c: Connection, seg: Segment, charge: number): void {
  const { items, count } = seg.joined
  const each = Math.floor(charge / (count + 1))
  queueText(c, seg.bytes, seg.textStart, seg.gsoSize, charge - count * each, seg.slab)
  for (let i = 0; i < count; i++) {
    const { bytes, start, length, slab } = items[i]!
    queueText(c, bytes, start, length, each, slab)
  }
}

function drainReassembly(c: Connection, reassembly: Reassembly, segmentStart: number, now: Instant): void {
  const { rcv } = c
  const before = rcv.nxt
  rcv.nxt = reassembly.drain(rcv.queue, rcv.nxt, segmentStart, c.snd.sackOk && c.env.settings.dsack)
  rcv.octetsReceived += seqDiff(rcv.nxt, before)
  if (rcv.shutdown) rcv.queue.clear()
  else if (rcv.urgent) captureUrgentOctet(c)
  if (reassembly.hasFin && atOrAfter(rcv.nxt, reassembly.finSeq)) {
    reassembly.hasFin = false
    peersFin(c, now)
    reassembly.clear()
  }
  // RFC 5681 4.2: at once when a gap is filled, wholly (Linux) or in part
  if (reassembly.isEmpty || !c.env.settings.interactiveAcks) ackNow(c)
}

/** Text beyond a gap: held if there is room, and acknowledged at once, so that the sender learns of the gap (RFC 5681 4.2). */
function takeOutOfOrder(c: Connection, seg: Segment, from: number, length: number, fin: boolean): void {
  const { rcv } = c
  const { settings, counters } = c.env
  rcv.reassembly ??= new Reassembly()
  const { reassembly } = rcv
  if (settings.interactiveAcks) scheduleAck(c)
  else ackNow(c)
  if (settings.chargeOverhead && !makeRoom(c, seg)) {
    counters.count('TcpExtTCPOFODrop')
    return
  }
  if (reassembly.segments >= settings.maxReassemblySegments && length > 0) {
    counters.count('TcpExtTCPOFODrop')
    return
  }
  const charge = length > 0 ? chargeOf(c, seg) : 0
  measureSegments(c, seg, charge)
  counters.count('TcpExtTCPOFOQueue')
  rcv.outOfOrderSegments += segmentsIn(seg)
  if (fin) reassembly.holdFin(seqAdd(from, length))
  if (length > 0 && !rcv.shutdown) {
    const at = seg.textStart + seqDiff(from, seg.seq)
    const report = c.snd.sackOk && settings.dsack
    const fresh = reassembly.insert(seg.bytes, at, from, length, report)
    if (fresh === 0) duplicateTextArrives(c, from)
    else if (settings.windowSlowStart && c.snd.sackOk) growWindow(c, seg.textLength, charge)
    if (fresh > 0) reassembly.charge(settings.chargeOverhead ? charge : fresh)
  }
  if (fin && settings.sackCoversFin)
    reassembly.sacks.received(sackLeft(reassembly, from, length), seqAdd(from, length + 1))
  if (settings.windowSlowStart && c.user !== null) growBuffer(c, rcv.space)
}

/** Left edge of the block that a FIN out of order ends. */
function sackLeft(reassembly: Reassembly, from: number, length: number): number {
  if (length > 0) return reassembly.sacks.edges[0]!
  const { sacks } = reassembly
  for (let i = 0; i < sacks.count; i++) if (sacks.edges[i * 2 + 1] === from) return sacks.edges[i * 2]!
  return from
}

/** The peer's FIN is in order: RCV.NXT goes past it; the state follows. */
function peersFin(c: Connection, now: Instant): void {
  const { rcv } = c
  rcv.nxt = seqAdd(rcv.nxt, 1)
  rcv.finReceived = true
  scheduleAck(c)
  if (c.env.settings.interactiveAcks && (c.state === State.Established || c.state === State.SynReceived))
    enterPingpong(c)
  else ackNow(c)
  if (rcv.reassembly !== null) {
    rcv.reassembly.clear()
    rcv.reassembly.sacks.duplicate = false
  }
  finArrives(c, now)
}

function drop(c: Connection, seg: Segment, reason: DropReason, now: Instant): void {
  c.env.counters.drop(reason)
  c.env.observer?.dropped(c, seg, reason, now)
}

/**
 * Text that came with a SYN (RFC 9293 3.10.7.2, RFC 7413): taken before the handshake is complete. Returns the octets
 * taken. A FIN is left to be sent again.
 */
export function takeSynText(c: Connection, seg: Segment, now: Instant): number {
  const { rcv } = c
  const length = Math.min(seg.textLength, receiveWindow(c))
  if (length === 0) return 0
  rcv.nxt = seqAdd(rcv.nxt, length)
  rcv.octetsReceived += length
  rcv.textSegments++
  rcv.lastTextAt = now
  const charge = c.env.settings.chargeOverhead ? chargeOf(c, seg) : length
  const offset = seg.flags & SYN ? seqDiff(rcv.nxt, seqAdd(seg.seq, 1 + length)) : 0
  queueText(c, seg.bytes, seg.textStart + offset, length, charge, seg.slab)
  return length
}
