import type { Settings } from './settings.js'
import type { Sysctl } from './sysctl.js'
import { computed, flag, numeric, withoutEffect } from './sysctl-kinds.js'

/** The first buffer of a new socket. */
const space = (setting: 'receiveBuffer' | 'sendBuffer', which: 1 | 2): Sysctl =>
  computed(
    (s) => s[setting][which],
    (s, value) => {
      s[setting][which] = value
    },
    { min: 1 },
  )

/** rfc1323 0: neither; 1: both; 2: window scaling only; 3: timestamps only. */
const rfc1323 = computed(
  (s) => (s.windowScaling ? (s.timestamps !== 0 ? 1 : 2) : s.timestamps !== 0 ? 3 : 0),
  (s, value) => {
    s.windowScaling = value === 1 || value === 2
    s.timestamps = value === 1 || value === 3 ? 1 : 0
  },
  { max: 3 },
)

const fastOpenBit = (bit: number): Sysctl =>
  computed(
    (s) => Number((s.fastOpen & bit) !== 0),
    (s, value) => {
      s.fastOpen = value === 0 ? s.fastOpen & ~bit : s.fastOpen | bit
    },
    { max: 1 },
  )

/** kern.ipc.maxsockbuf: SO_RCVBUF's cap, and what the window scale is computed from. */
function capBuffers(s: Settings, value: number): void {
  s.receiveBufferCap = value
  s.sendBufferCap = value
  s.windowScaleFrom = value
}

const inet = (table: Record<string, Sysctl>): [string, Sysctl][] =>
  Object.entries(table).map(([name, sysctl]) => [`net.inet.tcp.${name}`, sysctl])

