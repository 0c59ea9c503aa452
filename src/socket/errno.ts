import type { ErrorName } from '../tcp/index.js'

/** Name: number on Linux, number on FreeBSD, and what strerror says on each (the second only where it differs). */
const ERRORS = {
  EPERM: [1, 1, 'Operation not permitted'],
  ENOENT: [2, 2, 'No such file or directory'],
  EINTR: [4, 4, 'Interrupted system call'],
  EIO: [5, 5, 'Input/output error'],
  EBADF: [9, 9, 'Bad file descriptor'],
  EAGAIN: [11, 35, 'Resource temporarily unavailable'],
  ENOMEM: [12, 12, 'Cannot allocate memory'],
  EACCES: [13, 13, 'Permission denied'],
  EFAULT: [14, 14, 'Bad address'],
  EBUSY: [16, 16, 'Device or resource busy', 'Device busy'],
  EEXIST: [17, 17, 'File exists'],
  ENODEV: [19, 19, 'No such device', 'Operation not supported by device'],
  ENOTDIR: [20, 20, 'Not a directory'],
  EISDIR: [21, 21, 'Is a directory'],
  EINVAL: [22, 22, 'Invalid argument'],
  EMFILE: [24, 24, 'Too many open files'],
  ENOTTY: [25, 25, 'Inappropriate ioctl for device'],
  EFBIG: [27, 27, 'File too large'],
  ENOSPC: [28, 28, 'No space left on device'],
  ESPIPE: [29, 29, 'Illegal seek'],
  EROFS: [30, 30, 'Read-only file system'],
  EPIPE: [32, 32, 'Broken pipe'],
  EDOM: [33, 33, 'Numerical argument out of domain'],
  ERANGE: [34, 34, 'Numerical result out of range', 'Result too large'],
  ENOSYS: [38, 78, 'Function not implemented'],
  ENOMSG: [42, 83, 'No message of desired type'],
  ELOOP: [40, 62, 'Too many levels of symbolic links'],
  EPROTO: [71, 92, 'Protocol error'],
  EOVERFLOW: [75, 84, 'Value too large for defined data type', 'Value too large to be stored in data type'],
  ENOTSOCK: [88, 38, 'Socket operation on non-socket'],
  EDESTADDRREQ: [89, 39, 'Destination address required'],
  EMSGSIZE: [90, 40, 'Message too long'],
  EPROTOTYPE: [91, 41, 'Protocol wrong type for socket'],
  ENOPROTOOPT: [92, 42, 'Protocol not available'],
  EPROTONOSUPPORT: [93, 43, 'Protocol not supported'],
  ESOCKTNOSUPPORT: [94, 44, 'Socket type not supported'],
  EOPNOTSUPP: [95, 45, 'Operation not supported'],
  EPFNOSUPPORT: [96, 46, 'Protocol family not supported'],
  EAFNOSUPPORT: [97, 47, 'Address family not supported by protocol', 'Address family not supported by protocol family'],
  EADDRINUSE: [98, 48, 'Address already in use'],
  EADDRNOTAVAIL: [99, 49, 'Cannot assign requested address', "Can't assign requested address"],
  ENETDOWN: [100, 50, 'Network is down'],
  ENETUNREACH: [101, 51, 'Network is unreachable'],
  ENETRESET: [102, 52, 'Network dropped connection on reset'],
  ECONNABORTED: [103, 53, 'Software caused connection abort'],
  ECONNRESET: [104, 54, 'Connection reset by peer'],
  ENOBUFS: [105, 55, 'No buffer space available'],
  EISCONN: [106, 56, 'Transport endpoint is already connected', 'Socket is already connected'],
  ENOTCONN: [107, 57, 'Transport endpoint is not connected', 'Socket is not connected'],
  ETIMEDOUT: [110, 60, 'Connection timed out', 'Operation timed out'],
  ECONNREFUSED: [111, 61, 'Connection refused'],
  EHOSTDOWN: [112, 64, 'Host is down'],
  EHOSTUNREACH: [113, 65, 'No route to host'],
  EALREADY: [114, 37, 'Operation already in progress'],
  EINPROGRESS: [115, 36, 'Operation now in progress'],
  ECANCELED: [125, 85, 'Operation canceled'],
  EKEYREJECTED: [129, 93, 'Key was rejected by service', 'Capabilities insufficient'],
} as const satisfies Record<string, readonly [number, number, string, string?]>

/** Why a call failed. EWOULDBLOCK is EAGAIN on both systems, ENOTSUP is EOPNOTSUPP. */
export type Errno = keyof typeof ERRORS | ErrorName

/** Whose numbers and texts. */
export type ErrnoSystem = 'linux' | 'freebsd'

const ALIASES: Readonly<Record<string, keyof typeof ERRORS>> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' }

const entry = (name: string): readonly [number, number, string, string?] | undefined =>
  (ERRORS as Readonly<Record<string, readonly [number, number, string, string?]>>)[ALIASES[name] ?? name]

/** The number of an error, 0 for a name that the system does not have. */
export function errnoNumber(name: string, system: ErrnoSystem): number {
  return entry(name)?.[system === 'linux' ? 0 : 1] ?? 0
}

/** The name of a number, null when there is none. */
export function errnoName(number: number, system: ErrnoSystem): Errno | null {
  const at = system === 'linux' ? 0 : 1
  for (const name of Object.keys(ERRORS) as (keyof typeof ERRORS)[]) if (ERRORS[name][at] === number) return name
  return null
}

/** What strerror(3) says, as the system says it. */
export function errnoText(name: string, system: ErrnoSystem): string {
  const found = entry(name)
  if (found === undefined) return name
  return (system === 'freebsd' ? found[3] : undefined) ?? found[2]
}

/** Every name with its number on one system, aliases included. */
export function errnoNumbers(system: ErrnoSystem): Record<string, number> {
  const numbers: Record<string, number> = {}
  for (const name of [...Object.keys(ERRORS), ...Object.keys(ALIASES)]) numbers[name] = errnoNumber(name, system)
  return numbers
}
