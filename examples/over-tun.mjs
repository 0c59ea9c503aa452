// Gives an unmodified Node program a TCP of its own, at the end of a TUN device (root, or CAP_NET_ADMIN):
//   node --import ./examples/over-tun.mjs PROGRAM
// Its `net`, `http`, `https`, `fetch`, `ws`, `pg`, `redis` … then live on the host 10.77.0.2; the kernel is 10.77.0.1.
import { lookup } from 'node:dns/promises'
import { createHost } from 'estab'
import { openTun } from 'estab/link/tun'
import { replaceNodeNet } from 'estab/net'
import { Connection } from 'estab/tcp'

const device = await openTun({ kernelAddresses: ['10.77.0.1/24'] })
const host = createHost({
  link: device,
  address: '10.77.0.2/24',
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
})
replaceNodeNet(host.net)

// sockets keep the process running, the device does not; what they have sent still arrives when they are closed
device.unref()
process.once('beforeExit', async () => {
  const deadline = host.clock.now + 5000
  while ([...host.connections].some((one) => one instanceof Connection) && host.clock.now < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
})
