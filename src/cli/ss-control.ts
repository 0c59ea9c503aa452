import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Complaint } from './up-complaint.js'

/** Where `estab ss` asks a host that is up. */
export interface ControlSocket {
  close(): Promise<void>
}

/** What became of asking everybody who is up. */
export interface Answer {
  readonly interfaceName: string
  readonly pid: number
  readonly text: string
}

/** A directory for sockets of this user: of the system, or made below that for temporary files. */
export function runtimeDirectory(): string {
  const { XDG_RUNTIME_DIR } = process.env
  if (XDG_RUNTIME_DIR) return join(XDG_RUNTIME_DIR, 'estab')
  const uid = process.getuid?.() ?? 0
  const system = `/run/user/${uid}`
  return isOurs(system, uid) ? join(system, 'estab') : join(tmpdir(), `estab-${uid}`)
}

function isOurs(path: string, uid: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === uid
}

/** Answers everybody who connects with what `report` gives. The name has the process in it: namespaces share names of interfaces. */
export async function serveControl(interfaceName: string, report: () => string): Promise<ControlSocket> {
  const directory = runtimeDirectory()
  const path = join(directory, `${interfaceName}-${process.pid}.sock`)
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.end(report())
  })
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    if (!isOurs(directory, process.getuid?.() ?? 0)) throw new Error('it belongs to somebody else')
    rmSync(path, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    })
  } catch (error) {
    throw new Complaint(`No control socket could be made in ${directory}: ${(error as Error).message}.`, 1)
  }
  return { close: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Asks everybody who is up. Sockets that nobody listens on, of processes that were killed, are removed. */
export async function askEverybody(): Promise<Answer[]> {
  const directory = runtimeDirectory()
  const answers: Answer[] = []
  for (const file of sockets(directory)) {
    const [, interfaceName, pid] = /^(.+)-(\d+)\.sock$/.exec(file) ?? []
    if (interfaceName === undefined) continue
    const text = await ask(join(directory, file))
    if (text !== null) answers.push({ interfaceName, pid: Number(pid), text })
  }
  return answers
}

function sockets(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch {
    return []
  }
}

function ask(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(path)
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('end', () => resolve(text))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true })
      resolve(null)
    })
  })
}
