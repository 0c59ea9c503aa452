// npm run bench [-- --quick] [-- --json FILE]: every figure of the README, medians of five (--quick: of one), with the
// kernel's TCP under Node's own net as the peer in the same run.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { kernelBulk, kernelConnections, kernelRoundTrips } from './kernel.mjs'
import { bulk, connections, roundTrips } from './machine.mjs'
import { connectionMemory, synEntryMemory, timeWaitMemory } from './memory.mjs'
import { scriptRuns, simulatedSegments } from './virtual-time.mjs'

const words = process.argv.slice(2)
const quick = words.includes('--quick')
const json = words.includes('--json') ? words[words.indexOf('--json') + 1] : null
if (words.includes('--json') && json === undefined) {
  console.error('bench: --json needs a file')
  process.exit(2)
}
const rounds = quick ? 1 : 5
const size = quick ? 0.3 : 1
const ms = 1000 * size

const gbit = { unit: 'Gbit/s', digits: 2 }
const each = { unit: '/s', digits: 0 }
const octets = { unit: 'octets', digits: 0 }
const FIGURES = [
  {
    name: 'bulk, MTU 1500, both checksums',
    ...gbit,
    ours: () => bulk(500 * size),
    peer: () => kernelBulk(1000 * size),
  },
  {
    name: 'bulk, super-segments, both checksums',
    ...gbit,
    ours: () => bulk(1500 * size, { superSegments: true }),
    peer: () => kernelBulk(1000 * size),
  },
  {
    name: 'bulk, super-segments, checksum offload',
    ...gbit,
    ours: () => bulk(3000 * size, { superSegments: true, checksumOffload: true }),
    peer: () => kernelBulk(1000 * size),
  },
  { name: 'one-octet round trips', ...each, ours: () => roundTrips(ms), peer: () => kernelRoundTrips(ms) },
  { name: 'connections opened and closed', ...each, ours: () => connections(ms), peer: () => kernelConnections(ms) },
  {
    name: 'heap per idle end of a connection',
    ...octets,
    once: true,
    ours: () => connectionMemory(20_000),
  },
  { name: 'heap per TIME-WAIT record', ...octets, once: true, ours: () => timeWaitMemory(20_000) },
  { name: 'heap per SYN-queue entry', ...octets, once: true, ours: () => synEntryMemory(20_000) },
  { name: 'simulated segments, untraced', ...each, ours: () => simulatedSegments(100 * size, false) },
  { name: 'simulated segments, traced', ...each, ours: () => simulatedSegments(50 * size, true) },
  { name: 'scenario runs', ...each, ours: () => scriptRuns() },
]

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

console.log(`${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}; medians of ${rounds}\n`)
console.log(`${'figure'.padEnd(42)}${'estab'.padStart(18)}${'kernel, node:net'.padStart(20)}${'ratio'.padStart(8)}`)
const results = []
for (const { name, unit, digits, ours, peer, once } of FIGURES) {
  const own = []
  const theirs = []
  // in turn, so that a machine that slows down slows both
  for (let i = 0; i < (once ? 1 : rounds); i++) {
    own.push(await ours())
    if (peer) theirs.push(await peer())
  }
  const a = median(own)
  const b = peer ? median(theirs) : null
  const text = (value) => `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit}`
  console.log(
    `${name.padEnd(42)}${text(a).padStart(18)}${(b === null ? '' : text(b)).padStart(20)}${(b === null ? '' : (a / b).toFixed(2)).padStart(8)}`,
  )
  results.push({ name, unit, estab: a, kernel: b, all: { estab: own, kernel: theirs } })
}
if (json !== null)
  writeFileSync(
    json,
    `${JSON.stringify({ node: process.version, cpu: cpus()[0].model, cores: cpus().length, rounds, results }, null, 2)}\n`,
  )
process.exit(0)
