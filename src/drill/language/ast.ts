/**
 * What a packetdrill script says, as data. Nothing is resolved here: names of flags, errno values and options stay names
 * (the runner knows the system that is drilled), times stay relative if they were written so, sequence numbers stay as
 * written.
 *
 * Units: times are whole microseconds, as in packetdrill itself; lengths and windows are octets as written.
 */

/** A place in a script; both count from 1. A tab is one column. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** One script: head options, an optional command before the first event and one after the last, and the events. */
export interface Script {
  /** The name the script was given by its reader, used in messages. */
  readonly file: string
  readonly options: readonly ScriptOption[]
  /** A back-quoted command without a time, before the first event (`../common/defaults.sh`). */
  readonly setUp: CommandAction | null
  readonly events: readonly ScriptEvent[]
  /** A back-quoted command without a time, after the last event. Runs even if the script failed. */
  readonly cleanUp: CommandAction | null
}

/** `--name=value` at the head of a script. What it means is decided in `flags.ts`. */
export interface ScriptOption {
  readonly position: Position
  /** Without the dashes. */
  readonly name: string
  /** `null` for a bare `--name`. Quotes around a value are removed. */
  readonly value: string | null
}

/** One line of the story: when, and what. */
export interface ScriptEvent {
  /** Of the first character of the time. */
  readonly position: Position
  readonly time: EventTime
  readonly action: Action
}

/** Microseconds, whole. */
export type Micros = number

/**
 * When an event happens. Absolute times count from the start of the script; relative ones from the time of the event
 * before.
 */
export type EventTime =
  /** `1.5` */
  | { readonly kind: 'absolute'; readonly at: Micros }
  /** `+.1` */
  | { readonly kind: 'relative'; readonly after: Micros }
  /** `*`: whenever it happens */
  | { readonly kind: 'any' }
  /** `1.5~1.8` */
  | { readonly kind: 'absolute-range'; readonly from: Micros; readonly to: Micros }
  /** `+0~+.1`: both relative to the event before */
  | { readonly kind: 'relative-range'; readonly from: Micros; readonly to: Micros }

export type Action = PacketAction | CallAction | CommandAction | CodeAction

/** `<` a packet the script sends to the stack (inbound), `>` one it expects from the stack (outbound). */
export type Direction = 'inbound' | 'outbound'

export interface PacketAction {
  readonly kind: 'packet'
  /** Of the `<` or `>`. */
  readonly position: Position
  readonly direction: Direction
  readonly packet: Packet
}

export type Packet = TcpPacket | UdpPacket | IcmpPacket

/** What any packet may say of its IP header. `null` is "not said": default when sent, not checked when expected. */
export interface IpInfo {
  /** `[noecn]` 0, `[ect1]` 1, `[ect0]` 2, `[ce]` 3: the code point of RFC 3168 5. `[ect01]`: either of 1 and 2. */
  readonly ecn: 0 | 1 | 2 | 3 | 'ect01' | null
  /** `(tos 0x..)`, or `(class 0x..)` for IPv6: the whole octet, ECN bits included. */
  readonly trafficClass: number | null
  /** `(dscp 0x..)`: the upper six bits only. */
  readonly dscp: number | null
  /** `(ttl n)`, or `(hlim n)` for IPv6. */
  readonly hopLimit: number | null
  /** `(flowlabel 0x..)`, IPv6 only. */
  readonly flowLabel: number | null
}

/** A header around the packet, outermost first: `ipv4 1.2.3.4 > 5.6.7.8: `, `gre: `, `mpls (…): `. */
export type Encapsulation =
  | { readonly kind: 'ipv4' | 'ipv6'; readonly source: string; readonly destination: string }
  | {
      readonly kind: 'gre'
      readonly flags: number | null
      readonly checksum: number | null
      readonly offset: number | null
      readonly key: number | null
      readonly sequence: number | null
    }
  | { readonly kind: 'mpls'; readonly labels: readonly MplsLabel[] }

export interface MplsLabel {
  readonly label: number
  readonly trafficClass: number
  readonly bottom: boolean
  readonly ttl: number
}

interface PacketBase {
  readonly position: Position
  readonly ip: IpInfo
  readonly encapsulation: readonly Encapsulation[]
  /** `/udp(a > b)`, NPLab's TCP over UDP. */
  readonly udp: UdpPorts | null
}

/** The ports as written, source first. */
export interface UdpPorts {
  readonly source: number
  readonly destination: number
}

