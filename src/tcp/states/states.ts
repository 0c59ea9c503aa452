import type { IpAddress } from '../../wire/index.js'
import type { Observer } from '../observer.js'
import type { Instant } from '../time.js'
import { STATE_NAMES, type State, type StateName, stateName } from './state-name.js'

/** One arrow of the state diagram (RFC 9293 3.3.2, figure 5, with the notes and the text of 3.10 and later RFCs). */
export interface Edge {
  readonly from: StateName
  /** What happens: 'rcv …' a segment, a call of the program in capitals, 'timeout: …', 'icmp: …'. */
  readonly event: string
  /** When the arrow is taken only under a condition: which. */
  readonly guard: string
  readonly to: StateName
  /** What is sent or done: 'snd SYN,ACK'. */
  readonly action: string
  /** RFC and section; a bare number is of RFC 9293. */
  readonly section: string
  /** Drawn in the diagram of RFC 9293 figure 5. */
  readonly drawn: boolean
}

const rcv = (what: string): string => `rcv ${what}`
const snd = (what: string): string => `snd ${what}`
const none = ''

const all: Edge[] = []

function edge(from: StateName, event: string, to: StateName, action: string, section: string, guard = ''): void {
  all.push({ from, event, guard, to, action, section, drawn: false })
}

/** An arrow that figure 5 draws. */
function drawn(from: StateName, event: string, to: StateName, action: string, section: string, guard = ''): void {
  all.push({ from, event, guard, to, action, section, drawn: true })
}

// --- CLOSED ---
drawn('CLOSED', 'passive OPEN', 'LISTEN', 'create TCB', '3.10.1')
drawn('CLOSED', 'active OPEN', 'SYN-SENT', snd('SYN'), '3.10.1')

// --- LISTEN ---
drawn('LISTEN', rcv('SYN'), 'SYN-RECEIVED', snd('SYN,ACK'), '3.10.7.2')
drawn('LISTEN', 'SEND', 'SYN-SENT', snd('SYN'), '3.10.2')
edge('LISTEN', 'active OPEN', 'SYN-SENT', snd('SYN'), '3.10.1', 'a remote socket is named')
edge('LISTEN', rcv('ACK of SYN cookie'), 'ESTABLISHED', none, 'RFC 4987 3.6', 'the cookie is right')
drawn('LISTEN', 'CLOSE', 'CLOSED', 'delete TCB', '3.10.4')
edge('LISTEN', 'ABORT', 'CLOSED', 'delete TCB', '3.10.5')

// --- SYN-SENT ---
drawn('SYN-SENT', rcv('SYN,ACK'), 'ESTABLISHED', snd('ACK'), '3.10.7.3')
drawn('SYN-SENT', rcv('SYN'), 'SYN-RECEIVED', snd('SYN,ACK'), '3.10.7.3', 'simultaneous open')
edge('SYN-SENT', rcv('RST'), 'CLOSED', none, '3.10.7.3', 'its ACK is acceptable')
drawn('SYN-SENT', 'CLOSE', 'CLOSED', 'delete TCB', '3.10.4')
edge('SYN-SENT', 'ABORT', 'CLOSED', 'delete TCB', '3.10.5')
edge('SYN-SENT', 'timeout: retransmission', 'CLOSED', 'ETIMEDOUT', '3.8.3', 'R2 is exceeded')
edge('SYN-SENT', 'timeout: user', 'CLOSED', 'ETIMEDOUT', '3.10.8')
edge('SYN-SENT', 'icmp: hard error', 'CLOSED', none, 'RFC 5461 4.1')

