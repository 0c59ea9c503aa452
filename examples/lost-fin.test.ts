import { expect, test } from 'vitest'
import { drop, pair } from '../src/sim/index.js'

test('the first FIN from the server is lost, and sent again', () => {
  const { client, server, sim } = pair({ network: { latency: 20, seed: 7 } })
  const rule = sim.rule(drop({ from: 'server', flags: 'F', nth: 1 }))

  client.close()
  sim.advance('1s')
  expect(client.state).toBe('FIN-WAIT-2')

  server.close()
  sim.advance('1s')
  expect(rule.applied).toBe(1)
  expect(client.state).toBe('TIME-WAIT')
  expect(server.state).toBe('CLOSED')

  sim.advance('60s') // 2 MSL, in no time
  expect(client.state).toBe('CLOSED')
})
