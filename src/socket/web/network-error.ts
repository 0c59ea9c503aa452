/** Why a connection failed: `code` is the system's name of it ('ECONNREFUSED'). */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: string

  /** @param what what was asked: 'connect 192.0.2.1:80' */
  constructor(code: string, what: string) {
    super(`${what}: ${code}`)
    this.code = code
  }
}
