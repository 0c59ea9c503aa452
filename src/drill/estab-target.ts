import { Calls, personality } from '../socket/index.js'
import { type ProfileName, profile as settingsOf } from '../tcp/index.js'
import { ANY_IPV4, type IpAddress, parseIpAddress } from '../wire/index.js'
import { familyOf } from './calls/symbols.js'
import { Commands, type Holder } from './commands/commands.js'
import type { Outcome } from './commands/shell.js'
import type { SocketRow } from './commands/socket-listing.js'
import { DrilledHost } from './drilled-host.js'
import type { SentPacket, Target, TargetKind, TargetSetUp } from './target.js'
import { defaultAddresses } from './variants.js'

/** Hosts of ours, in virtual time. */
export const VIRTUAL: TargetKind = { name: 'estab', open: (setUp) => new EstabTarget(setUp) }

/** The clock does not start at 0, so that no timestamp or time of the host is by chance 0. Unit: ms. */
const BEFORE_START = 10_000

/** Settings of the profiles as they come; each host has a copy of its own. */
const pristine = new Map<ProfileName, ReturnType<typeof settingsOf>>()

function settingsFor({ profile, settings }: TargetSetUp): ReturnType<typeof settingsOf> {
  let own = pristine.get(profile)
  if (own === undefined) {
    own = settingsOf(profile)
    pristine.set(profile, own)
  }
  return settings === undefined ? own : { ...own, ...settings }
}

/** A host of ours that a script drills. Waiting costs nothing here. */
class EstabTarget implements Target, Holder {
  readonly patience = { forever: 24 * 3_600_000, curiosity: 600_000 }
  readonly calls: Calls
  readonly #drilled: DrilledHost
  readonly #commands: Commands

  constructor(setUp: TargetSetUp) {
    const { flags, log, seed, profile, readFile } = setUp
    const drilled = new DrilledHost({
      settings: settingsFor(setUp),
      observer: log.observe('host'),
      ...defaultAddresses(flags),
      mtu: flags.mtu === 0 ? 1500 : flags.mtu,
      seed,
    })
    drilled.runTo(BEFORE_START)
    this.#drilled = drilled
    this.calls = new Calls(drilled.host, personality(profile), () => drilled.now)
    this.#commands = new Commands(drilled, this, { family: familyOf(profile), readFile })
  }

  get local(): IpAddress {
    return this.#drilled.local
  }

  get remote(): IpAddress {
    return this.#drilled.remote
  }

  get now(): number {
    return this.#drilled.now
  }

  announce(): void {
    // calls that have to wait say so themselves
  }

  deliver(packet: Uint8Array, gsoSize: number): void {
    this.#drilled.deliver(packet, gsoSize)
  }

  nextSent(): SentPacket | null {
    return this.#drilled.sent.shift() ?? null
  }

  runTo(time: number): void {
    this.#drilled.runTo(time)
  }

  stepBefore(limit: number): boolean {
    return this.#drilled.stepBefore(limit)
  }

  dueNow(): boolean {
    return this.#drilled.dueNow()
  }

  command(text: string): Outcome {
    return this.#commands.run(text)
  }

  close(): void {
    // a host without anything outside is forgotten as it is
  }

  // --- what commands see and change of the program ---

  heldSockets(): readonly SocketRow[] {
    return this.calls.sockets().map(({ state, local, remote, receiveQueue, sendQueue }) => ({
      local: local.address ?? ANY_IPV4,
      localPort: local.port ?? 0,
      remote: remote?.address ?? ANY_IPV4,
      remotePort: remote?.port ?? 0,
      state,
      held: true,
      receiveQueue,
      sendQueue,
    }))
  }

  setMd5Key(key: { readonly source: string; readonly destination: string; readonly secret: string } | null): void {
    if (key === null) {
      this.calls.md5Keys = []
      return
    }
    // an association to this host is for what its peer sends; TCP has one key for both directions
    const destination = parseIpAddress(key.destination)
    const peer = this.#drilled.host.isLocal(destination) ? parseIpAddress(key.source) : destination
    const added = { peer, prefixLength: peer.isIPv4 ? 32 : 128, key: new TextEncoder().encode(key.secret) }
    this.calls.md5Keys = [...this.calls.md5Keys.filter((other) => !other.peer.equals(peer)), added]
  }

  /** A file that a command of the script made. */
  readFile(path: string): string | null {
    const contents = this.calls.files.get(path)
    return contents === undefined ? null : String.fromCharCode(...contents.octets)
  }

  writeFile(path: string, content: string): void {
    this.calls.files.set(path, { octets: Uint8Array.from(content, (character) => character.charCodeAt(0)) })
  }

  removeFile(path: string): boolean {
    return this.calls.files.delete(path)
  }
}
