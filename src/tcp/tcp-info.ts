import type { Connection } from './connection.js'
import { Limit } from './send/chronograph.js'
import { pathMtu } from './send/segment-size.js'
import { unsentOctets } from './send/send-buffer.js'
import { State } from './states/state-name.js'
import type { Instant, Millis } from './time.js'

/** getsockopt(TCP_INFO): Linux's struct tcp_info by field name, units as Linux has them (µs, octets, segments). */
export type TcpInfo = Record<string, number>

/** Linux's numbers of the states, by ours. */
const LINUX_STATES: Readonly<Record<State, number>> = {
  [State.Closed]: 7,
  [State.Listen]: 10,
  [State.SynSent]: 2,
  [State.SynReceived]: 3,
  [State.Established]: 1,
  [State.FinWait1]: 4,
  [State.FinWait2]: 5,
  [State.CloseWait]: 8,
  [State.Closing]: 11,
  [State.LastAck]: 9,
  [State.TimeWait]: 6,
}

/** Bits of tcpi_options. */
const OPTION = { timestamps: 1, sack: 2, windowScale: 4, ecn: 8, ecnSeen: 16, synData: 32, fastOpenChild: 128 } as const

const ECT1 = 1
const ECT0 = 2
const CE = 3
const UNLIMITED_RATE = 2 ** 64

const micros = (milliseconds: Millis): number => Math.round(milliseconds * 1000)
const since = (at: Instant, now: Instant): number => (at === Number.NEGATIVE_INFINITY ? 0 : Math.floor(now - at))

/** What is known of a connection, as Linux tells it. */
export function tcpInfo(c: Connection, now: Instant): TcpInfo {
  const { snd, rcv, ecn, fastOpen } = c
  const info: TcpInfo = {
    tcpi_state: LINUX_STATES[c.state],
    tcpi_ca_state: 0,
    tcpi_retransmits: snd.retransmits,
    tcpi_probes: snd.probesOut,
    tcpi_backoff: snd.backoff,
    tcpi_options: optionBits(c),
    tcpi_snd_wscale: snd.wscaleOk ? snd.wscale : 0,
    tcpi_rcv_wscale: snd.wscaleOk ? rcv.wscale : 0,
    tcpi_fastopen_client_fail: fastOpen?.failure ?? 0,
    tcpi_ato: micros(rcv.ato),
    tcpi_snd_mss: snd.mss,
    tcpi_rcv_mss: rcv.mss,
    tcpi_advmss: rcv.advMss,
    tcpi_pmtu: pathMtu(c),
    tcpi_fackets: 0,
    tcpi_last_data_sent: since(snd.lastSent, now),
    tcpi_last_ack_sent: 0,
    tcpi_last_data_recv: since(rcv.lastTextAt, now),
    tcpi_last_ack_recv: since(snd.lastAcked, now),
    tcpi_rcv_ssthresh: rcv.ssthresh,
    tcpi_rcv_rtt: micros(rcv.rtt8 / 8),
    tcpi_rcv_space: rcv.space,
    tcpi_total_retrans: snd.segmentsRetransmitted + c.synsResent,
    tcpi_bytes_acked: snd.octetsAcked,
    tcpi_bytes_received: rcv.octetsReceived,
    tcpi_bytes_sent: snd.octetsSent,
    tcpi_bytes_retrans: snd.octetsRetransmitted,
    tcpi_segs_out: snd.segmentsSent,
    tcpi_segs_in: snd.segmentsReceived,
    tcpi_data_segs_in: rcv.textSegments,
    tcpi_data_segs_out: snd.textSegmentsSent,
    tcpi_rcv_ooopack: rcv.outOfOrderSegments,
    tcpi_snd_wnd: snd.wnd,
    tcpi_rcv_wnd: rcv.wnd,
    tcpi_rehash: 0,
    tcpi_total_rto: snd.timeouts?.count ?? 0,
    tcpi_total_rto_recoveries: snd.timeouts?.recoveries ?? 0,
    tcpi_total_rto_time: Math.floor(snd.timeouts?.total ?? 0),
    tcpi_received_ce: ecn?.receivedCe ?? 0,
    tcpi_received_e1_bytes: ecn?.receivedOctets[ECT1] ?? 0,
    tcpi_received_e0_bytes: ecn?.receivedOctets[ECT0] ?? 0,
    tcpi_received_ce_bytes: ecn?.receivedOctets[CE] ?? 0,
    tcpi_delivered_e1_bytes: ecn?.deliveredOctets[ECT1] ?? 0,
    tcpi_delivered_e0_bytes: ecn?.deliveredOctets[ECT0] ?? 0,
    tcpi_delivered_ce_bytes: ecn?.deliveredOctets[CE] ?? 0,
    tcpi_accecn_fail_mode: (ecn?.aceBroken ? 1 : 0) | (ecn?.sendingOptionsBroken ? 4 : 0),
    tcpi_accecn_opt_seen: ecn?.optionSeen ?? 0,
    tcpi_max_pacing_rate: UNLIMITED_RATE,
  }
  if (snd.queue !== undefined) senderInfo(c, info, now)
  return info
}

