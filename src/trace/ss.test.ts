import { expect, test } from 'vitest'
import { parseIpAddress } from '../wire/index.js'
import { type SocketSnapshot, ss } from './index.js'

const BARE: SocketSnapshot = {
  state: 'LISTEN',
  recvQ: 0,
  sendQ: 128,
  local: parseIpAddress('0.0.0.0'),
  localPort: 80,
  remote: parseIpAddress('0.0.0.0'),
  remotePort: 0,
  timers: [],
  retransmits: 0,
  congestion: null,
  info: null,
}

const ends = {
  local: parseIpAddress('192.0.2.1'),
  localPort: 1000,
  remote: parseIpAddress('2001:db8::2'),
  remotePort: 8080,
}

const sockets: SocketSnapshot[] = [
  BARE,
  {
    ...BARE,
    ...ends,
    state: 'ESTABLISHED',
    sendQ: 14480,
    timers: [
      { timer: 'retransmit', remaining: 204 },
      { timer: 'delayed-ack', remaining: 39.6 },
    ],
    retransmits: 1,
    congestion: 'cubic',
    info: {
      tcpi_options: 7,
      tcpi_snd_wscale: 7,
      tcpi_rcv_wscale: 8,
      tcpi_rto: 204000,
      tcpi_rtt: 100,
      tcpi_rttvar: 50,
      tcpi_snd_mss: 1448,
      tcpi_snd_cwnd: 10,
      tcpi_snd_ssthresh: 0x7fffffff,
      tcpi_unacked: 10,
      tcpi_total_retrans: 1,
      tcpi_reordering: 3,
    },
  },
  { ...BARE, ...ends, state: 'TIME-WAIT', sendQ: 0, timers: [{ timer: 'time-wait', remaining: 59_300 }] },
  { ...BARE, ...ends, state: 'FIN-WAIT-1', timers: [{ timer: 'keepalive', remaining: 7_199_000 }] },
  { ...BARE, ...ends, state: 'SYN-SENT', timers: [{ timer: 'retransmit', remaining: 1500 }] },
]

test('a listing as of ss -tino', () => {
  expect(`\n${ss(sockets)}`).toMatchInlineSnapshot(`
    "
    State      Recv-Q Send-Q Local Address:Port  Peer Address:Port
    LISTEN          0    128         0.0.0.0:80          0.0.0.0:*
    ESTAB           0  14480     192.0.2.1:1000 [2001:db8::2]:8080 timer:(on,204ms,1) timer:(delayed-ack,40ms)
    	 ts sack cubic wscale:7,8 rto:204 rtt:0.1/0.05 mss:1448 cwnd:10 send 1158400000bps unacked:10 retrans:0/1
    TIME-WAIT       0      0     192.0.2.1:1000 [2001:db8::2]:8080 timer:(timewait,59sec,0)
    FIN-WAIT-1      0    128     192.0.2.1:1000 [2001:db8::2]:8080 timer:(keepalive,119min,0)
    SYN-SENT        0    128     192.0.2.1:1000 [2001:db8::2]:8080 timer:(on,1.500ms,0)
    "
  `)
})

test('who listens on IPv6 waits for somebody of IPv6', () => {
  const listing = ss([{ ...BARE, local: parseIpAddress('::') }])
  expect(listing.split('\n')[1]).toMatch(/ +\[::\]:80 +\[::\]:\*$/)
})

test('only listeners', () => {
  expect(`\n${ss(sockets, { listening: 'only' })}`).toMatchInlineSnapshot(`
    "
    State  Recv-Q Send-Q Local Address:Port Peer Address:Port
    LISTEN      0    128         0.0.0.0:80         0.0.0.0:*
    "
  `)
})
