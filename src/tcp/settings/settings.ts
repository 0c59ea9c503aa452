import type { IcmpError } from '../environment.js'
import type { Millis } from '../time.js'
import type { SenderSettings } from './sender-settings.js'

/**
 * Every knob of a host's TCP. A profile (profiles/) is one complete value; a host owns a live copy that sysctl names of
 * either family change (sysctl.ts). Where systems differ, the field says who does what. `Infinity` means no limit.
 */
export interface Settings extends SenderSettings {
  // --- opening ---
  /** First retransmission time-out, ms. RFC 6298 2.1: 1000. Linux 1000; FreeBSD 1000 (`net.inet.tcp.rexmit_initial`). */
  initialRto: Millis
  /** SYNs sent again before connect fails with ETIMEDOUT. Linux 6 (`tcp_syn_retries`), FreeBSD 12 (`maxtcp...rexmits`, in effect `keepinit` 75 s). */
  synRetries: number
  /** SYN retransmissions with the first time-out before back-off begins (Linux `tcp_syn_linear_timeouts`, 4); 0: exponential at once. */
  synLinearTimeouts: number
  /** SYN-ACKs sent again before the SYN-queue entry is dropped. Linux 5 (`tcp_synack_retries`), FreeBSD 3 (`net.inet.tcp.syncache.rexmtlimit`). */
  synAckRetries: number
  /** How long connect may take in all, ms. FreeBSD 75 000 (`net.inet.tcp.keepinit`); Linux and RFC: Infinity. */
  connectTimeout: Millis
  /** Time-outs (ms) between SYNs when a system uses a table instead of doubling the RTO; null: doubling. FreeBSD: 1000,1000,1000,1000,… then back-off. */
  synBackoff: readonly Millis[] | null
  /** From which SYN retransmission on options are left out, segments; 0: never. FreeBSD `net.inet.tcp.rexmit_drop_options`: 3. */
  synDropOptionsAfter: number
  /** Half-open entries a listener keeps. Linux `tcp_max_syn_backlog`. */
  maxSynBacklog: number
  /** Cap on listen's backlog. Linux `net.core.somaxconn` 4096, FreeBSD `kern.ipc.soacceptqueue` 128. */
  somaxconn: number
  /** The accept queue holds backlog + this. Linux 1; FreeBSD half the backlog more, see `backlogFactor`. */
  backlogExtra: number
  backlogFactor: number
  /** SYN cookies (RFC 4987 3.6): 0 never, 1 when the SYN queue is full, 2 always. */
  synCookies: 0 | 1 | 2
  /** Full accept queue: true: RST to the third segment of the handshake (`tcp_abort_on_overflow`); false: it is ignored. */
  abortOnOverflow: boolean
  /** A SYN is dropped while the accept queue is full (Linux); FreeBSD takes it into its syncache. */
  dropSynWhenAcceptQueueFull: boolean
  /** A listener keeps as many half-open entries as its backlog (Linux), and never more than `maxSynBacklog`. */
  synQueueByBacklog: boolean
  /**
   * ICMP and ICMPv6 errors that remove an entry of the SYN queue; FreeBSD: none, it times out. Linux (`tcp_req_err`): of
   * ICMP those that routers send of hosts and networks, of ICMPv6 those that it takes to be fatal.
   */
  icmpAbortsSynQueue: { readonly 4: readonly IcmpError['kind'][]; readonly 6: readonly IcmpError['kind'][] }
  /** SYN-ACKs have a smaller retry limit when the SYN queue is more than half full (Linux). */
  pruneSynQueue: boolean
  /** Text and FIN that came with a SYN in SYN-SENT: kept until the handshake is complete (RFC 9293 3.10.7.3), text only (FreeBSD), or dropped (Linux). */
  simultaneousOpenText: 'all' | 'text' | 'none'
  /** The SYN-ACK of a simultaneous open offers all that the SYN did, whatever the peer's SYN had (Linux). */
  simultaneousOpenRepeatsOffer: boolean
  /** The peer's SYN again, in a simultaneous open, is answered with a challenge ACK (Linux); else with our SYN-ACK again. */
  simultaneousOpenChallengesSyn: boolean
  /** Text and FIN in a SYN-ACK are taken (RFC 9293 3.10.7.3); Linux does so only with fast open. */
  takeSynAckText: boolean
  /** A SYN-ACK whose timestamp echo is of no SYN of ours is answered with RST (Linux). */
  checkSynAckEcho: boolean
  /** After an ACK that is not acceptable in SYN-SENT, also with RST, the first SYN is sent again after this time, ms (Linux); 0: when its time comes. */
  synAgainAfterBadAck: Millis
  /** SEND in SYN-SENT: queued (RFC 9293 3.10.2), or refused by the name of the error. */
  sendInSynSent: 'queue' | 'EAGAIN' | 'ENOTCONN'
  /** An OPEN with text (fast open) takes all of it, what does not go with the SYN follows later (FreeBSD); else only what goes with the SYN (Linux). */
  openQueuesText: boolean
  /** CLOSE in SYN-RECEIVED forgets the connection (FreeBSD); else FIN follows (RFC 9293 3.10.4). */
  closeEndsHandshake: boolean
  /** RST in CLOSE-WAIT is reported as EPIPE (Linux) instead of ECONNRESET. */
  resetInCloseWaitIsPipe: boolean
  /** A listener drops SYN+FIN (Linux); else the FIN is ignored. */
  listenDropsSynFin: boolean

