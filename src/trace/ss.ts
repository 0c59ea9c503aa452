import type { StateName, TimerName } from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import { padEnd, padStart } from './display-width.js'

/** A socket as the listing needs it, copied: whoever owns the sockets makes these. */
export interface SocketSnapshot {
  readonly state: StateName
  /** Octets not read yet; for a listener, connections not accepted yet. */
  readonly recvQ: number
  /** Octets not acknowledged yet; for a listener, how many may wait to be accepted. */
  readonly sendQ: number
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  /** 0: none. */
  readonly remotePort: number
  /** Armed timers, and in how many ms they fire. */
  readonly timers: readonly { readonly timer: TimerName; readonly remaining: number }[]
  /** Retransmissions without progress, or probes without answer. */
  readonly retransmits: number
  /** Name of the congestion control; null: no TCB. */
  readonly congestion: string | null
  /** Fields of Linux's struct tcp_info; null: no TCB. */
  readonly info: Readonly<Record<string, number>> | null
}

export interface SsOptions {
  /** The second line of each connection, as `ss -i`. */
  readonly info?: boolean
  /** The armed timers, as `ss -o`. */
  readonly timers?: boolean
  readonly listening?: 'only' | 'without' | 'all'
}

/** The states in the words of `ss`; the name of this project is one of them. */
export const SS_STATES: Readonly<Record<StateName, string>> = {
  CLOSED: 'UNCONN',
  LISTEN: 'LISTEN',
  'SYN-SENT': 'SYN-SENT',
  'SYN-RECEIVED': 'SYN-RECV',
  ESTABLISHED: 'ESTAB',
  'FIN-WAIT-1': 'FIN-WAIT-1',
  'FIN-WAIT-2': 'FIN-WAIT-2',
  'CLOSE-WAIT': 'CLOSE-WAIT',
  CLOSING: 'CLOSING',
  'LAST-ACK': 'LAST-ACK',
  'TIME-WAIT': 'TIME-WAIT',
}

/** Timers that Linux has too, by what `ss` calls them. */
const SS_TIMERS: Partial<Record<TimerName, string>> = {
  retransmit: 'on',
  'tail-loss-probe': 'on',
  reorder: 'on',
  persist: 'persist',
  keepalive: 'keepalive',
  'fin-wait-2': 'timewait',
  'time-wait': 'timewait',
}

const HEAD = ['State', 'Recv-Q', 'Send-Q', 'Local Address:Port', 'Peer Address:Port']
const NUMERIC = [false, true, true, true, true]

/** A listing of sockets like that of `ss -tino`; timers that `ss` does not know are shown by their own names. */
export function ss(sockets: Iterable<SocketSnapshot>, options: SsOptions = {}): string {
  const { info = true, timers = true, listening = 'all' } = options
  const shown = [...sockets].filter(
    ({ state }) => listening === 'all' || (state === 'LISTEN') === (listening === 'only'),
  )
  const cells = shown.map((socket) => [
    SS_STATES[socket.state],
    `${socket.recvQ}`,
    `${socket.sendQ}`,
    end(socket.local, socket.localPort),
    // nobody yet: in the family of the local address
    socket.remotePort === 0 && !socket.local.isIPv4 ? '[::]:*' : end(socket.remote, socket.remotePort),
  ])
  const widths = HEAD.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)))
  const row = (texts: readonly string[]) =>
    texts.map((text, i) => (NUMERIC[i] ? padStart(text, widths[i]!) : padEnd(text, widths[i]!))).join(' ')
  let text = `${row(HEAD)}\n`
  shown.forEach((socket, i) => {
    const armed = timers ? socket.timers.map((timer) => ` ${timerText(timer, socket.retransmits)}`).join('') : ''
    text += `${row(cells[i]!)}${armed}\n`
    if (info && socket.info !== null) text += `\t ${infoText(socket.info, socket.congestion)}\n`
  })
  return text
}

function end(address: IpAddress, port: number): string {
  const words = address.isIPv4 ? `${address}` : `[${address}]`
  return `${words}:${port === 0 ? '*' : port}`
}

function timerText({ timer, remaining }: SocketSnapshot['timers'][number], retransmits: number): string {
  const name = SS_TIMERS[timer]
  if (name === undefined) return `timer:(${timer},${timeText(remaining)})`
  return `timer:(${name},${timeText(remaining)},${retransmits})`
}

/** Fewer digits for longer times: 204ms, 1.500ms (sic), 12sec, 2min5sec, 119min. */
function timeText(milliseconds: number): string {
  const total = Math.max(0, Math.round(milliseconds))
  const minutes = Math.floor(total / 60_000)
  const seconds = Math.floor(total / 1000) % 60
  const rest = total % 1000
  if (minutes > 9) return `${minutes}min`
  if (minutes > 0) return seconds > 0 ? `${minutes}min${seconds}sec` : `${minutes}min`
  if (seconds > 9 || (seconds > 0 && rest === 0)) return `${seconds}sec`
  return seconds > 0 ? `${seconds}.${`${rest}`.padStart(3, '0')}ms` : `${rest}ms`
}

/** Bits of tcpi_options. */
const TCPI_OPTIONS: readonly (readonly [bit: number, name: string])[] = [
  [1, 'ts'],
  [2, 'sack'],
  [8, 'ecn'],
  [16, 'ecnseen'],
  [32, 'fastopen'],
]
const TCPI_OPT_WSCALE = 4

