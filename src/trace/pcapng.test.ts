import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pcapng, TraceLog } from './index.js'
import { story, tellConnection } from './story.test-fixture.js'

const hasTshark = (() => {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

function tshark(capture: Uint8Array, ...parameters: string[]): { rows: string[][]; complaints: string } {
  const directory = mkdtempSync(join(tmpdir(), 'estab-trace-'))
  try {
    const file = join(directory, 'trace.pcapng')
    writeFileSync(file, capture)
    const complaintsFile = join(directory, 'stderr')
    const command = `tshark -r ${file} -o tcp.check_checksum:TRUE ${parameters.join(' ')} 2> ${complaintsFile}; cat ${complaintsFile} >&2`
    const out = execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    const complaints = execFileSync('cat', [complaintsFile], { encoding: 'utf8' })
    // "Running as user root" is about us, not about the capture
    const real = complaints.split('\n').filter((line) => line !== '' && !line.startsWith('Running as user'))
    return {
      rows: out
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')),
      complaints: real.join('\n'),
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function connection(): TraceLog {
  const log = new TraceLog({ packets: true })
  tellConnection(story(log), 10)
  return log
}

test('tshark reads a capture of both ends without a complaint', ({ skip }) => {
  skip(!hasTshark && !process.env.CI, 'tshark is not installed (apt-get install tshark)')
  const fields = [
    'frame.time_epoch',
    'frame.interface_name',
    'frame.packet_flags_direction',
    'tcp.flags.str',
    'tcp.len',
  ]
  const columns = [...fields, 'tcp.checksum.status'].flatMap((field) => ['-e', field])
  const { rows, complaints } = tshark(pcapng(connection().events), '-T fields', ...columns)
  expect(complaints).toBe('')
  expect(rows.map((row) => row[1]).join()).toBe('client,server,client,client,client,server,client,server,server,client')
  expect(rows[0]).toEqual(['0.000000000', 'client', '0x00000002', '··········S·', '0', '1'])
  expect(rows[3]).toEqual(['0.100000000', 'client', '0x00000002', '·······AP···', '1000', '1'])
  expect(rows.every((row) => row[5] === '1')).toBe(true)
})

test('state changes and retransmissions are comments of packets', ({ skip }) => {
  skip(!hasTshark && !process.env.CI, 'tshark is not installed (apt-get install tshark)')
  const { rows } = tshark(
    pcapng(connection().events, { host: 'client' }),
    '-T fields -e frame.comment -E aggregator=/s',
  )
  expect(rows.map((row) => row.join('|')).join('\n')).toMatchInlineSnapshot(`
    "0.000000 client: CLOSED -> SYN-SENT (active OPEN) 0.000000 client: connect(3, …) = 0
    0.020000 client: SYN-SENT -> ESTABLISHED (rcv SYN,ACK)


    retransmission 0.300000 client: retransmit timer

    0.400000 client: ESTABLISHED -> FIN-WAIT-1 (CLOSE) 0.400000 client: close(3) = 0
    0.420000 client: FIN-WAIT-1 -> FIN-WAIT-2 (rcv ACK of FIN)
    0.510000 client: FIN-WAIT-2 -> TIME-WAIT (rcv FIN)
    60.510000 client: TIME-WAIT -> CLOSED (timeout: time-wait)"
  `)
})

test('a log without packets says what to do', () => {
  const log = new TraceLog()
  tellConnection(story(log), 10)
  expect(() => pcapng(log.events)).toThrow('make it with new TraceLog({ packets: true })')
})

test('a time is not rounded to what a double of nanoseconds since 1970 can hold', () => {
  const log = new TraceLog({ packets: true })
  story(log).sends('client', 0.000_001, 'S', 0, 0)
  const capture = pcapng(log.events, { epoch: 1_700_000_000_000 })
  const view = new DataView(capture.buffer)
  let at = 0
  while (view.getUint32(at, true) !== 6) at += view.getUint32(at + 4, true)
  const stamp = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true))
  expect(stamp).toBe(1_700_000_000_000_000_001n)
})
