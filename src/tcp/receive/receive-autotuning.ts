import type { Segment } from '../../wire/index.js'
import type { Connection } from '../connection.js'
import { tsNow } from '../options/timestamps.js'
import { after, before, seqAdd, seqDiff } from '../sequence.js'
import { type Instant, type Millis, NEVER } from '../time.js'
import { spaceFromWindow, windowFromSpace } from './receive-memory.js'
import { growWindow } from './receive-window.js'

/**
 * Dynamic right-sizing of the receive buffer: it grows to twice what the program reads in one round trip, so that the
 * window never limits a sender that the program keeps up with (Fisk, Feng 2001; Linux tcp_rcv_space_adjust).
 */

/** Text arrived in order: measures the round trip as far as a receiver can, and lets the window grow. */
export function measureText(c: Connection, seg: Segment, charge: number, now: Instant): void {
  const { settings } = c.env
  if (!settings.windowSlowStart) {
    if (settings.autotuneReceiveBuffer && !c.rcv.bufferFixed) growWithArrivals(c, seg.textLength, now)
    return
  }
  measureWindow(c, now)
  if (c.snd.tsOk && seg.hasTimestamps) measureEcho(c, seg, now)
  if (seg.textLength >= 128) growWindow(c, seg.textLength, charge)
}

/** Without timestamps: a round trip is not longer than a window's worth of text takes. */
function measureWindow(c: Connection, now: Instant): void {
  const { rcv } = c
  if (rcv.rttFrom !== -NEVER) {
    if (before(rcv.nxt, rcv.rttSeq)) return
    takeSample(c, Math.max(0.001, now - rcv.rttFrom), true)
  }
  rcv.rttSeq = seqAdd(rcv.nxt, rcv.wnd)
  rcv.rttFrom = now
}

function measureEcho(c: Connection, seg: Segment, now: Instant): void {
  const { rcv } = c
  if (seg.tsEcr === rcv.rttEcho) return
  rcv.rttEcho = seg.tsEcr
  if (seg.textLength < rcv.mss) return
  const sample = seqDiff(tsNow(c, now), seg.tsEcr)
  if (sample >= 0 && sample < 24 * 3600 * 1000) takeSample(c, Math.max(1, sample), false)
}

function takeSample(c: Connection, sample: Millis, fromWindow: boolean): void {
  const { rcv } = c
  if (rcv.rtt8 === 0 || sample * 8 < rcv.rtt8) rcv.rtt8 = sample * 8
  else if (!fromWindow) rcv.rtt8 += sample - rcv.rtt8 / 8
}

/** The program read text: once a round trip, the buffer follows (Linux). */
export function adjustBuffer(c: Connection, now: Instant): void {
  const { rcv } = c
  if (!c.env.settings.windowSlowStart) return
  if (rcv.rtt8 === 0 || now - rcv.spaceFrom < rcv.rtt8 / 8) return
  const copied = seqAdd(rcv.nxt, -rcv.queue.octets - (rcv.finReceived ? 1 : 0))
  // text still queued was not read: a program that falls behind gets no more
  const read = seqDiff(copied, rcv.spaceSeq) - rcv.queue.octets
  if (read > rcv.space) growBuffer(c, read)
  rcv.spaceSeq = copied
  rcv.spaceFrom = now
}

/** Enlarges the buffer for `read` octets in a round trip: twice that, more when it grows fast, and what is out of order. */
export function growBuffer(c: Connection, read: number): void {
  const { rcv } = c
  const { settings } = c.env
  const before = rcv.space
  rcv.space = read
  if (!settings.autotuneReceiveBuffer || rcv.bufferFixed) return
  // the sender may double its rate in slow start, and what we see is one round trip old
  let window = read * 2
  if (before > 0) window += 2 * Math.floor((window * Math.max(0, read - before)) / before)
  if (rcv.reassembly !== null && !rcv.reassembly.isEmpty && after(rcv.reassembly.rightEdge, rcv.nxt)) {
    window += seqDiff(rcv.reassembly.rightEdge, rcv.nxt)
  }
  const buffer = Math.min(spaceFromWindow(rcv.ratio, window), settings.receiveBuffer[2])
  if (buffer <= rcv.buffer) return
  rcv.buffer = buffer
  rcv.clamp = windowFromSpace(rcv.ratio, buffer)
}

/** The buffer follows what arrives in half a round trip when that is most of it (FreeBSD tcp_autorcvbuf). */
function growWithArrivals(c: Connection, length: number, now: Instant): void {
  const { rcv } = c
  const { receiveBuffer } = c.env.settings
  if (rcv.spaceFrom === -NEVER) {
    rcv.spaceFrom = now
    rcv.space = 0
  }
  if (c.rtt.smoothed > 0 && now - rcv.spaceFrom > c.rtt.smoothed / 2) {
    if (rcv.space > (rcv.buffer / 8) * 3 && rcv.buffer < receiveBuffer[2]) {
      rcv.buffer = Math.min(rcv.buffer + Math.floor(rcv.buffer / 2), receiveBuffer[2])
    }
    rcv.spaceFrom = now
    rcv.space = 0
  } else rcv.space += length
}
