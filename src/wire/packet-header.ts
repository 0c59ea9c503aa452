import { ANY_IPV4, type IpAddress } from './ip-address.js'

/** Protocol numbers (IANA), in the protocol field of IPv4 and the next-header fields of IPv6. */
export const IPPROTO_HOPOPTS = 0
export const IPPROTO_ICMP = 1
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_ROUTING = 43
export const IPPROTO_FRAGMENT = 44
export const IPPROTO_ESP = 50
export const IPPROTO_AH = 51
export const IPPROTO_ICMPV6 = 58
export const IPPROTO_NONE = 59
export const IPPROTO_DSTOPTS = 60

/**
 * What the header of a received packet says. One object is reused for all packets: copy what is needed later.
 * Offsets count from the start of the `bytes` that were parsed.
 */
export class PacketHeader {
  version: 4 | 6 = 4
  /** Protocol of the payload; for IPv6 the next header after the last extension header walked. */
  protocol = 0
  source: IpAddress = ANY_IPV4
  destination: IpAddress = ANY_IPV4
  /** Where the IP header starts and the packet ends by its own length field; padding of the link lies behind. */
  start = 0
  end = 0
  /** The payload: [payloadStart, payloadEnd). */
  payloadStart = 0
  payloadEnd = 0
  /** Time to live, or hop limit. */
  ttl = 0
  /** TOS octet or traffic class without the ECN bits. */
  dscp = 0
  /** ECN field, two bits. */
  ecn = 0
  flowLabel = 0
  /** IPv4 identification (16 bits), or that of the IPv6 fragment header (32 bits, signed form). */
  identification = 0
  dontFragment = false
  moreFragments = false
  /** Octets of the original payload before this one. */
  fragmentOffset = 0

  /** True when the payload is a part of one, to be reassembled before its transport header is read. */
  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset !== 0
  }
}
