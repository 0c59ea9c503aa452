import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Faults } from '../link/index.js'
import { type WireEnds, wireEnds } from '../socket/tun/index.js'
import { PROFILE_NAMES, type ProfileName } from '../tcp/index.js'
import { Complaint } from './up-complaint.js'

/** Which host is brought up, as the command line gives it. */
export interface HostChoices {
  readonly address?: readonly string[]
  readonly peer?: readonly string[]
  readonly tap?: boolean
  readonly name?: string
  readonly mtu?: number
  /** False with --no-offloads. */
  readonly offloads: boolean
  readonly profile: ProfileName
  readonly pcap?: string
  readonly faults?: FaultChoices
}

/** What --faults says: what is spoiled how often, and by which luck. */
interface FaultChoices extends Faults {
  /** The nth packet of a direction is spoiled alike in every run with this seed; without one, runs differ. */
  readonly seed?: number
}

const DEFAULT_ADDRESS = '10.77.0.2/24'
const DEFAULT_PEER = '10.77.0.1'

/** Adds the options that say which host is brought up. */
export function withHostOptions(command: Command): Command {
  return command
    .option('--address <address/length>', `of our host; may be repeated (default: ${DEFAULT_ADDRESS})`, collect)
    .option('--peer <address>', `of the kernel's end; one for each --address (default: ${DEFAULT_PEER})`, collect)
    .option('--tap', 'an Ethernet device (TAP), with ARP and neighbour discovery, instead of TUN')
    .option('--name <name>', "of the kernel's network interface (default: the first free of estab0, estab1 …)")
    .option('--mtu <octets>', 'largest IP packet (default: 1500)', toMtu)
    .option('--no-offloads', 'every segment a packet of its own, with its checksum, as on a wire')
    .addOption(new Option('--profile <name>', 'whose TCP').choices([...PROFILE_NAMES]).default('linux'))
    .option('--pcap <file>', 'write every packet as pcapng')
    .option(
      '--faults <kind=percent,…>',
      'spoil packets both ways: loss, duplication, reordering, corruption; loss=2,reordering=5; with seed=7, the same ones each time',
      toFaults,
    )
}

function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value]
}

function toMtu(text: string): number {
  const mtu = Number(text)
  if (!Number.isInteger(mtu) || mtu < 68 || mtu > 65_535) throw new InvalidArgumentError('Octets, 68 to 65535.')
  return mtu
}

const FAULTS = ['loss', 'duplication', 'reordering', 'corruption']

function toFaults(text: string): FaultChoices {
  const faults: Record<string, number> = {}
  for (const part of text.split(',')) {
    const [kind, value, ...rest] = part.split('=')
    if (kind === 'seed') {
      faults.seed = toSeed(part)
      continue
    }
    const percent = Number(value?.replace(/%$/, ''))
    if (!FAULTS.includes(kind!) || !value || rest.length > 0 || !(percent >= 0 && percent <= 100)) {
      throw new InvalidArgumentError(`Expected ${FAULTS.join(', ')}, each with = and a percentage from 0 to 100.`)
    }
    faults[kind!] = percent / 100
  }
  return faults
}

function toSeed(part: string): number {
  if (!/^seed=\d{1,15}$/.test(part))
    throw new InvalidArgumentError('Expected a whole number after seed=, as in seed=7.')
  return Number(part.slice('seed='.length))
}

/** A port number. @throws InvalidArgumentError */
export function toPort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new InvalidArgumentError(`'${text}' is not a port, 1 to 65535.`)
  return port
}

/** Puts addresses and peers together. @throws Complaint */
export function endsOf({ address = [], peer = [] }: HostChoices): WireEnds {
  if (address.length === 0 && peer.length > 0) throw new Complaint('--peer needs an --address in the same network.', 2)
  try {
    return address.length === 0 ? wireEnds([DEFAULT_ADDRESS], [DEFAULT_PEER]) : wireEnds(address, peer)
  } catch (error) {
    throw new Complaint((error as Error).message, 2)
  }
}
