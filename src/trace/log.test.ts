import { expect, test } from 'vitest'
import { NEVER, type Observed, State } from '../tcp/index.js'
import { conversations, jsonLines, TraceLog } from './index.js'
import { story, tellConnection } from './story.test-fixture.js'

test('JSON lines', () => {
  const log = new TraceLog({ timers: true })
  const s = story(log)
  s.enters('client', 0, State.SynSent, 'active OPEN')
  s.sends('client', 0, 'S', 0, 0)
  s.observers.client.timerArmed(s.ends.client, 'retransmit', 1000, 0)
  s.calls('client', 0, 'connect(3, …)', '-1 EINPROGRESS')
  expect(`\n${jsonLines(log.events)}`).toMatchInlineSnapshot(`
    "
    {"at":0,"host":"client","event":"state","id":1,"local":"192.0.2.1","localPort":1000,"remote":"192.0.2.2","remotePort":80,"from":"CLOSED","to":"SYN-SENT","cause":"active OPEN"}
    {"at":0,"host":"client","event":"sent","id":1,"local":"192.0.2.1","localPort":1000,"remote":"192.0.2.2","remotePort":80,"segment":"S 5000:5000(0) win 65535 <mss 1460,sackOK,eol,eol>","source":"192.0.2.1","sourcePort":1000,"destination":"192.0.2.2","destinationPort":80,"seq":5000,"ack":0,"flags":"SYN","window":65535,"length":0,"options":"mss 1460,sackOK,eol,eol","state":"SYN-SENT"}
    {"at":0,"host":"client","event":"timer-armed","id":1,"local":"192.0.2.1","localPort":1000,"remote":"192.0.2.2","remotePort":80,"timer":"retransmit","due":1000}
    {"at":0,"host":"client","event":"call","id":1,"local":"192.0.2.1","localPort":1000,"remote":"192.0.2.2","remotePort":80,"call":"connect(3, …)","result":"-1 EINPROGRESS"}
    "
  `)
  for (const line of jsonLines(log.events).trimEnd().split('\n')) JSON.parse(line)
})

test('a timer set to NEVER was cancelled, if it was armed', () => {
  const log = new TraceLog({ timers: true })
  const { observers, ends } = story(log)
  observers.client.timerArmed(ends.client, 'delayed-ack', NEVER, 0)
  observers.client.timerArmed(ends.client, 'delayed-ack', 40, 0)
  observers.client.timerArmed(ends.client, 'delayed-ack', NEVER, 10)
  expect(log.events.map(({ type, at }) => `${at} ${type}`)).toEqual(['0 timer-armed', '10 timer-cancelled'])
})

test('variables: only what changed is recorded', () => {
  let una = 1
  const log = new TraceLog({ variables: (_endpoint: Observed) => ({ una, wnd: 5 }) })
  const { observers, ends } = story(log)
  for (const [now, value] of [
    [0, 1],
    [1, 1],
    [2, 9],
  ] as const) {
    una = value
    observers.client.settled(ends.client, now)
  }
  expect(log.events.map((event) => event.type === 'variables' && event.values)).toEqual([
    { una: 1, wnd: 5 },
    { una: 9 },
  ])
})

test('segments are copies: the machine reuses its own', () => {
  const log = new TraceLog()
  tellConnection(story(log), 10)
  const segments = log.events.flatMap((event) => (event.type === 'sent' ? [event.segment] : []))
  expect(new Set(segments.map(({ seq }) => seq)).size).toBeGreaterThan(3)
  expect(conversations(log.events)).toHaveLength(1)
})

test('a subscriber hears each event once until it leaves; a limit forgets the oldest', () => {
  const log = new TraceLog({ limit: 4 })
  const heard: string[] = []
  const leave = log.subscribe((event) => heard.push(event.type))
  const s = story(log)
  for (let i = 0; i < 9; i++) s.calls('client', i, 'getpid()', `${i}`)
  leave()
  s.calls('client', 9, 'getpid()', '9')
  expect(heard).toHaveLength(9)
  expect(log.events.length).toBeLessThanOrEqual(5)
  expect(log.events.at(-1)).toMatchObject({ result: '9' })
})

test('a limit forgets the oldest segments, whether somebody looks in between or not', () => {
  const seen = [0, 37, 250].map((often) => {
    const log = new TraceLog({ limit: 100 })
    const s = story(log)
    for (let i = 1; i <= 1000; i++) {
      s.sends('client', i, '.', i, 0)
      if (often > 0 && i % often === 0) expect(log.events.length).toBeLessThanOrEqual(125)
    }
    expect(log.events.length).toBeGreaterThanOrEqual(Math.min(100, 1000))
    expect(log.events.length).toBeLessThanOrEqual(125)
    return jsonLines(log.events.slice(-100))
  })
  expect(seen[0]!.split('\n')[0]).toContain('"at":901,')
  expect(seen[1]).toBe(seen[0])
  expect(seen[2]).toBe(seen[0])
})

test('what is looked at late is what it was: segments, subjects and packets of many connections in turn', () => {
  const told = [1, 1_000_000].map((often) => {
    const log = new TraceLog({ packets: true })
    const s = story(log)
    for (let i = 0; i < 300; i++) {
      s.sends(i % 3 === 0 ? 'server' : 'client', i, i % 5 === 0 ? 'F.' : '.', i, 7 * i)
      if (i % 7 === 0) s.calls('client', i, 'getpid()', `${i}`)
      if (i % often === 0) expect(log.events.at(-1)!.at).toBe(i)
    }
    return log.events
  })
  expect(told[0]).toHaveLength(343)
  expect(told[1]).toEqual(told[0])
})
