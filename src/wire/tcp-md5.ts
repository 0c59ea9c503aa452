import type { IpAddress } from './ip-address.js'
import { Md5 } from './md5.js'
import { write16, write32 } from './octets.js'
import { IPPROTO_TCP } from './packet-header.js'

const HEADER_LENGTH = 20

/**
 * The digest of the TCP MD5 signature option (RFC 2385 2.0) of the segment at [start, end): over the pseudo-header, the
 * TCP header without options and with a checksum of zero, the text, and the key. 16 octets.
 */
export function tcpMd5Digest(
  source: IpAddress,
  destination: IpAddress,
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint8Array,
): Uint8Array {
  const hash = new Md5()
  hash.update(pseudoHeader(source, destination, end - start))
  const header = bytes.slice(start, start + HEADER_LENGTH)
  write16(header, 16, 0)
  hash.update(header)
  const headerLength = (bytes[start + 12]! >>> 4) * 4
  hash.update(bytes, start + headerLength, end)
  return hash.update(key).digest()
}

function pseudoHeader(source: IpAddress, destination: IpAddress, length: number): Uint8Array {
  if (destination.isIPv4) {
    const pseudo = new Uint8Array(12)
    write32(pseudo, 0, source.w3)
    write32(pseudo, 4, destination.w3)
    pseudo[9] = IPPROTO_TCP
    write16(pseudo, 10, length)
    return pseudo
  }
  const pseudo = new Uint8Array(40)
  const words = [source.w0, source.w1, source.w2, source.w3]
  words.push(destination.w0, destination.w1, destination.w2, destination.w3, length, IPPROTO_TCP)
  for (const [i, word] of words.entries()) write32(pseudo, i * 4, word)
  return pseudo
}
