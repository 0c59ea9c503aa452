import { ACK, DropReason, FIN, RST, type Segment, SYN, URG } from '../wire/index.js'
import type { Connection, ErrorName } from './connection.js'
import { fastOpenBlackholed } from './open/fast-open.js'
import { emitSynAckAgain, handshakeCompletes, synSentArrives } from './open/handshake.js'
import { ecnArrives, reflectSynAck } from './options/ecn.js'
import { md5Mismatch } from './options/md5-check.js'
import { userTimeoutArrives } from './options/options.js'
import { takeReturnRoute } from './options/source-route.js'
import { noteTimestamp, timestampsAcceptable } from './options/timestamps.js'
import { ackNow, acknowledge } from './receive/acknowledge.js'
import { receiveWindow } from './receive/receive-window.js'
import { nextTextArrives, sequenceAcceptable, textArrives, unacceptableText } from './receive/text-arrives.js'
import { urgentArrives } from './receive/urgent.js'
import { challengeAck, drop, fail, invalidAnswerAllowed, sendReset, sendResetFor } from './reset.js'
import { ackArrives } from './send/ack-arrives.js'
import { emitAck } from './send/emit.js'
import { sendPending } from './send/output.js'
import { after, atOrBefore, before, seqAdd, seqDiff } from './sequence.js'
import { State } from './states/state-name.js'
import { finWasAcknowledged, toFinWait2 } from './states/states-entered.js'
import type { Instant } from './time.js'

const CONTROL = FIN | SYN | RST | URG | ACK

/** SEGMENT ARRIVES (RFC 9293 3.10.7) for a connection. */
export function segmentArrives(c: Connection, seg: Segment, now: Instant): void {
  // the fast path: the next text, or an ACK, and nothing else to look at
  if (
    c.state === State.Established &&
    (seg.flags & CONTROL) === ACK &&
    seg.seq === c.rcv.nxt &&
    seqDiff(seg.seq + seg.textLength, c.rcv.wup) <= c.rcv.wnd &&
    c.md5Key === null &&
    seg.md5Start < 0 &&
    timestampsAcceptable(c, seg, now)
  ) {
    return established(c, seg, now)
  }
  const mismatch = md5Mismatch(seg, c.md5Key)
  if (mismatch !== null) return drop(c.env, c, seg, mismatch, now)
  if (c.env.settings.dropSynFin && (seg.flags & (SYN | FIN)) === (SYN | FIN)) {
    return drop(c.env, c, seg, DropReason.SynFin, now)
  }
  if (c.state === State.SynSent) synSentArrives(c, seg, now)
  else if (c.state !== State.Closed) synchronizedArrives(c, seg, now)
  else sendResetFor(c.env, seg, now, c, null)
}

/** From the fifth step on, in ESTABLISHED, for a segment that has passed the four before. */
function established(c: Connection, seg: Segment, now: Instant): void {
  c.lastReceived = now
  if (seg.ipOptions !== null) takeReturnRoute(c, seg.ipOptions, now)
  noteTimestamp(c, seg, now)
  if (seg.userTimeout >= 0) userTimeoutArrives(c, seg)
  if (c.ecn !== null) ecnArrives(c, seg)
  if (!ackArrives(c, seg, now)) return
  if (seg.textLength > 0) nextTextArrives(c, seg, now)
  sendPending(c, now)
  acknowledge(c, now)
}

/**
 * SEGMENT ARRIVES in every other state but SYN-SENT (RFC 9293 3.10.7.4), step by step in the RFC's order. RST and SYN are
 * looked at with the sequence number, since what becomes of the two depends on it (RFC 5961).
 */
function synchronizedArrives(c: Connection, seg: Segment, now: Instant): void {
  // second, check the RST bit; PAWS does not apply to it (RFC 7323 5.2)
  if (seg.flags & RST) return resetArrives(c, seg, now)
  // fourth, check the SYN bit
  if (seg.flags & SYN) return synArrives(c, seg, now)
  if (!(seg.flags & ACK) && c.env.settings.noAckIsSilent) return drop(c.env, c, seg, DropReason.NoAck, now)
  // first, check the sequence number; RFC 7323 5.3 puts PAWS before it
  if (!timestampsAcceptable(c, seg, now)) return answerInvalid(c, seg, DropReason.Paws, now)
  if (!sequenceAcceptable(c, seg)) return answerInvalid(c, seg, DropReason.OutOfWindow, now)
  // third, check the security: nobody implements it
  // fifth, check the ACK field
  if (!(seg.flags & ACK)) return drop(c.env, c, seg, DropReason.NoAck, now)
  c.lastReceived = now
  if (seg.ipOptions !== null) takeReturnRoute(c, seg.ipOptions, now)
  if (!c.established) {
    if (!synReceivedAckArrives(c, seg, now)) return
  } else {
    noteTimestamp(c, seg, now)
    if (seg.userTimeout >= 0) userTimeoutArrives(c, seg)
    if (c.ecn !== null) ecnArrives(c, seg)
    if (!ackArrives(c, seg, now)) return
  }
  ackProcessed(c, seg, now)
}

