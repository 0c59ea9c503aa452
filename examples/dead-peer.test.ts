import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

/** A server that dies without a word a second after it was connected to: no FIN, no RST, nothing. */
async function connectToOneWhoDies(sim: ReturnType<typeof createNetwork>): Promise<net.Socket> {
  sim.on('server', () => net.createServer(() => {}).listen(80))
  const socket = net.connect(80, 'server')
  await once(socket, 'connect')
  await sleep(1000)
  sim.partition(['server'])
  return socket
}

test('keepalive finds out that the peer is gone', async () => {
  const sim = createNetwork({ latency: '20ms' })
  const error = await sim.run(async () => {
    const socket = await connectToOneWhoDies(sim)
    socket.setKeepAlive(true, 60_000)
    const [error] = await once(socket.resume(), 'error')
    return error
  })
  expect(error.code).toBe('ETIMEDOUT')
  // a minute of silence, then nine probes, 75 s apart
  expect(Math.round(sim.now / 1000)).toBe(1 + 60 + 9 * 75)
})

test('so does a time-out of the program', async () => {
  const sim = createNetwork({ latency: '20ms' })
  await sim.run(async () => {
    const socket = await connectToOneWhoDies(sim)
    socket.setTimeout(30_000)
    await once(socket, 'timeout')
    socket.destroy()
  })
  expect(Math.round(sim.now / 1000)).toBe(31)
})

test('without either, whoever only waits waits for ever', async () => {
  const sim = createNetwork({ latency: '20ms' })
  const waits = sim.run(async () => {
    const socket = await connectToOneWhoDies(sim)
    await once(socket.resume(), 'close')
  })
  await expect(waits).rejects.toThrow(/nothing is left to happen.*\n *client +ESTABLISHED/)
})
