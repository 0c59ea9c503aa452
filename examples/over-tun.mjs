// Gives an unmodified Node program a TCP of its own, at the end of a TUN device (root, or CAP_NET_ADMIN):
//   node --import ./examples/over-tun.mjs PROGRAM
// Its `net`, `http`, `https`, `fetch`, `ws`, `pg`, `redis` … then live on the host 10.77.0.2; the kernel is 10.77.0.1.
import { randomBytes } from 'node:crypto'
import { lookup } from 'node:dns'
import { Host, parseInterfaceAddress, Random, RealTime } from 'estab/ip'
import { openTun } from 'estab/link/tun'
import { createNet, nodeTime, replaceNodeNet } from 'estab/net'
import { Connection, linux } from 'estab/tcp'

const time = new RealTime(nodeTime())
const device = await openTun({ kernelAddresses: ['10.77.0.1/24'], now: () => time.now })
const host = new Host({
  settings: linux(),
  random: new Random(randomBytes(6).readUIntBE(0, 6)),
  // nobody is to guess sequence numbers and ports
  secrets: { isn: randomBytes(16), timestamps: randomBytes(16), ports: randomBytes(16), synCookie: randomBytes(16) },
})
host.attach(device, { addresses: [parseInterfaceAddress('10.77.0.2/24')] })
time.drive(host)
replaceNodeNet(createNet(host, { now: () => time.now, lookup }))

// sockets keep the process running, the device does not; what they have sent still arrives when they are closed
device.unref()
process.once('beforeExit', async () => {
  const deadline = time.now + 5000
  while ([...host.connections].some((one) => one instanceof Connection) && time.now < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
})
