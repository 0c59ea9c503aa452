import { lookup } from 'node:dns/promises'
import { type Command, Option } from 'commander'
import { errnoText } from '../socket/index.js'
import {
  type Connection,
  type ErrorName,
  type Instant,
  openActive,
  receiveChunk,
  send,
  shutdownWrite,
} from '../tcp/index.js'
import { parseIpAddress } from '../wire/index.js'
import { Complaint, complained } from './up-complaint.js'
import { type Conversation, Hold } from './up-hold.js'
import { HostUp } from './up-host.js'
import { farewell, Interruption } from './up-interrupt.js'
import { type HostChoices, toPort, withHostOptions } from './up-options.js'
import { listen } from './up-servers.js'

interface NcChoices extends HostChoices {
  readonly listen?: boolean
  /** -N. */
  readonly shutdown?: boolean
  readonly verbose?: boolean
}

/** As shells tell that a signal ended a program: 128 and SIGINT. */
const INTERRUPTED = 130
/** How long a FIN waits to be acknowledged, ms. */
const PATIENCE = 5000

/** Adds `estab nc` to the program; the exit code goes to `ended`. */
export function addNc(program: Command, ended: (status: number) => void): void {
  withHostOptions(program.command('nc'))
    .description('netcat from a host of our own: standard input to a connection, what comes back to standard output')
    .usage('[options] HOST PORT\n       estab nc -l [options] PORT')
    .argument('[hostAndPort...]')
    .option('-l, --listen', 'wait for one connection instead of making one')
    .addOption(new Option('-N, --shutdown', 'half-close at the end of standard input'))
    .option('-v, --verbose', 'tell of the connection on standard error')
    .action(async (words: string[], choices: NcChoices) => {
      ended(await complained(() => runNc(words, choices)))
    })
}

async function runNc(words: string[], choices: NcChoices): Promise<number> {
  const listening = choices.listen === true
  if (words.length !== (listening ? 1 : 2)) {
    throw new Complaint(
      listening
        ? "nc -l takes PORT, as in 'estab nc -l 4000'."
        : "nc takes HOST PORT, as in 'estab nc 10.77.0.1 80', or -l and PORT.",
      2,
    )
  }
  const port = portOf(words.at(-1)!)
  const interruption = new Interruption()
  const up = await HostUp.start(choices)
  const pipe = new StandardPipe(choices.shutdown === true, listening && process.stdin.isTTY)
  try {
    const tell = (text: string) => {
      if (choices.verbose === true) process.stderr.write(`${text}\n`)
    }
    if (listening) await acceptOne(up, port, pipe, interruption, tell)
    else await connectTo(up, words[0]!, port, pipe, tell)
    const end = await Promise.race([
      pipe.over,
      interruption.nth(1).then(() => INTERRUPTED),
      up.device.closed.then((error) => new Complaint(error?.message ?? 'The device was closed.', 1)),
    ])
    if (end instanceof Complaint) throw end
    if (end === INTERRUPTED) await farewell(up, interruption)
    else if (!(await up.untilQuiet(PATIENCE))) up.abortConnections()
    return end
  } finally {
    interruption.forget()
    await up.stop()
    process.stdin.destroy()
  }
}

function portOf(text: string): number {
  try {
    return toPort(text)
  } catch (error) {
    throw new Complaint((error as Error).message, 2)
  }
}

async function connectTo(up: HostUp, name: string, port: number, pipe: StandardPipe, tell: Tell): Promise<void> {
  const families = new Set(up.ends.ours.map(({ address }) => (address.isIPv4 ? 4 : 6)))
  const found = await lookup(name, { all: true }).catch(() => [])
  if (found.length === 0) throw new Complaint(`No address is known for ${name}.`, 1)
  const chosen = found.find(({ family }) => families.has(family as 4 | 6))
  if (chosen === undefined) {
    throw new Complaint(`${name} is ${found[0]!.address}: our host has no IPv${found[0]!.family} address.`, 1)
  }
  const remote = parseIpAddress(chosen.address)
  const { host } = up
  if (/^(127\.|::1$)/.test(chosen.address)) {
    const kernels = up.ends.kernels.map(({ address }) => `${address}`).join(' or ')
    throw new Complaint(`${name} would be our own host, where nobody listens: the kernel is ${kernels}.`, 1)
  }
  const local = host.sourceAddress(remote)
  if (local === null) throw new Complaint(`No route to ${remote}.`, 1)
  const localPort = host.ports.forConnection(local, remote, port)
  up.enter((now) => {
    const hold: Hold = new Hold(up, () => connection, pipe)
    const request = { local, localPort, remote, remotePort: port, user: hold }
    const connection: Connection = openActive(host, request, now)
    pipe.begin(`${remote}:${port}`, tell, () => hold.again())
    hold.notify()
  })
}

