import type {
  CallAction,
  Direction,
  Encapsulation,
  EventTime,
  Expression,
  IcmpPacket,
  IpInfo,
  Micros,
  Packet,
  Sequence,
  StructField,
  TcpFlags,
  TcpOption,
  TcpPacket,
  UdpPorts,
} from './ast.js'

/** The packet in the script's notation, without a time: `> P. 1:101(100) ack 1 win 257`. */
export function printPacket(packet: Packet, direction: Direction): string {
  return `${direction === 'inbound' ? '<' : '>'} ${printPacketBody(packet)}`
}

/** As `printPacket`, without the direction. */
export function printPacketBody(packet: Packet): string {
  const parts = [...packet.encapsulation.map(printEncapsulation), ...printIpInfo(packet.ip)]
  if (packet.kind === 'tcp') parts.push(...printTcp(packet))
  else if (packet.kind === 'icmp') parts.push(...printIcmp(packet))
  else parts.push('udp', ...(packet.ports === null ? [] : [printPorts(packet.ports)]), `(${packet.length})`)
  return parts.join(' ') + printUdpEncapsulation(packet.udp)
}

function printTcp(packet: TcpPacket): string[] {
  const parts = [printFlags(packet.flags), printSequence(packet.seq)]
  if (packet.ack !== null) parts.push(`ack ${packet.ack.value ?? '...'}${packet.ack.absolute ? '!' : ''}`)
  if (packet.window !== null) parts.push(`win ${packet.window === 'any' ? '...' : packet.window}`)
  if (packet.urgent !== null) parts.push(`urg ${packet.urgent}`)
  if (packet.options === 'any') parts.push('<...>')
  else if (packet.options.length > 0) parts.push(`<${packet.options.map(printTcpOption).join(',')}>`)
  return parts
}

function printIcmp(packet: IcmpPacket): string[] {
  const parts = [packet.family as string, typeof packet.type === 'number' ? `type_${packet.type}` : packet.type]
  if (packet.code !== null) parts.push(typeof packet.code === 'number' ? `code_${packet.code}` : packet.code)
  if (packet.mtu !== null) parts.push(`mtu ${packet.mtu}`)
  if (packet.id !== null) parts.push(`id ${packet.id}`)
  const { quoted } = packet
  if (quoted?.kind === 'tcp') parts.push(`[${printSequence(quoted.seq)}${printUdpEncapsulation(quoted.udp)}]`)
  else if (quoted !== null) parts.push(`[${quoted.kind} (${quoted.length})]`)
  return parts
}

const FLAG_LETTERS = [
  ['syn', 'S'],
  ['fin', 'F'],
  ['rst', 'R'],
  ['ece', 'E'],
  ['cwr', 'W'],
  ['ae', 'A'],
  ['psh', 'P'],
  ['urg', 'U'],
  ['ack', '.'],
] as const

/** `SEW`, `F.`, `P.5`; `-` for none. */
export function printFlags(flags: TcpFlags): string {
  const letters = FLAG_LETTERS.map(([flag, letter]) => (flags[flag] ? letter : '')).join('')
  return letters + (flags.ace ?? '') || '-'
}

export function printSequence(seq: Sequence): string {
  const numbers = seq.start === null ? '...' : `${seq.start}:${seq.end}`
  return `${numbers}(${seq.length})${seq.absolute ? '!' : ''}`
}

export function printTcpOption(option: TcpOption): string {
  switch (option.kind) {
    case 'eol':
    case 'nop':
    case 'sackOK':
      return option.kind
    case 'mss':
      return `mss ${option.value}`
    case 'wscale':
      return `wscale ${option.value ?? '*'}`
    case 'sack':
      return `sack ${option.blocks.map(({ left, right, absolute }) => `${left}:${right}${absolute ? '!' : ''}`).join(' ')}`
    case 'timestamp': {
      const val = `${option.val ?? '...'}${option.valAbsolute ? '!' : ''}`
      return `TS val ${val} ecr ${option.ecr ?? '...'}${option.ecrAbsolute ? '!' : ''}`
    }
    case 'fast-open':
      return `${option.experimental ? 'FOEXP' : 'FO'} ${option.cookie}`.trimEnd()
    case 'md5':
      return `md5 ${typeof option.digest === 'string' ? option.digest : option.digest.hex}`
    case 'accurate-ecn': {
      const name = `${option.experimental ? 'exp-' : ''}AccECN${option.optionKind === 172 ? 0 : 1}`
      return [name, ...option.fields.map((field) => `${field.name} ${field.value}`)].join(' ')
    }
    case 'user-timeout':
      return `uto ${option.value}`
    case 'generic':
      return printGeneric(option.optionKind, option.data)
  }
}

