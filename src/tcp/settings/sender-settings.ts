import type { Millis } from '../time.js'

/** The knobs of the send half alone; part of `Settings`. */
export interface SenderSettings {
  // --- cutting text into segments ---
  /**
   * Most octets of text in one record of the send queue, which is sent, timed and retransmitted as a whole; a link that
   * takes no super-segments gets it cut into segments. Linux 65 215 (GSO); 0: what the link takes, or one segment.
   */
  superSegmentSize: number
  /** Segments and super-segments are at most half the largest window the peer offered (Linux; RFC 9293 3.8.6.2.1 has half for sending less than one segment). */
  halfWindowSegments: boolean
  /** A burst is at most half the congestion window, so that two are in flight (Linux since 6.11). */
  halfCwndBursts: boolean
  /** Super-segments are as long as what the flow sends in 1 ms at its rate, at least `minTsoSegments` (Linux). */
  sizeByRate: boolean
  /** A record takes text from the one behind it when the windows allow a longer burst (Linux since 6.11). */
  growSuperSegments: boolean
  /** Segments are spaced out by the pacing rate (Linux with the fq queueing discipline). */
  pacing: boolean
  /** A FIN alone is sent though the congestion window is full (Linux). */
  finIgnoresCwnd: boolean
  /** A super-segment that could grow waits for the next ACK if that is near (Linux tcp_tso_should_defer). */
  deferSuperSegments: boolean
  /** PSH on the last segment of each write and of each super-segment, and at least twice per window (Linux); else on the
   * segment that empties the send buffer (FreeBSD, RFC 9293 3.9.1 MUST-61). */
  pushEveryWrite: boolean
  /** Nagle as Minshall changed it: only an unacknowledged small segment holds back the next (Linux); else any unacknowledged text (RFC 9293 3.7.4). */
  minshallNagle: boolean

  // --- window ---
  /** A segment with the sequence and ACK numbers of the last window update may lower the window (RFC 9293 3.10.7.4); Linux and FreeBSD take only a larger one, Linux also 0. */
  lowerWindowAtSameAck: boolean
  /** Zero-window probes carry the next octet of text (RFC 9293 3.8.6.1, FreeBSD); else they are an ACK with SEQ = SND.UNA - 1 (Linux). */
  probeWithText: boolean
  /** Zero-window probes without an answer until the connection fails, for a connection a program holds (Linux `tcp_retries2`, FreeBSD 12). */
  persistRetries: number

  // --- timing ---
  /** RTTVAR as Linux has it: at least rtoMin, falling only once per round trip; else RFC 6298 2.3. */
  linuxRttVariance: boolean
  /** RTO when the handshake gave no sample because it was retransmitted, ms (RFC 6298 5.7: 3000). */
  rtoWithoutSample: Millis
  /** R1 and R2 are the time their number of retransmissions takes from `rtoMin` on (Linux); else retransmissions are counted. */
  retriesAsTime: boolean
  /** Least time of reordering timer and tail loss probe beyond what was measured, ms (Linux: 2 ticks, and the timer wheel rounds up to a third). */
  timerMargin: Millis

  // --- loss ---
  /** HyStart leaves slow start early (Linux and FreeBSD cubic). */
  hystart: boolean
  /** Text SACKed at the left edge means the peer threw SACKed text away; time out sooner (RFC 2018 8; Linux). */
  detectReneging: boolean
}

export const linuxSender = (): SenderSettings => ({
  superSegmentSize: 65215,
  halfWindowSegments: true,
  halfCwndBursts: true,
  sizeByRate: true,
  // off: what a write made stays together, as before 6.11; most descriptions and scripts are of that
  growSuperSegments: false,
  pacing: false,
  finIgnoresCwnd: true,
  deferSuperSegments: true,
  pushEveryWrite: true,
  minshallNagle: true,
  lowerWindowAtSameAck: false,
  probeWithText: false,
  persistRetries: 15,
  linuxRttVariance: true,
  rtoWithoutSample: 3000,
  retriesAsTime: true,
  timerMargin: 3,
  hystart: true,
  detectReneging: true,
})

export const freebsdSender = (): SenderSettings => ({
  superSegmentSize: 0,
  halfWindowSegments: false,
  halfCwndBursts: false,
  sizeByRate: false,
  growSuperSegments: true,
  pacing: false,
  finIgnoresCwnd: false,
  deferSuperSegments: false,
  pushEveryWrite: false,
  minshallNagle: false,
  lowerWindowAtSameAck: false,
  probeWithText: true,
  persistRetries: 12,
  linuxRttVariance: false,
  rtoWithoutSample: 3000,
  retriesAsTime: false,
  timerMargin: 0,
  hystart: true,
  detectReneging: false,
})

export const rfcSender = (): SenderSettings => ({
  superSegmentSize: 0,
  halfWindowSegments: false,
  halfCwndBursts: false,
  sizeByRate: false,
  growSuperSegments: true,
  pacing: false,
  finIgnoresCwnd: false,
  deferSuperSegments: false,
  pushEveryWrite: false,
  minshallNagle: false,
  lowerWindowAtSameAck: true,
  probeWithText: true,
  persistRetries: Number.POSITIVE_INFINITY,
  linuxRttVariance: false,
  rtoWithoutSample: 3000,
  retriesAsTime: false,
  timerMargin: 0,
  hystart: false,
  detectReneging: true,
})
