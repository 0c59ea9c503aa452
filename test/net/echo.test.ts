import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Host, parseInterfaceAddress, Random, RealTime } from '../../src/ip/index.js'
import { memoryPipe } from '../../src/link/index.js'
import { createNetwork } from '../../src/sim/index.js'
import { createNet, type Net, nodeTime } from '../../src/socket/net/index.js'
import { linux } from '../../src/tcp/index.js'

/** An echo of `octets` octets, each side counting. */
async function echo(server: Net, client: Net, host: string, octets: number): Promise<number> {
  const listening = server.createServer((socket) => socket.pipe(socket))
  listening.listen(7)
  await once(listening, 'listening')
  const socket = client.connect(7, host)
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.end(Buffer.alloc(octets, 'x'))
  await once(socket, 'close')
  listening.close()
  await once(listening, 'close')
  expect(socket.bytesRead).toBe(octets)
  expect(socket.bytesWritten).toBe(octets)
  return received
}

test('an echo between two hosts in real time over a memory pipe', async () => {
  const time = new RealTime(nodeTime())
  const [a, b] = memoryPipe({ soon: (deliver) => time.soon(deliver) })
  const nets = [a, b].map((link, i) => {
    const host = new Host({ settings: linux(), random: new Random(i) })
    host.attach(link, { addresses: [parseInterfaceAddress(`10.0.0.${i + 1}/24`)] })
    time.drive(host)
    return createNet(host, { now: () => time.now })
  })
  expect(await echo(nets[1]!, nets[0]!, '10.0.0.2', 3_000_000)).toBe(3_000_000)
})

test('an echo between two simulated hosts, in virtual time', async () => {
  const network = createNetwork({ latency: '50ms' })
  const nets = ['client', 'server'].map((name) =>
    createNet(network.host(name), { now: () => network.now, alive: null }),
  )
  const server = network.host('server').interfaces[1]!.addresses[0]!.address
  let done = false
  const echoed = echo(nets[1]!, nets[0]!, String(server), 100_000).finally(() => {
    done = true
  })
  while (!done) {
    // programs first; when they only wait, time passes
    await new Promise((resolve) => setImmediate(resolve))
    network.clock.step()
  }
  expect(await echoed).toBe(100_000)
  expect(network.now).toBeGreaterThan(200)
})
