import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  ACK,
  ICMP4_FRAGMENTATION_NEEDED,
  ICMP4_UNREACHABLE,
  ICMP6_PACKET_TOO_BIG,
  type IpAddress,
  PSH,
  parseIpAddress,
  putAccEcn,
  putFastOpen,
  putMd5,
  putMss,
  putNop,
  putSack,
  putSackPermitted,
  putTimestamps,
  putUserTimeout,
  putWindowScale,
  Segment,
  SYN,
  writeIcmp,
  writeIPv4Header,
  writeIPv6Header,
  writeTcp,
  writeUdpHeader,
} from './index.js'

/** A second opinion on every octet: what we write, read by Wireshark's dissectors. */
const hasTshark = (() => {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

const A = parseIpAddress('192.0.2.1')
const B = parseIpAddress('192.0.2.2')
const A6 = parseIpAddress('2001:db8::1')
const B6 = parseIpAddress('2001:db8::2')

function ip(source: IpAddress, destination: IpAddress, protocol: number, payload: Uint8Array): Uint8Array {
  const headerLength = source.isIPv4 ? 20 : 40
  const bytes = new Uint8Array(headerLength + payload.length)
  bytes.set(payload, headerLength)
  if (source.isIPv4) writeIPv4Header(bytes, 0, payload.length, protocol, source, destination, 64, 2, 1, 0x4000)
  else writeIPv6Header(bytes, 0, payload.length, protocol, source, destination, 64, 2, 7)
  return bytes
}

function tcp(
  source: IpAddress,
  destination: IpAddress,
  flags: number,
  text: string,
  putOptions: (at: Uint8Array) => number,
) {
  const octets = new TextEncoder().encode(text)
  const segment = Object.assign(new Segment(), { source, destination, sourcePort: 1000, destinationPort: 8080, flags })
  Object.assign(segment, { seq: -1000, ack: 5, window: 500, bytes: octets, textLength: octets.length })
  segment.optionBytesLength = putOptions(segment.optionBytes)
  const bytes = new Uint8Array(60 + octets.length)
  return ip(source, destination, 6, bytes.subarray(0, writeTcp(segment, bytes, 0, true)))
}

function udp(source: IpAddress, destination: IpAddress): Uint8Array {
  const bytes = new Uint8Array(13).fill(1)
  writeUdpHeader(bytes, 0, source, destination, 4000, 4001, 5)
  return ip(source, destination, 17, bytes)
}

function icmp(source: IpAddress, destination: IpAddress, type: number, code: number, word: number, quote: Uint8Array) {
  const bytes = new Uint8Array(8 + quote.length)
  writeIcmp(bytes, 0, source, destination, type, code, word, quote, 0, quote.length)
  return ip(source, destination, source.isIPv4 ? 1 : 58, bytes)
}

/** A capture of raw IP packets in the old format of libpcap. */
function pcap(packets: Uint8Array[]): Uint8Array {
  const words = (...n: number[]) => new Uint8Array(new Uint32Array(n).buffer)
  const parts: Uint8Array[] = [words(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101)]
  for (const [i, packet] of packets.entries()) parts.push(words(i, 0, packet.length, packet.length), packet)
  return Buffer.concat(parts)
}

function dissect(packets: Uint8Array[], fields: string[]): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'estab-wire-'))
  try {
    const file = join(directory, 'wire.pcap')
    writeFileSync(file, pcap(packets))
    const check = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`])
    const columns = fields.flatMap((field) => ['-e', field])
    const out = execFileSync('tshark', ['-r', file, ...check, '-T', 'fields', '-E', 'occurrence=a', ...columns], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return out
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

test('tshark agrees with what we write', ({ skip }) => {
  skip(!hasTshark && !process.env.CI, 'tshark is not installed (apt-get install tshark)')
  const synOptions = (at: Uint8Array) => {
    let n = putMss(at, 0, 1460)
    n = putSackPermitted(at, n)
    n = putTimestamps(at, n, 100, 0)
    n = putWindowScale(at, putNop(at, n), 7)
    n = putFastOpen(at, n, Uint8Array.of(1, 2, 3, 4, 5, 6), false)
    return putUserTimeout(at, n, 30)
  }
  const sackOptions = (at: Uint8Array) => putSack(at, putNop(at, putNop(at, 0)), [50, 60, 70, 80, 90, 99], 3)
  const rareOptions = (at: Uint8Array) => putAccEcn(at, putMd5(at, 0), 172, [1, 2, 3], 3)
  const packets: Uint8Array[] = []
  for (const [a, b] of [
    [A, B],
    [A6, B6],
  ] as const) {
    packets.push(
      tcp(a, b, SYN, '', synOptions),
      tcp(a, b, ACK | PSH, 'hello', sackOptions),
      tcp(a, b, ACK, 'odd', rareOptions),
      udp(a, b),
    )
  }
  packets.push(
    icmp(A, B, ICMP4_UNREACHABLE, ICMP4_FRAGMENTATION_NEEDED, 1200, packets[1]!),
    icmp(A6, B6, ICMP6_PACKET_TOO_BIG, 0, 1280, packets[5]!),
  )
  const rows = dissect(packets, [
    'ip.checksum.status',
    'tcp.checksum.status',
    'udp.checksum.status',
    'icmp.checksum.status',
    'icmpv6.checksum.status',
    '_ws.malformed',
  ])
  // 1: good. The quoted packet inside an ICMP error is dissected too, after the outer one
  const good = (column: number) => rows.map((row) => row[column])
  expect(good(0)).toEqual(['1', '1', '1', '1', '', '', '', '', '1,1', ''])
  expect(good(1).slice(0, 8)).toEqual(['1', '1', '1', '', '1', '1', '1', ''])
  expect(good(2)).toEqual(['', '', '', '1', '', '', '', '1', '', ''])
  expect(good(3)[8]).toBe('1')
  expect(good(4)[9]).toBe('1')
  expect(good(5).join('')).toBe('')
  const options = dissect(packets.slice(0, 3), [
    'tcp.option_kind',
    'tcp.options.mss_val',
    'tcp.options.wscale.shift',
    'tcp.options.timestamp.tsval',
    'tcp.options.tfo.cookie',
    'tcp.options.sack_le',
    'tcp.options.sack_re',
    'tcp.seq_raw',
    'tcp.len',
  ])
  expect(options[0]).toEqual(['2,4,8,1,3,34,28', '1460', '7', '100', '010203040506', '', '', '4294966296', '0'])
  expect(options[1]!.slice(0, 1)).toEqual(['1,1,5'])
  expect(options[1]!.slice(7)).toEqual(['4294966296', '5'])
  expect(options[2]![0]).toBe('19,172,0,0,0')
})
