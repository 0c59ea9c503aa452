import { ACK, DropReason, FIN, RST, Segment, SYN, type TextSource } from '../../wire/index.js'
import { type Connection, Ready } from '../connection.js'
import { retransmittedAgain } from '../error-report.js'
import {
  acceptEcn,
  ecnOfSimultaneousSyn,
  ecnOfSynAck,
  SynEcn,
  synAckEcnFlags,
  synAckHasAccEcnOption,
  synEcnFlags,
} from '../options/ecn.js'
import { agreeOptions, type Offered } from '../options/mss.js'
import { writeSynOptions } from '../options/options.js'
import { tsNow } from '../options/timestamps.js'
import { delayHandshakeAck } from '../receive/acknowledge.js'
import { establishReceiving, synReceived, synWindow } from '../receive/receive-window.js'
import { textArrives } from '../receive/text-arrives.js'
import { drop, fail, sendResetFor } from '../reset.js'
import { ackArrives } from '../send/ack-arrives.js'
import { address, emitAck } from '../send/emit.js'
import { establishSending, mssChanged, retransmitOldest, sendPending } from '../send/output.js'
import { after, atOrBefore, seqAdd } from '../sequence.js'
import type { Settings } from '../settings/settings.js'
import { State } from '../states/state-name.js'
import { setState } from '../states/states.js'
import type { Instant, Millis } from '../time.js'
import { arm, disarm } from '../timeouts.js'
import { Timer } from '../timers.js'
import { fastOpenBlackholed, fastOpenSynAckArrives, leaveFastOpenQueue } from './fast-open.js'
import type { Opening } from './opening.js'
import { SynOffer } from './syn-offer.js'

const offer = new SynOffer()
const NO_COOKIE = new Uint8Array(0)
/** Bits of `Opening.synOffered`. */
const Offer = { Scale: 1, Sack: 2, Timestamps: 4, ShiftAt: 4 } as const

/** The text of a SYN begins one after its sequence number. */
const synText: TextSource & { source: TextSource | null } = {
  source: null,
  copyText(seq, length, target, at) {
    this.source!.copyText(seqAdd(seq, 1), length, target, at)
  },
}

/** How long to wait for an answer to a SYN or SYN-ACK that was sent again `resent` times, ms (RFC 6298 5.5, FreeBSD, Linux). */
export function handshakeTimeout(settings: Settings, resent: number, linear: number): Millis {
  if (resent === 0) return settings.initialRto
  if (settings.synBackoff !== null) return settings.synBackoff[Math.min(resent, settings.synBackoff.length - 1)]!
  const doublings = Math.max(0, resent - linear)
  return Math.min(settings.rtoMax, settings.initialRto * 2 ** Math.min(doublings, 30) + settings.rtoSlop)
}

/** Sends a SYN (RFC 9293 3.10.1), the first time or again, with `text` octets of the send queue behind it (RFC 7413). */
export function emitSyn(c: Connection, text: number, retransmission: boolean, now: Instant): void {
  const { env, snd } = c
  const { out, settings } = env
  const opening = c.opening!
  address(c, out)
  out.seq = snd.iss
  out.flags = SYN | synEcnFlags(settings, c.synsResent)
  offer.reset()
  offer.md5Key = c.md5Key
  const bare = settings.synDropOptionsAfter > 0 && c.synsResent >= settings.synDropOptionsAfter
  if (!c.options.noOptions) offer.mss = c.rcv.advMss
  if (!c.options.noOptions && !bare) {
    if (settings.windowScaling) offer.windowScale = c.rcv.wscale
    offer.sackPermitted = settings.sack
    offer.timestamps = settings.timestamps > 0
    if (offer.timestamps) {
      offer.tsVal = tsNow(c, now)
      offer.tsEcr = c.rcv.tsRecent
    }
    const { fastOpen } = c
    if (!retransmission && fastOpen?.optionSent === true) {
      offer.fastOpenCookie = fastOpen.cookie ?? NO_COOKIE
      offer.fastOpenExperimental = fastOpen.experimental
    }
  }
  opening.synOffered =
    (offer.windowScale >= 0 ? Offer.Scale : 0) |
    (offer.sackPermitted ? Offer.Sack : 0) |
    (offer.timestamps ? Offer.Timestamps : 0) |
    (Math.max(0, offer.windowScale) << Offer.ShiftAt)
  writeSynOptions(out, offer, settings)
  if (text > 0) {
    synText.source = snd.queue
    out.text = synText
    out.textLength = text
  }
  out.window = synWindow(c.rcv.wnd)
  opening.synSentAt = now
  env.transmit(c, out, retransmission, now)
}

