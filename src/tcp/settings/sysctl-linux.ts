import type { Settings } from './settings.js'
import type { Sysctl } from './sysctl.js'
import { buffer, computed, flag, numeric, wholeNumber, withoutEffect } from './sysctl-kinds.js'

/** The smallest shift with which the window field can offer the largest buffer is computed from this (Linux tcp_select_initial_window). */
function windowScaleSource(s: Settings): void {
  s.windowScaleFrom = Math.max(s.receiveBuffer[2], s.receiveBufferCap)
}

const congestionControl: Sysctl = {
  get: (env) => env.settings.congestionControl,
  set(env, text) {
    const known = ['reno', 'cubic', 'dctcp']
    if (!known.includes(text)) return `expected one of ${known.join(', ')}`
    env.settings.congestionControl = text
    return null
  },
}

const QUEUEING_DISCIPLINES = ['pfifo', 'bfifo', 'pfifo_fast', 'fq', 'fq_codel', 'noqueue', 'mq', 'prio']

/** Of these fq alone has an effect on TCP: it spaces segments out by the rate that TCP tells it. */
const queueingDiscipline: Sysctl = {
  get: (env) => (env.settings.pacing ? 'fq' : 'fq_codel'),
  set(env, text) {
    if (!QUEUEING_DISCIPLINES.includes(text)) return `expected one of ${QUEUEING_DISCIPLINES.join(', ')}`
    env.settings.pacing = text === 'fq'
    return null
  },
}

/** One or two keys of four hexadecimal words, each word little-endian in the key's octets. */
const fastOpenKey: Sysctl = {
  get: (env) =>
    env.secrets.fastOpen
      .map((key) =>
        [0, 4, 8, 12]
          .map((at) => new DataView(key.buffer, key.byteOffset).getUint32(at, true).toString(16).padStart(8, '0'))
          .join('-'),
      )
      .join(','),
  set(env, text) {
    const keys = text
      .split(',')
      .map((key) => /^([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})-([0-9a-f]{1,8})$/i.exec(key))
    if (keys.length > 2 || keys.includes(null))
      return 'expected one or two keys like 01234567-89abcdef-01234567-89abcdef'
    env.secrets.fastOpen = keys.map((words) => {
      const key = new Uint8Array(16)
      const view = new DataView(key.buffer)
      for (let i = 0; i < 4; i++) view.setUint32(4 * i, Number.parseInt(words![i + 1]!, 16), true)
      return key
    })
    return null
  },
}

const ports: Sysctl = {
  get: (env) => env.settings.ephemeralPorts.join('\t'),
  set(env, text) {
    const [low, high, ...more] = text.split(/\s+/).map(wholeNumber)
    if (more.length > 0 || !(low! >= 1 && high! <= 65535 && low! <= high!)) return 'expected two ports: low high'
    env.settings.ephemeralPorts = [low!, high!]
    return null
  },
}

const v4 = (table: Record<string, Sysctl>): [string, Sysctl][] =>
  Object.entries(table).map(([name, sysctl]) => [`net.ipv4.${name}`, sysctl])

const choice = <K extends keyof Settings>(setting: K, values: readonly Settings[K][]): Sysctl =>
  computed(
    (s) => Number(s[setting]),
    (s, value) => {
      s[setting] = values[value]!
    },
    { max: values.length - 1 },
  )

