import { type Check, equal, ok } from './check.js'

type Sim = typeof import('../../src/sim/index.js')

/** What must hold of simulations in Node, Bun, Deno and browsers. */
export function simulationChecks({ createNetwork, drop, pair }: Sim): Check[] {
  return [
    {
      title: 'a lost FIN is sent again, and 2 MSL pass in no time',
      async run() {
        const { client, server, sim } = pair({ network: { latency: 20, seed: 7 } })
        sim.rule(drop({ from: 'server', flags: 'F', nth: 1 }))
        client.close()
        sim.advance('1s')
        equal(client.state, 'FIN-WAIT-2')
        server.close()
        sim.advance('1s')
        equal(client.state, 'TIME-WAIT')
        sim.advance('60s')
        equal(client.state, 'CLOSED')
      },
    },
    {
      title: 'web streams between simulated hosts, found by name, over a link that loses a fifth of the packets',
      async run() {
        const network = createNetwork({ latency: '30ms', loss: 0.2, seed: 5 })
        const [client, server] = [network.host('client'), network.host('server')]
        const serving = (async () => {
          for await (const { readable, writable } of server.listen({ port: 7 })) await readable.pipeTo(writable)
        })()
        serving.catch(() => {})
        const { readable, writable } = client.connect('server:7', { allowHalfOpen: true })
        const writer = writable.getWriter()
        void writer.write(new Uint8Array(100_000))
        void writer.close()
        let received = 0
        let over = false
        const reading = (async () => {
          const reader = readable.getReader()
          for (let next = await reader.read(); !next.done; next = await reader.read()) received += next.value.length
          over = true
        })()
        // programs first; when they only wait, time passes
        while (!over && network.now < 600_000) {
          await new Promise((resolve) => setTimeout(resolve, 0))
          network.advance('100ms')
        }
        await reading
        equal(received, 100_000)
        ok(network.now > 300, `${network.now} ms of virtual time for a slow link`)
      },
    },
  ]
}
