import { type FileHandle, open, readdir, realpath, stat } from 'node:fs/promises'
import { extname, join, resolve, sep } from 'node:path'
import { type Connection, type Instant, receiveChunk, send } from '../tcp/index.js'
import type { Conversation } from './up-hold.js'

/** Octets of a request line and its headers, and of a file read at one go. */
const LONGEST_REQUEST = 16 * 1024
const LARGEST_READ = 256 * 1024

const PAGE = `<!doctype html>
<title>Estab</title>
<h1>It works</h1>
<p>This page came to you over a TCP written in TypeScript.</p>
`

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  301: 'Moved Permanently',
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
}

/** What a path leads to: a text, or an open file. */
type Found =
  | { readonly status: number; readonly type: string; readonly text: string; readonly location?: string }
  | { readonly status: 200; readonly type: string; readonly file: FileHandle; readonly size: number }

interface Request {
  readonly method: string
  readonly path: string
  /** The connection stays open behind the answer. */
  readonly persistent: boolean
}

/** HTTP/1.1, as much of it as GET and HEAD need: one answer at a time, connections that persist. */
export class HttpConversation implements Conversation {
  readonly #root: string | null
  readonly #again: () => void
  #received = ''
  /** What is to be sent next; more of it may follow from `#file`. */
  #out: Uint8Array | null = null
  #file: FileHandle | null = null
  /** Octets of the file not read yet. */
  #left = 0
  /** A file is being opened or read. */
  #busy = false
  #last = false
  #over = false

  /** @param root a directory; null: a fixed page. @param again asks for another turn */
  constructor(root: string | null, again: () => void) {
    this.#root = root
    this.#again = again
  }

