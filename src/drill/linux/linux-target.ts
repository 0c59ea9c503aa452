import { type OpenedInterface, openInterface, type System, VNET_HEADER_LENGTH } from '../../link/tun.js'
import { type IpAddress, parseIpAddress } from '../../wire/index.js'
import type { Outcome } from '../commands/shell.js'
import type { SentPacket, Target, TargetSetUp } from '../target.js'
import { defaultAddresses } from '../variants.js'
import type { BlockingThread } from './blocking-thread.js'
import type { CLibrary, Memory } from './c-library.js'
import { KernelCalls } from './kernel-calls.js'
import { KernelClock } from './kernel-clock.js'
import { KernelShell } from './kernel-shell.js'
import type { NetworkNamespace } from './namespace.js'
import { PacketCapture } from './packet-capture.js'
import { PacketEvents } from './packet-events.js'
import { LITTLE } from './structs.js'

/** Packets the device keeps for us; none may be lost while a command runs. */
const QUEUE_LENGTH = 10_000
const LARGEST_READ = 65_700
const POLLIN = 1

/** gso_type of the header before each packet of the device. */
const GSO_TCP4 = 1
const GSO_TCP6 = 4

/**
 * The kernel of this machine, drilled in real time: a TUN device in a network namespace, whose other end is the script.
 */
export class LinuxTarget implements Target {
  readonly local: IpAddress
  readonly remote: IpAddress
  readonly calls: KernelCalls
  readonly patience = { forever: 60_000, curiosity: 3_000 }
  readonly #c: CLibrary
  readonly #namespace: NetworkNamespace
  readonly #clock: KernelClock
  readonly #device: OpenedInterface
  readonly #capture: PacketCapture
  readonly #shell: KernelShell
  readonly #events: PacketEvents
  readonly #sent: SentPacket[] = []
  readonly #scratch: Memory
  /** struct pollfd of everything that can happen, and struct timespec. */
  readonly #waitedFor: Memory
  readonly #timeout: Memory

  constructor(setUp: TargetSetUp, c: CLibrary, system: System, thread: BlockingThread, namespace: NetworkNamespace) {
    const { flags, log, file } = setUp
    const { local, remote, prefixLength } = defaultAddresses(flags)
    this.#c = c
    this.#namespace = namespace
    this.local = parseIpAddress(local)
    this.remote = parseIpAddress(remote)
    this.#clock = new KernelClock(c)
    this.#shell = new KernelShell(c, file, namespace.directory)
    this.#device = openInterface(system, {
      name: 'tun0',
      mode: 'tun',
      offloads: true,
      mtu: flags.mtu === 0 ? 1500 : flags.mtu,
      queueLength: QUEUE_LENGTH,
      kernelAddresses: [`${local}/${prefixLength}`],
    })
    this.#capture = new PacketCapture(c, this.#device.name)
    const via = flags.gatewayIp === null ? '' : `via ${flags.gatewayIp} `
    this.#prepare(`ip link set lo up && ip route add ${remote} ${via}dev tun0`)
    this.calls = new KernelCalls(c, thread, this.#clock)
    this.#events = new PacketEvents(log.observe('kernel'))
    this.#scratch = c.memory(LARGEST_READ)
    this.#timeout = c.memory(16)
    const descriptors = [this.#capture.fd, this.#device.fd, thread.notifyFd]
    this.#waitedFor = c.memory(8 * descriptors.length)
    for (const [i, fd] of descriptors.entries()) {
      this.#waitedFor.view.setInt32(8 * i, fd, LITTLE)
      this.#waitedFor.view.setInt16(8 * i + 4, POLLIN, LITTLE)
    }
  }

  get now(): number {
    return this.#clock.now
  }

  announce(blocking: boolean): void {
    this.calls.blocks = blocking
  }

  deliver(packet: Uint8Array, gsoSize: number): void {
    const memory = this.#c.memory(VNET_HEADER_LENGTH + packet.length)
    if (gsoSize > 0) {
      memory.view.setUint8(1, packet[0]! >> 4 === 4 ? GSO_TCP4 : GSO_TCP6)
      memory.view.setUint16(4, gsoSize, true)
    }
    memory.bytes.set(packet, VNET_HEADER_LENGTH)
    this.#events.received(packet, this.now)
    this.#c.call.write(this.#device.fd, memory.address, memory.bytes.length)
  }

  nextSent(): SentPacket | null {
    if (this.#sent.length === 0) this.#drain()
    return this.#sent.shift() ?? null
  }

  runTo(time: number): void {
    while (this.stepBefore(time)) {
      // whatever happens meanwhile is kept
    }
  }

  stepBefore(limit: number): boolean {
    for (;;) {
      if (this.dueNow()) return true
      const left = limit - this.now
      if (left <= 0) return false
      this.#wait(left)
    }
  }

  dueNow(): boolean {
    const packets = this.#drain()
    return this.calls.settle() || packets
  }

  command(text: string): Outcome {
    return this.#shell.run(text)
  }

  close(): void {
    this.calls.closeAll()
    this.#capture.close()
    this.#c.call.close(this.#device.fd)
    this.#namespace.leave()
  }

  /** Sleeps until something can be read, at most so many ms. */
  #wait(most: number): void {
    const nanoseconds = BigInt(Math.ceil(most * 1e6))
    this.#timeout.view.setBigInt64(0, nanoseconds / 1_000_000_000n, LITTLE)
    this.#timeout.view.setBigInt64(8, nanoseconds % 1_000_000_000n, LITTLE)
    const { address, bytes } = this.#waitedFor
    this.#c.call.ppoll(address, bytes.length / 8, this.#timeout.address, 0, 0)
  }

  /** Takes what was sent. False: nothing was. */
  #drain(): boolean {
    // the device gives what the packet socket has copied
    while (this.#c.call.read(this.#device.fd, this.#scratch.address, LARGEST_READ) > 0) {
      // nothing of it is needed
    }
    let found = false
    for (let next = this.#capture.next(); next !== null; next = this.#capture.next()) {
      found = true
      const at = this.#clock.fromWall(next.at)
      this.#events.sent(next.packet, at)
      this.#sent.push({ packet: next.packet, at, unfinished: true })
    }
    return found
  }

  #prepare(command: string): void {
    const { status, error } = this.#shell.run(command)
    if (status !== 0) throw new Error(`The network namespace could not be set up (${command}): ${error.trim()}`)
  }
}
