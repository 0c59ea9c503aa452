import { once } from 'node:events'
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

/** Two requests over one connection, the second after a pause. Gives its status, or the code of its error. */
function twoRequests(pause: number): Promise<number | string> {
  const sim = createNetwork({ latency: '50ms' })
  return sim.run(async () => {
    sim.on('server', () => {
      const server = http.createServer((_request, response) => response.end('hello')).listen(80)
      server.keepAliveTimeout = 5000
    })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    const get = async (): Promise<number> => {
      const [response] = (await once(http.get({ host: 'server', agent }), 'response')) as [http.IncomingMessage]
      await once(response.resume(), 'end')
      return response.statusCode!
    }
    await get()
    await sleep(pause)
    return get().catch((error) => error.code)
  })
}

test('a request that meets the server closing the idle connection is reset', async () => {
  // when exactly is a matter of Node's version: try every pause, for what it costs
  const outcomes = new Map<number, number | string>()
  for (let pause = 4000; pause <= 7000; pause += 50) outcomes.set(pause, await twoRequests(pause))

  expect(outcomes.get(4000)).toBe(200) // the connection is still there
  expect([...outcomes.values()]).toContain('ECONNRESET') // the request and the server's FIN pass each other on the way
  expect(outcomes.get(7000)).toBe(200) // a new connection
})