/** Waits until somebody has connected, or Ctrl-C. */
async function acceptOne(
  up: HostUp,
  port: number,
  pipe: StandardPipe,
  interruption: Interruption,
  tell: Tell,
): Promise<void> {
  await Promise.race([
    interruption.nth(1),
    new Promise<void>((resolve) => {
      let taken = false
      up.enter(() => {
        const listener = listen(up, port, (again) => {
          // one is accepted; those that connected at the same time are sent away
          if (taken) return TURNED_AWAY
          taken = true
          up.listeners.delete(listener)
          setImmediate(() => up.enter((now) => listener.close(now)))
          pipe.begin(`port ${port}`, tell, again)
          resolve()
          return pipe
        })
      })
      tell(`listening on ${up.ends.ours.map(({ address }) => `${address}`).join(' and ')}, port ${port}`)
    }),
  ])
}

const TURNED_AWAY: Conversation = { turn: () => 'through' }

type Tell = (text: string) => void

/** Standard input to a connection, and what comes back to standard output. */
class StandardPipe implements Conversation {
  /** Fulfilled when the connection has ended, with the exit code, or with what to complain of. */
  readonly over: Promise<number | Complaint>
  readonly #halfClose: boolean
  readonly #endsWithPeer: boolean
  readonly #pending: Uint8Array[] = []
  #resolve!: (end: number | Complaint) => void
  #peer = ''
  #tell: Tell = () => {}
  #connected = false
  #inputEnded = false
  #inputShut = false
  #peerEnded = false
  #outputFull = false

  /** @param endsWithPeer the peer's FIN ends everything: nobody would know to end the input by hand */
  constructor(halfClose: boolean, endsWithPeer: boolean) {
    this.#halfClose = halfClose
    this.#endsWithPeer = endsWithPeer
    this.over = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  begin(peer: string, tell: Tell, again: () => void): void {
    this.#peer = peer
    this.#tell = tell
    const { stdin, stdout } = process
    stdin.on('data', (chunk: Buffer) => {
      this.#pending.push(chunk)
      stdin.pause()
      again()
    })
    stdin.on('end', () => {
      this.#inputEnded = true
      again()
    })
    stdin.on('error', () => {
      this.#inputEnded = true
      again()
    })
    stdout.on('drain', () => {
      this.#outputFull = false
      again()
    })
  }

  turn(c: Connection, now: Instant): 'waits' | 'through' {
    if (c.established && !this.#connected) {
      this.#connected = true
      this.#tell(`connected to ${c.remote}, port ${c.remotePort}`)
    }
    const failed = this.#receive(c, now) ?? this.#send(c, now)
    if (failed !== null) return this.#fail(failed)
    if (!this.#peerEnded || this.#pending.length > 0 || !(this.#inputEnded || this.#endsWithPeer)) return 'waits'
    this.#resolve(0)
    return 'through'
  }

  #receive(c: Connection, now: Instant): ErrorName | null {
    while (!this.#peerEnded && !this.#outputFull) {
      const text = receiveChunk(c, LONGEST_READ, now)
      if (text === 'EAGAIN') return null
      if (typeof text === 'string') return text
      if (text === null) this.#peerEnded = true
      else if (!process.stdout.write(text)) this.#outputFull = true
    }
    return null
  }

  #send(c: Connection, now: Instant): ErrorName | null {
    // FreeBSD takes nothing before the connection is there
    if (!c.established) return null
    while (this.#pending.length > 0) {
      const chunk = this.#pending[0]!
      const taken = send(c, chunk, 0, now)
      if (taken === 'EAGAIN') return null
      if (typeof taken === 'string') return taken
      if (taken < chunk.length) {
        this.#pending[0] = chunk.subarray(taken)
        return null
      }
      this.#pending.shift()
    }
    if (!this.#inputEnded) process.stdin.resume()
    else if (this.#halfClose && !this.#inputShut) {
      this.#inputShut = true
      shutdownWrite(c, now)
    }
    return null
  }

  #fail(error: ErrorName): 'through' {
    const what = this.#connected ? 'The connection to' : 'Connecting to'
    this.#resolve(new Complaint(`${what} ${this.#peer} failed: ${errnoText(error, 'linux')} (${error}).`, 1))
    return 'through'
  }
}

/** Octets taken at one go. */
const LONGEST_READ = 256 * 1024
