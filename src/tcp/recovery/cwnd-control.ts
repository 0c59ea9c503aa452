import { INFINITE_SSTHRESH } from '../congestion/controller.js'
import type { Connection } from '../connection.js'
import { windowReduced } from '../options/ecn.js'
import { currentSsthresh, cwndIsLimit } from '../send/cwnd-validation.js'
import { sample } from '../send/delivery-rate.js'
import type { Instant } from '../time.js'
import { AckFlag, ack, PROGRESS } from './ack-state.js'
import { CaState } from './recovery.js'

/** Loss recovery goes to another state. */
export function setCaState(c: Connection, to: CaState, now: Instant): void {
  c.congestion.stateChanges(c, to, now)
  c.recovery.state = to
}

/** A reduction begins: ssthresh is lowered, and cwnd will follow it in the course of a round trip (RFC 9937). */
export function beginReduction(c: Connection, now: Instant): void {
  const { recovery, congestion, snd } = c
  recovery.highSeq = snd.nxt
  recovery.probing = false
  congestion.credit = 0
  recovery.priorCwnd = congestion.cwnd
  recovery.prrDelivered = 0
  recovery.prrOut = 0
  congestion.ssthresh = congestion.ssthreshAfterLoss(c, now)
  windowReduced(c)
}

/** Congestion without loss: ECN-Echo (RFC 3168 6.1.2). */
export function enterCwr(c: Connection, now: Instant): void {
  const { recovery } = c
  recovery.priorSsthresh = 0
  if (recovery.state >= CaState.Cwr) return
  recovery.undoing = false
  beginReduction(c, now)
  setCaState(c, CaState.Cwr, now)
}

/** The reduction is over: cwnd is ssthresh. */
export function endReduction(c: Connection, now: Instant): void {
  const { recovery, congestion } = c
  if (congestion.ssthresh >= INFINITE_SSTHRESH) return
  if (recovery.state !== CaState.Cwr && !recovery.undoing) return
  congestion.cwnd = congestion.ssthresh
  c.snd.usage.since = now
}

/**
 * Proportional rate reduction (RFC 9937, 6937): for each segment delivered, so much is sent that cwnd comes down to
 * ssthresh when everything sent before the loss is delivered; below it, slow start up to it.
 */
export function reduceProportionally(c: Connection, delivered: number, lost: number, flags: number): void {
  const { recovery, congestion } = c
  if (delivered <= 0 || recovery.priorCwnd === 0) return
  const inFlight = recovery.inFlight
  const room = congestion.ssthresh - inFlight
  recovery.prrDelivered += delivered
  let send: number
  if (room < 0) {
    send = Math.ceil((congestion.ssthresh * recovery.prrDelivered) / recovery.priorCwnd) - recovery.prrOut
  } else {
    send = Math.max(recovery.prrDelivered - recovery.prrOut, delivered)
    // progress without new loss: one more, as slow start would
    if (flags & AckFlag.Advanced && lost === 0) send++
    send = Math.min(room, send)
  }
  // the fast retransmit goes in any case
  send = Math.max(send, recovery.prrOut > 0 ? 0 : 1)
  congestion.cwnd = inFlight + send
}

/** The end of an ACK: cwnd shrinks or grows as the state says. */
export function controlCongestion(c: Connection, delivered: number, lost: number, now: Instant): void {
  const { recovery, congestion } = c
  if (congestion.control(c, sample, now)) return
  if (recovery.reducing) reduceProportionally(c, delivered, lost, ack.flags)
  else if (mayGrow(c)) {
    if (cwndIsLimit(c)) congestion.grow(c, delivered, now)
    c.snd.usage.since = now
  }
  updatePacingRate(c)
}

/** SACKs alone let cwnd grow only on paths that are known to reorder. */
function mayGrow(c: Connection): boolean {
  if (c.recovery.reordering > c.env.settings.dupAckThreshold) return (ack.flags & PROGRESS) !== 0
  return (ack.flags & AckFlag.TextAcked) !== 0
}

/** cwnd per RTT, with a margin: twice in slow start, 1.2 times after it (Linux tcp_update_pacing_rate). Octets per second. */
export function updatePacingRate(c: Connection): void {
  const { congestion, rtt, snd } = c
  const { pacingSsRatio, pacingCaRatio } = c.env.settings
  const ratio = congestion.cwnd < congestion.ssthresh / 2 ? pacingSsRatio : pacingCaRatio
  const window = Math.max(congestion.cwnd, c.recovery.packetsOut) * snd.mss
  // µs times 8 per 8 µs
  snd.rate.pacingRate = (window * ratio * 80_000) / Math.max(1, rtt.smoothed8)
}

export { currentSsthresh }
