// What virtual time costs: segments a second through a simulated link, and scripts a second.
import { readdirSync, readFileSync } from 'node:fs'
import { runVariants } from '../dist/drill/index.js'
import { createNetwork } from '../dist/sim/index.js'
import { Listener, openActive, Ready, receiveChunk, send } from '../dist/tcp/index.js'
import { TraceLog } from '../dist/trace/index.js'
import { ANY_IPV4 } from '../dist/wire/index.js'
import { cpuSeconds, program } from './two-hosts.mjs'

/** A transfer without end between two simulated hosts; `received` grows while the network runs. */
export class Transfer {
  received = 0

  /** @param {object} options of the network @param {boolean} traced each host has a log, which keeps its last 10,000 events */
  constructor(options, traced = false) {
    this.net = createNetwork(options)
    this.client = this.net.host('client')
    this.server = this.net.host('server')
    if (traced) {
      this.client.observer = new TraceLog({ limit: 10_000 }).observe('client')
      this.server.observer = new TraceLog({ limit: 10_000 }).observe('server')
    }
    const address = (host) => host.interfaces[1].addresses[0].address
    const chunk = new Uint8Array(65536)
    const push = (c, _ready, now) => {
      while (send(c, chunk, 0, now) > 0);
    }
    const drain = program(this.server, (c, _ready, now) => {
      for (let text = receiveChunk(c, 1 << 20, now); text instanceof Uint8Array; text = receiveChunk(c, 1 << 20, now)) {
        this.received += text.length
      }
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

/** Segments a second of a transfer between two simulated hosts without faults. */
export function simulatedSegments(segments, traced) {
  return new Transfer({ latency: 1 }, traced).rate(segments)
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
    ours: (size) => simulatedSegments(600_000 * size, false),
  },
  {
    name: 'segments-traced',
    title: 'virtual time: simulated segments, two hosts, no faults, traced',
    zh: '虚拟时间：两台主机、无故障、跟踪时的模拟报文段',
    unit: '/s',
    atLeast: 300_000,
    ours: (size) => simulatedSegments(300_000 * size, true),
  },
  {
    name: 'scenarios',
    title: 'runs of the scripts of scenarios/, every variant',
    zh: '运行 scenarios/ 中的脚本（所有变体）',
    unit: '/s',
    ours: () => scriptRuns(),
  },
]
