import { describe, expect, test } from 'vitest'
import { drop, pair } from '../../src/sim/index.js'
import { PROFILE_NAMES, profile, send, setOptions } from '../../src/tcp/index.js'
import { ACK } from '../../src/wire/index.js'
import { connected, everywhere } from './prelude.js'

const HOUR = 3_600_000

describe.each(PROFILE_NAMES)('%s', (name) => {
  test('[MUST-28] the first probe of a program that names no interval comes after two hours, not before', () => {
    const { client, sim } = pair({ profile: name })
    setOptions(client.connection, { keepalive: true }, sim.now)
    sim.advance(2 * HOUR - 1000)
    expect(client.sent).toEqual([])
    sim.advance(2000)
    expect(client.sent).toHaveLength(1)
    expect(profile(name).keepaliveIdle).toBeGreaterThanOrEqual(2 * HOUR)
  })

  test('[MUST-24] [MAY-5] the program turns probes on and off for each connection', () => {
    const { client, server, sim } = pair({ profile: name, settings: { keepaliveAlways: false } })
    setOptions(client.connection, { keepalive: true, keepaliveIdle: 60_000 }, sim.now)
    sim.advance(61_000)
    expect(client.sent).toHaveLength(1)
    // the other end asked for nothing: it only answers
    expect(server.sent).toMatchObject([{ flags: ACK, textLength: 0 }])
    setOptions(client.connection, { keepalive: false }, sim.now)
    sim.advance('10h')
    expect(client.sent).toHaveLength(1)
    expect(client.state).toBe('ESTABLISHED')
  })

  test('[MUST-27] the interval is what the program says', () => {
    const { client, sim } = pair({ profile: name })
    setOptions(client.connection, { keepalive: true, keepaliveIdle: 7000 }, sim.now)
    sim.advance(6900)
    expect(client.sent).toEqual([])
    sim.advance(200)
    expect(client.sent).toHaveLength(1)
  })

  test('[MUST-26] anything that arrives puts the probe off', () => {
    const { client, server, sim } = pair({ profile: name })
    setOptions(client.connection, { keepalive: true, keepaliveIdle: 10_000 }, sim.now)
    for (let i = 0; i < 5; i++) {
      sim.advance(8000)
      send(server.connection, Uint8Array.of(1), 0, sim.now)
    }
    sim.advance(9000)
    // acknowledgments of what came, and not one segment from before SND.NXT
    expect(client.sent.every(({ seq }) => seq === 1)).toBe(true)
    sim.advance(2000)
    expect(client.sent.at(-1)).toMatchObject({ seq: 0, textLength: 0 })
  })

  test('[MUST-26] while text is on its way it is sent again, and no probe is sent', () => {
    const { client, sim } = pair({ profile: name })
    setOptions(client.connection, { keepalive: true, keepaliveIdle: 5000, keepaliveInterval: 5000 }, sim.now)
    sim.rule(drop({ from: 'server' }))
    client.send('x')
    sim.advance(60_000)
    expect(client.sent.length).toBeGreaterThan(3)
    expect(client.sent.every(({ seq, textLength }) => seq === 1 && textLength === 1)).toBe(true)
  })

  test('[MUST-29] a lost answer is no dead peer: the next probe is answered, and the connection lives', () => {
    const { client, server, sim } = pair({ profile: name })
    setOptions(
      client.connection,
      { keepalive: true, keepaliveIdle: 60_000, keepaliveInterval: 10_000, keepaliveProbes: 3 },
      sim.now,
    )
    const lost = sim.rule(drop({ from: 'server', times: 2 }))
    sim.advance(81_000)
    expect(lost.applied).toBe(2)
    expect(client.sent).toHaveLength(3)
    // the count begins anew: it is not the third probe of an hour that ends it
    sim.advance('1h')
    expect([client.state, server.state, client.error]).toEqual(['ESTABLISHED', 'ESTABLISHED', null])
  })

  test('probes that all go unanswered end the connection', () => {
    const { client, sim } = pair({ profile: name })
    setOptions(
      client.connection,
      { keepalive: true, keepaliveIdle: 60_000, keepaliveInterval: 10_000, keepaliveProbes: 3 },
      sim.now,
    )
    sim.rule(drop({ from: 'server' }))
    sim.advance(89_000)
    expect(client.state).toBe('ESTABLISHED')
    sim.advance(2000)
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })
})

// FreeBSD asks for it in the name of every program (always_keepalive)
test('[MUST-25] without being asked to, nobody probes', () => {
  for (const name of ['rfc9293', 'linux'] as const) {
    const { client, server, sim } = pair({ profile: name })
    sim.advance('100h')
    expect([client.sent, server.sent]).toEqual([[], []])
    expect([client.state, server.state]).toEqual(['ESTABLISHED', 'ESTABLISHED'])
  }
})

test(
  '[SHLD-12] a probe has no text: it is an ACK of one octet before SND.NXT',
  everywhere(`${connected()}
  +0 setsockopt(3, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0
  +0 setsockopt(3, IPPROTO_TCP, TCP_KEEPIDLE, [30], 4) = 0
 +30 > . 0:0(0) ack 1
  +0 < . 1:1(0) ack 1 win 65535
`),
)

test('[MAY-6] a host can be told to probe with an octet of garbage, which the peer acknowledges and throws away', () => {
  const { client, server, sim } = pair({ profile: 'rfc9293', settings: { keepaliveGarbage: true } })
  setOptions(client.connection, { keepalive: true, keepaliveIdle: 60_000 }, sim.now)
  sim.advance(60_100)
  expect(client.sent).toMatchObject([{ seq: 0, textLength: 1 }])
  expect(server.sent.at(-1)).toMatchObject({ flags: ACK, ack: 1 })
  expect(server.receive()).toBe('EAGAIN')
})