  turn(c: Connection, now: Instant): 'waits' | 'through' {
    for (;;) {
      if (this.#out !== null) {
        const taken = send(c, this.#out, 0, now)
        if (taken === 'EAGAIN') return 'waits'
        if (typeof taken === 'string') return 'through'
        this.#out = taken === this.#out.length ? null : this.#out.subarray(taken)
        if (this.#out !== null) return 'waits'
      }
      if (this.#busy) return 'waits'
      if (this.#file !== null) {
        this.#readOn(this.#file)
        return 'waits'
      }
      if (this.#last) return 'through'
      const request = this.#takeRequest()
      if (request !== null) {
        this.#answer(request)
        continue
      }
      const text = receiveChunk(c, LONGEST_REQUEST, now)
      if (!(text instanceof Uint8Array)) return text === 'EAGAIN' ? 'waits' : 'through'
      this.#received += Buffer.from(text.buffer, text.byteOffset, text.length).toString('latin1')
    }
  }

  ended(): void {
    this.#over = true
    void this.#file?.close()
    this.#file = null
  }

  /** The next whole request; a number: what it is answered with because it is none; null: it is not all there. */
  #takeRequest(): Request | number | null {
    const end = this.#received.indexOf('\r\n\r\n')
    if ((end < 0 ? this.#received.length : end) > LONGEST_REQUEST) return 431
    if (end < 0) return null
    const head = this.#received.slice(0, end)
    this.#received = this.#received.slice(end + 4)
    const [, method, path, version] = /^(\S+) (\S+) HTTP\/1\.([01])(?:\r\n|$)/.exec(head) ?? []
    if (method === undefined || path === undefined) return 400
    const connection = /^connection:[ \t]*([^\r]*)/im.exec(head)?.[1]?.toLowerCase() ?? ''
    const hasBody = /^(content-length:[ \t]*[1-9]|transfer-encoding:)/im.test(head)
    const persistent = !hasBody && (version === '1' ? !connection.includes('close') : connection.includes('keep-alive'))
    return { method, path, persistent }
  }

  #answer(request: Request | number): void {
    if (typeof request === 'number') return this.#refuse(request, null)
    const { method } = request
    if (method !== 'GET' && method !== 'HEAD') return this.#refuse(405, null)
    if (this.#root === null) {
      if (request.path === '/') return this.#begin({ status: 200, type: TYPES['.html']!, text: PAGE }, request)
      return this.#refuse(404, request)
    }
    this.#busy = true
    lookUp(this.#root, request.path)
      .catch(() => failure(500))
      .then((found) => {
        this.#busy = false
        if (!this.#over) this.#begin(found, request)
        else if ('file' in found) void found.file.close()
        this.#again()
      })
  }

  #refuse(status: number, request: Request | null): void {
    this.#begin(failure(status), request)
  }

  /** @param request null: nothing that follows on this connection can be understood */
  #begin(found: Found, request: Request | null): void {
    this.#last = request?.persistent !== true
    const body = 'text' in found ? Buffer.from(found.text) : null
    const length = 'file' in found ? found.size : body!.length
    const location = 'location' in found ? `Location: ${found.location}\r\n` : ''
    const allow = found.status === 405 ? 'Allow: GET, HEAD\r\n' : ''
    const head = Buffer.from(
      `HTTP/1.1 ${found.status} ${REASONS[found.status]}\r\nServer: estab\r\nContent-Type: ${found.type}\r\n` +
        `Content-Length: ${length}\r\n${location}${allow}Connection: ${this.#last ? 'close' : 'keep-alive'}\r\n\r\n`,
      'latin1',
    )
    const isHead = request?.method === 'HEAD'
    this.#out = body === null || isHead ? head : Buffer.concat([head, body])
    if (!('file' in found)) return
    if (isHead || length === 0) void found.file.close()
    else {
      this.#file = found.file
      this.#left = length
    }
  }

  #readOn(file: FileHandle): void {
    this.#busy = true
    const buffer = Buffer.allocUnsafe(Math.min(LARGEST_READ, this.#left))
    file
      .read(buffer, 0, buffer.length)
      .catch(() => ({ bytesRead: 0 }))
      .then(({ bytesRead }) => {
        this.#busy = false
        if (this.#over) return
        this.#left -= bytesRead
        this.#out = buffer.subarray(0, bytesRead)
        if (bytesRead === 0) {
          // it is shorter than was said: only an early end tells the client
          this.#out = null
          this.#last = true
        }
        if (bytesRead === 0 || this.#left === 0) {
          this.#file = null
          void file.close()
        }
        this.#again()
      })
  }
}

function failure(status: number): Found {
  return { status, type: TYPES['.txt']!, text: `${status} ${REASONS[status]}\n` }
}

/** What a path of a URL leads to below a directory; nothing outside of it, by dots or by links. */
async function lookUp(root: string, target: string): Promise<Found> {
  let path: string
  try {
    path = decodeURIComponent(target.replace(/[?#].*$/, ''))
  } catch {
    return failure(400)
  }
  if (!path.startsWith('/') || path.includes('\0')) return failure(400)
  const top = await realpath(root)
  const place = await realpath(resolve(top, `.${path}`)).catch(() => null)
  if (place === null || (place !== top && !place.startsWith(top.endsWith(sep) ? top : top + sep))) return failure(404)
  const entry = await stat(place)
  if (entry.isFile()) return openFile(place)
  if (!entry.isDirectory()) return failure(404)
  // links on the page are relative to the directory, whose name must end in '/'
  if (!path.endsWith('/')) return { ...failure(301), location: `${encodeURI(path)}/` } as Found
  const index = join(place, 'index.html')
  if (await isPlainFile(index)) return openFile(index)
  return listing(place, path)
}

async function isPlainFile(path: string): Promise<boolean> {
  return (await realpath(path).catch(() => null)) === path && (await stat(path)).isFile()
}

async function openFile(path: string): Promise<Found> {
  const file = await open(path).catch(() => null)
  if (file === null) return failure(404)
  const { size } = await file.stat()
  return { status: 200, type: TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream', file, size }
}

async function listing(place: string, path: string): Promise<Found> {
  const entries = await readdir(place, { withFileTypes: true })
  const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
  const rows = names.map(
    (name) => `<li><a href="./${encodeURIComponent(name).replace('%2F', '/')}">${escaped(name)}</a>\n`,
  )
  const title = escaped(path)
  const text = `<!doctype html>\n<title>${title}</title>\n<h1>${title}</h1>\n<ul>\n${rows.join('')}</ul>\n`
  return { status: 200, type: TYPES['.html']!, text }
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}
