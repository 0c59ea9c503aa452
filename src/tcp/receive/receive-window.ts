import type { Connection } from '../connection.js'
import { sendMss } from '../options/mss.js'
import { emitAck } from '../send/emit.js'
import { after, seqAdd, seqDiff } from '../sequence.js'
import type { Settings } from '../settings/settings.js'
import { State } from '../states/state-name.js'
import type { Instant } from '../time.js'
import { adjustBuffer } from './receive-autotuning.js'
import { windowFromSpace } from './receive-memory.js'
import { ReceiveQueue } from './receive-queue.js'
import { Owed } from './receive-state.js'

const MAX_UNSCALED = 65535
/** RFC 7323 2.2: the largest shift. */
const MAX_SHIFT = 14
/** Largest window without scaling for peers that take the field as signed. */
const MAX_SIGNED = 32767
/** Share of the buffer that is window before text was seen, 256ths (Linux). */
const DEFAULT_RATIO = 128
/** MSS assumed before a segment was seen, at most and at least, octets (Linux). */
const FIRST_MSS = 536
const LEAST_MSS = 88
/** Smallest clamp (Linux SOCK_MIN_RCVBUF / 2), octets. */
const LEAST_CLAMP = 1152
/** Segments that the first window is taken to hold for autotuning (Linux TCP_INIT_CWND). */
const FIRST_WINDOW_SEGMENTS = 10

// --- opening ---

/** What a SYN or SYN-ACK offers of receiving. */
export interface WindowOffer {
  /** Octets, not scaled: what the window field of the SYN says, at most 65535 (a SYN is never scaled, RFC 7323 2.2). */
  window: number
  /** Window scale shift to offer. */
  shift: number
  /** Most that may ever be offered, octets. */
  clamp: number
}

/**
 * The first window, for a connection or an entry of the SYN queue.
 * @param buffer SO_RCVBUF as it took effect, octets; `fixed`: the program set it
 * @param clamp TCP_WINDOW_CLAMP, octets; 0: none
 * @param mss what is advertised, less the timestamps if they are agreed, octets
 * @param scaling window scaling is offered or agreed
 */
export function firstWindow(
  settings: Settings,
  buffer: number,
  fixed: boolean,
  clamp: number,
  mss: number,
  scaling: boolean,
): WindowOffer {
  const space = windowFromSpace(firstRatio(settings), buffer)
  let limit = clamp > 0 ? clamp : MAX_UNSCALED << MAX_SHIFT
  // Linux: a buffer fixed by the program bounds what scaling must reach
  if (settings.chargeOverhead && fixed && limit > space) limit = space
  let window = Math.min(space, limit)
  if (settings.windowSlowStart && window > mss) window -= window % mss
  window = Math.min(window, settings.signedWindows ? MAX_SIGNED : scaling ? settings.largestSynWindow : MAX_UNSCALED)
  if (settings.initialReceiveWindow !== Number.POSITIVE_INFINITY) {
    window = Math.min(window, settings.initialReceiveWindow * mss)
  }
  const shift = scaling ? shiftFor(settings, Math.min(limit, largestWindow(settings, space))) : 0
  return { window, shift, clamp: Math.min(limit, MAX_UNSCALED << shift) }
}

const firstRatio = (settings: Settings): number => (settings.chargeOverhead ? DEFAULT_RATIO : 256)

function largestWindow(settings: Settings, space: number): number {
  if (settings.windowScaleFrom > 0) return Math.max(space, settings.windowScaleFrom)
  return Math.max(space, settings.receiveBuffer[2], settings.receiveBufferCap)
}

function shiftFor(settings: Settings, octets: number): number {
  if (settings.windowScale !== null) return settings.windowScale
  let shift = 0
  while (shift < MAX_SHIFT && MAX_UNSCALED << shift < octets) shift++
  return shift
}

/** The window field of a SYN or SYN-ACK, which is never scaled (RFC 7323 2.2). */
export const synWindow = (window: number): number => Math.min(window, MAX_UNSCALED)

