import { constants, openSync } from 'node:fs'
import type { LibraryHandle } from 'koffi'

/** The system calls of this link. Addresses are plain numbers: a call with one allocates nothing. */
export interface System {
  ioctl(fd: number, request: number, argument: Uint8Array): number
  /** For the requests whose argument is a number and not a pointer. */
  ioctlNumber(fd: number, request: number, argument: number): number
  read(fd: number, address: number, length: number): number
  write(fd: number, address: number, length: number): number
  writev(fd: number, vectors: number, count: number): number
  socket(domain: number, type: number, protocol: number): number
  socketpair(domain: number, type: number, protocol: number, pair: Int32Array): number
  dup3(from: number, to: number, flags: number): number
  close(fd: number): number
  errno(): number
  /** Where the octets of a buffer lie; they stay there as long as it lives. */
  addressOf(buffer: ArrayBufferLike): number
}

/** Numbers of the system calls' arguments, the same on every 64-bit Linux that koffi and Node run on. */
export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const O_CLOEXEC = 0o2000000

export const EPERM = 1
export const EINTR = 4
export const EIO = 5
export const EAGAIN = 11
export const EBUSY = 16
export const EEXIST = 17
export const EINVAL = 22
export const EOPNOTSUPP = 95

let loaded: System | null = null

/** Loads koffi and the C library. @throws Error with a sentence that says what to do */
export async function loadSystem(): Promise<System> {
  loaded ??= declareCalls(await loadKoffi())
  return loaded
}

type Koffi = typeof import('koffi')

async function loadKoffi(): Promise<Koffi> {
  // their sockets do not read from a descriptor they are given
  const other = 'Deno' in globalThis ? 'Deno' : 'Bun' in globalThis ? 'Bun' : null
  if (other !== null) throw new Error(`A TUN device is read by the event loop of Node, and this is ${other}: use Node.`)
  if (process.platform !== 'linux') {
    throw new Error(`TUN and TAP devices are opened on Linux only, and this is ${process.platform}.`)
  }
  let koffi: Koffi
  try {
    koffi = await import('koffi')
  } catch (cause) {
    throw new Error("A TUN device needs the optional package 'koffi', which did not load: run `npm install koffi`.", {
      cause,
    })
  }
  if (koffi.sizeof('void *') !== 8) throw new Error('TUN devices are supported on 64-bit systems only.')
  return koffi
}

function declareCalls(koffi: Koffi): System {
  const c: LibraryHandle = koffi.load(null)
  return {
    ioctl: c.func('int ioctl(int fd, unsigned long request, void *argument)'),
    ioctlNumber: c.func('int ioctl(int fd, unsigned long request, unsigned long argument)'),
    read: c.func('long read(int fd, uintptr_t address, size_t length)'),
    write: c.func('long write(int fd, uintptr_t address, size_t length)'),
    writev: c.func('long writev(int fd, uintptr_t vectors, int count)'),
    socket: c.func('int socket(int domain, int type, int protocol)'),
    socketpair: c.func('int socketpair(int domain, int type, int protocol, void *pair)'),
    dup3: c.func('int dup3(int from, int to, int flags)'),
    close: c.func('int close(int fd)'),
    errno: () => koffi.errno(),
    addressOf: (buffer) => Number(koffi.address(buffer)),
  }
}

/** Name of an error number, 'EINVAL'; 'error 77' for one that is not known. */
export function errorName(errno: number): string {
  return ERROR_NAMES[errno] ?? `error ${errno}`
}

const ERROR_NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  5: 'EIO',
  6: 'ENXIO',
  11: 'EAGAIN',
  12: 'ENOMEM',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  22: 'EINVAL',
  24: 'EMFILE',
  77: 'EBADFD',
  90: 'EMSGSIZE',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  99: 'EADDRNOTAVAIL',
  105: 'ENOBUFS',
}

/** Opens /dev/net/tun, non-blocking. @throws Error with a sentence that says what to do */
export function openCloneDevice(): number {
  try {
    return openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') {
      throw new Error('No right to open /dev/net/tun: run as root, or give the file mode 0666.', { cause })
    }
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO') {
      throw new Error(
        'There is no /dev/net/tun: load the driver with `modprobe tun`; in a container, start it with `--device /dev/net/tun --cap-add NET_ADMIN`.',
        { cause },
      )
    }
    throw new Error(`/dev/net/tun cannot be opened (${code}).`, { cause })
  }
}
