import { exec } from 'node:child_process'
import crypto from 'node:crypto'
import { readFile as readFileBack } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'

const file = import.meta.filename
const { port1, port2 } = new MessageChannel()

test.each<[string, () => Promise<unknown>]>([
  ['a file', () => promisify(readFileBack)(file)],
  ['a file, by promises', () => readFile(file)],
  ['a file, in pieces', () => pieces()],
  ['compression', () => promisify(zlib.gzip)(Buffer.alloc(3_000_000, 'estab'))],
  ['a key', () => promisify(crypto.scrypt)('word', 'salt', 32)],
  ['random octets', () => promisify(crypto.randomBytes)(32)],
  ['a digest', () => crypto.subtle.digest('SHA-256', new Uint8Array(100_000))],
  ['a child process', () => promisify(exec)('sleep 0.05; echo done')],
  ['WebAssembly', () => Reflect.get(globalThis, 'WebAssembly').compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))],
])('while real work is under way, virtual time stands still: %s', async (_name, work) => {
  const sim = createNetwork()
  await sim.run(async () => {
    // synchronous work of the same kinds is over when it is begun
    crypto.randomBytes(8)
    zlib.gzipSync('text')
    let ticks = 0
    const ticking = setInterval(() => ticks++, 1000)
    for (let i = 0; i < 3; i++) await work()
    clearInterval(ticking)
    expect(ticks).toBe(0)
  })
  expect(sim.now).toBe(0)
})

async function pieces(): Promise<void> {
  const handle = await open(file)
  for await (const line of handle.readLines()) expect(typeof line).toBe('string')
}

test('a message to oneself arrives', async () => {
  const sim = createNetwork()
  await sim.run(async () => {
    const heard = new Promise((resolve) => port2.once('message', resolve))
    port1.postMessage('hello')
    expect(await heard).toBe('hello')
    port1.close()
  })
})
