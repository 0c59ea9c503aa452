import { endianness } from 'node:os'
import type { ControlMessage, SocketAddress } from '../../socket/index.js'
import { IpAddress } from '../../wire/index.js'
import type { CLibrary, Memory } from './c-library.js'

export const AF_INET = 2
export const AF_INET6 = 10

/** Numbers in the structs of the kernel are in the order of the processor. */
export const LITTLE = endianness() === 'LE'

const SOL_IP = 0
const SOL_SOCKET = 1
const SOL_IPV6 = 41
const IP_RECVERR = 11
const IPV6_RECVERR = 25
const SCM_TIMESTAMPING = 37

/** struct sockaddr_in and sockaddr_in6; another family: as short a sockaddr as there is. */
export function sockaddr(c: CLibrary, { family, port = 0, address }: SocketAddress): Memory {
  const memory = c.memory(family === AF_INET6 ? 28 : 16)
  const { view } = memory
  view.setUint16(0, family, LITTLE)
  view.setUint16(2, port)
  if (address === undefined) return memory
  if (family === AF_INET6) {
    for (const [i, word] of [address.w0, address.w1, address.w2, address.w3].entries()) view.setInt32(8 + 4 * i, word)
  } else view.setInt32(4, address.w3)
  return memory
}

/** The address and port of a struct sockaddr. */
export function readSockaddr({ view }: Memory): SocketAddress {
  const family = view.getUint16(0, LITTLE)
  const port = view.getUint16(2)
  const word = (at: number) => view.getInt32(at)
  if (family === AF_INET) return { family, port, address: new IpAddress(0, 0, 0xffff, word(4)) }
  if (family !== AF_INET6) return { family }
  return { family, port, address: new IpAddress(word(8), word(12), word(16), word(20)) }
}

/** struct msghdr and what it points at. */
export interface MessageMemory {
  readonly header: Memory
  readonly control: Memory | null
  /** Kept, because the header has only their addresses. */
  readonly held: readonly Memory[]
}

const HEADER_LENGTH = 56
/** Where the fields of a struct msghdr are (64-bit Linux). */
const HEADER = { name: 0, nameLength: 8, parts: 16, partCount: 24, control: 32, controlLength: 40, flags: 48 } as const

export function msghdr(c: CLibrary, text: Memory, name: Memory | null, controlRoom: number): MessageMemory {
  const header = c.memory(HEADER_LENGTH)
  const part = c.memory(16)
  const control = controlRoom > 0 ? c.memory(controlRoom) : null
  const pointer = (memory: Memory, at: number, to: Memory) => memory.view.setBigUint64(at, BigInt(to.address), LITTLE)
  pointer(part, 0, text)
  part.view.setBigUint64(8, BigInt(text.bytes.length), LITTLE)
  pointer(header, HEADER.parts, part)
  header.view.setBigUint64(HEADER.partCount, 1n, LITTLE)
  if (name !== null) {
    pointer(header, HEADER.name, name)
    header.view.setUint32(HEADER.nameLength, name.bytes.length, LITTLE)
  }
  if (control !== null) {
    pointer(header, HEADER.control, control)
    header.view.setBigUint64(HEADER.controlLength, BigInt(controlRoom), LITTLE)
  }
  const held = [part, text, ...(name === null ? [] : [name])]
  return { header, control, held }
}

/** msg_flags of a message received. */
export const messageFlags = ({ header }: MessageMemory): number => header.view.getInt32(HEADER.flags, LITTLE)

/**
 * The control messages of a message received.
 * @param toTargetTime from ns of the wall clock to ns of the target's clock
 */
export function controlMessages(
  { header, control }: MessageMemory,
  toTargetTime: (wall: bigint) => bigint,
): ControlMessage[] {
  if (control === null) return []
  const length = Number(header.view.getBigUint64(HEADER.controlLength, LITTLE))
  const { view } = control
  const found: ControlMessage[] = []
  for (let at = 0; at + 16 <= length; ) {
    const size = Number(view.getBigUint64(at, LITTLE))
    if (size < 16 || at + size > length) break
    const level = view.getInt32(at + 8, LITTLE)
    const type = view.getInt32(at + 12, LITTLE)
    found.push({ level, type, data: controlData(view, at + 16, level, type, toTargetTime) })
    at += (size + 7) & ~7
  }
  return found
}

function controlData(
  view: DataView,
  at: number,
  level: number,
  type: number,
  toTargetTime: (wall: bigint) => bigint,
): ControlMessage['data'] {
  if ((level === SOL_IP && type === IP_RECVERR) || (level === SOL_IPV6 && type === IPV6_RECVERR)) {
    return {
      ee_errno: view.getUint32(at, LITTLE),
      ee_origin: view.getUint8(at + 4),
      ee_type: view.getUint8(at + 5),
      ee_code: view.getUint8(at + 6),
      ee_info: view.getUint32(at + 8, LITTLE),
      ee_data: view.getUint32(at + 12, LITTLE),
    }
  }
  if (level === SOL_SOCKET && type === SCM_TIMESTAMPING) {
    const time = toTargetTime(readTimespec(view, at))
    return { scm_sec: Number(time / 1_000_000_000n), scm_nsec: Number(time % 1_000_000_000n) }
  }
  return view.getInt32(at, LITTLE)
}

/** struct timespec in ns. */
export const readTimespec = (view: DataView, at: number): bigint =>
  view.getBigInt64(at, LITTLE) * 1_000_000_000n + view.getBigInt64(at + 8, LITTLE)