/** Sends a SYN-ACK from a connection: simultaneous open, or fast open. */
export function emitSynAck(c: Connection, retransmission: boolean, now: Instant): void {
  const { env, snd, rcv } = c
  const { out, settings } = env
  const opening = c.opening!
  address(c, out)
  out.seq = snd.iss
  out.ack = rcv.nxt
  out.flags = SYN | ACK | synAckEcnFlags(settings, c.synEcn, c.synsResent)
  offer.reset()
  offer.answer = true
  offer.md5Key = c.md5Key
  if (!c.options.noOptions) {
    const repeats = c.active && settings.simultaneousOpenRepeatsOffer
    offer.mss = rcv.advMss
    if (snd.wscaleOk) offer.windowScale = rcv.wscale
    else if (repeats && opening.synOffered & Offer.Scale) offer.windowScale = opening.synOffered >> Offer.ShiftAt
    offer.sackPermitted = snd.sackOk || (repeats && settings.sack)
    if (snd.tsOk || (repeats && settings.timestamps > 0)) {
      offer.timestamps = true
      offer.tsVal = tsNow(c, now)
      offer.tsEcr = rcv.tsRecent
    }
    const { fastOpen } = c
    if (fastOpen?.passive === true && fastOpen.cookie !== null) {
      offer.fastOpenCookie = fastOpen.cookie
      offer.fastOpenExperimental = fastOpen.experimental
    }
  }
  offer.accEcn = !c.options.noOptions && synAckHasAccEcnOption(settings, c.synEcn, c.synsResent)
  writeSynOptions(out, offer, settings)
  out.window = synWindow(c.rcv.wnd)
  rcv.lastAckSent = rcv.nxt
  opening.synSentAt = now
  env.transmit(c, out, retransmission, now)
}

/** Timer.Retransmit fired in SYN-SENT or SYN-RECEIVED: the SYN or SYN-ACK goes again, or the connection is given up. */
export function synTimedOut(c: Connection, now: Instant): void {
  const { env, snd } = c
  const { settings } = env
  const asks = c.state === State.SynSent
  // a server's side of fast open gets one more, since the program may be using it already (Linux)
  const passiveExtra = c.fastOpen?.passive === true ? 1 : 0
  const limit =
    c.options.synRetries > 0 ? c.options.synRetries : asks ? settings.synRetries : settings.synAckRetries + passiveExtra
  if (c.synsResent >= limit + linearTimeouts(c) || userTimeoutOver(c, now)) {
    if (asks && (c.fastOpen?.synText ?? 0) > 0) fastOpenBlackholed(env, now)
    env.counters.count('TcpExtTCPTimeouts')
    const event = userTimeoutOver(c, now) ? 'timeout: user' : 'timeout: retransmission'
    return fail(c, c.softError ?? 'ETIMEDOUT', event, now)
  }
  snd.retransmits++
  env.counters.count('TcpExtTCPTimeouts')
  if (asks) emitSynAgain(c, now)
  else {
    c.synsResent++
    emitSynAckAgain(c, now)
  }
  retransmittedAgain(c, c.synsResent, now)
}

/** The SYN goes again, without text. */
export function emitSynAgain(c: Connection, now: Instant): void {
  c.synsResent++
  c.env.counters.count('TcpExtTCPSynRetrans')
  emitSyn(c, 0, true, now)
  armSyn(c, now)
}

/** (Re)arms the timer of SYN or SYN-ACK. */
export function armSyn(c: Connection, now: Instant): void {
  let at = now + handshakeTimeout(c.env.settings, c.synsResent, linearTimeouts(c))
  if (c.options.userTimeout > 0) at = Math.min(at, Math.max(now, c.opening!.begunAt + c.options.userTimeout))
  arm(c, Timer.Retransmit, at, now)
}

/** SYNs sent again before back-off begins; a program that sets their number (TCP_SYNCNT) counts time-outs with back-off. */
const linearTimeouts = (c: Connection): number =>
  c.state === State.SynSent && c.options.synRetries === 0 ? c.env.settings.synLinearTimeouts : 0

