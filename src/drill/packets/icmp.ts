import { Mismatch } from '../failure.js'
import type { IcmpPacket } from '../language/ast.js'

type Numbers = Readonly<Record<string, number>>

interface Names {
  readonly types: Numbers
  /** By type, the names of its codes. */
  readonly codes: Readonly<Record<number, Numbers>>
}

/** packetdrill's words for ICMPv4 (RFC 792, 1122, 1812). */
const ICMP4: Names = {
  types: {
    echo_reply: 0,
    unreachable: 3,
    source_quench: 4,
    redirect: 5,
    echo_request: 8,
    time_exceeded: 11,
    parameter_problem: 12,
    timestamp_request: 13,
    timestamp_reply: 14,
    information_request: 15,
    information_reply: 16,
    address_mask_request: 17,
    address_mask_reply: 18,
  },
  codes: {
    3: {
      net_unreachable: 0,
      host_unreachable: 1,
      protocol_unreachable: 2,
      port_unreachable: 3,
      frag_needed: 4,
      source_route_failed: 5,
      net_unknown: 6,
      host_unknown: 7,
      source_host_isolated: 8,
      net_prohibited: 9,
      host_prohibited: 10,
      net_unreachable_for_tos: 11,
      host_unreachable_for_tos: 12,
      packet_filtered: 13,
      precedence_violation: 14,
      precedence_cutoff: 15,
    },
    5: { net: 0, host: 1, tos_net: 2, tos_host: 3 },
    11: { ttl_exceeded_in_transit: 0, frag_reass_exceeded: 1 },
    12: { pointer: 0, required_option_missing: 1, bad_length: 2 },
  },
}

/** … and for ICMPv6 (RFC 4443). */
const ICMP6: Names = {
  types: {
    unreachable: 1,
    packet_too_big: 2,
    time_exceeded: 3,
    parameter_problem: 4,
    echo_request: 128,
    echo_reply: 129,
    redirect: 137,
  },
  codes: {
    1: {
      no_route: 0,
      admin_prohibited: 1,
      not_neighbour: 2,
      beyond_scope: 2,
      address_unreachable: 3,
      host_unreachable: 3,
      port_unreachable: 4,
      policy_failed: 5,
      reject_route: 6,
    },
    3: { exceeded_hop_limit: 0, exceeded_frag_time: 1 },
    4: { header_field: 0, erroneous_header_field: 0, unknown_next_header: 1, unknown_option: 2 },
  },
}

/** ICMPv4 in an IPv4 run, ICMPv6 in an IPv6 run. */
function namesOf(version: 4 | 6): Names {
  return version === 4 ? ICMP4 : ICMP6
}

/**
 * The numbers of an ICMP packet's type and code. A missing code is 0.
 *
 * @throws Mismatch for a word that this version of ICMP does not have
 */
export function icmpNumbers(
  packet: Pick<IcmpPacket, 'type' | 'code'>,
  version: 4 | 6,
): { readonly type: number; readonly code: number } {
  const names = namesOf(version)
  const type = typeof packet.type === 'number' ? packet.type : own(names.types, packet.type)
  if (type === undefined) throw new Mismatch(`expected a type of ICMPv${version}, found '${packet.type}'`)
  if (packet.code === null) return { type, code: 0 }
  const code = typeof packet.code === 'number' ? packet.code : own(names.codes[type] ?? {}, packet.code)
  if (code === undefined)
    throw new Mismatch(`expected a code of ICMPv${version} ${packet.type}, found '${packet.code}'`)
  return { type, code }
}

/** The words for a type and a code; numbers where there are none. */
export function icmpNames(type: number, code: number, version: 4 | 6): Pick<IcmpPacket, 'type' | 'code'> {
  const names = namesOf(version)
  const codes = names.codes[type]
  return {
    type: nameOf(names.types, type) ?? type,
    code: codes === undefined && code === 0 ? null : (nameOf(codes ?? {}, code) ?? code),
  }
}

function own(numbers: Numbers, name: string): number | undefined {
  return Object.hasOwn(numbers, name) ? numbers[name] : undefined
}

function nameOf(numbers: Numbers, number: number): string | undefined {
  return Object.keys(numbers).find((name) => numbers[name] === number)
}
