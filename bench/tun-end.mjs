// One end of a real network, a process of its own in a network namespace: `net` of Node over the kernel, or of Estab over
// a TUN device. Does what the parent (bench/tun.mjs) asks over IPC, and goes when the parent goes: the namespace, and
// every device in it, goes with the last process in it.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, writeFileSync } from 'node:fs'
import nodeNet from 'node:net'

const CLONE_NEWNET = 0x40000000
const CHUNK = Buffer.alloc(131_072, 7)
const OCTET = Buffer.alloc(1)
/** Local ports of connections: each measurement leaves many in TIME-WAIT for a minute. */
const PORTS = [1024, 65_535]
/** Connections that are opened at once. */
const AT_ONCE = 16

let net = nodeNet
let device = null
let counted = 0
let going = false
const servers = []
const sockets = new Set()

/** Keeps a socket until it is closed; a peer that goes is no error here. */
function held(socket) {
  sockets.add(socket)
  socket.on('error', () => {})
  socket.on('close', () => sockets.delete(socket))
  return socket
}

function listen(port, onSocket, noDelay) {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ noDelay }, (socket) => onSocket(held(socket)))
    servers.push(server)
    server.on('error', reject)
    server.listen(port, resolve)
  })
}

const SERVERS = {
  source(socket) {
    const push = () => {
      while (!socket.destroyed) if (!socket.write(CHUNK)) return void socket.once('drain', push)
    }
    push()
  },
  echo: (socket) => socket.on('data', (chunk) => socket.write(chunk)),
}

const CLIENTS = {
  /** Into one buffer, so that no memory is made of what is read: `onread`, which Node has too. */
  bulk(port, host) {
    const callback = (octets) => {
      counted += octets
      return true
    }
    held(net.connect({ port, host, onread: { buffer: Buffer.alloc(131_072), callback } }))
  },
  /** As most programs read. */
  chunks(port, host) {
    held(net.connect({ port, host })).on('data', (chunk) => {
      counted += chunk.length
    })
  },
  roundTrips(port, host) {
    const socket = held(net.connect({ port, host, noDelay: true }))
    socket.on('connect', () => socket.write(OCTET))
    socket.on('data', () => {
      counted++
      if (going) socket.write(OCTET)
    })
  },
  connections(port, host) {
    const open = () => {
      const socket = held(net.connect({ port, host }))
      socket.on('connect', () => socket.write(OCTET))
      socket.on('data', () => socket.end())
      socket.on('close', () => {
        counted++
        if (going) open()
      })
    }
    for (let i = 0; i < AT_ONCE; i++) open()
  },
}

/** Runs a program here. @throws Error with what it said, when it failed */
function run(command, words) {
  const { status, error, stderr } = spawnSync(command, words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${error?.message ?? stderr.trim()}`)
}

const COMMANDS = {
  /** Into a namespace of its own, or into that of process `pid`. */
  async namespace({ pid }) {
    const koffi = (await import('koffi')).default
    const c = koffi.load(null)
    if (pid === undefined) {
      if (c.func('int unshare(int)')(CLONE_NEWNET) < 0) throw new Error(`unshare: errno ${koffi.errno()}`)
    } else {
      const fd = openSync(`/proc/${pid}/ns/net`, 'r')
      const result = c.func('int setns(int, int)')(fd, CLONE_NEWNET)
      closeSync(fd)
      if (result < 0) throw new Error(`setns: errno ${koffi.errno()}`)
    }
    writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', PORTS.join(' '))
    return process.pid
  },
  pid: () => process.pid,
  ip: ({ words }) => run('ip', words),
  /** From now on `net` is that of Estab, at the end of a TUN device. */
  async tun({ kernel, address, mtu, offloads }) {
    const { Host, parseInterfaceAddress, Random, RealTime } = await import('../dist/ip/index.js')
    const { openTun } = await import('../dist/link/tun.js')
    const { createNet, nodeTime } = await import('../dist/socket/net/index.js')
    const { profile } = await import('../dist/tcp/index.js')
    const time = new RealTime(nodeTime())
    const settings = { ...profile('linux'), ephemeralPorts: PORTS }
    const host = new Host({ settings, random: new Random(process.pid) })
    device = await openTun({ kernelAddresses: [kernel], mtu, offloads })
    host.attach(device, { addresses: [parseInterfaceAddress(address)] })
    time.drive(host)
    net = createNet(host, { now: () => time.now })
  },
  listen: ({ kind, port }) => listen(port, SERVERS[kind], kind === 'echo'),
  start({ kind, port, host }) {
    going = true
    CLIENTS[kind](port, host)
  },
  /** What was done until now: octets, round trips or connections, ms of wall clock, ms of CPU time. */
  mark() {
    const { user, system } = process.cpuUsage()
    return { counted, at: performance.now(), cpu: (user + system) / 1000, ...(device && { ...device.counters }) }
  },
  async stop() {
    going = false
    for (const server of servers.splice(0)) server.close()
    for (const socket of sockets) socket.destroy()
  },
  /** Gbit/s of a transfer from an iperf3 client here; null: no iperf3. */
  iperf: ({ host, seconds }) =>
    new Promise((resolve) => {
      const client = spawn('iperf3', ['-c', host, '-t', `${seconds}`, '-J', '--connect-timeout', '2000'])
      let said = ''
      client.on('error', () => resolve(null))
      client.stdout.on('data', (text) => {
        said += text
      })
      client.on('close', () => {
        const end = /"sum_received":\s*\{[^}]*"bits_per_second":\s*([\d.e+]+)/.exec(said)
        resolve(end === null ? null : Number(end[1]) / 1e9)
      })
    }),
  iperfServer: () =>
    new Promise((resolve) => {
      const server = spawn('iperf3', ['-s', '-1', '--forceflush'])
      const gone = () => server.kill()
      process.on('exit', gone)
      server.on('error', () => resolve(false))
      server.stdout.on('data', () => resolve(true))
      server.on('close', () => process.off('exit', gone))
    }),
}

process.on('message', async ({ id, command, ...words }) => {
  try {
    process.send({ id, result: (await COMMANDS[command](words)) ?? null })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => {})