export interface TcpPacket extends PacketBase {
  readonly kind: 'tcp'
  readonly flags: TcpFlags
  readonly seq: Sequence
  /** `null`: no `ack` was written. The ACK *bit* is `flags.ack`. */
  readonly ack: Acknowledgment | null
  /** `null`: not written (zero when sent, not checked when expected); `'any'`: `win ...`. */
  readonly window: number | 'any' | null
  /** `urg n`, the urgent pointer as written. */
  readonly urgent: number | null
  /** In order. `'any'` is `<...>`. Nothing written is `[]`: exactly no options, also when expected. */
  readonly options: readonly TcpOption[] | 'any'
}

/** The bits as written: `S F R P . U E W A`; `-` is none of them. */
export interface TcpFlags {
  readonly fin: boolean
  readonly syn: boolean
  readonly rst: boolean
  readonly psh: boolean
  /** `.` */
  readonly ack: boolean
  /** `U` */
  readonly urg: boolean
  /** `E` */
  readonly ece: boolean
  /** `W` (also `C`) */
  readonly cwr: boolean
  /** `A`, the AE bit of accurate ECN */
  readonly ae: boolean
  /** A digit 0…7 among the letters: the ACE field (AE CWR ECE as a number, AE the highest); then the three are false. */
  readonly ace: number | null
}

/** `start:end(length)`, or with a wildcard `...(length)`. */
export interface Sequence {
  /** `null` for the wildcard `...`. */
  readonly start: number | null
  readonly end: number | null
  /** Octets of payload. */
  readonly length: number
  /** `!` after it: the numbers are those on the wire, not counted from the ISN. */
  readonly absolute: boolean
}

export interface Acknowledgment {
  /** `null` for the wildcard `ack ...`. */
  readonly value: number | null
  /** `!`: the number on the wire. */
  readonly absolute: boolean
}

export type TcpOption =
  | { readonly kind: 'eol' | 'nop' | 'sackOK' }
  | { readonly kind: 'mss'; readonly value: number }
  /** `null` is `wscale *`: any shift. */
  | { readonly kind: 'wscale'; readonly value: number | null }
  | { readonly kind: 'sack'; readonly blocks: readonly SackBlock[] }
  /** `TS val a ecr b`; `null` is `...`, anything. `ecr b!`: the value on the wire, without the mapping of live to script. */
  | {
      readonly kind: 'timestamp'
      readonly val: number | null
      readonly ecr: number | null
      readonly valAbsolute: boolean
      readonly ecrAbsolute: boolean
    }
  /** `FO 0123`, `FO` (a request), `FOEXP 0123` (kind 254, magic 0xF989). The cookie is lower-case hex, `''` for a request. */
  | { readonly kind: 'fast-open'; readonly experimental: boolean; readonly cookie: string }
  /** `md5 0123…` (hex), `md5 valid`, `md5 invalid`, or a bare `md5`: `'valid'`. */
  | { readonly kind: 'md5'; readonly digest: 'valid' | 'invalid' | { readonly hex: string } }
  /**
   * `ECN e0b 1 ceb 0 e1b 1`, `AccECN0 …`, `AccECN1 …`: kind 172 (AccECN0: e0b, ceb, e1b) or 174 (AccECN1: e1b, ceb, e0b).
   * Fields in the order written; the wire holds as many as are written. Values modulo 2^24.
   */
  | {
      readonly kind: 'accurate-ecn'
      readonly optionKind: 172 | 174
      /** `exp-AccECN0`: carried in kind 254 with the magic 0xACC0 or 0xACC1. */
      readonly experimental: boolean
      readonly fields: readonly AccurateEcnField[]
    }
  /** `uto 30`: user timeout (28) in seconds as the option has it: granularity bit and 15 bits, as one number. */
  | { readonly kind: 'user-timeout'; readonly value: number }
  /** `gen-77 0011`, `exp-f989 00`, `exp-tarr 2`: any option, its kind and the octets behind the length as lower-case hex. */
  | { readonly kind: 'generic'; readonly optionKind: number; readonly data: string }

export interface SackBlock {
  readonly left: number
  readonly right: number
  /** `!` after the block: numbers on the wire. */
  readonly absolute: boolean
}

export interface AccurateEcnField {
  readonly name: 'e0b' | 'ceb' | 'e1b'
  readonly value: number
}

/** `udp (100)`, or with ports `udp 1 > 2 (100)`. */
export interface UdpPacket extends PacketBase {
  readonly kind: 'udp'
  /** `null`: the ports of the socket. */
  readonly ports: UdpPorts | null
  /** Octets of payload. */
  readonly length: number
}

/**
 * `icmp unreachable frag_needed mtu 1400 [1:1461(1460)]`. Names stay names: which numbers they have depends on the IP
 * version of the run (`icmp` is ICMPv6 in an IPv6 run). `icmpNumbers` in `icmp.ts` resolves them.
 */