/** Makes the receive half, before SYN or SYN-ACK; `offer` as `firstWindow` gave it, `buffer` 0: the setting. */
export function beginReceiving(
  c: Connection,
  offer: WindowOffer,
  buffer: number,
  fixed: boolean,
  advertised: number,
): void {
  const { rcv } = c
  const { settings } = c.env
  rcv.queue = new ReceiveQueue()
  rcv.buffer = buffer > 0 ? buffer : settings.receiveBuffer[1]
  rcv.bufferFixed = fixed
  rcv.ratio = firstRatio(settings)
  rcv.wnd = offer.window
  rcv.wscale = offer.shift
  rcv.clamp = offer.clamp
  rcv.ssthresh = offer.window
  rcv.advMss = advertised
}

/** The peer's SYN is known: IRS, and RCV.NXT behind it. */
export function synReceived(c: Connection, irs: number): void {
  const { rcv } = c
  rcv.irs = irs
  rcv.nxt = seqAdd(irs, 1)
  rcv.wup = rcv.nxt
  rcv.maxEdge = seqAdd(rcv.wup, rcv.wnd)
  rcv.lastAckSent = rcv.nxt
  rcv.spaceSeq = rcv.nxt
}

/** The handshake is complete (or text came with the SYN and is taken): what depends on what was agreed. */
export function establishReceiving(c: Connection, now: Instant): void {
  const { rcv, snd } = c
  const { settings } = c.env
  rcv.lastTextAt = now
  rcv.mss = Math.max(LEAST_MSS, Math.min(rcv.advMss, snd.mss, Math.floor(rcv.wnd / 2), FIRST_MSS))
  if (settings.roundReceiveBuffer) roundBuffer(c)
  if (!settings.windowSlowStart) return
  const full = windowFromSpace(rcv.ratio, rcv.buffer)
  if (rcv.clamp >= full) rcv.clamp = full
  // one segment is kept in reserve
  if (rcv.clamp > 2 * rcv.advMss && rcv.clamp + rcv.advMss > full)
    rcv.clamp = Math.max(2 * rcv.advMss, full - rcv.advMss)
  rcv.ssthresh = Math.min(rcv.ssthresh, rcv.clamp)
  rcv.space = Math.min(rcv.ssthresh, rcv.wnd, FIRST_WINDOW_SEGMENTS * rcv.advMss)
  rcv.spaceFrom = now
  rcv.spaceSeq = seqAdd(rcv.nxt, -rcv.queue.octets)
}

/** FreeBSD tcp_mss: the buffer holds whole segments. */
function roundBuffer(c: Connection): void {
  const { rcv, snd } = c
  const mss = sendMss(c.env.settings, snd.peerMss, c.path.mtu, c.remote)
  if (rcv.buffer <= mss) return
  const rounded = Math.ceil(rcv.buffer / mss) * mss
  rcv.buffer = Math.min(rounded, Math.max(rcv.buffer, c.env.settings.receiveBufferCap))
}

/** SO_RCVBUF of an open connection, octets as it takes effect. */
export function setReceiveBuffer(c: Connection, octets: number): void {
  c.rcv.buffer = octets
  c.rcv.bufferFixed = true
}

/** TCP_WINDOW_CLAMP of an open connection, octets; 0: none. */
export function setWindowClamp(c: Connection, octets: number): void {
  if (octets > 0) moveClamp(c, octets)
}

function moveClamp(c: Connection, clamp: number): void {
  const { rcv } = c
  const before = rcv.clamp
  rcv.clamp = clamp
  if (clamp < before) rcv.ssthresh = Math.min(clamp, rcv.ssthresh)
  else rcv.ssthresh = Math.max(Math.min(rcv.wnd, clamp), rcv.ssthresh)
}

// --- open ---

/** What is left of the window offered last: from RCV.NXT to its right edge, octets. */
export function offeredWindow(c: Connection): number {
  const { rcv } = c
  return Math.max(0, rcv.wnd - seqDiff(rcv.nxt, rcv.wup))
}

/** Octets from RCV.NXT that are acceptable. */
export function receiveWindow(c: Connection): number {
  const left = offeredWindow(c)
  return c.env.settings.acceptFreeBuffer ? Math.max(left, freeWindow(c)) : left
}

