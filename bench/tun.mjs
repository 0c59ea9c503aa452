// node bench/tun.mjs [--quick]: the kernel and `estab/net` at the two ends of a TUN device, bulk both ways, round trips and
// connections; the peers in the same run are Node's own `net` at both ends of a veth pair, and iperf3 there. Everything
// happens in network namespaces without a name, which the kernel removes when the processes in them end.
import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const KERNEL = '10.78.0.1'
const ESTAB = '10.78.0.2'

/** Why these figures cannot be had here, as a sentence; null: they can. */
export async function whyNoTun() {
  if (process.platform !== 'linux') return 'TUN devices exist on Linux only'
  if (process.getuid() !== 0) return 'network namespaces and TUN devices need root'
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  return import('koffi').then(
    () => null,
    () => "the optional package 'koffi' did not load",
  )
}

/** A process in a namespace, to be asked. */
class End {
  #process = fork(fileURLToPath(new URL('tun-end.mjs', import.meta.url)), {
    execArgv: process.env.TUN_END_ARGV?.split(' ') ?? [],
  })
  #asked = new Map()
  #id = 0

  constructor() {
    this.#process.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#asked.get(id)
      this.#asked.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#asked.values()) reject(new Error(`an end of the network ended: ${signal ?? code}`))
    })
  }

  ask(command, words = {}) {
    return new Promise((resolve, reject) => {
      this.#asked.set(++this.#id, { resolve, reject })
      this.#process.send({ id: this.#id, command, ...words })
    })
  }

  leave() {
    if (this.#process.connected) this.#process.disconnect()
  }
}

/** Two ends on one wire: `a` at KERNEL, `b` at ESTAB. */
async function twoEnds(join) {
  const a = new End()
  const b = new End()
  try {
    await join(a, b)
  } catch (error) {
    a.leave()
    b.leave()
    throw error
  }
  return { a, b }
}

/** The kernel at `a`, Estab at `b`. @param options { mtu, offloads } of the device */
export const overTun = (options = {}) =>
  twoEnds(async (a, b) => {
    const pid = await b.ask('namespace')
    await a.ask('namespace', { pid })
    await b.ask('tun', { kernel: `${KERNEL}/24`, address: `${ESTAB}/24`, ...options })
  })

/** The kernel at both ends of a veth pair. */
export const overVeth = () =>
  twoEnds(async (a, b) => {
    await a.ask('namespace')
    const pid = await b.ask('namespace')
    const make = 'link add veth0 mtu 1500 type veth peer name veth1 mtu 1500 netns'
    await a.ask('ip', { words: [...make.split(' '), `${pid}`] })
    for (const [end, name, address] of [
      [a, 'veth0', KERNEL],
      [b, 'veth1', ESTAB],
    ]) {
      await end.ask('ip', { words: ['address', 'add', `${address}/24`, 'dev', name] })
      await end.ask('ip', { words: ['link', 'set', name, 'up'] })
    }
  })

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
let port = 5300

const isBulk = (kind) => kind === 'bulk' || kind === 'chunks'

/**
 * One measurement, after a warm-up of `warmUp` ms: what the client counted a second of wall clock, and how much of a core
 * each of the two processes used.
 */
async function measured(client, server, kind, host, ms, warmUp) {
  port++
  await server.ask('listen', { kind: isBulk(kind) ? 'source' : 'echo', port })
  await client.ask('start', { kind, port, host })
  await wait(warmUp)
  const [client0, server0] = await Promise.all([client.ask('mark'), server.ask('mark')])
  await wait(ms)
  const [client1, server1] = await Promise.all([client.ask('mark'), server.ask('mark')])
  await Promise.all([client.ask('stop'), server.ask('stop')])
  await wait(100)
  const busy = (one, two) => (two.cpu - one.cpu) / (two.at - one.at)
  return {
    rate: (client1.counted - client0.counted) / ((client1.at - client0.at) / 1000),
    clientCpu: busy(client0, client1),
    serverCpu: busy(server0, server1),
    client: [client0, client1],
    server: [server0, server1],
  }
}

/** `client`: which end, of `a` (the kernel) and `b` (Estab), opens the connections, and in bulk reads. */
const WORKS = [
  { name: 'kernel → estab', kind: 'bulk', client: 'b' },
  { name: 'estab → kernel', kind: 'bulk', client: 'a' },
  { name: "estab reads as 'data' events", kind: 'chunks', client: 'b' },
  { name: 'round trips, kernel asks', kind: 'roundTrips', client: 'a' },
  { name: 'round trips, estab asks', kind: 'roundTrips', client: 'b' },
  { name: 'connections, kernel opens', kind: 'connections', client: 'a' },
  { name: 'connections, estab opens', kind: 'connections', client: 'b' },
]

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1]

/**
 * Every figure: `{ name, unit, estab, kernel, ratio, cpu, all }`, rates of wall clock; `cpu` is the part of a core that
 * Estab's process used. Bulk is Gbit/s, its `iperf` iperf3 over veth (null without iperf3).
 * @param rounds how many measurements each median is of
 * @param ms of each
 * @param only names of works contain it
 */