export interface IcmpPacket extends PacketBase {
  readonly kind: 'icmp'
  /** `icmpv6` if the script says so outright. */
  readonly family: 'icmp' | 'icmpv6'
  readonly type: string | number
  readonly code: string | number | null
  /** `mtu n`, octets. */
  readonly mtu: number | null
  /** `id n`, of an echo. */
  readonly id: number | null
  /** What the error quotes: `[1:1461(1460)]`, `[udp (100)]`, `[raw (100)]`. `null`: not said; TCP with sequence number 0. */
  readonly quoted: QuotedPacket | null
}

/** Lengths in octets of payload. */
export type QuotedPacket =
  | { readonly kind: 'tcp'; readonly seq: Sequence; readonly udp: UdpPorts | null }
  | { readonly kind: 'udp' | 'raw'; readonly length: number }

/** `name(arguments) = result ERRNO (note)`. */
export interface CallAction {
  readonly kind: 'call'
  /** Of the name. */
  readonly position: Position
  readonly name: string
  readonly arguments: readonly Expression[]
  /**
   * `a...b name(…)`: the call blocks, and returns at this time. It counts from where the event's own time counts: from
   * the start of the script if that is absolute, from the event before if it is relative (`+.1...0.2`: called after 0.1 s,
   * returns 0.1 s later). `null`: the call returns at once.
   */
  readonly end: Micros | null
  /** What comes back. `ellipsis` is `= ...` or `= ?`: not checked. */
  readonly result: Expression
  /** `EAGAIN` in `= -1 EAGAIN (Resource …)`. */
  readonly errno: { readonly position: Position; readonly name: string } | null
  /** The text in the parentheses behind the result, `flags O_RDWR` or an error's text; not checked. */
  readonly note: string | null
}

/** A back-quoted shell command, which may span lines. */
export interface CommandAction {
  readonly kind: 'command'
  readonly position: Position
  /** Without the quotes; not trimmed. */
  readonly text: string
}

/** `%{ … }%`: Python, evaluated by `evaluate.ts` with the TCP_INFO of this moment. */
export interface CodeAction {
  readonly kind: 'code'
  /** Of the `%{`. */
  readonly position: Position
  /** Of the first character of `text`. */
  readonly textPosition: Position
  readonly text: string
}

/** What may stand as an argument or a result. */
export type Expression =
  /** `...` (or `?`) */
  | { readonly kind: 'ellipsis'; readonly position: Position }
  /** Any base. Exact up to 2^53; `text` is as written. */
  | { readonly kind: 'integer'; readonly position: Position; readonly value: number; readonly text: string }
  | { readonly kind: 'float'; readonly position: Position; readonly value: number; readonly text: string }
  /** Escapes resolved; `"abc"...` is truncated. One character is one octet (latin1). */
  | { readonly kind: 'string'; readonly position: Position; readonly value: string; readonly truncated: boolean }
  /** `SOL_SOCKET`, `ECONNRESET`, `AF_UNSPEC` */
  | { readonly kind: 'symbol'; readonly position: Position; readonly name: string }
  /** `A|B|C`, flat */
  | { readonly kind: 'or'; readonly position: Position; readonly operands: readonly Expression[] }
  /** `-x`, `~x`, `!x`; a negative number is one `integer`. */
  | {
      readonly kind: 'unary'
      readonly position: Position
      readonly operator: '-' | '~' | '!'
      readonly operand: Expression
    }
  /** `a + b`, `a * b`, `a << b` */
  | {
      readonly kind: 'binary'
      readonly position: Position
      readonly operator: '+' | '-' | '*' | '/' | '<<' | '>>' | '&'
      readonly left: Expression
      readonly right: Expression
    }
  /** `a ~ b`: any value between */
  | { readonly kind: 'range'; readonly position: Position; readonly from: Expression; readonly to: Expression }
  /** `htons(8080)`, `inet_addr("192.0.2.1")` */
  | {
      readonly kind: 'call'
      readonly position: Position
      readonly name: string
      readonly arguments: readonly Expression[]
    }
  /** `[a, b]` */
  | { readonly kind: 'array'; readonly position: Position; readonly elements: readonly Expression[] }
  /**
   * `{events=EPOLLIN, fd=4}`, `{..., 4000}`, `scm_timestamping{scm_sec=0, scm_nsec=1}`: fields in the order written.
   * `tag` is the word before the brace.
   */
  | {
      readonly kind: 'struct'
      readonly position: Position
      readonly tag: string | null
      readonly fields: readonly StructField[]
    }

/** `fd=4`; `msg_iov(1)=[…]` has a count; a bare element has no name. */
export interface StructField {
  readonly position: Position
  readonly name: string | null
  readonly count: Expression | null
  readonly value: Expression
}

export type ExpressionOf<K extends Expression['kind']> = Extract<Expression, { kind: K }>