  // --- options ---
  /** RFC 7323 timestamps: 0 off, 1 on with a random offset per connection, 2 on without. */
  timestamps: 0 | 1 | 2
  windowScaling: boolean
  sack: boolean
  dsack: boolean
  /** How options are laid out: 'linux': fixed aligned forms; 'bsd': in the order of the RFCs, each aligned by NOPs before it, EOL after the last. */
  optionLayout: 'linux' | 'bsd'
  /** Segments without the agreed timestamps: accepted (Linux, FreeBSD `tolerate_missing_ts=1`) or dropped (RFC 7323 3.2). */
  tolerateMissingTimestamps: boolean
  /** PAWS lets a pure ACK pass that repeats SND.UNA and the window and is older by at most an RTO: it was overtaken (Linux). */
  pawsForgivesOldAcks: boolean
  /** TS.Recent is only taken from a segment that ends at or after Last.ACK.sent (FreeBSD); RFC 7323 4.3: that begins at or before it. */
  timestampNeedsCover: boolean
  /** SACK blocks count a FIN out of order (RFC 2018: it takes a sequence number; Linux); FreeBSD leaves it out. */
  sackCoversFin: boolean
  /** Send the user-timeout option (RFC 5482) when the program set a user time-out. No system does. */
  userTimeoutOption: boolean
  /** MSS assumed when the peer names none, octets: 536 IPv4, 1220 IPv6 (RFC 9293 3.7.1, MUST-15). */
  defaultMss4: number
  defaultMss6: number
  /** Smallest MSS taken from a peer or a path, octets. Linux `tcp_min_snd_mss` 48, FreeBSD `net.inet.tcp.minmss` 216. */
  minMss: number
  /** Smallest MSS ever advertised (Linux `route.min_adv_mss` 256). */
  minAdvertisedMss: number
  /** Smallest path MTU believed from ICMP (Linux `route.min_pmtu` 552; FreeBSD 296 and `minmss`), octets. */
  minPathMtu: number
  /** An ICMP error that does not say the MTU means the next of the usual ones (RFC 1191 7.1); Linux: `minPathMtu`. */
  mtuPlateaus: boolean
  /** Take part in path MTU discovery (set DF, believe ICMP). Linux `ip_no_pmtu_disc=0`. */
  pathMtuDiscovery: boolean

