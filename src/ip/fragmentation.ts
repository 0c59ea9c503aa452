import {
  type Frame,
  IPV4_DONT_FRAGMENT,
  IPV4_MORE_FRAGMENTS,
  IPV6_FRAGMENT_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  read16,
  updateIPv4Checksum,
  write16,
  writeIPv6FragmentHeader,
} from '../wire/index.js'
import type { Host } from './host.js'
import type { NetworkInterface } from './network-interface.js'

/**
 * Cuts a packet into fragments that fit `mtu` and puts them into the outbox of `via` (RFC 791 2.3, RFC 8200 4.5). An IPv6
 * packet is one this host made, its payload directly behind the fixed header.
 * @param identification of an IPv6 packet's fragments; IPv4 packets keep theirs
 */
export function fragmentPacket(
  host: Host,
  packet: Frame,
  mtu: number,
  identification: number,
  via: NetworkInterface,
): void {
  if (packet.bytes[packet.start]! >>> 4 === 4) fragmentIPv4(host, packet, mtu, via)
  else fragmentIPv6(host, packet, mtu, identification, via)
}

function fragmentIPv4(host: Host, packet: Frame, mtu: number, via: NetworkInterface): void {
  const { bytes, start } = packet
  const headerLength = (bytes[start]! & 15) * 4
  const end = start + read16(bytes, start + 2)
  const field = read16(bytes, start + 6) & ~IPV4_DONT_FRAGMENT
  const most = Math.max(8, (mtu - headerLength) & ~7)
  let offset = field & 0x1fff
  for (let at = start + headerLength; at < end; at += most) {
    const length = Math.min(most, end - at)
    const fragment = host.frames.allocate(headerLength + length)
    fragment.bytes.set(bytes.subarray(start, start + headerLength), fragment.start)
    fragment.bytes.set(bytes.subarray(at, at + length), fragment.start + headerLength)
    if (at > start + headerLength) dropUncopiedOptions(fragment, headerLength)
    const more = at + length < end ? IPV4_MORE_FRAGMENTS : field & IPV4_MORE_FRAGMENTS
    write16(fragment.bytes, fragment.start + 2, headerLength + length)
    write16(fragment.bytes, fragment.start + 6, more | offset)
    updateIPv4Checksum(fragment.bytes, fragment.start)
    via.outbox[via.outboxCount++] = fragment
    offset += most / 8
  }
}

/** RFC 791 3.1: of the options, those without the copied flag stand in the first fragment only. NOPs fill their place. */
function dropUncopiedOptions(fragment: Frame, headerLength: number): void {
  const { bytes } = fragment
  const end = fragment.start + headerLength
  for (let at = fragment.start + 20; at < end; ) {
    const kind = bytes[at]!
    if (kind === 0) return
    const length = kind === 1 ? 1 : Math.max(2, bytes[at + 1]!)
    if ((kind & 0x80) === 0) bytes.fill(1, at, Math.min(at + length, end))
    at += length
  }
}

function fragmentIPv6(host: Host, packet: Frame, mtu: number, identification: number, via: NetworkInterface): void {
  const { bytes, start, end } = packet
  const before = IPV6_HEADER_LENGTH + IPV6_FRAGMENT_HEADER_LENGTH
  const most = Math.max(8, (mtu - before) & ~7)
  const payloadStart = start + IPV6_HEADER_LENGTH
  for (let at = payloadStart; at < end; at += most) {
    const length = Math.min(most, end - at)
    const fragment = host.frames.allocate(before + length)
    fragment.bytes.set(bytes.subarray(start, payloadStart), fragment.start)
    fragment.bytes.set(bytes.subarray(at, at + length), fragment.start + before)
    write16(fragment.bytes, fragment.start + 4, IPV6_FRAGMENT_HEADER_LENGTH + length)
    fragment.bytes[fragment.start + 6] = 44
    const headerAt = fragment.start + IPV6_HEADER_LENGTH
    const more = at + length < end
    writeIPv6FragmentHeader(fragment.bytes, headerAt, bytes[start + 6]!, at - payloadStart, more, identification)
    via.outbox[via.outboxCount++] = fragment
  }
}