/** What exists once the connection has been opened. */
function senderInfo(c: Connection, info: TcpInfo, now: Instant): void {
  const { snd, rtt, recovery, congestion } = c
  const { rate } = snd
  info.tcpi_ca_state = recovery.state
  info.tcpi_rto = micros(rtt.rto)
  info.tcpi_rtt = rtt.smoothed8 >> 3
  info.tcpi_rttvar = rtt.deviationMicros
  info.tcpi_min_rtt = rtt.minimumMicros
  info.tcpi_snd_cwnd = congestion.cwnd
  info.tcpi_snd_ssthresh = congestion.ssthresh
  info.tcpi_reordering = recovery.reordering
  info.tcpi_reord_seen = recovery.reorderingSeen
  info.tcpi_dsack_dups = recovery.dsackDups
  info.tcpi_unacked = recovery.packetsOut
  info.tcpi_sacked = recovery.sackedOut
  info.tcpi_lost = recovery.lostOut
  info.tcpi_retrans = recovery.retransOut
  info.tcpi_notsent_bytes = Math.max(0, unsentOctets(c))
  info.tcpi_pacing_rate = rate.pacingRate === Number.POSITIVE_INFINITY ? UNLIMITED_RATE : Math.floor(rate.pacingRate)
  info.tcpi_delivered = snd.delivered
  info.tcpi_delivered_ce = snd.deliveredCe
  info.tcpi_delivery_rate =
    rate.sampleInterval > 0 ? Math.floor((rate.sampleDelivered * snd.mss * 1000) / rate.sampleInterval) : 0
  info.tcpi_delivery_rate_app_limited = rate.sampleAppLimited ? 1 : 0
  chronographInfo(c, info, now)
}

function chronographInfo(c: Connection, info: TcpInfo, now: Instant): void {
  const { chronograph } = c.snd
  if (chronograph === null) {
    info.tcpi_busy_time = info.tcpi_rwnd_limited = info.tcpi_sndbuf_limited = 0
    return
  }
  const { running, since: from } = chronograph
  const passed = now - from
  const window = chronograph.receiveWindow + (running === Limit.ReceiveWindow ? passed : 0)
  const buffer = chronograph.sendBuffer + (running === Limit.SendBuffer ? passed : 0)
  const busy = chronograph.busy + (running === Limit.Busy ? passed : 0)
  info.tcpi_rwnd_limited = micros(window)
  info.tcpi_sndbuf_limited = micros(buffer)
  info.tcpi_busy_time = micros(busy + window + buffer)
}

function optionBits(c: Connection): number {
  const { snd, ecn, fastOpen } = c
  let bits = 0
  if (snd.tsOk) bits |= OPTION.timestamps
  if (snd.sackOk) bits |= OPTION.sack
  if (snd.wscaleOk) bits |= OPTION.windowScale
  if (ecn !== null) bits |= OPTION.ecn
  if (ecn?.seen) bits |= OPTION.ecnSeen
  if (fastOpen?.synTextAcknowledged) bits |= OPTION.synData
  if (fastOpen?.passive) bits |= OPTION.fastOpenChild
  return bits
}
