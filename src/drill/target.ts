import type { AddressResult, Calls, EpollResult, OptionResult, Outcome, PipeResult } from '../socket/index.js'
import type { ProfileName, Settings } from '../tcp/index.js'
import type { TraceLog } from '../trace/index.js'
import type { IpAddress } from '../wire/index.js'
import type { Outcome as CommandOutcome } from './commands/shell.js'
import type { Flags } from './language/flags.js'

/** What opens targets: `VIRTUAL` for hosts of ours in virtual time, `linuxKernel()` for the kernel in real time. */
export interface TargetKind {
  readonly name: 'estab' | 'linux'
  /** @throws Error when it cannot be opened */
  open(setUp: TargetSetUp): Target
}

export interface TargetSetUp {
  readonly flags: Flags
  readonly profile: ProfileName
  /** Changes to the settings of the profile. */
  readonly settings: Partial<Settings> | undefined
  readonly seed: number
  /** Takes what the target tells of itself. */
  readonly log: TraceLog
  /** Name of the script. */
  readonly file: string
  /** Files of the real disk that commands run, by path relative to the script; null: there is none. */
  readonly readFile: (path: string) => string | null
}

/** What a script is run on: a host with one interface, whose other end is the script. */
export interface Target {
  readonly local: IpAddress
  readonly remote: IpAddress
  /** The target's clock, ms. It does not start at 0, so that no time is 0 by chance. */
  readonly now: number
  /** The system calls of the script's program. */
  readonly calls: ProgramCalls
  readonly patience: Patience

  /** The next call is one that the script says to block, or not to. */
  announce(blocking: boolean): void
  /** A packet of the script arrives; `gsoSize` > 0: it stands for several segments with that much text each. Octets. */
  deliver(packet: Uint8Array, gsoSize: number): void
  /** What the host sent and nobody took yet, oldest first; null: nothing. */
  nextSent(): SentPacket | null

  /** Lets time pass. What is due just at `time` does not happen yet. */
  runTo(time: number): void
  /** Lets time pass until something happens. False: nothing happens before `limit`. */
  stepBefore(limit: number): boolean
  /** Lets happen what is due just now: calls that were woken. False: nothing is. */
  dueNow(): boolean

  /** Runs a command of the script. */
  command(text: string): CommandOutcome
  /** The script is over. */
  close(): void
}

export interface SentPacket {
  readonly packet: Uint8Array
  /** ms of the target's clock. */
  readonly at: number
  /** The checksum of its text is left to a device that there is none of (checksum offload). */
  readonly unfinished: boolean
}

/** How long the runner waits for what has no time of its own, ms of the target's clock. */
export interface Patience {
  /** For a packet at any time, and for a call that was not said to block. */
  readonly forever: number
  /** For what was not sent in time, to say when it was. */
  readonly curiosity: number
}

/** The calls a script may make. Descriptors, and numbers of options and flags, are the system's. */
export interface ProgramCalls
  extends Pick<
    Calls,
    | 'socket'
    | 'bind'
    | 'listen'
    | 'connect'
    | 'shutdown'
    | 'close'
    | 'write'
    | 'send'
    | 'sendto'
    | 'sendmsg'
    | 'sendfile'
    | 'splice'
    | 'read'
    | 'recv'
    | 'recvmsg'
    | 'setsockopt'
    | 'ioctl'
    | 'fcntl'
    | 'dup'
    | 'poll'
    | 'epoll_create'
    | 'epoll_create1'
    | 'epoll_ctl'
    | 'open'
  > {
  accept(fd: number, flags?: number): Outcome<AddressResult>
  epoll_wait(fd: number, most: number, timeout: number): Outcome<EpollResult>
  pipe(): PipeResult
  /** @param room octets the program has for the value */
  getsockopt(fd: number, level: number, option: number, room: number): SizedOption
}

export interface SizedOption extends OptionResult {
  /** Octets that came, when the target knows; else those of the value. */
  readonly length?: number
}