/** A field that is left out where it is zero, as `ss` does, with its divisor (µs to ms) and unit. */
type Field = readonly [label: string, name: string, divisor?: number, unit?: string]

const BEFORE_CWND: readonly Field[] = [
  ['ato', 'tcpi_ato', 1000],
  ['qack', 'tcpi_qack'],
  ['mss', 'tcpi_snd_mss'],
  ['pmtu', 'tcpi_pmtu'],
  ['rcvmss', 'tcpi_rcv_mss'],
  ['advmss', 'tcpi_advmss'],
  ['cwnd', 'tcpi_snd_cwnd'],
]

const BEFORE_RATES: readonly Field[] = [
  ['bytes_sent', 'tcpi_bytes_sent'],
  ['bytes_retrans', 'tcpi_bytes_retrans'],
  ['bytes_acked', 'tcpi_bytes_acked'],
  ['bytes_received', 'tcpi_bytes_received'],
  ['segs_out', 'tcpi_segs_out'],
  ['segs_in', 'tcpi_segs_in'],
  ['data_segs_out', 'tcpi_data_segs_out'],
  ['data_segs_in', 'tcpi_data_segs_in'],
]

const BETWEEN_RATES: readonly Field[] = [
  ['lastsnd', 'tcpi_last_data_sent'],
  ['lastrcv', 'tcpi_last_data_recv'],
  ['lastack', 'tcpi_last_ack_recv'],
]

const AFTER_RATES: readonly Field[] = [
  ['busy', 'tcpi_busy_time', 1000, 'ms'],
  ['rwnd_limited', 'tcpi_rwnd_limited', 1000, 'ms'],
  ['sndbuf_limited', 'tcpi_sndbuf_limited', 1000, 'ms'],
  ['unacked', 'tcpi_unacked'],
]

const LAST: readonly Field[] = [
  ['lost', 'tcpi_lost'],
  ['sacked', 'tcpi_sacked'],
  ['dsack_dups', 'tcpi_dsack_dups'],
  ['fackets', 'tcpi_fackets'],
  ['reord_seen', 'tcpi_reord_seen'],
  ['rcv_rtt', 'tcpi_rcv_rtt', 1000],
  ['rcv_space', 'tcpi_rcv_space'],
  ['rcv_ssthresh', 'tcpi_rcv_ssthresh'],
  ['notsent', 'tcpi_notsent_bytes'],
  ['minrtt', 'tcpi_min_rtt', 1000],
  ['rcv_ooopack', 'tcpi_rcv_ooopack'],
  ['snd_wnd', 'tcpi_snd_wnd'],
  ['rcv_wnd', 'tcpi_rcv_wnd'],
]

/** ssthresh that Linux starts with, TCP_INFINITE_SSTHRESH. */
const INFINITE_SSTHRESH = 0x7fffffff

function infoText(info: Readonly<Record<string, number>>, congestion: string | null): string {
  const get = (name: string) => info[name] ?? 0
  const parts = TCPI_OPTIONS.filter(([bit]) => get('tcpi_options') & bit).map(([, name]) => name)
  const add = (fields: readonly Field[]) => {
    for (const [label, name, divisor = 1, unit = ''] of fields) {
      if (get(name) !== 0) parts.push(`${label}:${number(get(name) / divisor)}${unit}`)
    }
  }
  /** Of octets per second. */
  const addRate = (label: string, rate: number) => {
    if (rate >= 1) parts.push(`${label} ${Math.round(rate * 8)}bps`)
  }
  if (congestion !== null) parts.push(congestion)
  if (get('tcpi_options') & TCPI_OPT_WSCALE) parts.push(`wscale:${get('tcpi_snd_wscale')},${get('tcpi_rcv_wscale')}`)
  add([
    ['rto', 'tcpi_rto', 1000],
    ['backoff', 'tcpi_backoff'],
  ])
  if (get('tcpi_rtt') !== 0) parts.push(`rtt:${number(get('tcpi_rtt') / 1000)}/${number(get('tcpi_rttvar') / 1000)}`)
  add(BEFORE_CWND)
  const ssthresh = get('tcpi_snd_ssthresh')
  if (ssthresh !== 0 && ssthresh < INFINITE_SSTHRESH) parts.push(`ssthresh:${ssthresh}`)
  add(BEFORE_RATES)
  // a window in each round trip
  if (get('tcpi_rtt') !== 0) addRate('send', (get('tcpi_snd_cwnd') * get('tcpi_snd_mss') * 1e6) / get('tcpi_rtt'))
  add(BETWEEN_RATES)
  if (get('tcpi_pacing_rate') < Number.MAX_SAFE_INTEGER) addRate('pacing_rate', get('tcpi_pacing_rate'))
  addRate('delivery_rate', get('tcpi_delivery_rate'))
  add([
    ['delivered', 'tcpi_delivered'],
    ['delivered_ce', 'tcpi_delivered_ce'],
  ])
  if (get('tcpi_delivery_rate_app_limited') !== 0) parts.push('app_limited')
  add(AFTER_RATES)
  if (get('tcpi_retrans') !== 0 || get('tcpi_total_retrans') !== 0) {
    parts.push(`retrans:${get('tcpi_retrans')}/${get('tcpi_total_retrans')}`)
  }
  // three segments of reordering are what everybody starts with
  if (get('tcpi_reordering') !== 3) add([['reordering', 'tcpi_reordering']])
  add(LAST)
  return parts.join(' ')
}

function number(value: number): string {
  return `${Number(value.toFixed(3))}`
}