/** The rest of the way of a segment whose ACK was processed: from the sixth step on. */
export function ackProcessed(c: Connection, seg: Segment, now: Instant): void {
  if (textAfterClose(c, seg)) return abortOnText(c, seg, 'rcv text after CLOSE', now)
  if (c.finAcknowledged && finWasAcknowledged(c, now)) return
  if (textBehindFin(c, seg)) return abortOnText(c, seg, 'rcv text behind FIN', now)
  // sixth, check the URG bit
  if (seg.flags & URG) urgentArrives(c, seg, now)
  // seventh, process the segment text; eighth, check the FIN bit
  if (seg.textLength > 0 || seg.flags & FIN) textArrives(c, seg, now)
  if (c.state === State.Closed || c.state === State.TimeWait) return
  if (c.state === State.FinWait1 && c.finAcknowledged) return toFinWait2(c, seg, now)
  sendPending(c, now)
  acknowledge(c, now)
}

/**
 * "If an incoming segment is not acceptable, an acknowledgment should be sent in reply (unless the RST bit is set)" (RFC
 * 9293 3.10.7.4, first step).
 */
function answerInvalid(c: Connection, seg: Segment, reason: DropReason, now: Instant): void {
  drop(c.env, c, seg, reason, now)
  if (reason === DropReason.Paws) c.env.counters.count('TcpExtPAWSEstab')
  // text is not part of a loop of ACKs, and its sender may wait
  const limited = seg.textLength === 0 && c.env.settings.invalidRateLimit > 0
  if (limited && !invalidAnswerAllowed(c, now)) {
    c.env.counters.count(reason === DropReason.Paws ? 'TcpExtTCPACKSkippedPAWS' : 'TcpExtTCPACKSkippedSeq')
    return
  }
  unacceptableText(c, seg)
  emitAck(c, now)
}

/** Second step: a RST (RFC 9293 3.10.7.4, RFC 5961 3.2). */
function resetArrives(c: Connection, seg: Segment, now: Instant): void {
  if (resetAfterFin(c, seg)) return resetTakesEffect(c, now)
  if (!resetInWindow(c, seg)) return drop(c.env, c, seg, DropReason.RstOutOfWindow, now)
  if (seg.seq === c.rcv.nxt || c.env.settings.insecureRst || resetAtSackEdge(c, seg)) return resetTakesEffect(c, now)
  drop(c.env, c, seg, DropReason.ChallengedRst, now)
  challengeAck(c, seg, now)
}

function resetInWindow(c: Connection, seg: Segment): boolean {
  return c.env.settings.acceptBeyondWindow ? sequenceAcceptable(c, seg) : sequenceInWindow(c, seg)
}

/** The peer counted its FIN, and then not, or not yet (Linux tcp_reset_check, macOS). */
function resetAfterFin(c: Connection, seg: Segment): boolean {
  const { state } = c
  if (!c.env.settings.resetAtSackEdge || seg.seq !== seqAdd(c.rcv.nxt, -1)) return false
  return state === State.CloseWait || state === State.LastAck || state === State.Closing
}

/** The RST follows text we hold out of order: it is from someone who has seen the sequence numbers (Linux). */
function resetAtSackEdge(c: Connection, seg: Segment): boolean {
  const { reassembly } = c.rcv
  if (!c.env.settings.resetAtSackEdge || !c.snd.sackOk || reassembly === null || reassembly.isEmpty) return false
  return seg.seq === reassembly.rightEdge
}

function resetTakesEffect(c: Connection, now: Instant): void {
  const { state } = c
  if (state === State.SynReceived && !c.active && c.fastOpen === null) {
    // "If this connection was initiated with a passive OPEN, then return this connection to LISTEN"
    return fail(c, 'ECONNRESET', 'rcv RST', now)
  }
  fail(c, resetError(c), 'rcv RST', now)
}

/** What a program is told when its connection was reset. */
function resetError({ state, active, env }: Connection): ErrorName {
  if (state === State.SynReceived && active && env.settings.refusedInSynReceived) return 'ECONNREFUSED'
  // Linux tells a program that wrote to a peer that had closed that the pipe is broken
  return state === State.CloseWait && env.settings.resetInCloseWaitIsPipe ? 'EPIPE' : 'ECONNRESET'
}

