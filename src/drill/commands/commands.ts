import { type Endpoint, getSysctl, type Settings, State, setSysctl, stateName, TimeWait } from '../../tcp/index.js'
import type { SystemFamily } from '../calls/symbols.js'
import type { DrilledHost } from '../drilled-host.js'
import { type FileSystem, type Outcome, Shell } from './shell.js'
import type { SocketRow } from './socket-listing.js'
import { kernelFile, programs, type System, sysctlOfPath } from './system-programs.js'

export interface CommandsOptions {
  readonly family: SystemFamily
  /** Files of the real disk, read only, by path relative to the script; null: there is none. */
  readonly readFile: (path: string) => string | null
}

/** What the program of a script holds. */
export interface Holder {
  /** Every TCP socket that a descriptor stands for. */
  heldSockets(): readonly SocketRow[]
  /** FreeBSD's security association database. */
  setMd5Key(key: { readonly source: string; readonly destination: string; readonly secret: string } | null): void
  /** Files that the program may open; null: there is none. */
  readFile(path: string): string | null
  writeFile(path: string, content: string): void
  removeFile(path: string): boolean
}

const PROCESS_ID = '4242'

/** The back-quoted commands of a script, answered by the host it drills. */
export class Commands {
  readonly #drilled: DrilledHost
  readonly #shell: Shell

  constructor(drilled: DrilledHost, holder: Holder, options: CommandsOptions) {
    this.#drilled = drilled
    const system = systemOf(drilled, holder, options.family)
    this.#shell = new Shell(programs(system), filesOf(system, holder, options.readFile), [
      ['PPID', PROCESS_ID],
      ['PACKETDRILL_PID', PROCESS_ID],
      ['TFO_COOKIE', ''],
    ])
  }

  run(text: string): Outcome {
    // the host knows the time by its latest entry
    this.#drilled.host.enter(this.#drilled.now)
    this.#drilled.host.leave(this.#drilled.now)
    return this.#shell.run(text)
  }
}

/** Files of the kernel, files that the script's commands made, and files of the real disk, in that order. */
function filesOf(system: System, holder: Holder, onDisk: (path: string) => string | null): FileSystem {
  return {
    read: (path) => (path === '/dev/null' ? '' : (kernelFile(path, system) ?? holder.readFile(path) ?? onDisk(path))),
    write(path, content) {
      const name = sysctlOfPath(path)
      if (name !== null) return system.setSysctl(name, content.trim()) === null
      holder.writeFile(path, content)
      return true
    },
    remove: (path) => holder.removeFile(path),
  }
}

function systemOf(drilled: DrilledHost, holder: Holder, family: SystemFamily): System {
  const { host } = drilled
  return {
    family,
    sockets: () => socketRows(drilled, holder),
    counters: () => host.counters.values,
    getSysctl: (name) => getSysctl(host, name),
    setSysctl: (name, value) => setSysctl(host, name, value),
    drop(which) {
      for (const endpoint of [...host.connections]) {
        if (which(rowOf(endpoint, true))) dropEndpoint(endpoint, drilled)
      }
    },
    flushMetrics: () => host.paths.forget(),
    changeRoute: (metrics) => changeRoute(drilled, metrics),
    setMtu(device, octets) {
      const found = host.interfaces.find(({ name }) => name === device)
      if (found === undefined || !(octets > 0)) return false
      found.mtu = octets
      return true
    },
    sleep: (milliseconds) => drilled.runTo(drilled.now + milliseconds),
    setMd5Key: (key) => holder.setMd5Key(key),
  }
}

/** Ends a connection as tcpdrop does: nothing is said to the peer. */
function dropEndpoint(endpoint: Endpoint, drilled: DrilledHost): void {
  if (endpoint instanceof TimeWait) endpoint.end('ABORT', drilled.now)
}

function rowOf(endpoint: Endpoint, held: boolean): SocketRow {
  const { local, localPort, remote, remotePort, state } = endpoint
  return { local, localPort, remote, remotePort, state: stateName(state), held, receiveQueue: 0, sendQueue: 0 }
}

/** Sockets that the program holds, and connections that nobody holds (any more, or yet). */
function socketRows(drilled: DrilledHost, holder: Holder): SocketRow[] {
  const held = holder.heldSockets()
  const key = (row: Pick<SocketRow, 'local' | 'localPort' | 'remote' | 'remotePort'>) =>
    `${row.local} ${row.localPort} ${row.remote} ${row.remotePort}`
  const known = new Set(held.map(key))
  const others = [...drilled.host.connections].filter(
    (endpoint) => endpoint.state !== State.Closed && !known.has(key(endpoint)),
  )
  return [...held, ...others.map((endpoint) => rowOf(endpoint, false))]
}

/** What `ip route change` can say of the route to the script's side, as settings of the host. */
function changeRoute(drilled: DrilledHost, metrics: ReadonlyMap<string, string>): string | null {
  const { host, device, remote, local } = drilled
  for (const [name, value] of metrics) {
    const number = Number.parseFloat(value)
    switch (name) {
      case 'mtu':
        host.routes.add({
          destination: remote,
          prefixLength: remote.isIPv4 ? 32 : 128,
          via: device,
          source: local,
          mtu: number,
        })
        break
      case 'initcwnd':
        host.settings.initialWindow = number
        break
      case 'rto_min':
        host.settings.rtoMin = value.endsWith('ms') || !value.endsWith('s') ? number : number * 1000
        break
      case 'features':
        if (value !== 'ecn') return `the simulated route has no feature '${value}'`
        host.settings.ecn = 1 satisfies Settings['ecn']
        break
      default:
        return `the simulated route has no metric '${name}'`
    }
  }
  return null
}
