import type { OptionValue } from '../../socket/index.js'
import { IpAddress } from '../../wire/index.js'
import { Mismatch } from '../failure.js'
import type { CLibrary, Memory } from './c-library.js'
import { AF_INET, AF_INET6, LITTLE } from './structs.js'
import { readTcpInfo } from './tcp-info-fields.js'

const SOL_SOCKET = 1
const SOL_TCP = 6
const SO_LINGER = 13
const SO_RCVTIMEO = 20
const SO_SNDTIMEO = 21
const SO_MAX_PACING_RATE = 47
const SO_MEMINFO = 55
const TCP_INFO = 11
const TCP_CONGESTION = 13
const TCP_ULP = 31
const TCP_FASTOPEN_KEY = 33
const KEY_LENGTH = 80

/** The octets of an option's value, as long as the script says. */
export function optionMemory(c: CLibrary, value: OptionValue, length: number | undefined): Memory {
  const octets = optionOctets(value)
  const memory = c.memory(Math.max(octets.length, length ?? 0))
  memory.bytes.set(octets)
  return memory
}

function optionOctets(value: OptionValue): Uint8Array {
  if (typeof value === 'number') return ints([value])
  if (typeof value === 'string') return Uint8Array.from(value, (character) => character.charCodeAt(0))
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return ints(value)
  if ('on' in value && 'seconds' in value) return ints([Number(value.on), Number(value.seconds)])
  if ('microseconds' in value && 'seconds' in value) {
    return new Uint8Array(new BigInt64Array([BigInt(value.seconds), BigInt(value.microseconds)]).buffer)
  }
  if ('peer' in value && value.peer instanceof IpAddress) return md5Signature(value as Md5Signature)
  throw new Mismatch('the struct of this option is not known to the kernel')
}

type Md5Signature = Extract<OptionValue, { readonly peer: IpAddress; readonly key: Uint8Array }>

/** struct tcp_md5sig */
function md5Signature({ peer, key, prefixLength }: Md5Signature): Uint8Array {
  const octets = new Uint8Array(128 + 8 + KEY_LENGTH)
  const view = new DataView(octets.buffer)
  view.setUint16(0, peer.isIPv4 ? AF_INET : AF_INET6, LITTLE)
  if (peer.isIPv4) view.setInt32(4, peer.w3)
  else for (const [i, word] of [peer.w0, peer.w1, peer.w2, peer.w3].entries()) view.setInt32(8 + 4 * i, word)
  view.setUint8(128, prefixLength === undefined ? 0 : 1)
  view.setUint8(129, prefixLength ?? 0)
  view.setUint16(130, key.length, LITTLE)
  octets.set(key, 136)
  return octets
}

const ints = (numbers: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(numbers).buffer)

/** The value of an option as the kernel gave it. */
export function readOption(level: number, option: number, { bytes, view }: Memory, length: number): OptionValue {
  const int = (index: number) => view.getInt32(4 * index, LITTLE)
  if (level === SOL_TCP) {
    if (option === TCP_INFO) return readTcpInfo(view, length)
    if (option === TCP_CONGESTION || option === TCP_ULP) return untilNul(bytes.subarray(0, length))
    if (option === TCP_FASTOPEN_KEY) return bytes.slice(0, length)
  }
  if (level === SOL_SOCKET) {
    if (option === SO_LINGER) return { on: int(0) !== 0, seconds: int(1) }
    if (option === SO_RCVTIMEO || option === SO_SNDTIMEO) {
      return { seconds: Number(view.getBigInt64(0, LITTLE)), microseconds: Number(view.getBigInt64(8, LITTLE)) }
    }
    if (option === SO_MEMINFO) return Array.from({ length: length >> 2 }, (_, i) => view.getUint32(4 * i, LITTLE))
    if (option === SO_MAX_PACING_RATE && length === 8) return Number(view.getBigUint64(0, LITTLE))
  }
  if (length >= 8) return bytes.slice(0, length)
  return length >= 4 ? int(0) : (bytes[0] ?? 0)
}

function untilNul(octets: Uint8Array): string {
  const end = octets.indexOf(0)
  return String.fromCharCode(...(end < 0 ? octets : octets.subarray(0, end)))
}