/**
 * Fourth step: a SYN. In a synchronized state a challenge ACK (RFC 5961 4.2), or after the old rule RST, if it is in the
 * window. In SYN-RECEIVED it may be the peer's SYN again.
 */
function synArrives(c: Connection, seg: Segment, now: Instant): void {
  const { settings } = c.env
  if (c.state === State.SynReceived && seg.seq === c.rcv.irs) return synAgain(c, seg, now)
  const inWindow = sequenceInWindow(c, seg)
  if (inWindow && settings.insecureSyn) {
    sendReset(c, now)
    return fail(c, 'ECONNRESET', 'rcv SYN', now)
  }
  drop(c.env, c, seg, DropReason.ChallengedSyn, now)
  reflectSynAck(c, seg)
  challengeAck(c, seg, now)
}

function sequenceInWindow(c: Connection, seg: Segment): boolean {
  const offset = seqDiff(seg.seq, c.rcv.nxt)
  return offset >= 0 && offset < Math.max(receiveWindow(c), 1)
}

/** SYN-RECEIVED: the peer's SYN comes again, since our SYN-ACK was lost: it is sent again (RFC 9293 3.8.3). */
function synAgain(c: Connection, seg: Segment, now: Instant): void {
  if (c.active && c.env.settings.simultaneousOpenChallengesSyn && !isCrossedSynAck(c, seg)) {
    drop(c.env, c, seg, DropReason.ChallengedSyn, now)
    return challengeAck(c, seg, now)
  }
  if (seg.flags & ACK) return crossedSynAck(c, seg, now)
  if (c.env.settings.invalidRateLimit > 0 && !invalidAnswerAllowed(c, now)) return
  emitSynAckAgain(c, now)
}

/** All that the peer's SYN-ACK of a simultaneous open is, and nothing behind it. */
const isCrossedSynAck = (c: Connection, seg: Segment): boolean =>
  (seg.flags & ACK) !== 0 && seg.ack === c.snd.nxt && seg.length === 1

/** Simultaneous open: the peer's SYN-ACK crossed ours. Its ACK is what we wait for (RFC 9293 3.5, figure 7). */
function crossedSynAck(c: Connection, seg: Segment, now: Instant): void {
  c.lastReceived = now
  const textRefused = c.opening!.synTextRefused
  if (!synReceivedAckArrives(c, seg, now)) return
  // Linux takes the SYN in it for text that came again
  if (c.env.settings.simultaneousOpenRepeatsOffer) {
    unacceptableText(c, seg)
    ackNow(c)
  }
  if (!sendPending(c, now) && textRefused) emitAck(c, now)
  acknowledge(c, now)
}

/** Fifth step in SYN-RECEIVED: the ACK of our SYN makes it ESTABLISHED; another one is answered with RST. */
function synReceivedAckArrives(c: Connection, seg: Segment, now: Instant): boolean {
  const { env, snd } = c
  if (!after(seg.ack, snd.una) || after(seg.ack, snd.nxt)) {
    drop(env, c, seg, DropReason.AckOfUnsent, now)
    sendResetFor(env, seg, now, c, c)
    return false
  }
  noteTimestamp(c, seg, now)
  handshakeCompletes(c, seg, now)
  return true
}

/** SHLD-3: the peer sends text that no program will read, in a state where ours is through with sending. */
function textAfterClose(c: Connection, seg: Segment): boolean {
  if (c.state !== State.FinWait1 && c.state !== State.FinWait2) return false
  if (seg.textLength === 0 || atOrBefore(seqAdd(seg.seq, seg.textLength), c.rcv.nxt)) return false
  return c.orphan || (c.rcv.shutdown && c.env.settings.resetOnTextAfterShutdown)
}

/** The peer goes on after its FIN, in a segment that began before it. */
function textBehindFin(c: Connection, seg: Segment): boolean {
  const { rcv, env } = c
  if (!rcv.finReceived || !env.settings.resetOnTextBehindFin || !before(seg.seq, rcv.nxt)) return false
  return seg.textLength > 0 && after(seqAdd(seg.seq, seg.textLength), rcv.nxt)
}

function abortOnText(c: Connection, seg: Segment, event: string, now: Instant): void {
  c.env.counters.count('TcpExtTCPAbortOnData')
  drop(c.env, c, seg, DropReason.AfterClose, now)
  // a middlebox that swallows the peer's RST after a fast open looks like this
  if (seg.flags & FIN && c.fastOpen?.optionSent === true) fastOpenBlackholed(c.env, now)
  sendResetFor(c.env, seg, now, c, c)
  fail(c, resetError(c), event, now)
}
