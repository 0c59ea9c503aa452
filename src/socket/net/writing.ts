import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import type { Callback } from './arguments.js'

const { nextTick } = process

/** What a Duplex hands to `_writev`. */
export interface WrittenChunk {
  chunk: string | Buffer
  encoding: BufferEncoding
}

/** The octets of a write. */
export const octetsOf = (chunk: string | Buffer, encoding: BufferEncoding): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk

/** How many octets of chunks these are. */
export function lengthOf(chunks: readonly WrittenChunk[]): number {
  let octets = 0
  for (const { chunk, encoding } of chunks) octets += Buffer.byteLength(chunk, encoding)
  return octets
}

/** After the peer's FIN, a socket that is not to be half open takes nothing more. */
export function refuseWritesAfterEnd(this: Duplex): void {
  if (this.allowHalfOpen) return
  this.write = writeAfterEnd as Duplex['write']
}

function writeAfterEnd(this: Duplex, chunk: never, encoding: never, callback: Callback): boolean {
  if (!this.writableEnded) return Duplex.prototype.write.call(this, chunk, encoding, callback)
  const given: unknown = typeof encoding === 'function' ? encoding : callback
  const error = Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })
  if (typeof given === 'function') nextTick(given as Callback, error)
  this.destroy(error)
  return false
}
