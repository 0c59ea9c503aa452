import { errnoText } from '../errno.js'

const MORE_TEXTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such name',
  ECANCELED: 'closed before it was open',
  EPIPE: 'the writable side is closed',
}

/** Why a connection failed: `code` is the system's name of it ('ECONNREFUSED'). A TypeError, as WinterTC's sockets API has it. */
export class SocketError extends TypeError {
  override readonly name = 'SocketError'
  readonly code: string

  /** @param what what was asked: 'connect 192.0.2.1:80' */
  constructor(code: string, what: string) {
    super(`${what}: ${MORE_TEXTS[code] ?? errnoText(code, 'linux').toLowerCase()} (${code})`)
    this.code = code
  }
}