  // --- buffers and windows ---
  /** Receive buffer of a new socket: minimum, default, maximum for autotuning, octets (Linux `tcp_rmem`, FreeBSD `recvspace`, `recvbuf_max`). */
  receiveBuffer: [min: number, initial: number, max: number]
  /** Send buffer likewise (`tcp_wmem`, `sendspace`, `sendbuf_max`). */
  sendBuffer: [min: number, initial: number, max: number]
  /** Caps for SO_RCVBUF and SO_SNDBUF (`net.core.rmem_max`/`wmem_max`, `kern.ipc.maxsockbuf`), octets. */
  receiveBufferCap: number
  sendBufferCap: number
  /** What SO_RCVBUF/SO_SNDBUF set and report: Linux doubles the value for its own overhead (2); others 1. */
  bufferFactor: number
  /** Receive buffer rounded up to a multiple of the MSS once that is known (FreeBSD tcp_mss). */
  roundReceiveBuffer: boolean
  /** Grow the receive buffer with what the program reads (Linux `tcp_moderate_rcvbuf`; FreeBSD `recvbuf_auto`). */
  autotuneReceiveBuffer: boolean
  /** Grow the send buffer with the congestion window (Linux always; FreeBSD `sendbuf_auto`). */
  autotuneSendBuffer: boolean
  /** Offered window scale: null: from the largest receive buffer as the RFC leaves it; a number: always that. FreeBSD computes 6 from 2 MB `maxsockbuf`. */
  windowScale: number | null
  /** Buffer the window scale is computed from, octets: the smallest shift with 65535 << shift >= this; 0: the largest of the
   * receive buffer, its maximum for autotuning and the cap of SO_RCVBUF (Linux). */
  windowScaleFrom: number
  /** Window of the first segment, octets: Infinity: all that fits 16 bits (FreeBSD, RFC); Linux 10 x MSS-based init_rcv_wnd when rcvbuf allows, see windowFirst. */
  initialReceiveWindow: number
  /**
   * Most that is taken to be offered by a SYN, whose window field holds 65535 at most (RFC 7323 2.2). Linux since 6.11
   * (`tcp_select_initial_window`): Infinity, as much as the buffer allows, which the first ACK then says. Unit: octets.
   */
  largestSynWindow: number
  /** Never offer more than 2^15-1 unscaled (Linux `tcp_workaround_signed_windows`). */
  signedWindows: boolean
  /** The right edge of the window may move left (Linux `tcp_shrink_window`). */
  shrinkWindow: boolean
  /** Slow-start the window offered with what arrives (Linux rcv_ssthresh); false: offer the free buffer. */
  windowSlowStart: boolean
  /** The right edge of the window moves only by a whole MSS or half the buffer (RFC 9293 3.8.6.2.2); FreeBSD offers what is free. Without `windowSlowStart`. */
  holdRightEdge: boolean
  /** Text beyond the window: false: trimmed (RFC 9293 3.10.7.4, FreeBSD); true: a segment is taken whole if it ends within the
   * largest window ever offered, or nothing waits to be read (Linux). */
  acceptBeyondWindow: boolean
  /** What fits the free receive buffer is acceptable, also when the window field could not say so much (FreeBSD). */
  acceptFreeBuffer: boolean
  /** Segments that end at or before RCV.NXT: answered and dropped (RFC 9293 3.10.7.4), or their ACK is still processed (FreeBSD).
   * With `acceptBeyondWindow` those before the last ACK sent are dropped (Linux). */
  oldSegments: 'drop' | 'process'
  /** Sockets' memory is charged as Linux does (truesize): affects when a write says EAGAIN and when windows shrink. Else octets are counted. */
  chargeOverhead: boolean
  /** Default of TCP_NOTSENT_LOWAT, octets (Linux `tcp_notsent_lowat`). */
  notSentLowat: number
  /** Most octets held out of order per connection beyond the receive buffer rules; RFC: within the window. */
  maxReassemblySegments: number

