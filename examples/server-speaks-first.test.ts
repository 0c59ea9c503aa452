import net from 'node:net'
import { expect, test } from 'vitest'
import { createNetwork } from '../src/sim/index.js'

/** What is tested: the name a mail server greets with, without saying a word to it. */
async function greeting(port: number, host: string): Promise<string> {
  const socket = net.connect(port, host)
  socket.setTimeout(10_000, () => socket.destroy(new Error('no greeting')))
  let text = ''
  for await (const chunk of socket) {
    text += chunk
    const line = /^220 (\S+).*\r\n/.exec(text)
    if (line !== null) return line[1]!
  }
  throw new Error('closed without a greeting')
}

test('a server that speaks first, and slowly', async () => {
  const sim = createNetwork({ latency: '30ms' })
  const name = await sim.run(async () => {
    sim.on('mail', () =>
      net
        .createServer((socket) => {
          socket.write('220 mail.ex')
          setTimeout(() => socket.write('ample ESMTP\r\n'), 5000)
        })
        .listen(25),
    )
    return greeting(25, 'mail')
  })
  expect(name).toBe('mail.example')
})

test('a server that never says anything', async () => {
  const sim = createNetwork({ latency: '30ms' })
  const asked = sim.run(() => {
    sim.on('mail', () => net.createServer(() => {}).listen(25))
    return greeting(25, 'mail')
  })
  await expect(asked).rejects.toThrow('no greeting')
})