// --- SYN-RECEIVED ---
drawn('SYN-RECEIVED', rcv('ACK of SYN'), 'ESTABLISHED', none, '3.10.7.4')
drawn('SYN-RECEIVED', rcv('RST'), 'LISTEN', none, '3.10.7.4', 'passive OPEN')
edge('SYN-RECEIVED', rcv('RST'), 'CLOSED', none, '3.10.7.4', 'active OPEN, or accepted with fast open')
edge('SYN-RECEIVED', rcv('SYN'), 'LISTEN', none, '3.10.7.4', 'passive OPEN, RFC 793 rules')
edge('SYN-RECEIVED', rcv('SYN'), 'CLOSED', snd('RST'), '3.10.7.4', 'active OPEN, RFC 793 rules')
drawn('SYN-RECEIVED', 'CLOSE', 'FIN-WAIT-1', snd('FIN'), '3.10.4')
edge('SYN-RECEIVED', 'CLOSE', 'CLOSED', 'delete TCB', 'FreeBSD', 'before the handshake is complete')
edge('SYN-RECEIVED', 'CLOSE with unread text', 'CLOSED', snd('RST'), '3.6.1, SHLD-3', 'fast open')
edge('SYN-RECEIVED', 'ABORT', 'CLOSED', snd('RST'), '3.10.5')
edge('SYN-RECEIVED', 'timeout: retransmission', 'CLOSED', none, '3.8.3', 'R2 is exceeded')
edge('SYN-RECEIVED', 'timeout: user', 'CLOSED', none, '3.10.8')
edge('SYN-RECEIVED', 'icmp: hard error', 'CLOSED', none, 'RFC 5461 4.1')
edge('SYN-RECEIVED', 'accept queue full', 'CLOSED', snd('RST'), '3.10.7.4', 'abort on overflow')
edge('SYN-RECEIVED', 'listener closed', 'CLOSED', snd('RST'), '3.10.4', 'not accepted yet')

// --- ESTABLISHED ---
drawn('ESTABLISHED', 'CLOSE', 'FIN-WAIT-1', snd('FIN'), '3.10.4')
drawn('ESTABLISHED', rcv('FIN'), 'CLOSE-WAIT', snd('ACK'), '3.10.7.4')

// --- FIN-WAIT-1, FIN-WAIT-2, CLOSE-WAIT, CLOSING, LAST-ACK ---
drawn('FIN-WAIT-1', rcv('ACK of FIN'), 'FIN-WAIT-2', none, '3.10.7.4')
drawn('FIN-WAIT-1', rcv('FIN'), 'CLOSING', snd('ACK'), '3.10.7.4')
edge('FIN-WAIT-1', rcv('FIN, ACK of FIN'), 'TIME-WAIT', snd('ACK'), '3.10.7.4', 'figure 5, note 2')
drawn('FIN-WAIT-2', rcv('FIN'), 'TIME-WAIT', snd('ACK'), '3.10.7.4')
edge('FIN-WAIT-2', 'timeout: fin-wait-2', 'CLOSED', 'delete TCB', '3.6 (MAY), Linux, FreeBSD', 'no program holds it')
drawn('CLOSE-WAIT', 'CLOSE', 'LAST-ACK', snd('FIN'), '3.10.4')
drawn('CLOSING', rcv('ACK of FIN'), 'TIME-WAIT', none, '3.10.7.4')
drawn('LAST-ACK', rcv('ACK of FIN'), 'CLOSED', 'delete TCB', '3.10.7.4')

