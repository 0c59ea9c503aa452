import { describe, expect, test } from 'vitest'
import { drill } from '../../src/drill/index.js'
import { createNetwork, drop, End, replace } from '../../src/sim/index.js'
import {
  abort,
  close,
  Listener,
  openActive,
  openActiveFrom,
  type ProfileName,
  type Settings,
  setOptions,
  stateName,
} from '../../src/tcp/index.js'
import { ANY_IPV4, type Frame, RST, SYN } from '../../src/wire/index.js'
import { icmpAbout } from '../fixtures/icmp.js'
import { tcpFrame } from '../fixtures/test-host.js'

/** A client and a server with a listener on port 80; nothing is sent yet. */
function stage(settings: Partial<Settings> = {}, profile: ProfileName = 'rfc9293') {
  const net = createNetwork({ latency: 10 })
  const [client, server] = ['client', 'server'].map((name) => new End(net, net.host(name, { profile, settings }))) as [
    End,
    End,
  ]
  const address = (end: End) => end.host.interfaces[1]!.addresses[0]!.address
  const listener = new Listener(server.host, { local: ANY_IPV4, localPort: 80, backlog: 1, user: server }, net.now)
  const request = (localPort: number) => ({
    local: address(client),
    localPort,
    remote: address(server),
    remotePort: 80,
    user: client,
  })
  const open = (localPort = 5000) => {
    client.connection = openActive(client.host, request(localPort), net.now)
    return client.connection
  }
  /** States of what the server has beside the listener. */
  const half = () => [...server.host.connections].filter((e) => e.remotePort > 0).map((e) => stateName(e.state))
  return { net, client, server, listener, open, request, half, address }
}

describe('LISTEN', () => {
  test('CLOSE and ABORT end it', () => {
    for (const end of ['close', 'abort'] as const) {
      const { listener, net } = stage()
      listener[end](net.now)
      expect(stateName(listener.state)).toBe('CLOSED')
    }
  })

  test('SEND turns it into an active OPEN', () => {
    const { net, server, client, request, address } = stage()
    const passive = new Listener(client.host, { local: ANY_IPV4, localPort: 99, backlog: 1, user: client }, net.now)
    const c = openActiveFrom(
      passive,
      { ...request(99), local: address(client), fastOpenText: Uint8Array.of(1) },
      net.now,
    )
    expect(stateName(c.state)).toBe('SYN-SENT')
    net.advance('1s')
    expect(stateName(c.state)).toBe('ESTABLISHED')
    expect(server.told).not.toBe(0)
  })

  test('the ACK of a SYN cookie makes a connection at once', () => {
    const { net, open, half } = stage({ synCookies: 2 })
    const c = open()
    net.advance(15)
    expect(half()).toEqual([])
    net.advance('1s')
    expect([stateName(c.state), half()]).toEqual(['ESTABLISHED', ['ESTABLISHED']])
  })
})