  // --- acknowledging ---
  /** Delayed ACK: shortest and longest time, ms. Linux 40 and 200; FreeBSD both 40 (`delacktime`); RFC 9293 MUST-40: < 500. */
  delayedAckMin: Millis
  delayedAckMax: Millis
  /** ACK at least every this many full-sized segments (SHLD-19: 2). */
  ackEvery: number
  /** Segments acknowledged at once at the start of a connection (Linux quickack: up to 16); 0: none (FreeBSD, RFC). */
  quickAcks: number
  /** Pingpong mode: delay ACKs when the program answers (Linux); false: every in-order segment may be delayed. */
  interactiveAcks: boolean
  /** SACK-based ACK compression (Linux `tcp_comp_sack_nr` 44, `_delay_ns` 1 ms); 0: off. */
  compressSacks: number
  compressSackDelay: Millis
  /** Challenge ACKs a second on a host and the least time between two for one connection (Linux 1000→INT_MAX / `tcp_invalid_ratelimit` 500 ms; FreeBSD `ack_war_cnt` 5 per `ack_war_timewindow` 1000). */
  challengeAckLimit: number
  /** What that limit counts over. */
  challengeAckScope: 'host' | 'connection'
  challengeAckWindow: Millis
  invalidRateLimit: Millis
  /** RFC 793 handling of RST and SYN instead of RFC 5961's (FreeBSD `insecure_rst`, `insecure_syn`). */
  insecureRst: boolean
  insecureSyn: boolean
  /** ACKs of data never sent or too old: answered within RFC 5961 5 limits (`insecure_ack` false). */
  insecureAck: boolean
  /** Drop segments with SYN and FIN before anything else (FreeBSD `drop_synfin`). */
  dropSynFin: boolean
  /** RST is also acceptable at the right edge of what a SACK block covers (Linux tcp_reset_check). */
  resetAtSackEdge: boolean
  /** A segment without ACK is dropped before its sequence number is looked at (Linux); RFC 9293 3.10.7.4 answers one that
   * is not acceptable. */
  noAckIsSilent: boolean

  // --- retransmitting ---
  rtoMin: Millis
  rtoMax: Millis
  /** Added to the RTO of a measured connection, ms (FreeBSD `rexmit_slop` 200). */
  rtoSlop: Millis
  /** Retransmissions of data until the connection fails (Linux `tcp_retries2` 15, FreeBSD 12). RFC 9293 R2. */
  dataRetries: number
  /** Retransmissions until the path is doubted, R1 (Linux `tcp_retries1` 3). */
  pathDoubtRetries: number
  /** Retransmissions for a connection that no program holds (Linux `tcp_orphan_retries` 0 → 8). */
  orphanRetries: number
  /** Thin streams time out linearly (Linux `tcp_thin_linear_timeouts`). */
  thinLinearTimeouts: boolean
  /** Duplicate ACKs that mean loss (RFC 5681: 3; Linux `tcp_reordering`), and the cap reordering may raise it to. */
  dupAckThreshold: number
  maxReordering: number
  /** Bits of Linux `tcp_recovery`: 1 RACK, 2 static reordering window, 4 no dupack threshold. 0: RFC 6675 / NewReno only. */
  rack: number
  /** Tail loss probes (Linux `tcp_early_retrans` 3 or 4). */
  tailLossProbe: boolean
  /** F-RTO (RFC 5682; Linux `tcp_frto` 2). */
  frto: boolean
  /** Retransmit a SYN/data collapsed into larger segments (Linux `tcp_retrans_collapse`). */
  collapseRetransmissions: boolean
  /** Limited transmit (RFC 3042). */
  limitedTransmit: boolean
  /** Undo a reduction found spurious by timestamps or DSACK (RFC 3522, 4015). */
  undo: boolean

  // --- congestion ---
  congestionControl: string
  /** Initial window, segments (RFC 6928: 10). 0: RFC 5681's 2-4 by MSS. */
  initialWindow: number
  /** Restart after idle from the initial window (RFC 5681 4.1; Linux `tcp_slow_start_after_idle`). */
  slowStartAfterIdle: boolean
  /** Appropriate byte counting limit per ACK in slow start, segments; Infinity: none (Linux). RFC 3465 L. */
  abcLimit: number
  /** Percent of the rate at which Linux sizes TSO bursts (`tcp_pacing_ss_ratio`, `_ca_ratio`). */
  pacingSsRatio: number
  pacingCaRatio: number
  minTsoSegments: number
  tsoWinDivisor: number
  /** No metrics of earlier connections (Linux `tcp_no_metrics_save`). */
  noMetricsSave: boolean