// --- every synchronized state but TIME-WAIT ---
for (const from of ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const) {
  edge(from, rcv('RST'), 'CLOSED', none, '3.10.7.4, RFC 5961 3.2', 'SEG.SEQ = RCV.NXT')
  edge(from, rcv('SYN'), 'CLOSED', snd('RST'), '3.10.7.4', 'in the window, RFC 793 rules')
  edge(from, 'ABORT', 'CLOSED', snd('RST'), '3.10.5')
  // nothing of ours is on its way in FIN-WAIT-2; elsewhere something is, or may be
  if (from !== 'FIN-WAIT-2') {
    edge(from, 'timeout: user', 'CLOSED', 'delete TCB', '3.10.8')
    edge(from, 'timeout: retransmission', 'CLOSED', none, '3.8.3', 'R2 is exceeded')
  }
}
// probes are for connections on which nothing is on its way: a FIN would be, in the other states (MUST-26)
for (const from of ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2'] as const) {
  edge(from, 'timeout: keepalive', 'CLOSED', snd('RST'), '3.8.4', 'probes go unanswered')
}
for (const from of ['FIN-WAIT-1', 'FIN-WAIT-2'] as const) {
  edge(from, rcv('text after CLOSE'), 'CLOSED', snd('RST'), '3.6.1, SHLD-3', 'no program holds it')
}
for (const from of ['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const) {
  edge(from, rcv('text behind FIN'), 'CLOSED', snd('RST'), 'RFC 1122 4.2.2.13', 'it began before the FIN (Linux)')
}
for (const from of ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSING', 'LAST-ACK'] as const) {
  edge(from, 'CLOSE with unread text', 'CLOSED', snd('RST'), '3.6.1, SHLD-3')
}
for (const from of ['ESTABLISHED', 'CLOSE-WAIT'] as const) {
  edge(from, 'listener closed', 'CLOSED', snd('RST'), '3.10.4', 'not accepted yet')
}
for (const from of ['FIN-WAIT-1', 'CLOSING', 'LAST-ACK'] as const) {
  edge(from, 'too many orphans', 'CLOSED', snd('RST'), 'Linux tcp_max_orphans', 'no program holds it')
}

// --- TIME-WAIT ---
drawn('TIME-WAIT', 'timeout: time-wait', 'CLOSED', 'delete TCB', '3.10.8', '2 MSL')
edge('TIME-WAIT', rcv('RST'), 'CLOSED', none, '3.10.7.4', 'unless RFC 1337 protection')
edge('TIME-WAIT', rcv('SYN'), 'CLOSED', 'the listener takes it', '3.6.1, MAY-2, RFC 6191', 'it is newer')
edge('TIME-WAIT', 'active OPEN', 'CLOSED', 'the ports are used again', 'RFC 6191', 'timestamps allow it')
edge('TIME-WAIT', 'ABORT', 'CLOSED', 'delete TCB', '3.10.5')
edge('TIME-WAIT', 'too many', 'CLOSED', 'delete TCB', 'Linux tcp_max_tw_buckets')

/** THE TABLE: every change of state the machine can make. The diagrams are drawn from it and the machine is held to it. */
export const EDGES: readonly Edge[] = all

const keyOf = (from: StateName, event: string, to: StateName): string => `${from}|${event}|${to}`
const known = new Map<string, Edge>(all.map((e) => [keyOf(e.from, e.event, e.to), e]))
const taken = new Map<string, number>()
let checking = false

/** From now on (or no longer) every change of state is looked up in the table, and counted; one not there throws. */
export function checkEdges(on: boolean): void {
  checking = on
}

/** How often each edge was taken while checking; edges of the table never taken have 0. */
export function edgesTaken(): ReadonlyMap<Edge, number> {
  return new Map(all.map((e) => [e, taken.get(keyOf(e.from, e.event, e.to)) ?? 0]))
}

/** Adds what another process counted, by the text of the key: for reports over many test files. */
export function addEdgesTaken(counts: Iterable<readonly [key: string, count: number]>): void {
  for (const [key, count] of counts) taken.set(key, (taken.get(key) ?? 0) + count)
}

/** The counts by key, to carry to another process. */
export const edgeCounts = (): ReadonlyMap<string, number> => taken

function note(from: StateName, event: string, to: StateName): void {
  const key = keyOf(from, event, to)
  if (!known.has(key)) throw new Error(`no edge in the table: ${from} --${event}--> ${to}`)
  taken.set(key, (taken.get(key) ?? 0) + 1)
}

/** Whatever has a state: TCB, SYN-queue entry, TIME-WAIT record, listener. */
export interface Stateful {
  readonly id: number
  readonly local: IpAddress
  readonly localPort: number
  readonly remote: IpAddress
  readonly remotePort: number
  state: State
}

/** The only way a state changes. `event` is the table's. */
export function setState(c: Stateful, to: State, event: string, observer: Observer | null, now: Instant): void {
  const from = c.state
  if (checking) note(stateName(from), event, stateName(to))
  c.state = to
  if (observer !== null) observer.stateChanged(c, from, to, event, now)
}

/** Edges out of a state. */
export const edgesFrom = (from: StateName): Edge[] => all.filter((e) => e.from === from)

/** States that no chain of edges from CLOSED reaches: none, if the table is right. */
export function unreachableStates(): StateName[] {
  const reached = new Set<StateName>(['CLOSED'])
  for (let grew = true; grew; ) {
    grew = false
    for (const e of all) {
      if (reached.has(e.from) && !reached.has(e.to)) {
        reached.add(e.to)
        grew = true
      }
    }
  }
  return STATE_NAMES.filter((name) => !reached.has(name))
}
