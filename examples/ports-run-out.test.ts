import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

test('who closes first keeps the port for a minute in TIME-WAIT: ten ports are ten connections a minute', async () => {
  const sim = createNetwork({ latency: '1ms' })
  sim.host('client', { settings: { ephemeralPorts: [50_000, 50_009] } })

  await sim.run(async () => {
    sim.on('server', () => net.createServer((socket) => socket.resume()).listen(80))
    const connectAndClose = async (): Promise<void> => {
      const socket = net.connect(80, '10.0.0.2')
      await once(socket, 'connect')
      await once(socket.end().resume(), 'close')
    }
    for (let i = 0; i < 10; i++) await connectAndClose()
    await expect(connectAndClose()).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', syscall: 'connect' })

    await sleep(60_000)
    await connectAndClose()
  })
})