const userTimeoutOver = (c: Connection, now: Instant): boolean =>
  c.options.userTimeout > 0 && now - c.opening!.begunAt >= c.options.userTimeout

/** SEGMENT ARRIVES in SYN-SENT (RFC 9293 3.10.7.3), in the RFC's order. */
export function synSentArrives(c: Connection, seg: Segment, now: Instant): void {
  const { env, snd } = c
  // first, check the ACK bit
  const hasAck = (seg.flags & ACK) !== 0
  const badAck = hasAck && (atOrBefore(seg.ack, snd.iss) || after(seg.ack, snd.nxt))
  if (badAck || (hasAck && echoIsForeign(c, seg))) {
    drop(env, c, seg, DropReason.SynSentBadAck, now)
    // the answer may be to a SYN of an earlier connection: ask again soon
    const { synAgainAfterBadAck } = env.settings
    if (badAck && synAgainAfterBadAck > 0 && c.synsResent === 0) {
      arm(c, Timer.Retransmit, Math.min(c.timers[Timer.Retransmit]!, now + synAgainAfterBadAck), now)
    }
    return sendResetFor(env, seg, now, c, c)
  }
  // second, check the RST bit
  if (seg.flags & RST) {
    if (!hasAck) return drop(env, c, seg, DropReason.RstOutOfWindow, now)
    return fail(c, 'ECONNREFUSED', 'rcv RST', now)
  }
  // third, check the security: not implemented by anybody
  // fourth, check the SYN bit
  if (!(seg.flags & SYN)) return drop(env, c, seg, DropReason.SynSentNoSyn, now)
  if (env.settings.dropSynFin && seg.flags & FIN) return drop(env, c, seg, DropReason.SynFin, now)
  c.lastReceived = now
  synReceived(c, seg.seq)
  agreeOptions(c, seg, offeredBySyn(c), now)
  if (hasAck) synAckArrives(c, seg, now)
  else synCrosses(c, seg, now)
}

/** RFC 7323 3.2, Linux: a SYN-ACK that echoes a timestamp we did not send since the first SYN is not for this SYN. */
function echoIsForeign(c: Connection, seg: Segment): boolean {
  const { synOffered, begunAt, synSentAt } = c.opening!
  if (!c.env.settings.checkSynAckEcho || !(synOffered & Offer.Timestamps)) return false
  if (!seg.hasTimestamps || seg.tsEcr === 0 || seg.flags & RST) return false
  const first = (Math.floor(begunAt) + c.tsOffset) | 0
  const last = (Math.floor(synSentAt) + c.tsOffset) | 0
  return !(((seg.tsEcr - first) | 0) >= 0 && ((seg.tsEcr - last) | 0) <= 0)
}

const offered: { windowScaling: boolean; sack: boolean; timestamps: boolean } = {
  windowScaling: false,
  sack: false,
  timestamps: false,
}

/** Which options our own last SYN had. */
function offeredBySyn(c: Connection): Offered {
  const { synOffered } = c.opening!
  offered.windowScaling = (synOffered & Offer.Scale) !== 0
  offered.sack = (synOffered & Offer.Sack) !== 0
  offered.timestamps = (synOffered & Offer.Timestamps) !== 0
  return offered
}

/** SYN-SENT: a SYN with an acceptable ACK. */
function synAckArrives(c: Connection, seg: Segment, now: Instant): void {
  const { snd, env } = c
  ecnOfSynAck(c, seg)
  // the window of a segment with SYN is never scaled (RFC 7323 2.2)
  snd.wnd = seg.window
  snd.maxWnd = seg.window
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  mssChanged(c, now)
  ackArrives(c, seg, now)
  disarm(c, Timer.User, now)
  c.established = true
  c.opening = null
  setState(c, State.Established, 'rcv SYN,ACK', env.observer, now)
  establishReceiving(c, now)
  establishSending(c, now)
  let textLost = false
  if (c.fastOpen !== null) textLost = fastOpenSynAckArrives(c, seg, now)
  if (c.user !== null) c.user.notify(c, Ready.Established | Ready.Writable, now)
  // other controls and text are processed at step six (RFC 9293 3.10.7.3)
  if (seg.length > 1 && (env.settings.takeSynAckText || (c.fastOpen !== null && !textLost))) textAfterSyn(c, seg, now)
  if (textLost && retransmitOldest(c, now)) {
    sendPending(c, now)
    return
  }
  // text that waits carries the ACK
  if (sendPending(c, now)) return
  if (c.writePending) delayHandshakeAck(c, now)
  else emitAck(c, now)
}

