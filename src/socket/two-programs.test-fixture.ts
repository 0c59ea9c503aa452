import type { Host } from '../ip/index.js'
import { createNetwork, type Network, type NetworkOptions } from '../sim/index.js'
import type { ProfileName, Settings } from '../tcp/index.js'
import type { IpAddress } from '../wire/index.js'
import type { SocketAddress } from './address.js'
import { Calls } from './calls.js'
import { personality } from './personality.js'
import { isPending, type Outcome, type Result } from './result.js'

export interface Program {
  readonly host: Host
  readonly calls: Calls
  readonly n: Readonly<Record<string, number>>
  readonly address: IpAddress
}

export interface TwoPrograms {
  readonly net: Network
  readonly client: Program
  readonly server: Program
  /** Where the server is to be reached. */
  at(port: number): SocketAddress
}

/** Programs on two hosts, 10 ms apart. */
export function twoPrograms(
  profile: ProfileName = 'linux',
  settings: Partial<Settings> = {},
  network: NetworkOptions = {},
): TwoPrograms {
  const net = createNetwork({ latency: 10, ...network })
  const program = (name: string): Program => {
    const host = net.host(name, { profile, settings })
    const manners = personality(profile)
    return {
      host,
      calls: new Calls(host, manners, () => net.now),
      n: manners.numbers,
      address: host.interfaces[1]!.addresses[0]!.address,
    }
  }
  const client = program('client')
  const server = program('server')
  return {
    net,
    client,
    server,
    at: (port) => ({ family: server.n.AF_INET!, address: server.address, port }),
  }
}

/** A listening socket on a port. */
export function listening({ calls, n }: Program, port: number, backlog = 5): number {
  const fd = calls.socket(n.AF_INET!, n.SOCK_STREAM!).result
  calls.setsockopt(fd, 'SOL_SOCKET', 'SO_REUSEADDR', 1)
  expectDone(calls.bind(fd, { family: n.AF_INET!, port }))
  expectDone(calls.listen(fd, backlog))
  return fd
}

export const streamSocket = ({ calls, n }: Program, flags = 0): number =>
  calls.socket(n.AF_INET!, n.SOCK_STREAM! | flags).result

export interface Connected extends TwoPrograms {
  /** Descriptors of the two ends, and of the listener. */
  readonly c: number
  readonly s: number
  readonly l: number
}

/** A connection between the two, accepted. */
export function connected(
  profile: ProfileName = 'linux',
  settings: Partial<Settings> = {},
  network: NetworkOptions = {},
): Connected {
  const both = twoPrograms(profile, settings, network)
  const { net, client, server } = both
  const l = listening(server, 80)
  const c = streamSocket(client)
  const connecting = watched(client.calls.connect(c, both.at(80)))
  net.advance(50)
  if (connecting.result?.result !== 0) throw new Error(`connect: ${connecting.result?.errno ?? 'still waiting'}`)
  const accepted = watched(server.calls.accept(l))
  const s = accepted.result?.result ?? -1
  if (s < 0) throw new Error(`accept: ${accepted.result?.errno ?? 'still waiting'}`)
  return { ...both, c, s, l }
}

export interface Watched<R extends Result = Result> {
  /** null: the call has not returned. */
  result: R | null
  /** When it returned, ms; -1: it has not, or did at once. */
  at: number
}

/** What becomes of a call. */
export function watched<R extends Result>(outcome: Outcome<R>): Watched<R> {
  const seen: Watched<R> = { result: null, at: -1 }
  if (isPending(outcome)) {
    outcome.onDone((result, now) => {
      seen.result = result
      seen.at = now
    })
  } else seen.result = outcome
  return seen
}

/** The result of a call that returns at once. */
export function now<R extends Result>(outcome: Outcome<R>): R {
  if (isPending(outcome)) throw new Error('the call blocks')
  return outcome
}

function expectDone(result: Result): void {
  if (result.result < 0) throw new Error(String(result.errno))
}

export const octets = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0))
export const text = (bytes: Uint8Array, length = bytes.length): string =>
  String.fromCharCode(...bytes.subarray(0, length))
