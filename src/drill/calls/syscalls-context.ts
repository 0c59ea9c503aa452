import { type OptionValue, type Personality, personality, type SocketAddress } from '../../socket/index.js'
import type { ProfileName } from '../../tcp/index.js'
import { type IpAddress, parseIpAddress } from '../../wire/index.js'
import type { NameValue } from '../code/evaluate.js'
import { Mismatch } from '../failure.js'
import type { Flags } from '../language/flags.js'
import type { Conversation } from '../packets/conversation.js'
import type { Packets } from '../packets/packets.js'
import type { ProgramCalls, Target } from '../target.js'
import { EXTRA_SYMBOLS, type Symbols } from './symbols.js'
import { fieldOf, type Value, what } from './values.js'

export interface CallOptions {
  readonly target: Target
  readonly packets: Packets
  readonly flags: Flags
  readonly profile: ProfileName
}

/** Octets; room enough for every option that code looks at. */
const LARGEST_OPTION = 512

/** What calls need: the program's descriptors on the host, by the script's numbers, and the conversations they are of. */
export class CallContext {
  readonly personality: Personality
  /** Every name a script may use for a number. */
  readonly symbols: Symbols
  readonly packets: Packets
  readonly flags: Flags
  readonly calls: ProgramCalls
  readonly #target: Target
  /** Live descriptors by those of the script. */
  readonly #fds = new Map<number, number>()

  constructor({ target, packets, flags, profile }: CallOptions) {
    this.personality = personality(profile)
    this.symbols = symbolsOf(this.personality)
    this.packets = packets
    this.flags = flags
    this.#target = target
    this.calls = target.calls
  }

  /** The target's clock, ms. */
  get now(): number {
    return this.#target.now
  }

  number(name: string): number {
    return this.personality.numbers[name] ?? Number.NaN
  }

  // --- descriptors ---

  /** The live descriptor for one of the script. */
  live(scriptFd: number): number {
    const live = this.#fds.get(scriptFd)
    if (live === undefined) throw new Mismatch(`no descriptor ${scriptFd} is open in the script`)
    return live
  }

  /** The script's number for a live descriptor; -1: it has none. */
  scriptFdOf(live: number): number {
    for (const [script, other] of this.#fds) if (other === live) return script
    return -1
  }

  opened(scriptFd: number, live: number): void {
    if (this.#fds.has(scriptFd)) throw new Mismatch(`descriptor ${scriptFd} is open in the script already`)
    this.#fds.set(scriptFd, live)
  }

  /** As opened, but an accepted connection may take over the number of another, which the script then cannot name. */
  accepted(scriptFd: number, live: number): void {
    this.#fds.set(scriptFd, live)
  }

  closed(scriptFd: number): void {
    this.#fds.delete(scriptFd)
    const conversation = this.packets.byFd(scriptFd)
    if (conversation !== null) conversation.closed = true
  }

  conversation(scriptFd: number): Conversation | null {
    return this.packets.byFd(scriptFd)
  }

  // --- addresses ---

  /** AF_INET or AF_INET6, as the run's sockets are. */
  get family(): number {
    return this.flags.ipVersion === 'ipv4' ? this.number('AF_INET') : this.number('AF_INET6')
  }

  /** A struct sockaddr; `...` is `otherwise`, in the family of the run's sockets. */
  address(value: Value, otherwise: { readonly address: IpAddress; readonly port: number }): SocketAddress {
    switch (value.kind) {
      case 'any':
        return { family: this.family, ...otherwise }
      case 'number':
        return { family: value.number }
      case 'struct':
        return this.#addressOf(value)
      default:
        throw new Mismatch(`expected an address, found ${what(value)}`)
    }
  }

  /** `{sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr("192.0.2.1")}` */
  #addressOf(value: Value & { readonly kind: 'struct' }): SocketAddress {
    const field = (...names: string[]) => names.map((name) => fieldOf(value, name)).find((found) => found !== undefined)
    const family = field('sa_family', 'sin_family', 'sin6_family')
    const port = field('sin_port', 'sin6_port')
    const address = field('sin_addr', 'sin6_addr')
    return {
      family: family?.kind === 'number' ? family.number : this.family,
      ...(port?.kind === 'number' ? { port: port.number } : {}),
      ...(address?.kind === 'text' ? { address: parseIpAddress(address.text) } : {}),
    }
  }

  // --- what others ask ---

  sample(): [string, NameValue][] {
    const { underTest } = this.packets
    if (underTest === null) throw new Mismatch('no socket was made whose TCP_INFO the code could look at')
    if (underTest.liveFd < 0) throw new Mismatch('the connection whose TCP_INFO the code looks at is not accepted yet')
    const info = this.#option(underTest.liveFd, 'IPPROTO_TCP', 'TCP_INFO')
    const names = Object.entries(info as Readonly<Record<string, number>>)
    if (this.personality.system === 'freebsd') return names
    const memory = this.#option(underTest.liveFd, 'SOL_SOCKET', 'SO_MEMINFO')
    if (!Array.isArray(memory)) return names
    const meminfo = Object.entries(this.personality.numbers).filter(([name]) => name.startsWith('SK_MEMINFO_'))
    return [...names, ...meminfo.map(([name, at]): [string, number] => [name, Number(memory[at] ?? 0)])]
  }

  #option(live: number, level: string, name: string): OptionValue {
    const result = this.calls.getsockopt(live, this.number(level), this.number(name), LARGEST_OPTION)
    if (result.result < 0 || result.value === undefined) {
      throw new Mismatch(`getsockopt(${name}) failed with ${result.errno}`)
    }
    return result.value
  }
}

/** By personality: there are some thousand of them, and a run takes milliseconds. */
const known = new Map<Personality, Symbols>()

function symbolsOf(of: Personality): Symbols {
  let symbols = known.get(of)
  if (symbols === undefined) {
    symbols = { ...EXTRA_SYMBOLS, ...of.numbers }
    known.set(of, symbols)
  }
  return symbols
}