/** From RCV.NXT to the rightmost edge ever offered, octets. */
export function largestReceiveWindow(c: Connection): number {
  const left = seqDiff(c.rcv.maxEdge, c.rcv.nxt)
  return Math.max(left, 0)
}

/** What text not yet read costs of the receive buffer. */
export function chargedMemory(c: Connection): number {
  const { rcv } = c
  return rcv.queue.charged + (rcv.reassembly === null ? 0 : rcv.reassembly.charged)
}

/** Octets of window that the free buffer allows; text out of order lies within the window and is not counted again. */
function freeWindow(c: Connection): number {
  const { rcv } = c
  if (!c.env.settings.chargeOverhead) return rcv.buffer - rcv.queue.octets
  return windowFromSpace(rcv.ratio, rcv.buffer - chargedMemory(c))
}

/**
 * Lets the window grow with text that is long enough for the memory it costs (Linux tcp_grow_window), so that a sender
 * of small segments does not get a window whose memory we do not have.
 */
export function growWindow(c: Connection, length: number, charge: number): void {
  const { rcv } = c
  const room = Math.min(rcv.clamp, freeWindow(c)) - rcv.ssthresh
  if (room <= 0) return
  const fits = windowFromSpace(rcv.ratio, charge) <= length
  const step = fits ? 2 * rcv.advMss : growthOfSmall(c, length, charge)
  if (step === 0) return
  rcv.ssthresh += Math.min(room, Math.max(step, 2 * length))
  rcv.quick |= 1
}

/** A segment whose memory is too large for it: the window may grow as long as such segments fit a smaller part of it. */
function growthOfSmall(c: Connection, length: number, cost: number): number {
  const { rcv } = c
  let truesize = windowFromSpace(rcv.ratio, cost) / 2
  let window = windowFromSpace(rcv.ratio, c.env.settings.receiveBuffer[2]) / 2
  while (rcv.ssthresh <= window) {
    if (truesize <= length) return 2 * rcv.mss
    truesize /= 2
    window /= 2
  }
  return 0
}

/** Segments cost another share of memory than was thought: the window that the buffer allows changes (Linux). */
export function ratioChanged(c: Connection, ratio: number): void {
  const { rcv } = c
  rcv.ratio = ratio
  moveClamp(c, Math.max(windowFromSpace(ratio, rcv.buffer), LEAST_CLAMP))
  if (rcv.clamp < rcv.space) rcv.space = rcv.clamp
}

/** To a multiple of a power of two; windows are far below 2^31. */
const roundUp = (octets: number, unit: number): number => (octets + unit - 1) & -unit

/** The window that memory allows now, octets, before it is kept from shrinking (Linux __tcp_select_window). */
export function selectWindow(c: Connection): number {
  const { rcv } = c
  const { settings } = c.env
  let mss = rcv.mss
  let free = freeWindow(c)
  const allowed = windowFromSpace(rcv.ratio, rcv.buffer)
  const full = Math.min(rcv.clamp, allowed)
  if (mss > full) {
    mss = full
    if (mss <= 0) return 0
  }
  const unit = 1 << rcv.wscale
  const shrink = settings.shrinkWindow && rcv.wscale > 0
  if (shrink) free = Math.floor(free / unit) * unit
  if (free < Math.floor(full / 2)) {
    rcv.quick = 0
    if (!shrink) free = Math.floor(free / unit) * unit
    if (free < Math.floor(allowed / 16) || free < mss) return 0
    if (shrink && free < unit) return 0
  }
  if (free > rcv.ssthresh) {
    free = rcv.ssthresh
    if (shrink) return roundUp(free, unit)
  }
  if (shrink) return free
  if (rcv.wscale > 0) return roundUp(free, unit)
  // steps of whole segments (RFC 1122 4.2.3.3), but not smaller than what is offered if that still fits
  const window = rcv.wnd
  if (window <= free - mss || window > free) return Math.floor(free / mss) * mss
  if (mss === full && free > window + Math.floor(full / 2)) return free
  return window
}

/**
 * Avoids the silly window syndrome (RFC 9293 3.8.6.2.2, MUST-39): the right edge moves on in steps of an MSS or half
 * the buffer (RFC), or any space is offered unless it is less than a quarter of the buffer and a segment (BSD).
 */
