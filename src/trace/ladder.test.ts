import { describe, expect, test } from 'vitest'
import { State } from '../tcp/index.js'
import { DropReason } from '../wire/index.js'
import { displayWidth, ladder, TraceLog } from './index.js'
import { story, tellConnection } from './story.test-fixture.js'

function drawn(tell: (s: ReturnType<typeof story>) => void, options: Parameters<typeof ladder>[1] = {}): string {
  const log = new TraceLog()
  tell(story(log))
  return `\n${ladder(log.events, options)}`
}

describe('ladder', () => {
  test('both ends watched: states in both margins, times of both ends, a lost segment marked', () => {
    expect(drawn((s) => tellConnection(s, 10))).toMatchInlineSnapshot(`
      "
              client 192.0.2.1:1000                                            server 192.0.2.2:80
                    CLOSED │                                                        │ CLOSED
                           │                                                   OPEN │ LISTEN        0.000
       0.000      SYN-SENT │─── S 0:0(0) win 65535 <mss 1460,sackOK,eol,eol> ──────▶│ SYN-RECEIVED  0.010
       0.020   ESTABLISHED │◀── S. 0:0(0) ack 1 <mss 1460,sackOK,eol,eol> ──────────│               0.010
       0.020               │─── . 1:1(0) ack 1 win 65535 ──────────────────────────▶│ ESTABLISHED   0.030
       0.100               │─── P. 1:1001(1000) ack 1 win 65535 ──────────── X lost │
       0.300               │─── P. 1:1001(1000) ack 1 (retransmission, RTO) ───────▶│               0.310
       0.320               │◀── . 1:1(0) ack 1001 win 65535 ────────────────────────│               0.310
       0.400    FIN-WAIT-1 │─── F. 1001:1001(0) ack 1 win 65535 ───────────────────▶│ CLOSE-WAIT    0.410
       0.420    FIN-WAIT-2 │◀── . 1:1(0) ack 1002 win 65535 ────────────────────────│               0.410
       0.510     TIME-WAIT │◀── F. 1:1(0) ack 1002 win 65535 ───────────────────────│ LAST-ACK      0.500
       0.510               │─── . 1002:1002(0) ack 2 win 65535 ────────────────────▶│ CLOSED        0.520
                           ⋮                                                        ⋮
      60.510        CLOSED │ timeout: time-wait                                     │
      "
    `)
  })

  test('one end watched: the other has no states, and nothing is known to be lost', () => {
    expect(drawn((s) => tellConnection(s, 0, 'client'), { calls: true, timers: true })).toMatchInlineSnapshot(`
      "
              client 192.0.2.1:1000                                                      peer 192.0.2.2:80
                    CLOSED │                                                                │
       0.000               │ connect(3, …) = 0                                              │
       0.000      SYN-SENT │─── S 0:0(0) win 65535 <mss 1460,sackOK,eol,eol> ──────────────▶│
       0.000   ESTABLISHED │◀── S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol,eol> ────────│
       0.000               │─── . 1:1(0) ack 1 win 65535 ──────────────────────────────────▶│
       0.100               │─── P. 1:1001(1000) ack 1 win 65535 ───────────────────────────▶│
       0.300               │ retransmit timer                                               │
       0.300               │─── P. 1:1001(1000) ack 1 win 65535 (retransmission, RTO) ─────▶│
       0.300               │◀── . 1:1(0) ack 1001 win 65535 ────────────────────────────────│
       0.400               │ close(3) = 0                                                   │
       0.400    FIN-WAIT-1 │─── F. 1001:1001(0) ack 1 win 65535 ───────────────────────────▶│
       0.400    FIN-WAIT-2 │◀── . 1:1(0) ack 1002 win 65535 ────────────────────────────────│
       0.500     TIME-WAIT │◀── F. 1:1(0) ack 1002 win 65535 ───────────────────────────────│
       0.500               │─── . 1002:1002(0) ack 2 win 65535 ────────────────────────────▶│
                           ⋮                                                                ⋮
      60.500        CLOSED │ timeout: time-wait                                             │
      "
    `)
  })

  test('ASCII, narrow, in Chinese', () => {
    const text = drawn((s) => tellConnection(s, 0), { ascii: true, width: 80, language: 'zh', left: 'server' })
    expect(text).toMatchInlineSnapshot(`
      "
              server 192.0.2.2:80                                client 192.0.2.1:1000
                    CLOSED |                                            | CLOSED
       0.000        LISTEN | OPEN                                       |
       0.000  SYN-RECEIVED |<-- S 0:0(0) <mss 1460,sackOK,eol,eol> -----| SYN-SENT
       0.000               |--- S. 0:0(0) ack 1 win 65535 <...> ------->| ESTABLISHED
       0.000   ESTABLISHED |<-- . 1:1(0) ack 1 win 65535 ---------------|
       0.100               | X 丢失 - P. 1:1001(1000) ack 1 ------------|
       0.300               |<-- P. 1:1001(1000) ack 1 (重传, RTO) ------|
       0.300               |--- . 1:1(0) ack 1001 win 65535 ----------->|
       0.400    CLOSE-WAIT |<-- F. 1001:1001(0) ack 1 win 65535 --------| FIN-WAIT-1
       0.400               |--- . 1:1(0) ack 1002 win 65535 ----------->| FIN-WAIT-2
       0.500      LAST-ACK |--- F. 1:1(0) ack 1002 win 65535 ---------->| TIME-WAIT
       0.500        CLOSED |<-- . 1002:1002(0) ack 2 win 65535 ---------|
                           :                                            :
      60.500               |                         timeout: time-wait | CLOSED
      "
    `)
    for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(80)
  })

  test('arrows that cross are drawn in halves: simultaneous open', () => {
    expect(
      drawn((s) => {
        for (const who of ['client', 'server'] as const) {
          s.enters(who, 0, State.SynSent, 'active OPEN')
          s.sends(who, 0, 'S', 0, 0)
        }
        for (const who of ['client', 'server'] as const) {
          s.receives(who, 20, 'S', 0, 0)
          s.enters(who, 20, State.SynReceived, 'rcv SYN')
          s.sends(who, 20, 'S.', 0, 0, 1)
        }
        for (const who of ['client', 'server'] as const) {
          s.receives(who, 40, 'S.', 0, 0, 1)
          s.enters(who, 40, State.Established, 'rcv ACK of SYN')
        }
      }),
    ).toMatchInlineSnapshot(`
      "
             client 192.0.2.1:1000                                              server 192.0.2.2:80
                   CLOSED │                                                          │ CLOSED
      0.000      SYN-SENT │─── S 0:0(0) win 65535 <mss 1460,sackOK,eol,eol> ────┄ #1 │
      0.020  SYN-RECEIVED │◀── S 0:0(0) win 65535 <mss 1460,sackOK,eol,eol> ─────────│ SYN-SENT     0.000
                          │ #1 ┄────────────────────────────────────────────────────▶│ SYN-RECEIVED 0.020
      0.020               │─── S. 0:0(0) ack 1 <mss 1460,sackOK,eol,eol> ───────┄ #2 │
      0.040   ESTABLISHED │◀── S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,eol,eol> ──│              0.020
                          │ #2 ┄────────────────────────────────────────────────────▶│ ESTABLISHED  0.040
      "
    `)
  })

  test('reordered, duplicated, dropped and under way', () => {
    expect(
      drawn((s) => {
        s.sends('client', 0, 'P.', 1, 100, 1)
        s.sends('client', 0.25, 'P.', 101, 100, 1)
        s.receives('server', 5, 'P.', 101, 100, 1)
        s.receives('server', 8, 'P.', 1, 100, 1)
        s.receives('server', 9, 'P.', 1, 100, 1)
        s.drops('server', 9, DropReason.OldDuplicate, 'P.', 1, 100, 1)
        s.sends('client', 10, 'R', 201, 0)
        s.sends('server', 10.5, '.', 1, 0, 201)
      }),
    ).toMatchInlineSnapshot(`
      "
                client 192.0.2.1:1000                                        server 192.0.2.2:80
      0.000000               │─── P. 1:101(100) ack 1 win 65535 ─────────────┄ #1 │
      0.000250               │─── P. 101:201(100) ack 1 win 65535 ───────────────▶│              0.005000
                             │ #1 ┄──────────────────────────────────────────────▶│              0.008000
                             │─── P. 1:101(100) (dropped: old duplicate text) ───▶│              0.009000
      0.010000               │─── R 201:201(0) win 65535 ────────────── under way │
                             │ under way ─ . 1:1(0) ack 201 win 65535 ────────────│              0.010500
      "
    `)
  })
})
