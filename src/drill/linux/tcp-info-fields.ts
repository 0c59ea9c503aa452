import { LITTLE } from './structs.js'

/** struct tcp_info of linux/tcp.h from its 9th octet on, in order: octets of each field and its name without 'tcpi_'. */
const FIELDS: readonly (readonly [octets: 2 | 4 | 8, ...names: string[]])[] = [
  [4, 'rto', 'ato', 'snd_mss', 'rcv_mss', 'unacked', 'sacked', 'lost', 'retrans', 'fackets'],
  [4, 'last_data_sent', 'last_ack_sent', 'last_data_recv', 'last_ack_recv'],
  [4, 'pmtu', 'rcv_ssthresh', 'rtt', 'rttvar', 'snd_ssthresh', 'snd_cwnd', 'advmss', 'reordering'],
  [4, 'rcv_rtt', 'rcv_space', 'total_retrans'],
  [8, 'pacing_rate', 'max_pacing_rate', 'bytes_acked', 'bytes_received'],
  [4, 'segs_out', 'segs_in', 'notsent_bytes', 'min_rtt', 'data_segs_in', 'data_segs_out'],
  [8, 'delivery_rate', 'busy_time', 'rwnd_limited', 'sndbuf_limited'],
  [4, 'delivered', 'delivered_ce'],
  [8, 'bytes_sent', 'bytes_retrans'],
  [4, 'dsack_dups', 'reord_seen', 'rcv_ooopack', 'snd_wnd', 'rcv_wnd', 'rehash'],
  [2, 'total_rto', 'total_rto_recoveries'],
  [4, 'total_rto_time', 'received_ce', 'delivered_e1_bytes', 'delivered_e0_bytes', 'delivered_ce_bytes'],
  [4, 'received_e1_bytes', 'received_e0_bytes', 'received_ce_bytes'],
  [2, 'accecn_fail_mode', 'accecn_opt_seen'],
]

/** TCP_INFO by the names that scripts have for its fields. */
export function readTcpInfo(view: DataView, length: number): Record<string, number> {
  const octet = (at: number) => view.getUint8(at)
  const info: Record<string, number> = {
    tcpi_state: octet(0),
    tcpi_ca_state: octet(1),
    tcpi_retransmits: octet(2),
    tcpi_probes: octet(3),
    tcpi_backoff: octet(4),
    tcpi_options: octet(5),
    tcpi_snd_wscale: octet(6) & 15,
    tcpi_rcv_wscale: octet(6) >> 4,
    tcpi_delivery_rate_app_limited: octet(7) & 1,
    tcpi_fastopen_client_fail: (octet(7) >> 1) & 3,
  }
  let at = 8
  for (const [octets, ...names] of FIELDS) {
    for (const name of names) {
      if (at + octets > length) return info
      info[`tcpi_${name}`] =
        octets === 8
          ? Number(view.getBigUint64(at, LITTLE))
          : octets === 4
            ? view.getUint32(at, LITTLE)
            : view.getUint16(at, LITTLE)
      at += octets
    }
  }
  return info
}
