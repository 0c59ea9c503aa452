// Gives an unmodified Node program a TCP of its own, at the end of a TUN device (root, or CAP_NET_ADMIN):
//   node --import ./examples/over-tun.mjs PROGRAM
// Its `net`, `http`, `https`, `fetch`, `ws`, `pg`, `redis` … then live on the host 10.77.0.2; the kernel is 10.77.0.1.
import { replaceNodeNet } from 'estab/net'
import { tunHost } from 'estab/tun'

const host = await tunHost({ address: '10.77.0.2/24', peer: '10.77.0.1' })
replaceNodeNet(host.net)