/** `net.ipv4.tcp_*` and `net.core.*`. */
export const LINUX_SYSCTLS: ReadonlyMap<string, Sysctl> = new Map<string, Sysctl>([
  ...v4({
    tcp_syn_retries: numeric('synRetries', { min: 1, max: 127 }),
    tcp_syn_linear_timeouts: numeric('synLinearTimeouts', { max: 127 }),
    tcp_synack_retries: numeric('synAckRetries', { max: 255 }),
    tcp_max_syn_backlog: numeric('maxSynBacklog'),
    tcp_syncookies: choice('synCookies', [0, 1, 2]),
    tcp_abort_on_overflow: flag('abortOnOverflow'),
    tcp_timestamps: choice('timestamps', [0, 1, 2]),
    tcp_window_scaling: flag('windowScaling'),
    tcp_sack: flag('sack'),
    tcp_dsack: flag('dsack'),
    tcp_min_snd_mss: numeric('minMss', { min: 48, max: 65535 }),
    ip_no_pmtu_disc: computed(
      (s) => Number(!s.pathMtuDiscovery),
      (s, value) => {
        s.pathMtuDiscovery = value === 0
      },
      { max: 3 },
    ),
    tcp_rmem: buffer('receiveBuffer', windowScaleSource),
    tcp_wmem: buffer('sendBuffer'),
    tcp_moderate_rcvbuf: flag('autotuneReceiveBuffer'),
    tcp_shrink_window: flag('shrinkWindow'),
    tcp_workaround_signed_windows: flag('signedWindows'),
    tcp_notsent_lowat: numeric('notSentLowat'),
    tcp_comp_sack_nr: numeric('compressSacks', { max: 255 }),
    tcp_comp_sack_delay_ns: numeric('compressSackDelay', { scale: 1e-6 }),
    tcp_challenge_ack_limit: numeric('challengeAckLimit'),
    tcp_invalid_ratelimit: numeric('invalidRateLimit'),
    tcp_rto_min_us: numeric('rtoMin', { min: 1, scale: 1e-3 }),
    tcp_rto_max_ms: computed(
      (s) => s.rtoMax,
      (s, value) => {
        s.rtoMax = value
        s.persistMax = value
      },
      { min: 1000, max: 120000 },
    ),
    tcp_retries1: numeric('pathDoubtRetries', { max: 255 }),
    tcp_retries2: computed(
      (s) => s.dataRetries,
      (s, value) => {
        s.dataRetries = value
        s.persistRetries = value
      },
    ),
    tcp_orphan_retries: computed(
      (s) => (s.orphanRetries === 8 ? 0 : s.orphanRetries),
      (s, value) => {
        s.orphanRetries = value === 0 ? 8 : value
      },
    ),
    tcp_thin_linear_timeouts: flag('thinLinearTimeouts'),
    tcp_reordering: numeric('dupAckThreshold', { min: 1 }),
    tcp_max_reordering: numeric('maxReordering', { min: 1 }),
    tcp_recovery: numeric('rack'),
    tcp_early_retrans: computed(
      (s) => (s.tailLossProbe ? 3 : 0),
      (s, value) => {
        s.tailLossProbe = value >= 3
      },
      { max: 4 },
    ),
    tcp_frto: flag('frto'),
    tcp_retrans_collapse: flag('collapseRetransmissions'),
    tcp_congestion_control: congestionControl,
    tcp_slow_start_after_idle: flag('slowStartAfterIdle'),
    tcp_pacing_ss_ratio: numeric('pacingSsRatio', { max: 1000 }),
    tcp_pacing_ca_ratio: numeric('pacingCaRatio', { max: 1000 }),
    tcp_min_tso_segs: numeric('minTsoSegments', { min: 1 }),
    tcp_tso_win_divisor: numeric('tsoWinDivisor'),
    tcp_no_metrics_save: flag('noMetricsSave'),
    tcp_ecn: choice('ecn', [0, 1, 2, 3, 4, 5]),
    tcp_ecn_fallback: flag('ecnFallback'),
    tcp_ecn_option: choice('accEcnOption', [0, 1, 2, 3]),
    tcp_ecn_option_beacon: numeric('accEcnOptionBeacon'),
    tcp_fastopen: numeric('fastOpen'),
    tcp_fastopen_key: fastOpenKey,
    tcp_fastopen_blackhole_timeout_sec: numeric('fastOpenBlackholeTimeout', { scale: 1000 }),
    tcp_max_tw_buckets: numeric('maxTimeWait'),
    tcp_tw_reuse: choice('timeWaitReuseOnConnect', [0, 1, 2]),
    tcp_rfc1337: flag('rfc1337'),
    tcp_fin_timeout: numeric('orphanFinWait2', { scale: 1000 }),
    tcp_max_orphans: numeric('maxOrphans'),
    tcp_keepalive_time: numeric('keepaliveIdle', { min: 1, scale: 1000 }),
    tcp_keepalive_intvl: numeric('keepaliveInterval', { min: 1, scale: 1000 }),
    tcp_keepalive_probes: numeric('keepaliveProbes', { min: 1 }),
    ip_local_port_range: ports,
    ip_default_ttl: numeric('ttl', { min: 1, max: 255 }),
    // accepted as the kernel does, without an effect on what a connection does here
    tcp_available_congestion_control: withoutEffect('tcp_available_congestion_control', 'reno cubic dctcp'),
    tcp_fack: withoutEffect('tcp_fack', '0'),
    tcp_low_latency: withoutEffect('tcp_low_latency', '0'),
    tcp_autocorking: withoutEffect('tcp_autocorking', '1'),
    tcp_limit_output_bytes: withoutEffect('tcp_limit_output_bytes', '4194304'),
    tcp_tso_rtt_log: withoutEffect('tcp_tso_rtt_log', '9'),
    tcp_mtu_probing: withoutEffect('tcp_mtu_probing', '0'),
    tcp_base_mss: withoutEffect('tcp_base_mss', '1024'),
    tcp_probe_threshold: withoutEffect('tcp_probe_threshold', '8'),
    tcp_probe_interval: withoutEffect('tcp_probe_interval', '600'),
    tcp_mem: withoutEffect('tcp_mem', '188661\t251549\t377322'),
    tcp_app_win: withoutEffect('tcp_app_win', '31'),
    // obsolete since Linux 6.6: the share of the buffer that may be window is measured
    tcp_adv_win_scale: withoutEffect('tcp_adv_win_scale', '1'),
    tcp_backlog_ack_defer: withoutEffect('tcp_backlog_ack_defer', '1'),
    tcp_comp_sack_slack_ns: withoutEffect('tcp_comp_sack_slack_ns', '100000'),
    tcp_comp_sack_rtt_percent: withoutEffect('tcp_comp_sack_rtt_percent', '100'),
    tcp_min_rtt_wlen: withoutEffect('tcp_min_rtt_wlen', '300'),
    tcp_plb_enabled: withoutEffect('tcp_plb_enabled', '0'),
    tcp_migrate_req: withoutEffect('tcp_migrate_req', '0'),
    tcp_reflect_tos: withoutEffect('tcp_reflect_tos', '0'),
    tcp_stdurg: withoutEffect('tcp_stdurg', '0'),
    tcp_tw_reuse_delay: withoutEffect('tcp_tw_reuse_delay', '1000'),
    tcp_fwmark_accept: withoutEffect('tcp_fwmark_accept', '0'),
    tcp_l3mdev_accept: withoutEffect('tcp_l3mdev_accept', '0'),
    tcp_early_demux: withoutEffect('tcp_early_demux', '1'),
    tcp_no_ssthresh_metrics_save: withoutEffect('tcp_no_ssthresh_metrics_save', '1'),
  }),
  ['net.core.somaxconn', numeric('somaxconn')],
  [
    'net.core.rmem_max',
    computed(
      (s) => s.receiveBufferCap,
      (s, value) => {
        s.receiveBufferCap = value
        windowScaleSource(s)
      },
    ),
  ],
  ['net.core.wmem_max', numeric('sendBufferCap')],
  ['net.core.rmem_default', withoutEffect('rmem_default', '212992')],
  ['net.core.wmem_default', withoutEffect('wmem_default', '212992')],
  ['net.core.netdev_max_backlog', withoutEffect('netdev_max_backlog', '1000')],
  ['net.core.default_qdisc', queueingDiscipline],
  ['net.core.optmem_max', withoutEffect('optmem_max', '131072')],
])
