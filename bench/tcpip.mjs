// The npm package `tcpip` (lwIP in WebAssembly) where it is installed: two stacks in this process, their TUN interfaces piped
// into each other, MTU 1500, its web streams. It is no dependency of ours.
import { cpuSeconds } from './two-hosts.mjs'

/** Gbit/s over one connection, per second of CPU time; a sentence when the package is not there or does not do it. */
export async function tcpipBulk(megabytes) {
  const createStack = await import('tcpip').then(
    (door) => door.createStack,
    () => null,
  )
  if (createStack === null) return 'not present'
  return Promise.race([transfer(createStack, megabytes * 1e6), tooLong(60)]).catch(
    (error) => `failed: ${error.message}`,
  )
}

const tooLong = (seconds) =>
  new Promise((resolve) => setTimeout(resolve, seconds * 1000, `did not finish in ${seconds} s`).unref())

async function transfer(createStack, octets) {
  const [client, server] = await Promise.all([createStack(), createStack()])
  const ends = await Promise.all([
    client.createTunInterface({ ip: '10.0.0.1/24' }),
    server.createTunInterface({ ip: '10.0.0.2/24' }),
  ])
  for (const [from, to] of [ends, ends.toReversed()]) from.readable.pipeTo(to.writable).catch(() => {})
  const listener = await server.listenTcp({ port: 80 })
  const connecting = client.connectTcp({ host: '10.0.0.2', port: 80 })
  const { value: accepted } = await listener[Symbol.asyncIterator]().next()
  const writer = (await connecting).writable.getWriter()
  const chunk = new Uint8Array(65_536).fill(7)
  let received = 0
  const reading = (async () => {
    const reader = accepted.readable.getReader()
    while (received < octets) {
      const { value, done } = await reader.read()
      if (done) throw new Error('it ended early')
      received += value.length
    }
  })()
  const began = cpuSeconds()
  const writing = (async () => {
    for (let sent = 0; sent < octets; sent += chunk.length) await writer.write(chunk)
  })()
  await Promise.race([reading, writing.then(() => reading)])
  return (received * 8) / (cpuSeconds() - began) / 1e9
}