  // --- ECN ---
  /** Linux `tcp_ecn`: 0 off, 1 ask and accept (RFC 3168), 2 accept, 3 ask for and accept AccECN, 4 ask ECN accept AccECN, 5 accept AccECN. */
  ecn: 0 | 1 | 2 | 3 | 4 | 5
  /** SYNs with ECN sent again before one without is tried (RFC 3168 6.1.1.1, Linux 0; FreeBSD `ecn.maxretries` 1); with AccECN at least 1 (RFC 9768 3.1.4.1). */
  ecnSynRetries: number
  /** ECN is given up when the path breaks it: SYN or SYN-ACK unanswered, fields changed (Linux `tcp_ecn_fallback`). */
  ecnFallback: boolean
  /** Linux `tcp_ecn_option`: 0 no AccECN option, 1 as needed, 2 on most ACKs, 3 … */
  accEcnOption: 0 | 1 | 2 | 3
  accEcnOptionBeacon: number

  // --- fast open (RFC 7413) ---
  /** Linux `tcp_fastopen` bits: 1 client, 2 server, 4 client without cookie, 0x200 server without cookie, 0x400 all listeners without a sockopt. */
  fastOpen: number
  /** Length of the cookies a server makes, octets (FreeBSD 8). */
  fastOpenCookieLength: number
  /** Active fast open is off for this long after it looks black-holed, doubling each time, ms (Linux `tcp_fastopen_blackhole_timeout_sec`); 0: never. */
  fastOpenBlackholeTimeout: Millis
  /** After a SYN with data or a cookie request was answered without a cookie or the text's ACK, the next one is made without
   * fast open for this long, ms (FreeBSD `ccache` disables the path 900 s); 0: other means (Linux tries the experimental option). */
  fastOpenDisablePath: Millis
  /** After an answer without a cookie the next request uses the experimental option (Linux `try_exp`). */
  fastOpenTryExperimental: boolean

  // --- closing ---
  /** Maximum segment lifetime, ms (RFC 9293: 120 000; Linux 30 000; FreeBSD 30 000 `net.inet.tcp.msl`). TIME-WAIT lasts two. */
  msl: Millis
  /** TIME-WAIT entered with the peer on this host: dropped at once (FreeBSD `nolocaltimewait`). */
  noLocalTimeWait: boolean
  /** Most TIME-WAIT records of a host; more are closed at once (Linux `tcp_max_tw_buckets`). */
  maxTimeWait: number
  /** A SYN for a TIME-WAIT record: reuse it when sequence number or timestamp is newer (RFC 6191, 1122); false: ACK it, the classic way. */
  timeWaitReuseOnSyn: boolean
  /** connect may take a port in TIME-WAIT when timestamps allow (Linux `tcp_tw_reuse`: 0, 1, 2 loopback only). */
  timeWaitReuseOnConnect: 0 | 1 | 2
  /** RST does not end TIME-WAIT (RFC 1337; Linux `tcp_rfc1337`). */
  rfc1337: boolean
  /** How long a FIN-WAIT-2 connection that no program holds any more waits for the peer's FIN, ms.
   * Linux 60 000 (`tcp_fin_timeout`), FreeBSD 60 000 (`finwait2_timeout`, only with `fast_finwait2_recycle`). RFC: Infinity. */
  orphanFinWait2: Millis
  /** Such a connection becomes a record as small as TIME-WAIT's (Linux). */
  finWait2Record: boolean
  /** Text that arrives in FIN-WAIT-1 or FIN-WAIT-2 after shutdown of reading is answered with RST, though a program still
   * holds the connection (Linux). When none does, RST is sent in any case (SHLD-3). */
  resetOnTextAfterShutdown: boolean
  /** A segment that began before the peer's FIN and has text behind it ends the connection with RST (Linux); RFC 9293
   * 3.10.7.4 ignores the text. */
  resetOnTextBehindFin: boolean
  /** Connections that no program holds, most of them; more are reset (RFC 9293 says nothing; Linux `tcp_max_orphans`). */
  maxOrphans: number
  /** TIME-WAIT and RST: acceptable RST ends it (RFC 9293, Linux) or is always ignored (FreeBSD). */
  resetEndsTimeWait: boolean
  /** What TIME-WAIT acknowledges beside a FIN: everything that is not RST (Linux), segments with ACK and SYNs (RFC 9293
   * 3.10.7.4), segments with ACK only (FreeBSD). */
  timeWaitAnswers: 'everything' | 'acks and syns' | 'acks'
  /** A new SYN that is acceptable nowhere else, for an entry of the SYN queue: back to LISTEN (RFC 9293), RST (Linux), SYN-ACK again (FreeBSD). */
  synInSynReceived: 'listen' | 'reset' | 'answer'
  /** close with unread data sends RST (RFC 9293 3.6.1, RFC 2525 2.17). */
  resetOnUnreadData: boolean
  /** A listener that closes resets connections in its queues. */
  resetOnListenerClose: boolean

