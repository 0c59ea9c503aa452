import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { askEverybody } from '../../src/cli/ss-control.js'
import { readHostReport } from '../../src/cli/ss-report.js'
import { Hold } from '../../src/cli/up-hold.js'
import { HostUp } from '../../src/cli/up-host.js'
import { listen } from '../../src/cli/up-servers.js'
import { Middleware } from '../../src/link/index.js'
import { type Connection, openActive, receiveChunk, send, shutdownWrite } from '../../src/tcp/index.js'
import { ss } from '../../src/trace/index.js'
import { type Frame, parseIpAddress } from '../../src/wire/index.js'
import { estabSs, interop, KERNELS, OURS, run, said, start, until, waiting } from './real-network.js'

const FIN = 1
const SYN = 2

/** Octets before the flags of a segment in an IPv4 packet without options. */
const FLAGS_AT = 33

/** A link that loses segments by their flags, one direction at a time. */
class Gate extends Middleware {
  stopsOut: (flags: number) => boolean = () => false
  stopsIn: (flags: number) => boolean = () => false

  protected override outgoing(frames: readonly Frame[], count: number, now: number): void {
    const passed = frames.slice(0, count).filter((frame) => !this.stopsOut(flagsOf(frame)))
    super.outgoing(passed, passed.length, now)
  }

  protected override incoming(frames: readonly Frame[], count: number, now: number): void {
    const passed = frames.slice(0, count).filter((frame) => !this.stopsIn(flagsOf(frame)))
    super.incoming(passed, passed.length, now)
  }
}

function flagsOf(frame: Frame): number {
  const isTcp = frame.bytes[frame.start] === 0x45 && frame.bytes[frame.start + 9] === 6
  return isTcp ? frame.bytes[frame.start + FLAGS_AT]! : 0
}

/** A program of ours that does nothing until it is told to. */
class Quiet {
  sawFin = false
  readonly received: string[] = []

  turn(c: Connection, now: number): 'waits' {
    for (let text = receiveChunk(c, 1000, now); ; text = receiveChunk(c, 1000, now)) {
      if (text === null) this.sawFin = true
      if (!(text instanceof Uint8Array)) return 'waits'
      this.received.push(Buffer.from(text).toString())
    }
  }
}

/** What `estab ss` prints, without a process for each look: they are many. */
async function ourListing(): Promise<string> {
  const [answer] = await askEverybody()
  return ss(readHostReport(answer?.text ?? '')?.sockets ?? [])
}

