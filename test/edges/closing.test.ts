import { describe, expect, test } from 'vitest'
import { drop, pair } from '../../src/sim/index.js'
import { PROFILE_NAMES, State, type StateName, setOptions, stateName } from '../../src/tcp/index.js'
import { setState } from '../../src/tcp/states/states.js'
import { ACK, FIN, RST, SYN } from '../../src/wire/index.js'
import { arrives, HELD, inState } from '../fixtures/in-state.js'

const rstSent = (sent: readonly { flags: number }[]): boolean => sent.some(({ flags }) => flags & RST)

describe.each(['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const)('%s', (state) => {
  test.each(PROFILE_NAMES)(
    '%s: text that goes on behind the FIN ends it in Linux, and is ignored elsewhere',
    (profile) => {
      const { client, ...rest } = inState(state, { profile, settings: { timestamps: 0 } })
      client.sent.length = 0
      arrives({ client, ...rest }, { flags: ACK, seq: -1, text: new Uint8Array(10) })
      const ends = profile === 'linux'
      expect([client.state, rstSent(client.sent)]).toEqual([ends ? 'CLOSED' : state, ends])
    },
  )
})

describe.each(HELD)('%s', (state) => {
  test('RST ends it, and is not answered', () => {
    const both = inState(state)
    both.client.sent.length = 0
    arrives(both, { flags: RST })
    expect([both.client.state, both.client.sent]).toEqual(['CLOSED', []])
    // Linux calls it a broken pipe in CLOSE-WAIT
    expect(both.client.error).toBe(state === 'CLOSE-WAIT' ? 'EPIPE' : 'ECONNRESET')
  })

  test('SYN in the window: a challenge ACK after RFC 5961, RST and the end after RFC 793', () => {
    const careful = inState(state)
    arrives(careful, { flags: SYN, seq: 10 })
    expect(careful.client.state).toBe(state)
    const old = inState(state, { settings: { timestamps: 0, insecureSyn: true } })
    old.client.sent.length = 0
    arrives(old, { flags: SYN, seq: 10 })
    expect([old.client.state, rstSent(old.client.sent)]).toEqual(['CLOSED', true])
  })

  test('ABORT ends it, with RST as long as the peer has not closed and been acknowledged', () => {
    const { client } = inState(state)
    client.sent.length = 0
    client.abort()
    expect(client.state).toBe('CLOSED')
    expect(rstSent(client.sent)).toBe(state !== 'CLOSING' && state !== 'LAST-ACK')
  })

  test('CLOSE with text that was not read: RST', () => {
    // the text is there before the peer's FIN
    const { client, server, sim } = pair({ settings: { timestamps: 0 } })
    server.send('unread')
    sim.advance(100)
    toState(state, { client, server, sim })
    client.sent.length = 0
    client.close()
    expect(client.state).toBe('CLOSED')
    expect(rstSent(client.sent)).toBe(state !== 'CLOSING' && state !== 'LAST-ACK')
  })
})

/** As `inState`, for a pair that has done something already. */
function toState(state: (typeof HELD)[number], { client, server, sim }: ReturnType<typeof pair>): void {
  const closesFirst = state === 'FIN-WAIT-1' || state === 'FIN-WAIT-2' || state === 'CLOSING'
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') server.shutdown()
  sim.advance(100)
  if (state !== 'FIN-WAIT-2') sim.rule(drop({ from: 'client', flags: 'F' }))
  if (closesFirst || state === 'LAST-ACK') client.shutdown()
  if (state === 'CLOSING') server.shutdown()
  sim.advance(100)
  expect(client.state).toBe(state)
}

describe.each(['FIN-WAIT-1', 'CLOSING', 'LAST-ACK', 'ESTABLISHED', 'CLOSE-WAIT'] as const)('%s', (state) => {
  // in ESTABLISHED and CLOSE-WAIT it is text that nobody acknowledges, in the others FIN
  const withoutAnswer = (userTimeout: number) => {
    const both = inState(state)
    const { client, sim } = both
    setOptions(client.connection, { userTimeout }, sim.now)
    sim.partition(['server'])
    if (state === 'ESTABLISHED' || state === 'CLOSE-WAIT') client.send('x')
    return both
  }

  test('R2 ends it', () => {
    const { client, sim } = withoutAnswer(0)
    sim.advance('2h')
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })

  test('the user time-out ends it sooner', () => {
    const { client, sim } = withoutAnswer(20_000)
    sim.advance('40s')
    expect([client.state, client.error]).toEqual(['CLOSED', 'ETIMEDOUT'])
  })
})