  // --- dead peers ---
  keepaliveIdle: Millis
  keepaliveInterval: Millis
  keepaliveProbes: number
  /** Keepalive on for every new socket (FreeBSD `always_keepalive`; Linux false; MUST-25: default off). */
  keepaliveAlways: boolean
  /** Probes carry one octet of garbage (SHLD, MAY for old peers). */
  keepaliveGarbage: boolean
  /** Zero-window probes back off up to this, ms (FreeBSD persmax 60 000; Linux rtoMax) and at least persistMin. */
  persistMin: Millis
  persistMax: Millis

  // --- nobody there ---
  /** Segments for a closed port: 0 RST; 1 silence for SYN; 2 silence for all; 3 (FreeBSD) also … (`net.inet.tcp.blackhole`). */
  blackhole: 0 | 1 | 2 | 3
  /** RST and ACK for no connection a second, at most (FreeBSD `icmplim`); Infinity: none. */
  resetRateLimit: number
  /**
   * UDP port at which segments in UDP are taken as segments (FreeBSD `net.inet.tcp.udp_tunneling_port`); 0: none. No
   * connection here is carried over UDP, so that each is answered with RST the way it came.
   */
  udpTunnelingPort: number
  /** In SYN-RECEIVED after an active open RST reports ECONNREFUSED (RFC 9293 3.10.7.4; FreeBSD) else ECONNRESET. */
  refusedInSynReceived: boolean
  /** SYN-ACK to a listener is answered with RST (RFC 9293 3.10.7.2; Linux) or dropped (FreeBSD). */
  resetSynAckToListener: boolean
  /** CLOSING and LAST-ACK re-send FIN to an unacceptable or duplicate segment (FreeBSD) instead of a bare ACK. */
  resendFinWhenClosing: boolean
  /** Options and window of RST segments of a connection: Linux sends the offered window and timestamps; others 0 and none. */
  resetCarriesWindow: boolean
  /** RST for a segment with timestamps echoes them when the connection is known (Linux TIME-WAIT and SYN-RECEIVED). */
  resetCarriesTimestamps: boolean
  /** ICMP errors that end a connection in SYN-SENT and SYN-RECEIVED (RFC 5461 4.1: hard errors). In synchronized states
   * none does (RFC 5927 5.2). Linux all of them; FreeBSD the hard ones and time-exceeded, with `icmp_may_rst`. */
  icmpAbortsHandshake: readonly IcmpError['kind'][]
  /** `prohibited` is reported as ECONNREFUSED (FreeBSD) instead of EHOSTUNREACH or EACCES (Linux). */
  prohibitedIsRefused: boolean
  /** An ICMP unreachable for the oldest octet takes one step of the RTO back-off back (RFC 6069; Linux). */
  revertBackoffOnUnreachable: boolean

  // --- local ports ---
  ephemeralPorts: [low: number, high: number]

  // --- IP header of segments ---
  ttl: number
  /** Packets with an IPv4 source route are taken, and answered along the way they came (RFC 9293 3.9.2.1); Linux
   * (`accept_source_route`) and FreeBSD (`net.inet.ip.accept_sourceroute`) drop them. */
  acceptSourceRoute: boolean
  /** Flow labels from a hash (IPv6), 0: none. */
  autoFlowLabel: boolean
}

/** How a sysctl of either family reads and writes one setting; see sysctl.ts. */
export type SettingName = keyof Settings
