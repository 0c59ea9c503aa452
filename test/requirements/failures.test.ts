import { describe, expect, test } from 'vitest'
import { createNetwork, drop, pair } from '../../src/sim/index.js'
import { listening, now, streamSocket, twoPrograms, watched } from '../../src/socket/two-programs.test-fixture.js'
import {
  openActive,
  PROFILE_NAMES,
  profile as profileOf,
  Ready,
  setOptions,
  stateName,
  status,
} from '../../src/tcp/index.js'
import { parseIpAddress } from '../../src/wire/index.js'

const MINUTE = 60_000

describe.each(PROFILE_NAMES)('%s', (name) => {
  test('[MUST-20] [SHLD-11] text that nobody acknowledges closes the connection at R2, after 100 s at the earliest', () => {
    const { client, server, sim } = pair({ profile: name })
    sim.partition(['server'])
    const begun = sim.now
    client.send('anybody there?')
    sim.advance(100_000)
    expect(client.state).toBe('ESTABLISHED')
    expect(sim.clock.runUntil(() => client.state === 'CLOSED', '1h')).toBe(true)
    expect(sim.now - begun).toBeGreaterThan(100_000)
    expect(client.error).toBe('ETIMEDOUT')
    // it was sent again and again until then, and no more
    const { length } = client.sent
    expect(length).toBeGreaterThan(5)
    sim.advance('1h')
    expect(client.sent).toHaveLength(length)
    expect(server.error).toBeNull()
  })

  test('[SHLD-9] [SHLD-10] at R1, three retransmissions or more and before R2, the program is told', () => {
    const { client, sim } = pair({ profile: name })
    client.told = 0
    sim.partition(['server'])
    client.send('x')
    expect(sim.clock.runUntil(() => (client.told & Ready.Report) !== 0, '1h')).toBe(true)
    expect(client.state).toBe('ESTABLISHED')
    expect(status(client.connection).retransmissions).toBeGreaterThanOrEqual(3)
    expect(profileOf(name).pathDoubtRetries).toBeGreaterThanOrEqual(3)
  })

  test('nobody is told of a loss or two', () => {
    const { client, server, sim } = pair({ profile: name })
    client.told = 0
    sim.rule(drop({ from: 'client', text: true, times: 2 }))
    client.send('x')
    sim.advance('10s')
    expect((server.receive() as Uint8Array).length).toBe(1)
    expect(client.told & Ready.Report).toBe(0)
  })

  test('[MUST-21] the program sets R2 for a connection, shorter or longer', () => {
    const lifetime = (userTimeout: number): number => {
      const { client, sim } = pair({ profile: name })
      setOptions(client.connection, { userTimeout }, sim.now)
      sim.partition(['server'])
      const begun = sim.now
      client.send('x')
      sim.clock.runUntil(() => client.state === 'CLOSED', '24h')
      expect(client.error).toBe('ETIMEDOUT')
      return sim.now - begun
    }
    const short = lifetime(20_000)
    expect(short).toBeGreaterThan(19_000)
    expect(short).toBeLessThan(30_000)
    const long = lifetime(120 * MINUTE)
    expect(long).toBeGreaterThan(119 * MINUTE)
    expect(long).toBeLessThan(125 * MINUTE)
  })

  test('[MUST-22] a SYN is sent again, R1 is reported and R2 ends the attempt, as for text', () => {
    const net = createNetwork({ latency: 10 })
    const host = net.host('client', { profile: name })
    let told = 0
    let sent = 0
    net.capture(({ fate }) => {
      if (fate === 'sent') sent++
    })
    const local = host.interfaces[1]!.addresses[0]!.address
    const remote = parseIpAddress('10.0.0.200')
    const user = { notify: (_c: unknown, ready: number) => (told |= ready) }
    const c = openActive(host, { local, localPort: 5000, remote, remotePort: 80, user }, net.now)
    net.rule(drop({}))
    expect(net.clock.runUntil(() => (told & Ready.Report) !== 0, '1h')).toBe(true)
    expect(stateName(c.state)).toBe('SYN-SENT')
    expect(status(c).retransmissions).toBeGreaterThanOrEqual(3)
    expect(net.clock.runUntil(() => stateName(c.state) === 'CLOSED', '1h')).toBe(true)
    expect(c.error).toBe('ETIMEDOUT')
    expect(told & Ready.Error).not.toBe(0)
    const inAll = sent
    expect(inAll).toBeGreaterThanOrEqual(4)
    net.advance('1h')
    expect(sent).toBe(inAll)
  })

  test('[MUST-21] [MUST-22] the program sets how long a handshake may take', () => {
    const both = twoPrograms(name)
    const { client, net } = both
    net.partition(['server'])
    const fd = streamSocket(client)
    expect(
      client.calls.setsockopt(
        fd,
        'IPPROTO_TCP',
        name === 'freebsd' ? 'TCP_KEEPINIT' : 'TCP_USER_TIMEOUT',
        name === 'freebsd' ? 20 : 20_000,
      ).result,
    ).toBe(0)
    const call = watched(client.calls.connect(fd, both.at(80)))
    net.advance('10m')
    expect(call.result?.errno).toBe('ETIMEDOUT')
    expect(call.at).toBeGreaterThan(15_000)
    expect(call.at).toBeLessThan(30_000)
  })
})

test('[MUST-23] a SYN is sent again for three minutes at least', () => {
  const both = twoPrograms('rfc9293')
  const { client, net } = both
  const cut = net.partition(['server'])
  const l = listening(both.server, 80)
  const call = watched(client.calls.connect(streamSocket(client), both.at(80)))
  net.advance(3 * MINUTE)
  expect(call.result).toBeNull()
  // and it still is: the server that comes up now is found
  cut.heal()
  net.advance('70s')
  expect(call.result).toEqual({ result: 0 })
  expect(now(both.server.calls.accept(l)).result).toBeGreaterThan(0)
})

test('[MUST-20] at R1 IP gets negative advice, and tries another gateway', () => {
  const { client, sim } = pair({ profile: 'rfc9293' })
  const { host, connection } = client
  const via = host.interfaces[1]!
  const gateways = ['10.0.0.98', '10.0.0.99'].map((text) => parseIpAddress(text))
  for (const gateway of gateways) host.routes.add({ destination: connection.remote, prefixLength: 32, via, gateway })
  const gateway = (): string => {
    const path = host.paths.to(connection.remote)
    path.resolve()
    return `${path.gateway}`
  }
  sim.partition(['server'])
  client.send('x')
  const { retransmissions } = status(connection)
  expect(retransmissions).toBe(0)
  while (status(connection).retransmissions < 3) {
    expect(gateway()).toBe('10.0.0.99')
    sim.advance(100)
  }
  expect(gateway()).toBe('10.0.0.98')
})
