import { expect, test } from 'vitest'
import { tcpInfo } from './tcp-info.js'
import { Sender } from './testing/sender.js'

test('tells what was sent, lost and acknowledged', () => {
  const s = new Sender('linux', { tailLossProbe: false })
  s.measure(100)
  s.write(5000)
  s.wait(100)
  s.ack(2, { sack: [[2002, 5002]] })
  const info = tcpInfo(s.c, s.host.now)
  expect(info).toMatchObject({
    tcpi_state: 1,
    tcpi_ca_state: 3,
    tcpi_unacked: 5,
    tcpi_sacked: 3,
    tcpi_lost: 2,
    tcpi_retrans: 2,
    tcpi_total_retrans: 2,
    tcpi_snd_mss: 1000,
    tcpi_bytes_sent: 7001,
    tcpi_bytes_retrans: 2000,
    tcpi_bytes_acked: 1,
    tcpi_rtt: 100_000,
    tcpi_min_rtt: 100_000,
    tcpi_rto: 300_000,
    tcpi_options: 2,
    tcpi_reordering: 3,
  })
})

test('tells for how long which limit held', () => {
  const s = new Sender('linux')
  s.measure(100, 0)
  const { tcpi_busy_time: before } = tcpInfo(s.c, s.host.now)
  s.write(1000)
  s.wait(150)
  const info = tcpInfo(s.c, s.host.now)
  expect(info.tcpi_rwnd_limited).toBe(150_000)
  expect(info.tcpi_busy_time! - before!).toBe(150_000)
  s.ack(2, { window: 65535 })
  s.wait(50)
  s.ack(1002)
  const after = tcpInfo(s.c, s.host.now)
  expect(after.tcpi_rwnd_limited).toBe(150_000)
  expect(after.tcpi_busy_time! - before!).toBe(200_000)
  expect(after.tcpi_sndbuf_limited).toBe(0)
})

test('tells the delivery rate', () => {
  const s = new Sender('linux')
  s.measure(100)
  s.write(10_000)
  s.wait(100)
  s.ack(10_002)
  expect(tcpInfo(s.c, s.host.now)).toMatchObject({ tcpi_delivery_rate: 100_000, tcpi_delivered: 11 })
})