export async function tunFigures({ rounds = 5, ms = 1000, only = '', told = () => {} } = {}) {
  const ends = []
  const figures = []
  try {
    for (const make of [overTun, overVeth]) ends.push(await make())
    const [tun, veth] = ends
    const iperf = []
    for (const { name, kind, client: opens } of WORKS.filter(({ name }) => name.includes(only))) {
      const scale = isBulk(kind) ? 8 / 1e9 : 1
      const own = []
      const theirs = []
      // in turn, so that a machine that slows down slows both
      for (let i = 0; i < rounds; i++) {
        for (const [pair, results] of [
          [tun, own],
          [veth, theirs],
        ]) {
          const [client, server, host] = opens === 'a' ? [pair.a, pair.b, ESTAB] : [pair.b, pair.a, KERNEL]
          const result = await measured(client, server, kind, host, ms, i === 0 ? 1500 : 300)
          results.push({ ...result, rate: result.rate * scale })
        }
        if (isBulk(kind) && (await veth.b.ask('iperfServer'))) {
          iperf.push(await veth.a.ask('iperf', { host: ESTAB, seconds: Math.max(1, ms / 1000) }))
        }
      }
      const rates = (results) => results.map(({ rate }) => rate)
      const [estab, kernel] = [median(rates(own)), median(rates(theirs))]
      const cpu = median(own.map(({ clientCpu, serverCpu }) => (opens === 'b' ? clientCpu : serverCpu)))
      const figure = {
        name: `TUN: ${name}`,
        unit: isBulk(kind) ? 'Gbit/s' : '/s',
        estab,
        kernel,
        iperf: isBulk(kind) && iperf.length > 0 ? median(iperf) : null,
        cpu,
        all: { estab: rates(own), kernel: rates(theirs), iperf },
      }
      figures.push(figure)
      told(figure, own)
    }
  } finally {
    for (const { a, b } of ends) {
      a.leave()
      b.leave()
    }
  }
  return figures
}

/** One line of a table. */
export function figureLine({ name, unit, estab, kernel, iperf, cpu }) {
  const digits = unit === '/s' ? 0 : 2
  const text = (value) => value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
  const ours = `${text(estab)} ${unit}`.padStart(14)
  const theirs = `${text(kernel)} ${unit}`.padStart(14)
  const third = iperf === null ? '' : `   iperf3 ${text(iperf)} (${(estab / iperf).toFixed(2)})`
  return `${name.padEnd(34)}${ours}${theirs}${(estab / kernel).toFixed(2).padStart(8)}${cpu.toFixed(2).padStart(8)}${third}`
}

/** Both sides of one work, for run.mjs. */
const together = (only) => async (size, rounds) => {
  const reason = await whyNoTun()
  if (reason !== null) return reason
  const [{ all }] = await tunFigures({ rounds, ms: 1000 * size, only })
  return { ours: all.estab, veth: all.kernel, ...(all.iperf.length > 0 ? { iperf3: all.iperf } : {}) }
}

const row = (name, only, unit, atLeastOf, goal, title, zh) => ({
  name: `tun-${name}`,
  title: `over TUN: ${title}`,
  zh: `经 TUN：${zh}`,
  unit,
  atLeastOf,
  goal,
  together: together(only),
})

export const rows = [
  row(
    'in',
    'kernel → estab',
    'Gbit/s',
    ['iperf3', 0.5],
    '0.8 ×',
    'kernel → `estab/net`, MTU 1500',
    '内核 → `estab/net`，MTU 1500',
  ),
  row(
    'out',
    'estab → kernel',
    'Gbit/s',
    ['iperf3', 0.5],
    '0.8 ×',
    '`estab/net` → kernel, MTU 1500',
    '`estab/net` → 内核，MTU 1500',
  ),
  row(
    'round-trips-in',
    'trips, kernel',
    '/s',
    ['veth', 0.7],
    '1 ×',
    'one-octet round trips, the kernel asks',
    '单字节往返，内核发问',
  ),
  row(
    'round-trips-out',
    'trips, estab',
    '/s',
    ['veth', 0.7],
    '1 ×',
    'one-octet round trips, Estab asks',
    '单字节往返，Estab 发问',
  ),
  row(
    'connections-in',
    'connections, kernel',
    '/s',
    ['veth', 1],
    undefined,
    'connections, the kernel opens',
    '连接，内核发起',
  ),
  row(
    'connections-out',
    'connections, estab',
    '/s',
    ['veth', 1],
    undefined,
    'connections, Estab opens',
    '连接，Estab 发起',
  ),
]

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const words = process.argv.slice(2)
  const quick = words.includes('--quick')
  const reason = await whyNoTun()
  if (reason !== null) {
    console.log(`no figures over TUN: ${reason}`)
    process.exit(0)
  }
  const only = words.find((word) => !word.startsWith('-')) ?? ''
  console.log(
    `${'figure'.padEnd(34)}${'estab'.padStart(14)}${'kernel, veth'.padStart(14)}${'ratio'.padStart(8)}${'cores'.padStart(8)}`,
  )
  const told = (figure, own) => {
    console.log(figureLine(figure))
    if (words.includes('--counters')) for (const one of own) console.log(counters(one))
  }
  await tunFigures({ rounds: quick ? 1 : 5, ms: quick ? 600 : 1000, only, told })
  process.exit(0)
}

/** What the device counted during a measurement, per second. */
function counters({ client, server }) {
  const [one, two] = client[0].wakes === undefined ? server : client
  const seconds = (two.at - one.at) / 1000
  const names = [
    'wakes',
    'framesIn',
    'octetsIn',
    'superSegmentsIn',
    'framesOut',
    'octetsOut',
    'superSegmentsOut',
    'refusedOut',
  ]
  return `   ${names.map((name) => `${name} ${((two[name] - one[name]) / seconds).toFixed(0)}`).join(', ')}`
}