function printGeneric(kind: number, data: string): string {
  const [name, rest] =
    kind === 254 && data.length >= 4 ? [`exp-${data.slice(0, 4)}`, data.slice(4)] : [`gen-${kind}`, data]
  return `${name} ${rest}`.trimEnd()
}

const ECN_WORDS = { 0: 'noecn', 1: 'ect1', 2: 'ect0', 3: 'ce', ect01: 'ect01' } as const

function printIpInfo(ip: IpInfo): string[] {
  const fields: string[] = []
  if (ip.trafficClass !== null) fields.push(`tos 0x${ip.trafficClass.toString(16).padStart(2, '0')}`)
  if (ip.dscp !== null) fields.push(`dscp 0x${ip.dscp.toString(16).padStart(2, '0')}`)
  if (ip.hopLimit !== null) fields.push(`ttl ${ip.hopLimit}`)
  if (ip.flowLabel !== null) fields.push(`flowlabel 0x${ip.flowLabel.toString(16).padStart(5, '0')}`)
  return [
    ...(ip.ecn === null ? [] : [`[${ECN_WORDS[ip.ecn]}]`]),
    ...(fields.length === 0 ? [] : [`(${fields.join(', ')})`]),
  ]
}

function printEncapsulation(header: Encapsulation): string {
  switch (header.kind) {
    case 'ipv4':
    case 'ipv6':
      return `${header.kind} ${header.source} > ${header.destination} :`
    case 'gre': {
      const fields: string[] = []
      if (header.flags !== null) fields.push(`flags 0x${header.flags.toString(16)}`)
      if (header.checksum !== null) fields.push(`sum ${header.checksum}`)
      if (header.offset !== null) fields.push(`off ${header.offset}`)
      if (header.key !== null) fields.push(`key ${header.key}`)
      if (header.sequence !== null) fields.push(`seq ${header.sequence}`)
      return `gre ${fields.join(', ')}:`
    }
    case 'mpls': {
      const labels = header.labels.map(
        ({ label, trafficClass, bottom, ttl }) =>
          `(label ${label}, tc ${trafficClass},${bottom ? ' [S],' : ''} ttl ${ttl})`,
      )
      return `mpls ${labels.join(' ')}:`
    }
  }
}

function printUdpEncapsulation(udp: UdpPorts | null): string {
  return udp === null ? '' : `/udp(${printPorts(udp)})`
}

function printPorts({ source, destination }: UdpPorts): string {
  return `${source} > ${destination}`
}

/** `accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)`. */
export function printCall(call: CallAction): string {
  const parts = [`${call.name}(${call.arguments.map(printExpression).join(', ')}) = ${printExpression(call.result)}`]
  if (call.errno !== null) parts.push(call.errno.name)
  if (call.note !== null) parts.push(`(${call.note})`)
  return parts.join(' ')
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'ellipsis':
      return '...'
    case 'integer':
    case 'float':
      return expression.text
    case 'string':
      return JSON.stringify(expression.value) + (expression.truncated ? '...' : '')
    case 'symbol':
      return expression.name
    case 'or':
      return expression.operands.map(printOperand).join('|')
    case 'unary':
      return `${expression.operator}${printOperand(expression.operand)}`
    case 'binary':
      return `${printOperand(expression.left)} ${expression.operator} ${printOperand(expression.right)}`
    case 'range':
      return `${printExpression(expression.from)} ~ ${printExpression(expression.to)}`
    case 'call':
      return `${expression.name}(${expression.arguments.map(printExpression).join(', ')})`
    case 'array':
      return `[${expression.elements.map(printExpression).join(', ')}]`
    case 'struct':
      return `${expression.tag ?? ''}{${expression.fields.map(printField).join(', ')}}`
  }
}

function printOperand(expression: Expression): string {
  const text = printExpression(expression)
  return ['or', 'binary', 'range'].includes(expression.kind) ? `(${text})` : text
}

function printField({ name, count, value }: StructField): string {
  const label = name === null ? '' : `${name}${count === null ? '' : `(${printExpression(count)})`}=`
  return label + printExpression(value)
}

/** `+0.100`, `1.5`, `+0~+0.1`, `*`. */
export function printTime(time: EventTime): string {
  switch (time.kind) {
    case 'any':
      return '*'
    case 'absolute':
      return printMicros(time.at)
    case 'relative':
      return `+${printMicros(time.after)}`
    case 'absolute-range':
      return `${printMicros(time.from)}~${printMicros(time.to)}`
    case 'relative-range':
      return `+${printMicros(time.from)}~+${printMicros(time.to)}`
  }
}

/** Seconds, with as many digits as there are but at least three: `0.100`, `1.000250`. */
export function printMicros(micros: Micros): string {
  const seconds = (Math.abs(micros) / 1e6).toFixed(6).replace(/0{0,3}$/, '')
  return micros < 0 ? `-${seconds}` : seconds
}