describe('SYN-SENT', () => {
  test('CLOSE and ABORT end it in silence', () => {
    for (const end of [close, abort]) {
      const { net, open } = stage()
      const c = open()
      let sent = 0
      net.capture(() => sent++)
      end(c, net.now)
      expect([stateName(c.state), sent]).toEqual(['CLOSED', 0])
    }
  })

  test('the user time-out ends it', () => {
    const { net, open } = stage()
    net.partition(['server'])
    const c = open()
    setOptions(c, { userTimeout: 10_000 }, net.now)
    net.advance('30s')
    expect([stateName(c.state), c.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })

  test('a hard error ends it', () => {
    const { net, open, server, address } = stage()
    net.rule(replace({ from: 'client' }, ({ frame }) => [icmpAbout(frame, address(server), 3, 3)]))
    const c = open()
    net.advance('1s')
    expect([stateName(c.state), c.error]).toEqual(['CLOSED', 'ECONNREFUSED'])
  })
})

describe('SYN-RECEIVED after a passive OPEN', () => {
  /** The server has sent its SYN,ACK, which is lost. */
  function received(settings: Partial<Settings> = {}) {
    const all = stage(settings)
    const sent: Frame[] = []
    all.net.rule(
      replace({ from: 'server', flags: 'S' }, ({ frame }) => {
        sent.push(frame)
        return []
      }),
    )
    all.open()
    all.net.advance(15)
    expect(all.half()).toEqual(['SYN-RECEIVED'])
    return { ...all, sent }
  }

  test('RST and another SYN lead back to LISTEN', () => {
    for (const flags of [RST, SYN]) {
      const { net, client, server, half, address } = received()
      const { iss } = client.connection.snd
      const seq = flags === RST ? iss + 1 : iss + 10
      const to = { from: `${address(client)}`, fromPort: 5000, to: `${address(server)}`, flags, seq }
      server.host.receiveFrame(server.host.interfaces[1]!, tcpFrame(to), net.now)
      expect(half()).toEqual([])
    }
  })

  test('SYN,ACKs that nobody answers end it', () => {
    const { net, half, client } = received()
    abort(client.connection, net.now)
    net.advance('10m')
    expect(half()).toEqual([])
  })

  test('a hard error ends it', () => {
    const { net, client, server, half, sent, address } = received()
    server.host.receiveFrame(server.host.interfaces[1]!, icmpAbout(sent[0]!, address(client), 3, 3), net.now)
    expect(half()).toEqual([])
  })

  test('it ends with its listener', () => {
    const { net, listener, half } = received()
    listener.close(net.now)
    expect(half()).toEqual([])
  })
})

test('connections that wait to be accepted are reset with their listener, ESTABLISHED or CLOSE-WAIT', () => {
  for (const state of ['ESTABLISHED', 'CLOSE-WAIT']) {
    const { net, listener, open, half, client } = stage()
    open()
    net.advance('1s')
    if (state === 'CLOSE-WAIT') client.shutdown()
    net.advance('1s')
    expect(half()).toEqual([state])
    listener.close(net.now)
    expect(half()).toEqual([])
    net.advance('1s')
    expect(client.error).toBe('ECONNRESET')
  }
})

test('a full accept queue: the third segment of the handshake is ignored, or answered with RST', () => {
  for (const abortOnOverflow of [false, true]) {
    const { net, open, half } = stage({ abortOnOverflow, dropSynWhenAcceptQueueFull: false })
    const first = open(5000)
    net.advance('1s')
    const second = open(5001)
    net.advance(100)
    expect(stateName(first.state)).toBe('ESTABLISHED')
    expect([stateName(second.state), half()]).toEqual(
      abortOnOverflow ? ['CLOSED', ['ESTABLISHED']] : ['ESTABLISHED', ['ESTABLISHED', 'SYN-RECEIVED']],
    )
  }
})

describe('SYN-RECEIVED after a simultaneous open', () => {
  /** Two active OPENs that cross; the client's SYN,ACK and all that follows is lost. */
  function crossed(settings: Partial<Settings> = {}, profile: ProfileName = 'rfc9293') {
    const net = createNetwork({ latency: 10 })
    const [a, b] = ['client', 'server'].map((name) => new End(net, net.host(name, { profile, settings }))) as [End, End]
    const address = (end: End) => end.host.interfaces[1]!.addresses[0]!.address
    const cut = net.rule(drop({ flags: 'S.' }))
    const opened = [
      [a, b],
      [b, a],
    ] as const
    for (const [end, peer] of opened) {
      const ports = { local: address(end), localPort: 7, remote: address(peer), remotePort: 7 }
      end.connection = openActive(end.host, { ...ports, user: end }, net.now)
    }
    net.advance(15)
    expect([a.state, b.state]).toEqual(['SYN-RECEIVED', 'SYN-RECEIVED'])
    return { net, client: a, server: b, cut, address }
  }

  const arrives = ({ net, client }: ReturnType<typeof crossed>, flags: number, seq: number): void => {
    const { local, localPort, remote, remotePort, rcv } = client.connection
    const ends = { from: `${remote}`, fromPort: remotePort, to: `${local}`, toPort: localPort }
    client.host.receiveFrame(client.host.interfaces[1]!, tcpFrame({ ...ends, flags, seq: rcv.nxt + seq }), net.now)
  }

  test('CLOSE: FIN-WAIT-1; on FreeBSD it is forgotten', () => {
    for (const [profile, after] of [
      ['rfc9293', 'FIN-WAIT-1'],
      ['freebsd', 'CLOSED'],
    ] as const) {
      const { client } = crossed({}, profile)
      client.close()
      expect(client.state).toBe(after)
    }
  })

  test('ABORT ends it with RST', () => {
    const { net, client, server } = crossed()
    client.abort()
    expect(client.state).toBe('CLOSED')
    net.advance(15)
    expect([server.state, server.error]).toEqual(['CLOSED', 'ECONNREFUSED'])
  })

  test('RST ends it', () => {
    const both = crossed()
    arrives(both, RST, 0)
    expect(both.client.state).toBe('CLOSED')
  })

  test('another SYN: a challenge ACK, or the end after RFC 793', () => {
    const careful = crossed()
    arrives(careful, SYN, 10)
    expect(careful.client.state).toBe('SYN-RECEIVED')
    const old = crossed({ insecureSyn: true })
    arrives(old, SYN, 10)
    expect(old.client.state).toBe('CLOSED')
  })

  test('the user time-out ends it', () => {
    const { net, client } = crossed()
    setOptions(client.connection, { userTimeout: 10_000 }, net.now)
    net.advance('1m')
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })

  test('R2 ends it', () => {
    const { net, client } = crossed()
    net.advance('10m')
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })
})

test(
  'SYN-RECEIVED of fast open: CLOSE with the text of the SYN unread resets',
  drill`
   0 ${'`'}sysctl -q net.ipv4.tcp_fastopen=0x603${'`'}
  +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0 setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0
  +0 bind(3, ..., ...) = 0
  +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [5], 4) = 0
  +0 listen(3, 1) = 0
  +0 < S 0:100(100) win 65535 <mss 1000>
  +0 > S. 0:0(0) ack 101 <...>
  +0 accept(3, ..., ...) = 4
  +0 close(4) = 0
  +0 > R. 1:1(0) ack 101
`,
)

test('ports in TIME-WAIT are taken over by an active OPEN, with an ISS beyond what was sent', () => {
  const { net, client, server, listener, open } = stage({ timeWaitReuseOnConnect: 1 })
  const first = open()
  net.advance('1s')
  server.connection = listener.accept(server, net.now)!
  client.shutdown()
  net.advance(100)
  server.shutdown()
  net.advance(100)
  expect(client.state).toBe('TIME-WAIT')
  const second = open()
  expect(stateName(second.state)).toBe('SYN-SENT')
  expect((second.snd.iss - first.snd.nxt) | 0).toBeGreaterThan(0)
  net.advance('1s')
  expect(stateName(second.state)).toBe('ESTABLISHED')
})