/** `net.inet.tcp.*` and `kern.ipc.*`. */
export const FREEBSD_SYSCTLS: ReadonlyMap<string, Sysctl> = new Map<string, Sysctl>([
  ...inet({
    rfc1323,
    'sack.enable': flag('sack'),
    recvspace: space('receiveBuffer', 1),
    sendspace: space('sendBuffer', 1),
    recvbuf_max: space('receiveBuffer', 2),
    sendbuf_max: space('sendBuffer', 2),
    recvbuf_auto: flag('autotuneReceiveBuffer'),
    sendbuf_auto: flag('autotuneSendBuffer'),
    mssdflt: numeric('defaultMss4', { min: 32, max: 65535 }),
    v6mssdflt: numeric('defaultMss6', { min: 32, max: 65535 }),
    minmss: numeric('minMss', { max: 65535 }),
    blackhole: computed(
      (s) => s.blackhole,
      (s, value) => {
        s.blackhole = value as Settings['blackhole']
      },
      { max: 3 },
    ),
    delayed_ack: computed(
      (s) => Number(s.delayedAckMax > 0),
      (s, value) => {
        s.delayedAckMin = value === 0 ? 0 : 40
        s.delayedAckMax = s.delayedAckMin
        s.ackEvery = value === 0 ? 1 : 2
      },
      { max: 1 },
    ),
    delacktime: computed(
      (s) => s.delayedAckMax,
      (s, value) => {
        s.delayedAckMin = value
        s.delayedAckMax = value
      },
    ),
    drop_synfin: flag('dropSynFin'),
    insecure_rst: flag('insecureRst'),
    insecure_syn: flag('insecureSyn'),
    insecure_ack: flag('insecureAck'),
    ack_war_timewindow: numeric('challengeAckWindow'),
    ack_war_cnt: numeric('challengeAckLimit'),
    icmp_may_rst: computed(
      (s) => Number(s.icmpAbortsHandshake.length > 0),
      (s, value) => {
        s.icmpAbortsHandshake =
          value === 0 ? [] : ['protocol-unreachable', 'port-unreachable', 'prohibited', 'time-exceeded']
      },
      { max: 1 },
    ),
    path_mtu_discovery: flag('pathMtuDiscovery'),
    tolerate_missing_ts: flag('tolerateMissingTimestamps'),
    rexmit_initial: numeric('initialRto', { min: 1 }),
    rexmit_min: numeric('rtoMin', { min: 1 }),
    rexmit_slop: numeric('rtoSlop'),
    rexmit_drop_options: computed(
      (s) => Number(s.synDropOptionsAfter !== 0),
      (s, value) => {
        s.synDropOptionsAfter = value === 0 ? 0 : 3
      },
      { max: 1 },
    ),
    'ecn.enable': computed(
      // FreeBSD: 0 off, 1 ask and accept, 2 accept, 3 ask for AccECN, 4 accept AccECN
      (s) => (s.ecn === 5 ? 4 : Math.min(s.ecn, 3)),
      (s, value) => {
        s.ecn = ([0, 1, 2, 3, 5] as const)[value]!
      },
      { max: 4 },
    ),
    'ecn.maxretries': numeric('ecnSynRetries'),
    'cc.algorithm': {
      get: (env) => (env.settings.congestionControl === 'reno' ? 'newreno' : env.settings.congestionControl),
      set(env, text) {
        if (!['newreno', 'cubic', 'dctcp'].includes(text)) return 'expected one of newreno, cubic, dctcp'
        env.settings.congestionControl = text === 'newreno' ? 'reno' : text
        return null
      },
    },
    initcwnd_segments: numeric('initialWindow', { max: 70 }),
    abc_l_var: numeric('abcLimit'),
    rfc3042: flag('limitedTransmit'),
    syncookies: computed(
      (s) => Number(s.synCookies !== 0),
      (s, value) => {
        s.synCookies = value === 0 ? 0 : 1
      },
      { max: 1 },
    ),
    syncookies_only: computed(
      (s) => Number(s.synCookies === 2),
      (s, value) => {
        s.synCookies = value === 0 ? 1 : 2
      },
      { max: 1 },
    ),
    'syncache.rexmtlimit': numeric('synAckRetries', { max: 12 }),
    'fastopen.client_enable': fastOpenBit(1),
    'fastopen.server_enable': fastOpenBit(2),
    'fastopen.path_disable_time': numeric('fastOpenDisablePath', { scale: 1000 }),
    msl: numeric('msl', { min: 1 }),
    nolocaltimewait: flag('noLocalTimeWait'),
    maxtcptw: numeric('maxTimeWait'),
    finwait2_timeout: computed(
      (s) => Math.min(s.orphanFinWait2, 60000),
      (s, value) => {
        if (s.orphanFinWait2 !== Number.POSITIVE_INFINITY) s.orphanFinWait2 = value
      },
    ),
    fast_finwait2_recycle: computed(
      (s) => Number(s.orphanFinWait2 !== Number.POSITIVE_INFINITY),
      (s, value) => {
        s.orphanFinWait2 = value === 0 ? Number.POSITIVE_INFINITY : 60000
      },
      { max: 1 },
    ),
    keepidle: numeric('keepaliveIdle', { min: 1 }),
    keepintvl: numeric('keepaliveInterval', { min: 1 }),
    keepcnt: numeric('keepaliveProbes', { min: 1 }),
    keepinit: numeric('connectTimeout', { min: 1 }),
    always_keepalive: flag('keepaliveAlways'),
    persmin: numeric('persistMin', { min: 1 }),
    persmax: numeric('persistMax', { min: 1 }),
    'reass.maxqueuelen': numeric('maxReassemblySegments'),
    // accepted as the kernel does, without an effect on what a connection does here
    'hostcache.purgenow': withoutEffect('hostcache.purgenow', '0'),
    'hostcache.enable': withoutEffect('hostcache.enable', '1'),
    udp_tunneling_overhead: withoutEffect('udp_tunneling_overhead', '8'),
    udp_tunneling_port: numeric('udpTunnelingPort', { max: 65535 }),
    functions_default: withoutEffect('functions_default', 'freebsd'),
    log_in_vain: withoutEffect('log_in_vain', '0'),
    tso: withoutEffect('tso', '1'),
    isn_reseed_interval: withoutEffect('isn_reseed_interval', '0'),
    do_lrd: withoutEffect('do_lrd', '0'),
    do_prr: withoutEffect('do_prr', '1'),
    newcwv: withoutEffect('newcwv', '0'),
    rfc6675_pipe: withoutEffect('rfc6675_pipe', '1'),
    pmtud_blackhole_detection: withoutEffect('pmtud_blackhole_detection', '0'),
  }),
  ['kern.ipc.maxsockbuf', computed((s) => s.receiveBufferCap, capBuffers, { min: 1 })],
  ['kern.ipc.soacceptqueue', numeric('somaxconn')],
  ['kern.ipc.somaxconn', numeric('somaxconn')],
  [
    'net.inet.ip.portrange.first',
    computed(
      (s) => s.ephemeralPorts[0],
      (s, v) => (s.ephemeralPorts = [v, s.ephemeralPorts[1]]),
      { min: 1, max: 65535 },
    ),
  ],
  [
    'net.inet.ip.portrange.last',
    computed(
      (s) => s.ephemeralPorts[1],
      (s, v) => (s.ephemeralPorts = [s.ephemeralPorts[0], v]),
      { min: 1, max: 65535 },
    ),
  ],
  ['net.inet.ip.ttl', numeric('ttl', { min: 1, max: 255 })],
  [
    'net.inet.icmp.icmplim',
    computed(
      (s) => (s.resetRateLimit === Number.POSITIVE_INFINITY ? 0 : s.resetRateLimit),
      (s, v) => (s.resetRateLimit = v === 0 ? Number.POSITIVE_INFINITY : v),
    ),
  ],
])