/** Text and FIN of a segment that also has SYN. */
function textAfterSyn(c: Connection, seg: Segment, now: Instant): void {
  const { seq, flags } = seg
  seg.seq = seqAdd(seq, 1)
  seg.flags = flags & ~SYN
  textArrives(c, seg, now)
  seg.seq = seq
  seg.flags = flags
}

/** SYN-SENT: a SYN without ACK: both ends opened at the same time (RFC 9293 3.5, figure 7; MUST-10). */
function synCrosses(c: Connection, seg: Segment, now: Instant): void {
  const { snd, env } = c
  ecnOfSimultaneousSyn(c, seg)
  if (c.ecn !== null) c.synEcn = SynEcn.Classic
  snd.wnd = seg.window
  snd.maxWnd = seg.window
  snd.wl1 = seg.seq
  mssChanged(c, now)
  establishReceiving(c, now)
  keepSynText(c, seg)
  setState(c, State.SynReceived, 'rcv SYN', env.observer, now)
  c.synsResent = 0
  // the round trip is counted from the SYN-ACK, the SYN's last sending
  if (snd.queue.head !== null) snd.queue.head.sentAt = now
  emitSynAck(c, false, now)
  armSyn(c, now)
}

/** "queue them for processing after the ESTABLISHED state has been reached" (RFC 9293 3.10.7.3). */
function keepSynText(c: Connection, seg: Segment): void {
  const keep = c.env.settings.simultaneousOpenText
  const opening = c.opening!
  if (keep === 'none') {
    opening.synTextRefused = seg.textLength > 0
    return
  }
  if (seg.textLength > 0) opening.synText = seg.bytes.slice(seg.textStart, seg.textStart + seg.textLength)
  opening.synFin = keep === 'all' && (seg.flags & FIN) !== 0
}

/** Text kept from a SYN is processed, as if it came now. */
function keptTextArrives(c: Connection, { synText: text, synFin }: Opening, now: Instant): void {
  if (text === null && !synFin) return
  const kept = new Segment()
  kept.seq = seqAdd(c.rcv.irs, 1)
  kept.flags = ACK | (synFin ? FIN : 0)
  kept.ack = c.snd.una
  if (text !== null) {
    kept.bytes = text
    kept.textLength = text.length
  }
  textArrives(c, kept, now)
}

/** The ACK of our SYN arrived in SYN-RECEIVED: ESTABLISHED. The rest of the segment is the caller's. */
export function handshakeCompletes(c: Connection, seg: Segment, now: Instant): void {
  const { env, snd, opening } = c
  // "set: SND.WND <- SEG.WND, SND.WL1 <- SEG.SEQ, SND.WL2 <- SEG.ACK" (RFC 9293 3.10.7.4)
  snd.wnd = seg.flags & SYN ? seg.window : seg.window << snd.wscale
  snd.maxWnd = Math.max(snd.maxWnd, snd.wnd)
  snd.wl1 = seg.seq
  snd.wl2 = seg.ack
  acceptEcn(c, c.synEcn, seg)
  c.synEcn = 0
  c.established = true
  c.opening = null
  disarm(c, Timer.User, now)
  leaveFastOpenQueue(c)
  // with fast open the program may have closed already
  if (c.state === State.SynReceived) setState(c, State.Established, 'rcv ACK of SYN', env.observer, now)
  ackArrives(c, seg, now)
  // simultaneous and fast open have done so with the peer's SYN
  if (!c.active && c.fastOpen === null) establishReceiving(c, now)
  establishSending(c, now)
  if (c.user !== null) c.user.notify(c, Ready.Established | Ready.Writable, now)
  if (opening !== null) keptTextArrives(c, opening, now)
}

/** The peer's SYN came again: so does the SYN-ACK, and its timer starts anew. */
export function emitSynAckAgain(c: Connection, now: Instant): void {
  emitSynAck(c, true, now)
  armSyn(c, now)
}