interop('the states of both ends, as ss and estab ss tell them at once', () => {
  /** A new one for each test: TIME-WAIT lasts longer than a test. */
  let port = 5000

  async function both(): Promise<{ up: HostUp; gate: Gate }> {
    port++
    let gate!: Gate
    const up = await HostUp.start({ offloads: false, profile: 'linux' }, (link) => {
      gate = new Gate(link)
      return gate
    })
    onTestFinished(async () => {
      gate.stopsIn = gate.stopsOut = () => false
      up.abortConnections()
      await up.stop()
    })
    return { up, gate }
  }

  /** Waits until the states on the port are these, ours and the kernel's; '': none. */
  async function agree(ours: string, kernels: string): Promise<void> {
    const expected = `${ours} / ${kernels}`
    let seen = ''
    const look = async () => {
      const [mine, its] = await Promise.all([
        ourListing(),
        run('ss', ['-tanH', `sport = :${port} or dport = :${port}`]),
      ])
      seen = `${states(mine)} / ${states(its.stdout)}`
      return seen === expected
    }
    await until(look, () => `the states ${expected}; they are ${seen}`)
  }

  /** States of the sockets that are not listening, or of the one that listens when there is no other. */
  function states(listing: string): string {
    const rows = listing.split('\n').filter((row) => new RegExp(`:${port}\\b`).test(row))
    const all = rows.map((row) => row.split(/\s/)[0]!)
    const open = all.filter((state) => state !== 'LISTEN')
    return (open.length > 0 ? open : all).join(',')
  }

  /** The kernel connects to our port 5000. */
  async function toOurs(up: HostUp): Promise<{ theirs: Socket; ours: () => Connection; program: Quiet }> {
    const program = new Quiet()
    listen(up, port, () => program)
    await agree('LISTEN', '')
    const theirs = connect({ host: OURS, port, allowHalfOpen: true })
    theirs.on('error', () => {})
    theirs.resume()
    await waiting(() => 'the connection', once(theirs, 'connect'))
    await agree('ESTAB', 'ESTAB')
    onTestFinished(() => void theirs.destroy())
    return { theirs, program, ours: () => found(up) }
  }

  const found = (up: HostUp) => [...up.host.connections].find((one) => one.remotePort !== 0) as Connection

  /** We connect to the kernel's port 5001. */
  async function toKernels(
    up: HostUp,
  ): Promise<{ server: Server; theirs: Promise<Socket>; ours: Connection; program: Quiet }> {
    const server = createServer({ allowHalfOpen: true })
    const theirs = new Promise<Socket>((resolve) => server.once('connection', resolve))
    server.on('connection', (socket) => socket.on('error', () => {}))
    await new Promise<void>((resolve) => server.listen(port, KERNELS, resolve))
    onTestFinished(async () => {
      server.close()
    })
    const program = new Quiet()
    return { server, theirs, program, ours: open(up, program) }
  }

  function open(up: HostUp, program: Quiet): Connection {
    let made!: Connection
    up.enter((now) => {
      const hold = new Hold(up, () => made, program)
      const ends = { local: parseIpAddress(OURS), remote: parseIpAddress(KERNELS), localPort: 40_000, remotePort: port }
      made = openActive(up.host, { ...ends, user: hold }, now)
    })
    return made
  }

  test('we listen, the kernel closes first: FIN-WAIT-2 and CLOSE-WAIT, TIME-WAIT and nothing', async () => {
    const { up } = await both()
    const { theirs, ours, program } = await toOurs(up)
    theirs.write('hello')
    theirs.end()
    await agree('CLOSE-WAIT', 'FIN-WAIT-2')
    expect(program.received).toEqual(['hello'])
    expect(program.sawFin).toBe(true)
    up.enter((now) => {
      send(ours(), Buffer.from('still here'), 0, now)
      shutdownWrite(ours(), now)
    })
    await agree('LISTEN', 'TIME-WAIT')
  })

  test('what is acknowledged while the program is busy is not sent again: the TIME-WAIT of the kernel is left alone', async () => {
    const { up } = await both()
    const { theirs, ours } = await toOurs(up)
    theirs.end()
    await agree('CLOSE-WAIT', 'FIN-WAIT-2')
    up.enter((now) => {
      send(ours(), Buffer.from('still here'), 0, now)
      shutdownWrite(ours(), now)
    })
    // the timer of the loss probe is set now, and will be due before anything is read
    await new Promise((resolve) => setImmediate(resolve))
    for (const until = performance.now() + 300; performance.now() < until; );
    await agree('LISTEN', 'TIME-WAIT')
    expect(up.host.counters.get('TcpRetransSegs')).toBe(0)
  })

  test('we listen, we close first: CLOSE-WAIT and FIN-WAIT-2, nothing and TIME-WAIT', async () => {
    const { up } = await both()
    const { theirs, ours } = await toOurs(up)
    up.enter((now) => shutdownWrite(ours(), now))
    await agree('FIN-WAIT-2', 'CLOSE-WAIT')
    theirs.end()
    await agree('TIME-WAIT', '')
  })

  test('we connect, the kernel listens: ESTABLISHED, and we close first', async () => {
    const { up } = await both()
    const { theirs, ours } = await toKernels(up)
    await agree('ESTAB', 'ESTAB')
    up.enter((now) => shutdownWrite(ours, now))
    await agree('FIN-WAIT-2', 'CLOSE-WAIT')
    ;(await theirs).end()
    await agree('TIME-WAIT', 'LISTEN')
  })

  test('our FIN is lost: LAST-ACK here, FIN-WAIT-2 there', async () => {
    const { up, gate } = await both()
    const { theirs, ours } = await toOurs(up)
    theirs.end()
    await agree('CLOSE-WAIT', 'FIN-WAIT-2')
    gate.stopsOut = (flags) => (flags & FIN) !== 0
    up.enter((now) => shutdownWrite(ours(), now))
    await agree('LAST-ACK', 'FIN-WAIT-2')
    gate.stopsOut = () => false
    await agree('LISTEN', 'TIME-WAIT')
  })

  test("the kernel's FIN is lost: FIN-WAIT-2 here, LAST-ACK there", async () => {
    const { up, gate } = await both()
    const { theirs, ours } = await toOurs(up)
    up.enter((now) => shutdownWrite(ours(), now))
    await agree('FIN-WAIT-2', 'CLOSE-WAIT')
    gate.stopsIn = (flags) => (flags & FIN) !== 0
    theirs.end()
    await agree('FIN-WAIT-2', 'LAST-ACK')
    gate.stopsIn = () => false
    await agree('TIME-WAIT', '')
  })

  test('both close at once and our FIN is late: CLOSING here, FIN-WAIT-2 there', async () => {
    const { up, gate } = await both()
    const { theirs, ours } = await toOurs(up)
    gate.stopsOut = (flags) => (flags & FIN) !== 0
    up.enter((now) => shutdownWrite(ours(), now))
    await agree('FIN-WAIT-1', 'ESTAB')
    theirs.end()
    await agree('CLOSING', 'FIN-WAIT-2')
    gate.stopsOut = () => false
    await agree('TIME-WAIT', 'TIME-WAIT')
  })

  test("both close at once and the kernel's FIN is late: FIN-WAIT-2 here, CLOSING there", async () => {
    const { up, gate } = await both()
    const { theirs, ours } = await toOurs(up)
    gate.stopsIn = (flags) => (flags & FIN) !== 0
    theirs.end()
    await agree('ESTAB', 'FIN-WAIT-1')
    up.enter((now) => shutdownWrite(ours(), now))
    await agree('FIN-WAIT-2', 'CLOSING')
    gate.stopsIn = () => false
    await agree('TIME-WAIT', 'TIME-WAIT')
  })

  test('our SYN-ACK is lost: SYN-RECEIVED here, SYN-SENT there', async () => {
    const { up, gate } = await both()
    listen(up, port, () => new Quiet())
    gate.stopsOut = (flags) => (flags & SYN) !== 0
    const theirs = connect(port, OURS)
    theirs.on('error', () => {})
    onTestFinished(() => void theirs.destroy())
    await agree('SYN-RECV', 'SYN-SENT')
    gate.stopsOut = () => false
    await agree('ESTAB', 'ESTAB')
  })

  test("the kernel's SYN-ACK is lost: SYN-SENT here, SYN-RECEIVED there", async () => {
    const { up, gate } = await both()
    gate.stopsIn = (flags) => (flags & SYN) !== 0
    await toKernels(up)
    await agree('SYN-SENT', 'SYN-RECV')
    gate.stopsIn = () => false
    await agree('ESTAB', 'ESTAB')
  })

  test('both connect at once and both SYNs are late: SYN-SENT on both sides, then one connection', async () => {
    const { up, gate } = await both()
    gate.stopsIn = gate.stopsOut = (flags) => (flags & SYN) !== 0
    const theirs = connect({ host: OURS, port: 40_000, localAddress: KERNELS, localPort: port })
    theirs.on('error', () => {})
    onTestFinished(() => void theirs.destroy())
    const program = new Quiet()
    open(up, program)
    await agree('SYN-SENT', 'SYN-SENT')
    gate.stopsIn = gate.stopsOut = () => false
    await agree('ESTAB', 'ESTAB')
    theirs.end('hello')
    await agree('CLOSE-WAIT', 'FIN-WAIT-2')
    expect(program.received).toEqual(['hello'])
  })

  test('what we aborted is gone on both sides, and so is what the kernel reset', async () => {
    const { up } = await both()
    const { theirs } = await toOurs(up)
    const closed = new Promise((resolve) => theirs.once('close', resolve))
    up.enter((now) => {
      for (const hold of up.holds) hold.abort(now)
    })
    await waiting(() => 'the end of the connection', closed)
    await agree('LISTEN', '')
    const again = connect(port, OURS)
    await waiting(() => 'the connection', once(again, 'connect'))
    await agree('ESTAB', 'ESTAB')
    again.resetAndDestroy()
    await agree('LISTEN', '')
  })

  test('queues, timers, cwnd and RTT: what nobody reads waits on both sides', async () => {
    const { up } = await both()
    const python = start('python3', [
      '-c',
      `import socket, time
s = socket.create_server(('', ${port}))
print('listening', flush=True)
c = s.accept()[0]
time.sleep(60)`,
    ])
    await said(python, /listening/)
    const ours = open(up, new Quiet())
    await agree('ESTAB', 'ESTAB')
    // less than any receive buffer of the kernel: all of it can be acknowledged
    const block = new Uint8Array(30_000)
    let written = 0
    up.enter((now) => {
      const taken = send(ours, block, 0, now)
      written = typeof taken === 'number' ? taken : 0
    })
    expect(written).toBeGreaterThan(10_000)
    let [mine, its] = ['', '']
    const isAcknowledged = async () => {
      mine = await estabSs()
      its = (await run('ss', ['-tnH', `sport = :${port}`])).stdout
      return /^ESTAB +\d+ +0 /m.test(mine)
    }
    await until(isAcknowledged, () => `all to be acknowledged: ${mine}`)
    // all of it was acknowledged, none of it was read
    expect(Number(/^ESTAB +(\d+)/m.exec(its)?.[1])).toBe(written)
    expect(mine).toMatch(/cubic wscale:\d+,\d+ rto:\d+ rtt:[\d.]+\/[\d.]+ mss:1448 .*cwnd:\d+ /)
    expect(mine).toContain(`bytes_acked:${written + 1} `)
  })
})
