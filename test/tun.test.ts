import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openTun } from '../src/link/tun.js'
import { openInterface } from '../src/link/tun-interface.js'
import { EPERM, loadSystem } from '../src/link/tun-system.js'
import { Frame } from '../src/wire/index.js'
import { enterNamespace, whyNoDevices } from './fixtures/network-namespace.js'
import { collect, KERNEL, OURS, pattern, type RealHost, serveHttp, startHost, upload } from './fixtures/real-host.js'

const run = promisify(execFile)
/** One more may have been on its way. */
const ANSWERED = /\b[3-9] received/
const reason = await whyNoDevices()
const hash = (...parts: Uint8Array[]) => {
  const sha = createHash('sha256')
  for (const part of parts) sha.update(part)
  return sha.digest('hex')
}

if (reason !== null && process.env.CI !== undefined) {
  test('TUN devices are tested in CI', () => expect.fail(`they cannot be: ${reason}`))
}

const title = reason === null ? 'over a real device' : `over a real device (skipped: ${reason})`

describe.skipIf(reason !== null)(title, { timeout: 120_000 }, () => {
  let real: RealHost | null = null

  beforeAll(enterNamespace)

  afterEach(async () => {
    await real?.stop()
    real = null
  })

  /** Until three are answered: without -w, ping waits no longer than two round trips for the last ones. */
  async function ping(to: string, octets: number, ...more: string[]): Promise<string> {
    const { stdout } = await run('ping', ['-c', '3', '-i', '0.02', '-w', '10', '-s', `${octets}`, ...more, to])
    return stdout
  }

  describe.each(['tun', 'tap'] as const)('%s', (mode) => {
    test.each([1500, 9000])(
      'the kernel pings our host at MTU %i, IPv4 and IPv6, small, full and fragmented',
      async (mtu) => {
        real = await startHost({ mode, mtu })
        expect(real.device.mtu).toBe(mtu)
        const dontFragment = ['-M', 'do']
        for (const [to, headers] of [
          [OURS.v4, 28],
          [OURS.v6, 48],
        ] as const) {
          expect(await ping(to, 56)).toMatch(ANSWERED)
          expect(await ping(to, mtu - headers, ...dontFragment)).toMatch(ANSWERED)
          expect(await ping(to, 20_000)).toMatch(ANSWERED)
        }
        expect(real.device.counters).toMatchObject({ droppedIn: 0, droppedOut: 0, refusedOut: 0 })
      },
    )

    test.each([
      ['with offloads', true],
      ['without offloads', false],
    ])('curl fetches 8 MB over IPv4 and IPv6 %s, every octet as it was', async (_name, offloads) => {
      real = await startHost({ mode, offloads })
      const content = pattern(8e6)
      serveHttp(real, 80, content)
      for (const host of [OURS.v4, `[${OURS.v6}]`]) {
        const fetched = await run('curl', ['-sS', `http://${host}/`], {
          encoding: 'buffer',
          maxBuffer: 1e8,
        })
        expect(hash(fetched.stdout)).toBe(hash(content))
      }
      const { counters } = real.device
      expect(counters.superSegmentsOut > 100).toBe(offloads)
      expect(counters).toMatchObject({ droppedIn: 0, droppedOut: 0, refusedOut: 0 })
    })

    test('the kernel sends 8 MB to us in super-segments, and closes', async () => {
      real = await startHost({ mode })
      const content = pattern(8e6)
      const received = collect(real, 9)
      const socket = connect(9, OURS.v4)
      socket.end(content)
      expect(hash(...(await received))).toBe(hash(content))
      socket.resume()
      await new Promise((resolve) => socket.once('close', resolve))
      expect(real.device.counters.superSegmentsIn).toBeGreaterThan(50)
    })

    test.each([
      ['IPv4', KERNEL.v4],
      ['IPv6', KERNEL.v6],
    ])('we connect to the kernel over %s, having found out where it is, and send 1 MB', async (_name, to) => {
      real = await startHost({ mode })
      const content = pattern(1e6)
      const server = createServer()
      const received = new Promise<Uint8Array[]>((resolve) => {
        server.once('connection', (socket) => {
          const chunks: Uint8Array[] = []
          socket.on('data', (chunk) => chunks.push(chunk))
          socket.on('end', () => resolve(chunks))
          socket.on('end', () => socket.end())
        })
      })
      await new Promise<void>((resolve) => server.listen(0, to, resolve))
      upload(real, to, (server.address() as AddressInfo).port, content)
      expect(hash(...(await received))).toBe(hash(content))
      server.close()
    })

    test('the device waits in the event loop: idle, it costs nothing', async () => {
      real = await startHost({ mode })
      await wait(200)
      const { wakes } = real.device.counters
      const before = process.cpuUsage()
      await wait(500)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000).toBeLessThan(250)
      // an interface that has just come up sends router solicitations and group reports, a few
      expect(real.device.counters.wakes - wakes).toBeLessThan(20)
    })

    test('whatever octets are sent, nothing is thrown, and the device works on', async () => {
      real = await startHost({ mode })
      const { device } = real
      const anyFrame = fc.record({
        octets: fc.uint8Array({ maxLength: 200 }),
        first: fc.constantFrom(0x45, 0x46, 0x4f, 0x60, 0),
        protocol: fc.constantFrom(6, 17, 58),
        gsoSize: fc.constantFrom(0, 1, 20, 1448, 65_535),
        checksumPartial: fc.boolean(),
        shift: fc.integer({ min: -20, max: 20 }),
      })
      fc.assert(
        fc.property(anyFrame, ({ octets, first, protocol, gsoSize, checksumPartial, shift }) => {
          const bytes = Uint8Array.of(first, ...octets)
          bytes.fill(protocol, 6, 10)
          const frame = new Frame(bytes, Math.max(shift, 0), bytes.length + Math.min(shift, 0))
          if (shift === 20) frame.end += 1000
          frame.gsoSize = gsoSize
          frame.checksumPartial = checksumPartial
          device.transmit([frame], 1, performance.now())
        }),
        { numRuns: 1000 },
      )
      device.transmit([new Frame(new Uint8Array(70_000).fill(0x45), 16, 70_000)], 1, performance.now())
      expect(await ping(OURS.v4, 56)).toMatch(ANSWERED)
    })

    test('what the kernel does not take while its interface is down is counted, with the reason; up again, all goes on', async () => {
      real = await startHost({ mode, name: 'down0' })
      const { device } = real
      expect(await ping(OURS.v4, 56)).toMatch(ANSWERED)
      spawnSync('ip', ['link', 'set', 'down0', 'down'])
      const octets = new Uint8Array(100).fill(0x45)
      for (let i = 0; i < 10; i++) device.transmit([new Frame(octets, 30, 100)], 1, performance.now())
      expect(device.counters).toMatchObject({ refusedOut: 10, lastRefusal: 'EIO', droppedOut: 0 })
      spawnSync('ip', ['link', 'set', 'down0', 'up'])
      expect(await ping(OURS.v4, 56)).toMatch(ANSWERED)
    })

    test('a device that is closed while much is on its way closes at once, and takes frames without a word', async () => {
      real = await startHost({ mode })
      const received = collect(real, 9)
      const socket = connect(9, OURS.v4)
      socket.on('error', () => {})
      socket.write(pattern(8e6))
      while (real.device.counters.octetsIn < 1e6) await wait(1)
      const { device } = real
      await real.stop()
      expect(await device.closed).toBeNull()
      const { framesIn } = device.counters
      device.transmit([new Frame(new Uint8Array(100).fill(0x45), 30, 100)], 1, performance.now())
      await wait(20)
      expect(device.counters.framesIn).toBe(framesIn)
      socket.destroy()
      await Promise.race([received, wait(1)])
    })

    test('a device that is taken away says so, and takes frames without a word', async () => {
      real = await startHost({ mode, name: 'gone0' })
      spawnSync('ip', ['link', 'delete', 'gone0'])
      const cause = await real.device.closed
      expect(cause?.message).toBe("The network device 'gone0' went away.")
      real.device.transmit([new Frame(new Uint8Array(100).fill(0x45), 14, 100)], 1, performance.now())
      await real.device.close()
    })
  })

  test('closing removes the interface', async () => {
    const device = await openTun({ name: 'brief0' })
    expect(spawnSync('ip', ['link', 'show', 'brief0']).status).toBe(0)
    await device.close()
    expect(await device.closed).toBeNull()
    expect(spawnSync('ip', ['link', 'show', 'brief0']).status).toBe(1)
    await device.close()
  })

  test('what a person did not expect is one sentence that says what to do', async () => {
    const messageOf = async (options: Parameters<typeof openTun>[0]) => {
      const opened = await openTun(options).catch((error: Error) => error)
      if (opened instanceof Error) return opened.message
      await opened.close()
      return 'opened'
    }
    real = await startHost({ name: 'busy0' })
    expect(await messageOf({ name: 'busy0' })).toBe(
      "The network device 'busy0' is in use by another program: choose another name.",
    )
    expect(await messageOf({ name: 'lo' })).toBe(
      "There is a network device 'lo' that is not a tun device: choose another name.",
    )
    expect(await messageOf({ name: 'far too long a name' })).toMatch(/^Not a name for a network interface/)
    expect(await messageOf({ name: 'odd0', mtu: 7 })).toBe("Could not set the MTU of 'odd0' to 7 (EINVAL).")
    expect(await messageOf({ mode: 'tap' })).toMatch(/give them as `addresses:/)
    expect(await messageOf({ kernelAddresses: ['10.0.0.1/33'] })).toMatch(/^not an address with a prefix length/)
    expect(await messageOf({ name: 'odd0' })).toBe('opened')
  })

  test('without the right to make devices, a sentence says how to get one', async () => {
    const system = await loadSystem()
    const powerless = { ...system, ioctl: () => -1, errno: () => EPERM }
    const options = { name: 'estab0', mode: 'tun', offloads: true, kernelAddresses: [] } as const
    expect(() => openInterface(powerless, { ...options, mtu: undefined, queueLength: undefined })).toThrow(
      "No right to make the network device 'estab0': run as root (CAP_NET_ADMIN), or have one made for you and give " +
        'its name: `sudo ip tuntap add dev estab0 mode tun user $USER`.',
    )
  })

  test('a device that was made for a user, with its address, needs no rights', async () => {
    for (const words of [
      'tuntap add dev made0 mode tun',
      'address add 10.79.0.1/24 dev made0',
      'address add fd00:79::1/64 dev made0',
      'link set made0 up',
    ]) {
      spawnSync('ip', words.split(' '))
    }
    const system = await loadSystem()
    let refused = false
    // all that sets something of an interface (linux/sockios.h)
    const sets = new Set([0x8914, 0x8916, 0x891c, 0x8922, 0x8943])
    const powerless = {
      ...system,
      ioctl: (...[fd, request, argument]: Parameters<typeof system.ioctl>) => {
        refused = sets.has(request)
        return refused ? -1 : system.ioctl(fd, request, argument)
      },
      errno: () => (refused ? EPERM : system.errno()),
    }
    const options = { name: 'made0', mode: 'tun', offloads: true, mtu: undefined, queueLength: undefined } as const
    const opened = openInterface(powerless, { ...options, kernelAddresses: ['10.79.0.1/24', 'fd00:79::1/64'] })
    expect(opened).toMatchObject({ name: 'made0', mtu: 1500 })
    system.close(opened.fd)
    expect(() => openInterface(powerless, { ...options, kernelAddresses: ['10.80.0.1/24'] })).toThrow(
      "No right to give 'made0' the address 10.80.0.1: run as root (CAP_NET_ADMIN), or do it beforehand: " +
        '`sudo ip address add 10.80.0.1/24 dev made0`.',
    )
    spawnSync('ip', ['link', 'delete', 'made0'])
  })
})
