import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

test('an hour of keepalive takes milliseconds', async () => {
  const sim = createNetwork({ latency: '20ms' })
  let probes = 0
  await sim.run(async () => {
    sim.on('server', () => net.createServer((socket) => socket.pipe(socket)).listen(7))
    const socket = net.connect({ port: 7, host: 'server', keepAlive: true, keepAliveInitialDelay: 60_000 })
    await once(socket, 'connect')
    sim.capture(({ fate, from }) => {
      if (fate === 'sent' && from.name === 'client') probes++
    })
    await sleep(3_600_000)

    socket.write('still there?')
    expect(String((await once(socket, 'data'))[0])).toBe('still there?')
  })
  expect(probes).toBeGreaterThan(40)
})
