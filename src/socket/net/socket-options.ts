import type { DuplexOptions } from 'node:stream'
import type { EndOptions, OnRead } from './arguments.js'
import type { ConnectionHandle } from './connection-handle.js'
import { argumentValue, checkSignal, systemError } from './errors.js'

/** What a socket is told when it is made. */
export interface SocketOptions extends EndOptions {
  allowHalfOpen?: boolean
  readable?: boolean
  writable?: boolean
  readableHighWaterMark?: number
  writableHighWaterMark?: number
  /** For servers: what the socket stands on. */
  handle?: ConnectionHandle | null
  pauseOnCreate?: boolean
}

/** Forms a stream does not have here. */
const UNSUPPORTED = ['objectMode', 'readableObjectMode', 'writableObjectMode'] as const

/** What the Duplex is to be told; throws for what cannot be. */
export function streamOptions(options: SocketOptions): DuplexOptions {
  for (const name of UNSUPPORTED) {
    if (options[name]) throw argumentValue(`options.${name}`, options[name], 'is not supported')
  }
  if (options.fd !== undefined) throw systemError('ENOTSUP', 'open')
  if (options.signal !== undefined) checkSignal(options.signal, 'options.signal')
  // always of one shape, and a plain one: three constructors read it, for every socket
  const { readable, writable, highWaterMark, readableHighWaterMark, writableHighWaterMark } = options
  const { encoding, defaultEncoding, captureRejections, construct } = options
  const { read, write, writev, destroy, final } = options
  return {
    readable,
    writable,
    highWaterMark,
    readableHighWaterMark,
    writableHighWaterMark,
    encoding,
    defaultEncoding,
    captureRejections,
    read,
    write,
    writev,
    destroy,
    final,
    construct,
    allowHalfOpen: Boolean(options.allowHalfOpen),
    emitClose: false,
    autoDestroy: true,
    decodeStrings: false,
  } as DuplexOptions
}

/** Where text is to come into a buffer of the program's; null: it comes as the stream's. */
export const onreadOf = ({ onread }: SocketOptions): OnRead | null => (takesText(onread) ? onread : null)

const takesText = (onread: OnRead | undefined): onread is OnRead =>
  onread !== null &&
  typeof onread === 'object' &&
  (ArrayBuffer.isView(onread.buffer) || typeof onread.buffer === 'function') &&
  typeof onread.callback === 'function'

/** The buffer for the next text. */
export const bufferOf = ({ buffer }: OnRead): Uint8Array => (typeof buffer === 'function' ? buffer() : buffer)
