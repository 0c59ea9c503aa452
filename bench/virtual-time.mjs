// What virtual time costs: segments a second through a simulated link, and scripts a second.
import { readdirSync, readFileSync } from 'node:fs'
import { runVariants } from '../dist/drill/index.js'
import { createNetwork } from '../dist/sim/index.js'
import { Listener, openActive, Ready, receive, send } from '../dist/tcp/index.js'
import { TraceLog } from '../dist/trace/index.js'
import { ANY_IPV4 } from '../dist/wire/index.js'
import { cpuSeconds, program } from './two-hosts.mjs'

/** A transfer without end between two simulated hosts; `received` grows while the network runs. */
export class Transfer {
  received = 0

  /**
   * @param {object} options of the network
   * @param {boolean} traced each host has a log, which keeps its last 10,000 events
   * @param {object} host options of both
   */
  constructor(options, traced = false, host = {}) {
    this.net = createNetwork(options)
    this.client = this.net.host('client', host)
    this.server = this.net.host('server', host)
    if (traced) {
      this.client.observer = new TraceLog({ limit: 10_000 }).observe('client')
      this.server.observer = new TraceLog({ limit: 10_000 }).observe('server')
    }
    const address = (host) => host.interfaces[1].addresses[0].address
    const chunk = new Uint8Array(65536)
    const target = new Uint8Array(65536)
    const push = (c, _ready, now) => {
      while (send(c, chunk, 0, now) > 0);
    }
    const drain = program(this.server, (c, _ready, now) => {
      for (let taken = receive(c, target, 0, now); taken > 0; taken = receive(c, target, 0, now)) this.received += taken
    })
    const accept = {
      notify(listener, _ready, now) {
        for (let c = listener.accept(drain, now); c !== null; c = listener.accept(drain, now)) {
          drain.notify(c, Ready.Readable, now)
        }
      },
    }
    const { now } = this.net
    new Listener(this.server, { local: ANY_IPV4, localPort: 80, backlog: 1, user: accept }, now)
    const local = address(this.client)
    const remote = address(this.server)
    const user = program(this.client, push)
    openActive(this.client, { local, localPort: 40000, remote, remotePort: 80, user }, now)
  }

  /** Segments sent by both. */
  get segments() {
    return this.client.counters.get('TcpOutSegs') + this.server.counters.get('TcpOutSegs')
  }

  /** Lets virtual time pass until so many segments more were sent; how many it were. */
  run(segments) {
    const from = this.segments
    while (this.segments - from < segments) this.net.advance(1)
    return this.segments - from
  }

  /** Segments a second of CPU time, after a third as many that warm up. */
  rate(segments) {
    this.run(segments / 3)
    const began = cpuSeconds()
    const sent = this.run(segments)
    return sent / (cpuSeconds() - began)
  }
}

/** SO_SNDBUF and SO_RCVBUF, octets, as for bulk over the memory pipe: what is under way stays in the cache. */
const BUFFER = 512 * 1024

/** Segments a second of a transfer between two simulated hosts without faults. */
export function simulatedSegments(segments, traced, offloads = false) {
  const settings = { sendBuffer: [4096, BUFFER, BUFFER], receiveBuffer: [4096, BUFFER, BUFFER] }
  return new Transfer({ latency: 1 }, traced, { offloads, settings }).rate(segments)
}

/** Script runs a second over the scenarios, all variants, after a first round that warms up. */
export function scriptRuns() {
  const folder = new URL('../scenarios/', import.meta.url)
  const sources = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')])
  const round = () => sources.flatMap(([file, text]) => runVariants(text, { profile: 'linux', file }, 'all')).length
  round()
  const began = cpuSeconds()
  const runs = round()
  return runs / (cpuSeconds() - began)
}

export const rows = [
  {
    name: 'segments',
    title: 'virtual time: simulated segments, two hosts, no faults, untraced',
    zh: '虚拟时间：两台主机、无故障、不跟踪时的模拟报文段',
    unit: '/s',
    atLeast: 1_000_000,
    ours: (size) => simulatedSegments(1_500_000 * size, false),
  },
  {
    name: 'segments-offloads',
    title: 'the same, hosts with offloads (GSO and GRO), as most machines have them',
    zh: '同上，主机启用卸载（GSO 与 GRO），多数机器即如此',
    unit: '/s',
    atLeast: 1_000_000,
    ours: (size) => simulatedSegments(1_500_000 * size, false, true),
  },
  {
    name: 'segments-traced',
    title: 'virtual time: simulated segments, two hosts, no faults, traced',
    zh: '虚拟时间：两台主机、无故障、跟踪时的模拟报文段',
    unit: '/s',
    atLeast: 300_000,
    ours: (size) => simulatedSegments(900_000 * size, true),
  },
  {
    name: 'scenarios',
    title: 'runs of the scripts of scenarios/, every variant',
    zh: '运行 scenarios/ 中的脚本（所有变体）',
    unit: '/s',
    ours: () => scriptRuns(),
  },
]
