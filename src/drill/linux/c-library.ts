import { createRequire } from 'node:module'

/** A function of the C library, called with numbers and addresses of memory. */
export type CFunction = (...words: (number | bigint)[]) => number

/**
 * The functions used, and whether what they give is an int or has 64 bits. All take words: numbers, or addresses of memory
 * that the caller keeps.
 */
export const C_FUNCTIONS = {
  socket: 'int',
  bind: 'int',
  listen: 'int',
  accept: 'int',
  accept4: 'int',
  connect: 'int',
  shutdown: 'int',
  close: 'int',
  read: 'long',
  write: 'long',
  send: 'long',
  sendto: 'long',
  sendmsg: 'long',
  recv: 'long',
  recvmsg: 'long',
  sendfile: 'long',
  splice: 'long',
  getsockopt: 'int',
  setsockopt: 'int',
  getsockname: 'int',
  fcntl: 'int',
  ioctl: 'int',
  dup: 'int',
  poll: 'int',
  ppoll: 'int',
  epoll_create: 'int',
  epoll_create1: 'int',
  epoll_ctl: 'int',
  epoll_wait: 'int',
  pipe: 'int',
  open: 'int',
  eventfd: 'int',
  unshare: 'int',
  setns: 'int',
  gettid: 'int',
  tgkill: 'int',
  sigaction: 'int',
  clock_gettime: 'int',
  sched_setscheduler: 'int',
  if_nametoindex: 'int',
  system: 'int',
  alarm: 'int',
  dlsym: 'long',
} as const

export type CName = keyof typeof C_FUNCTIONS

/** The C library of this process. */
export interface CLibrary {
  readonly call: Readonly<Record<CName, CFunction>>
  /** Of the last call that failed. */
  errno(): number
  /** Memory that stays where it is as long as it is held. */
  memory(octets: number | Uint8Array): Memory
  /** Where koffi is, for threads that load it too. */
  readonly koffiPath: string
}

export interface Memory {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly address: number
}

/** How a function is declared to koffi: six words are passed to all, which those that take fewer do not look at. */
export const declaration = (name: CName): string =>
  `${C_FUNCTIONS[name]} ${name}(intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f)`

/** Loads koffi and the C library. @throws Error with a sentence that says what to do */
export function loadCLibrary(): CLibrary {
  const require = createRequire(import.meta.url)
  let koffi: typeof import('koffi')
  let koffiPath: string
  try {
    koffiPath = require.resolve('koffi')
    koffi = require(koffiPath)
  } catch (cause) {
    throw new Error(
      "The kernel is drilled through the optional package 'koffi', which did not load: run `npm install koffi`.",
      {
        cause,
      },
    )
  }
  const library = koffi.load(null)
  const call = Object.fromEntries(
    (Object.keys(C_FUNCTIONS) as CName[]).map((name) => {
      const declared = library.func(declaration(name)) as CFunction
      const filled: CFunction = (a = 0, b = 0, c = 0, d = 0, e = 0, f = 0) => declared(a, b, c, d, e, f)
      return [name, filled]
    }),
  ) as Record<CName, CFunction>
  return {
    call,
    errno: () => koffi.errno(),
    koffiPath,
    memory(octets) {
      const length = typeof octets === 'number' ? octets : octets.length
      // an address of nothing is no address
      const buffer = new ArrayBuffer(Math.max(1, length))
      const bytes = new Uint8Array(buffer, 0, length)
      if (typeof octets !== 'number') bytes.set(octets)
      return { bytes, view: new DataView(buffer), address: Number(koffi.address(buffer)) }
    },
  }
}
