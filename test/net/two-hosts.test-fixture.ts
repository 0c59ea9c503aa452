import { createNetwork, type Network, type NetworkOptions, type SimulatedHostOptions } from '../../src/sim/index.js'
import { createNet, type Net, type NetOptions } from '../../src/socket/net/index.js'

export interface TwoHosts {
  readonly network: Network
  readonly client: Net
  readonly server: Net
  /** The server's address. */
  readonly address: string
  /** Lets time pass until the promise is settled; programs run first, and time passes when they only wait. */
  until<T>(settled: Promise<T>): Promise<T>
}

/** Two hosts on a simulated network, each with a `net`; idle time-outs and attempts in virtual time too. */
export function twoHosts(
  options: NetworkOptions = {},
  host: SimulatedHostOptions = {},
  netOptions: NetOptions = {},
): TwoHosts {
  const network = createNetwork({ latency: '10ms', ...options })
  const { clock } = network
  const timers = {
    setTimeout: (callback: () => void, ms: number) => clock.after(ms, callback),
    clearTimeout: (timer: unknown) => (timer as ReturnType<typeof clock.after>).cancel(),
  }
  const [client, server] = ['client', 'server'].map((name) =>
    createNet(network.host(name, host), { now: () => network.now, alive: null, timers, ...netOptions }),
  )
  return {
    network,
    client: client!,
    server: server!,
    address: String(network.host('server').interfaces[1]!.addresses[0]!.address),
    async until(settled) {
      let done = false
      settled.then(
        () => {
          done = true
        },
        () => {
          done = true
        },
      )
      for (let idle = 0; !done && idle < 3; ) {
        await new Promise((resolve) => setImmediate(resolve))
        idle = done || clock.step() ? 0 : idle + 1
      }
      if (!done) throw new Error('nothing is left to happen, and what is waited for did not')
      return settled
    },
  }
}
