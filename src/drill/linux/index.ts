import { loadSystem, openInterface, type System } from '../../link/tun.js'
import type { TargetKind } from '../target.js'
import { BlockingThread } from './blocking-thread.js'
import { type CLibrary, loadCLibrary } from './c-library.js'
import { LinuxTarget } from './linux-target.js'
import { NetworkNamespace } from './namespace.js'

/**
 * The kernel of this machine as what scripts are run on. Each script has a network namespace and a TUN device of its own.
 * @throws Error (the promise rejects) with one sentence that says what is missing and what to do
 */
export async function linuxKernel(): Promise<TargetKind> {
  if (process.platform !== 'linux')
    throw new Error(`The Linux kernel is drilled on Linux, and this is ${process.platform}.`)
  const c = loadCLibrary()
  const system = await loadSystem()
  if (process.geteuid?.() !== 0) {
    throw new Error('The kernel is drilled in a network namespace that takes rights to make: run as root, with `sudo`.')
  }
  probe(c, system)
  const thread = new BlockingThread(c)
  runInRealTime(c)
  return {
    name: 'linux',
    open(setUp) {
      const namespace = new NetworkNamespace(c)
      try {
        return new LinuxTarget(setUp, c, system, thread, namespace)
      } catch (error) {
        namespace.leave()
        throw error
      }
    },
  }
}

/** SCHED_RR, which children do not inherit. */
const REAL_TIME = 2 | 0x40000000

/** Scripts look at milliseconds: other programs of the machine are not waited for. Without the right to it, they are. */
function runInRealTime({ call, memory }: CLibrary): void {
  const priority = memory(4)
  priority.view.setInt32(0, 1, true)
  call.sched_setscheduler(0, REAL_TIME, priority.address)
}

/** What would fail at the first script fails here, with its sentence. */
function probe(c: CLibrary, system: System): void {
  const namespace = new NetworkNamespace(c)
  try {
    const options = { name: 'tun0', mode: 'tun', offloads: true, mtu: undefined, queueLength: undefined } as const
    c.call.close(openInterface(system, { ...options, kernelAddresses: [] }).fd)
  } finally {
    namespace.leave()
  }
}