function selectPlain(c: Connection): number {
  const { rcv, snd } = c
  const { settings } = c.env
  const largest = MAX_UNSCALED << rcv.wscale
  const offered = offeredWindow(c)
  let window = Math.max(0, Math.min(freeWindow(c), largest))
  if (c.options.windowClamp > 0) window = Math.min(window, c.options.windowClamp)
  if (settings.holdRightEdge) {
    if (window - offered < Math.min(Math.floor(rcv.buffer / 2), rcv.advMss)) window = Math.min(window, offered)
  } else if (window < Math.floor(rcv.buffer / 4) && window < snd.mss) window = 0
  // SHLD-14: the right edge never moves left
  if (window < offered && !settings.shrinkWindow) window = offered
  const unit = 1 << rcv.wscale
  return Math.min(roundUp(window, unit), largest)
}

/** The window field of a segment that is about to be sent, scaled; RCV.WND follows. */
export function windowToOffer(c: Connection, _now: Instant): number {
  const { rcv } = c
  const { settings } = c.env
  let window: number
  if (rcv.owed & Owed.NoMemory) {
    rcv.wnd = 0
    rcv.wup = rcv.nxt
    return 0
  }
  if (settings.windowSlowStart) {
    const offered = offeredWindow(c)
    window = selectWindow(c)
    if (window < offered && !(settings.shrinkWindow && rcv.wscale > 0)) {
      const unit = 1 << rcv.wscale
      window = roundUp(offered, unit)
    }
  } else window = selectPlain(c)
  rcv.wnd = window
  rcv.wup = rcv.nxt
  const edge = seqAdd(rcv.nxt, window)
  if (after(edge, rcv.maxEdge)) rcv.maxEdge = edge
  const most = rcv.wscale === 0 && settings.signedWindows ? MAX_SIGNED : MAX_UNSCALED << rcv.wscale
  return Math.min(window, most) >> rcv.wscale
}

/** The program read `octets`: is an ACK sent to tell of the larger window, or one that waited for this? */
export function programRead(c: Connection, octets: number, now: Instant): void {
  if (c.state < State.Established || c.state === State.TimeWait) return
  adjustBuffer(c, now)
  if (c.env.settings.windowSlowStart) updateLinux(c, octets, now)
  else updatePlain(c, now)
}

/** Linux tcp_cleanup_rbuf. */
function updateLinux(c: Connection, octets: number, now: Instant): void {
  const { rcv } = c
  if (rcv.owed & Owed.Ack) {
    const interactive = rcv.pingpong > 0
    const allRead =
      octets > 0 &&
      rcv.queue.octets === 0 &&
      ((rcv.owed & Owed.PushedTwice) !== 0 || ((rcv.owed & Owed.Pushed) !== 0 && !interactive))
    if (seqDiff(rcv.nxt, rcv.wup) > rcv.mss || allRead) {
      emitAck(c, now)
      return
    }
  }
  if (octets <= 0 || rcv.shutdown || rcv.finReceived) return
  const offered = offeredWindow(c)
  if (2 * offered > rcv.clamp) return
  const window = selectWindow(c)
  if (window > 0 && window >= 2 * offered) emitAck(c, now)
}

/** A window update for two segments or a good part of the buffer (RFC 9293 3.8.6.2.2; BSD tcp_output). */
function updatePlain(c: Connection, now: Instant): void {
  const { rcv, snd } = c
  // a delayed ACK will tell, soon
  if (rcv.finReceived || (rcv.owed & (Owed.Ack | Owed.Now)) === Owed.Ack) return
  const offered = offeredWindow(c)
  const window = Math.max(0, Math.min(freeWindow(c), MAX_UNSCALED << rcv.wscale))
  const more = window - offered
  if (more <= 0 || offered >> rcv.wscale >= window >> rcv.wscale) return
  const mss = Math.max(snd.mss, rcv.mss)
  const worthwhile =
    more >= 2 * mss &&
    (more >= rcv.buffer / 4 || window <= rcv.buffer / 8 || rcv.buffer <= 8 * mss || more >= MAX_UNSCALED << rcv.wscale)
  if (worthwhile || 2 * more >= rcv.buffer) emitAck(c, now)
}