test('keepalive finds a dead peer in ESTABLISHED, CLOSE-WAIT and FIN-WAIT-2', () => {
  for (const state of ['ESTABLISHED', 'CLOSE-WAIT', 'FIN-WAIT-2'] as const) {
    const { client, sim } = inState(state)
    const times = { keepalive: true, keepaliveIdle: 60_000, keepaliveInterval: 1000, keepaliveProbes: 3 }
    setOptions(client.connection, times, sim.now)
    sim.partition(['server'])
    sim.advance('2m')
    expect([state, client.state, client.error]).toEqual([state, 'CLOSED', 'ETIMEDOUT'])
  }
})

describe('no program holds it', () => {
  test.each(['FIN-WAIT-1', 'FIN-WAIT-2'] as const)('%s: text is answered with RST', (state) => {
    for (const profile of ['rfc9293', 'linux', 'freebsd'] as const) {
      const both = inState(state, { profile })
      both.client.close()
      both.client.sent.length = 0
      arrives(both, { flags: 0x10, text: Uint8Array.of(1) })
      expect([both.client.state, rstSent(both.client.sent)]).toEqual(['CLOSED', true])
    }
  })

  test('FIN-WAIT-2 ends after its time, as a record and as a connection', () => {
    for (const finWait2Record of [true, false]) {
      const { client, sim } = inState('FIN-WAIT-2', { settings: { timestamps: 0, finWait2Record } })
      client.close()
      sim.advance('50s')
      expect(client.state).toBe('FIN-WAIT-2')
      sim.advance('20s')
      expect(client.state).toBe('CLOSED')
    }
  })

  test("FIN-WAIT-2, as a record: RST and SYN end it, the peer's FIN leads to TIME-WAIT", () => {
    for (const [flags, after] of [
      [RST, 'CLOSED'],
      [FIN | 0x10, 'TIME-WAIT'],
    ] as const satisfies readonly (readonly [number, StateName])[]) {
      const both = inState('FIN-WAIT-2')
      both.client.close()
      arrives(both, { flags })
      expect(both.client.state).toBe(after)
    }
  })

  test.each(['ESTABLISHED', 'CLOSING', 'CLOSE-WAIT'] as const)('%s: one too many is reset', (state) => {
    const { client } = inState(state, { settings: { timestamps: 0, maxOrphans: 0 } })
    client.sent.length = 0
    client.close()
    expect([client.state, rstSent(client.sent)]).toEqual(['CLOSED', true])
  })
})

describe('TIME-WAIT', () => {
  test('ABORT ends it', () => {
    const { client } = inState('TIME-WAIT')
    client.abort()
    expect(client.state).toBe('CLOSED')
  })

  test('RST ends it, unless RFC 1337 protects it', () => {
    const plain = inState('TIME-WAIT')
    arrives(plain, { flags: RST })
    expect(plain.client.state).toBe('CLOSED')
    const protects = inState('TIME-WAIT', { settings: { timestamps: 0, rfc1337: true } })
    arrives(protects, { flags: RST })
    expect(protects.client.state).toBe('TIME-WAIT')
  })

  test('one record too many is none', () => {
    const { client, server, sim } = pair({ settings: { maxTimeWait: 0 } })
    client.shutdown()
    sim.advance(100)
    server.shutdown()
    sim.advance(100)
    expect(client.state).toBe('CLOSED')
  })
})

test('a change of state that is not in the table is an error, in tests', () => {
  const { connection } = inState('ESTABLISHED').client
  const leap = () => setState(connection, State.Listen, 'rcv FIN', null, 0)
  expect(leap).toThrow('no edge in the table: ESTABLISHED --rcv FIN--> LISTEN')
  expect(stateName(connection.state)).toBe('ESTABLISHED')
})
