import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createNetwork } from '../../src/sim/index.js'
import type { WebConnection } from '../../src/socket/index.js'

const ACTS = ['write', 'much', 'read', 'byob', 'endWriting', 'abort', 'cancel', 'close'] as const
type Act = (typeof ACTS)[number]

const RUNS = Number(process.env.ESTAB_RUNS ?? 100)

/** One end, whose program does whatever it likes in any order and waits for nothing. */
class Program {
  readonly connection: WebConnection
  /** Octets it gave to a writer that took them, and octets it read. */
  written = 0
  received = 0
  readonly errors: unknown[] = []
  over = ''
  #endAsked = false

  constructor(connection: WebConnection) {
    this.connection = connection
    connection.closed.then(
      () => {
        this.over = 'closed'
      },
      (error: { code: string }) => {
        this.over = error.code
      },
    )
  }

  act(act: Act): void {
    const { readable, writable } = this.connection
    const told = (error: unknown) => void this.errors.push(error)
    switch (act) {
      case 'write':
      case 'much': {
        // Node 20 fails an assertion of its own when the writer of a stream that is closing is released
        if (writable.locked || this.#endAsked) return
        const writer = writable.getWriter()
        const octets = act === 'much' ? 3_000_000 : 1000
        writer.closed.catch(() => {})
        writer.write(new Uint8Array(octets)).then(() => {
          this.written += octets
        }, told)
        return writer.releaseLock()
      }
      case 'read':
      case 'byob': {
        if (readable.locked) return
        const reader = act === 'read' ? readable.getReader() : readable.getReader({ mode: 'byob' })
        const read: Promise<{ value?: Uint8Array | undefined }> =
          'read' in reader && act === 'byob'
            ? (reader as ReadableStreamBYOBReader).read(new Uint8Array(100_000))
            : (reader as ReadableStreamDefaultReader<Uint8Array>).read()
        reader.closed.catch(() => {})
        read
          .then(({ value }) => {
            this.received += value?.length ?? 0
          }, told)
          .finally(() => reader.releaseLock())
        return
      }
      case 'endWriting':
        this.#endAsked = true
        return void writable.close().catch(told)
      case 'abort':
        this.#endAsked = true
        return void writable.abort(new TypeError('enough')).catch(told)
      case 'cancel':
        return void readable.cancel().catch(told)
      case 'close':
        this.#endAsked = true
        return void this.connection.close().catch(told)
    }
  }
}

const step = fc.record({
  who: fc.nat(1),
  act: fc.constantFrom(...ACTS),
  /** Turns of the event loop, and ms of virtual time, before the next. */
  turns: fc.nat(2),
  passes: fc.constantFrom(0, 0, 5, 50, 1000),
})

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('whatever programs do with both ends in any order, nothing is thrown, and in the end both are told', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.tuple(fc.boolean(), fc.boolean()),
      async (steps, halfOpen) => {
        const network = createNetwork({ latency: '10ms', seed: 1 })
        const [a, b] = [network.host('a'), network.host('b')]
        const listener = b.listen({ port: 7, allowHalfOpen: halfOpen[1] })
        const near = a.connect('b:7', { allowHalfOpen: halfOpen[0] })
        await turn()
        network.advance('1s')
        const programs = [new Program(near), new Program((await listener.accept())!)]
        for (const { who, act, turns, passes } of steps) {
          programs[who]!.act(act)
          for (let i = 0; i < turns; i++) await turn()
          if (passes > 0) network.advance(passes)
        }
        for (const program of programs) void program.connection.close().catch(() => {})
        // a peer that does not read may keep text for ever: nothing but abort ends that
        for (let i = 0; i < 20; i++) {
          await turn()
          network.advance('10s')
        }
        for (const program of programs) if (program.over === '') program.act('abort')
        for (let i = 0; i < 5; i++) {
          await turn()
          network.advance('10s')
        }
        for (const { over } of programs) expect(over).toMatch(/^(closed|ECONNRESET|EPIPE)$/)
        expect(programs[1]!.received).toBeLessThanOrEqual(25 * 3_000_000)
        network.advance('1h')
        expect([...a.connections, ...b.connections].filter((one) => one.constructor.name === 'Connection')).toEqual([])
        for (const error of programs.flatMap(({ errors }) => errors)) expect(error).toBeInstanceOf(TypeError)
      },
    ),
    { numRuns: RUNS },
  )
}, 300_000)
