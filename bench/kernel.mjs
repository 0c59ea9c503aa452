// The peer of the same run: Node's own net over the kernel's loopback, both ends in this process, per second of CPU time.

import { once } from 'node:events'
import net from 'node:net'
import { cpuSeconds } from './two-hosts.mjs'

async function pairOfSockets(onServer) {
  const withErrors = (socket) => {
    socket.on('error', () => {})
    onServer(socket)
  }
  const server = net.createServer({ noDelay: true }, withErrors).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: server.address().port }
}

/** Gbit/s over one connection, 64 KB writes. */
export async function kernelBulk(megabytes) {
  const total = megabytes * 1e6
  let received = 0
  let finished
  const done = new Promise((resolve) => {
    finished = resolve
  })
  const { server, port } = await pairOfSockets((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length
      if (received >= total) finished()
    })
  })
  const client = net.connect(port, '127.0.0.1')
  client.on('error', () => {})
  await once(client, 'connect')
  const chunk = Buffer.alloc(65536, 7)
  let sent = 0
  const push = () => {
    while (sent < total) {
      sent += chunk.length
      if (!client.write(chunk)) return void client.once('drain', push)
    }
  }
  const began = cpuSeconds()
  push()
  await done
  const seconds = cpuSeconds() - began
  client.destroy()
  server.close()
  return (received * 8) / seconds / 1e9
}

/** One octet there and back, a second. */
export async function kernelRoundTrips(milliseconds) {
  const { server, port } = await pairOfSockets((socket) => socket.on('data', (chunk) => socket.write(chunk)))
  const client = net.connect({ port, host: '127.0.0.1', noDelay: true })
  client.on('error', () => {})
  await once(client, 'connect')
  let trips = 0
  const octet = Buffer.alloc(1)
  client.on('data', () => {
    trips++
    client.write(octet)
  })
  client.write(octet)
  const rate = await counted(milliseconds, () => trips)
  client.destroy()
  server.close()
  return rate
}

/** Connections opened, an octet asked and answered, and closed, a second. */
export async function kernelConnections(milliseconds) {
  const { server, port } = await pairOfSockets((socket) => {
    socket.on('data', (chunk) => socket.write(chunk))
    socket.on('error', () => {})
  })
  let done = 0
  let going = true
  const octet = Buffer.alloc(1)
  const open = () => {
    const client = net.connect(port, '127.0.0.1', () => client.write(octet))
    client.on('error', () => {})
    client.on('data', () => client.end())
    client.on('close', () => {
      done++
      if (going) open()
    })
  }
  for (let i = 0; i < 16; i++) open()
  const rate = await counted(milliseconds, () => done)
  going = false
  server.close()
  return rate
}

async function counted(milliseconds, count) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  const from = count()
  const began = cpuSeconds()
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  return (count() - from) / (cpuSeconds() - began)
}
