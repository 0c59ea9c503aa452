import { type Segment, TIMESTAMPS_LENGTH } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import type { Environment } from '../environment.js'
import { emitAck } from '../send/emit.js'
import { seqDiff } from '../sequence.js'
import { State } from '../states/state-name.js'
import type { Instant, Millis } from '../time.js'
import { arm, armed, disarm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { measureText } from './receive-autotuning.js'
import { Owed } from './receive-state.js'
import { ratioChanged, selectWindow } from './receive-window.js'

/** Text for the estimate of the peer's segments to be without PSH from, octets (Linux TCP_MIN_MSS). */
const LEAST_MSS = 88
const DEFAULT_MSS = 536
/** Shortest delay there is, ms. */
const TICK = 1
/** Answers in time before ACKs wait for them (Linux tcp_pingpong_thresh). */
const PINGPONG = 1
/** ACKs sent at once for text out of order before they are compressed (the sender needs three duplicates). */
const DUPLICATES_FOR_RETRANSMIT = 3

/** An ACK is owed; it may wait. */
export function scheduleAck(c: Connection): void {
  c.rcv.owed |= Owed.Ack
}

/** An ACK is owed and leaves when the segment at hand has been processed. */
export function ackNow(c: Connection): void {
  c.rcv.owed |= Owed.Ack | Owed.Now
}

/**
 * The next segments are acknowledged at once: the sender is starting, or something is amiss (Linux quickack mode). At
 * most as many as fill half the window, since more could not be in flight usefully.
 */
export function addQuickAcks(c: Connection, most: number): void {
  const { rcv } = c
  if (c.env.settings.quickAcks === 0) return
  let segments = Math.floor(rcv.wnd / (2 * rcv.mss))
  if (segments === 0) segments = 2
  segments = Math.min(segments, most)
  if (segments > rcv.quick) rcv.quick = segments
}

/** As `addQuickAcks`, and no answer of the program is waited for. */
export function enterQuickAcks(c: Connection, most: number): void {
  const { settings } = c.env
  if (settings.quickAcks === 0) {
    ackNow(c)
    return
  }
  addQuickAcks(c, Math.min(most, settings.quickAcks))
  c.rcv.pingpong = 0
  c.rcv.ato = settings.delayedAckMin
}

/** From now on ACKs wait for an answer of the program, to go with it. */
export function enterPingpong(c: Connection): void {
  if (c.env.settings.interactiveAcks) c.rcv.pingpong = PINGPONG
}

/** TCP_QUICKACK: 1: ACKs are sent at once (until the program answers again); 0: they may wait. */
export function setQuickAck(c: Connection, on: boolean, now: Instant): void {
  c.quickAckForced = on
  if (!on) {
    enterPingpong(c)
    return
  }
  c.rcv.pingpong = 0
  if ((c.rcv.owed & Owed.Ack) !== 0 && c.state >= State.Established) {
    c.rcv.owed |= Owed.Pushed
    emitAck(c, now)
  }
}

const inQuickAcks = (c: Connection): boolean => c.rcv.quick > 0 && c.rcv.pingpong < PINGPONG

/** Text arrived in order, `length` octets new (Linux tcp_event_data_recv). Decides how long its ACK may wait. */
export function textReceived(c: Connection, seg: Segment, charge: number, now: Instant): void {
  const { rcv } = c
  const { settings } = c.env
  if (settings.quickAcks === 0 && !settings.interactiveAcks) {
    delayAck(c, seg)
    measureText(c, seg, charge, now)
    rcv.lastTextAt = now
    return
  }
  scheduleAck(c)
  measureSegments(c, seg, charge)
  if (rcv.ato === 0) {
    // the first text: the sender is in slow start, every ACK speeds it up
    addQuickAcks(c, settings.quickAcks)
    rcv.ato = settings.delayedAckMin
  } else {
    const gap = now - rcv.lastTextAt
    if (gap <= settings.delayedAckMin / 2) rcv.ato = rcv.ato / 2 + settings.delayedAckMin / 2
    else if (gap < rcv.ato) rcv.ato = Math.min(rcv.ato / 2 + gap, c.rtt.rto)
    // such a pause means that the sender starts anew from a small window
    else if (gap > c.rtt.rto) addQuickAcks(c, settings.quickAcks)
  }
  rcv.lastTextAt = now
  measureText(c, seg, charge, now)
}

/** Plain delayed ACK (RFC 9293 3.8.6.3 SHLD-18, SHLD-19; RFC 5681 4.2): at least every second full segment. */
function delayAck(c: Connection, seg: Segment): void {
  const { rcv } = c
  const size = seg.gsoSize > 0 ? seg.gsoSize : seg.textLength
  if (size > rcv.mss) rcv.mss = Math.min(size, rcv.advMss)
  const second = (rcv.owed & Owed.Ack) !== 0 && c.env.settings.ackEvery <= 2
  const many = seqDiff(rcv.nxt, rcv.lastAckSent) >= c.env.settings.ackEvery * rcv.mss
  if (second || many || seg.textLength > rcv.mss || rcv.wnd === 0) ackNow(c)
  else scheduleAck(c)
}

/** Estimates the size of the peer's full segments (Linux tcp_measure_rcv_mss), and what text costs in memory. */
export function measureSegments(c: Connection, seg: Segment, charge: number): void {
  const { rcv } = c
  const size = seg.gsoSize > 0 ? Math.min(seg.gsoSize, seg.textLength) : seg.textLength
  const before = rcv.lastSegmentSize
  rcv.lastSegmentSize = 0
  if (size >= rcv.mss) {
    if (size !== rcv.mss && c.env.settings.chargeOverhead && charge > 0) {
      const ratio = Math.max(1, Math.min(255, Math.floor((seg.textLength * 256) / charge)))
      if (ratio !== rcv.ratio) ratioChanged(c, ratio)
    }
    rcv.mss = Math.min(size, rcv.advMss)
    if (seg.flags & 0x08) rcv.owed |= Owed.Pushed
    return
  }
  // SACK blocks make segments shorter now and then; the length with the header stays the same
  const withHeader = size + seg.optionsLength
  const pushed = (seg.flags & 0x0f) !== 0
  if (withHeader >= DEFAULT_MSS || (withHeader >= LEAST_MSS && !pushed)) {
    const length = withHeader - (c.snd.tsOk ? TIMESTAMPS_LENGTH : 0)
    rcv.lastSegmentSize = length
    if (length === before) {
      rcv.mss = length
      return
    }
  }
  if (rcv.owed & Owed.Pushed) rcv.owed |= Owed.PushedTwice
  rcv.owed |= Owed.Pushed
}

/** A segment has been processed: is its ACK sent now, later, or is none owed? */
export function acknowledge(c: Connection, now: Instant): void {
  const { rcv, env } = c
  if ((rcv.owed & Owed.Ack) === 0) return
  // duplicate ACKs are counted by the peer, one for each segment out of order
  if (env.moreArriving && (rcv.reassembly === null || rcv.reassembly.isEmpty)) {
    if (rcv.owed & Owed.AfterBatch) return
    rcv.owed |= Owed.AfterBatch
    env.owing.push(c)
    return
  }
  const { settings } = env
  if ((rcv.owed & Owed.Now) !== 0 || c.quickAckForced) {
    emitAck(c, now)
    return
  }
  if (settings.quickAcks === 0 && !settings.interactiveAcks) {
    if (!armed(c, Timer.DelayedAck)) arm(c, Timer.DelayedAck, now + settings.delayedAckMax, now)
    return
  }
  const outOfOrder = rcv.reassembly !== null && !rcv.reassembly.isEmpty
  // more than a full segment, and the program keeps up, so that the right edge moves; else the read will send the ACK
  if (seqDiff(rcv.nxt, rcv.wup) > rcv.mss && selectWindow(c) >= rcv.wnd) emitAck(c, now)
  else if (inQuickAcks(c)) emitAck(c, now)
  else if (!outOfOrder) delay(c, now)
  else if (!c.snd.sackOk || rcv.compressed >= settings.compressSacks) emitAck(c, now)
  else compress(c, now)
}

/** All frames that arrived together have been processed: one ACK for what came in order (MUST-58, MUST-59). */
export function acknowledgeOwing(env: Environment, now: Instant): void {
  const { owing } = env
  for (let i = 0; i < owing.count; i++) {
    const c = owing.items[i]!
    c.rcv.owed &= ~Owed.AfterBatch
    if (c.state >= State.Established) acknowledge(c, now)
  }
  owing.clear()
}

/** Holds ACKs for text out of order back for a short time once the sender has had its three duplicates (Linux). */
function compress(c: Connection, now: Instant): void {
  const { rcv } = c
  const { settings } = c.env
  if (rcv.compressedAt !== rcv.nxt) {
    rcv.compressedAt = rcv.nxt
    rcv.duplicateAcks = 0
  }
  if (rcv.duplicateAcks < DUPLICATES_FOR_RETRANSMIT) {
    rcv.duplicateAcks++
    emitAck(c, now)
    return
  }
  let rtt = rcv.rtt8 / 8
  if (c.rtt.smoothed > 0 && c.rtt.smoothed < rtt) rtt = c.rtt.smoothed
  const wait = Math.min(settings.compressSackDelay, rtt / 20)
  if (wait <= 0) {
    emitAck(c, now)
    return
  }
  rcv.compressed++
  if (rcv.compressed > 1) return
  arm(c, Timer.DelayedAck, now + wait, now)
}

/** Delays the ACK: by 40 ms, or as long as the program's answers take (Linux tcp_send_delayed_ack). */
function delay(c: Connection, now: Instant): void {
  const { rcv } = c
  const { delayedAckMin, delayedAckMax } = c.env.settings
  let wait: Millis = rcv.ato
  if (wait > delayedAckMin) {
    let most = 500
    if (rcv.pingpong >= PINGPONG || (rcv.owed & Owed.Pushed) !== 0) most = delayedAckMax
    if (c.rtt.smoothed > 0) most = Math.min(most, Math.max(c.rtt.smoothed, delayedAckMin))
    wait = Math.min(wait, most)
  }
  wait = Math.max(TICK, Math.min(wait, delayedAckMax))
  let at = now + wait
  if (rcv.owed & Owed.Timer) {
    const set = c.timers[Timer.DelayedAck]!
    // about to fire anyway
    if (set <= now + wait / 4) {
      emitAck(c, now)
      return
    }
    if (at >= set) at = set
  }
  rcv.owed |= Owed.Ack | Owed.Timer
  if (c.timers[Timer.DelayedAck] !== at) arm(c, Timer.DelayedAck, at, now)
}

/** An ACK of SYN-ACK or the like waits up to the longest delay for text to go with it (Linux, connect with data to write). */
export function delayHandshakeAck(c: Connection, now: Instant): void {
  const { settings } = c.env
  scheduleAck(c)
  enterQuickAcks(c, settings.quickAcks)
  c.rcv.owed |= Owed.Timer
  arm(c, Timer.DelayedAck, now + settings.delayedAckMax, now)
}

/** The delayed-ACK timer fired. */
export function delayedAckExpired(c: Connection, now: Instant): void {
  const { rcv } = c
  const { settings } = c.env
  if (rcv.compressed > 0) {
    emitAck(c, now)
    return
  }
  rcv.owed &= ~Owed.Timer
  if ((rcv.owed & Owed.Ack) === 0) return
  if (settings.interactiveAcks) {
    if (rcv.pingpong < PINGPONG) rcv.ato = Math.min(rcv.ato * 2, c.rtt.rto)
    else {
      // the program did not answer: ACKs do not wait for it any more
      rcv.pingpong = 0
      rcv.ato = settings.delayedAckMin
    }
  }
  c.env.counters.count('TcpExtDelayedACKs')
  emitAck(c, now)
}

/** Text was sent: soon after text arrived it is an answer, and the next ACKs may wait for answers too. */
export function textSent(c: Connection, now: Instant): void {
  const { rcv } = c
  if (c.env.settings.interactiveAcks && now - rcv.lastTextAt < rcv.ato && rcv.pingpong < 255) rcv.pingpong++
}

/** A segment with the ACK bit was sent: nothing is owed any more. */
export function ackSent(c: Connection, now: Instant): void {
  const { rcv } = c
  rcv.lastAckSent = rcv.nxt
  rcv.compressed = 0
  if (rcv.quick > 0 && (rcv.owed & Owed.Ack) !== 0) {
    rcv.quick--
    if (rcv.quick === 0) rcv.ato = c.env.settings.delayedAckMin
  }
  rcv.owed = 0
  if (armed(c, Timer.DelayedAck)) disarm(c, Timer.DelayedAck, now)
}
