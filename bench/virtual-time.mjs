// What virtual time costs: segments a second through a simulated link, and scripts a second.
import { readdirSync, readFileSync } from 'node:fs'
import { runVariants } from '../dist/drill/index.js'
import { pair } from '../dist/sim/index.js'
import { TraceLog } from '../dist/trace/index.js'

/** Segments a second of a transfer between two simulated hosts without faults. */
export function simulatedSegments(megabytes, traced) {
  const { client, server, sim } = pair({ network: { latency: 1 } })
  let segments = 0
  if (traced) {
    client.host.observer = new TraceLog({ limit: 10_000 }).observe('client')
    server.host.observer = new TraceLog({ limit: 10_000 }).observe('server')
  }
  const chunk = new Uint8Array(65536)
  const target = megabytes * 1e6
  let received = 0
  const counted = () => client.host.counters.get('TcpOutSegs') + server.host.counters.get('TcpOutSegs')
  const before = counted()
  const began = performance.now()
  while (received < target) {
    while (client.send(chunk) > 0);
    sim.advance(1)
    for (
      let text = server.receive(1 << 20);
      text instanceof Uint8Array && text.length > 0;
      text = server.receive(1 << 20)
    ) {
      received += text.length
    }
  }
  segments = counted() - before
  return segments / ((performance.now() - began) / 1000)
}

/** Script runs a second over the scenarios, all variants, after a first round that warms up. */
export function scriptRuns() {
  const folder = new URL('../scenarios/', import.meta.url)
  const sources = readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')])
  const round = () => sources.flatMap(([file, text]) => runVariants(text, { profile: 'linux', file }, 'all')).length
  round()
  const began = performance.now()
  const runs = round()
  return runs / ((performance.now() - began) / 1000)
}
