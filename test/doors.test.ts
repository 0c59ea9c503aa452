import { expect, expectTypeOf, test } from 'vitest'
import { createHost, type Host, type Link, type LiveHost, memoryPipe, type WebConnection } from '../src/index.js'
import { createNetwork, type End, type Network, pair } from '../src/sim/index.js'
import { createNet, type Net, type NetSocket } from '../src/socket/net/index.js'
import type { TunHost, tunHost } from '../src/socket/tun/index.js'

// checked by tsc, as a user's program would be
test('a host that a user gets has every face, wherever it comes from', () => {
  expectTypeOf(createHost).returns.toEqualTypeOf<LiveHost>()
  expectTypeOf<Network['host']>().returns.toEqualTypeOf<LiveHost>()
  expectTypeOf<Awaited<ReturnType<typeof tunHost>>>().toExtend<LiveHost>()
  expectTypeOf<LiveHost>().toExtend<Host>()
  expectTypeOf<LiveHost['net']>().toEqualTypeOf<Net>()
  expectTypeOf<TunHost['close']>().returns.resolves.toBeVoid()
  expectTypeOf<End['host']>().toExtend<Host>()
  expectTypeOf(memoryPipe).returns.toEqualTypeOf<[Link, Link]>()
  expectTypeOf(createHost).toBeCallableWith({ link: memoryPipe()[0], address: '10.0.0.1/24' })
  expectTypeOf(createHost).toBeCallableWith({ profile: 'freebsd', settings: { delayedAckMax: 0 } })
  // @ts-expect-error no such profile
  expect(() => createHost({ profile: 'minix' })).toThrow("no profile 'minix' (there are rfc9293, linux, freebsd)")
  // @ts-expect-error no such option
  expect(() => createHost({ adress: '10.0.0.1/24' })).toThrow("createHost: no option 'adress' (there are name, link")
})

test('connections fit the streams of the platform', () => {
  expectTypeOf<WebConnection['opened']>().resolves.toHaveProperty('remoteAddress').toBeString()
  expectTypeOf<WebConnection['readable']>().toExtend<ReadableStream<Uint8Array>>()
  const programs = ({ readable, writable }: WebConnection) => [
    readable.pipeTo(writable),
    readable.pipeThrough(new TextDecoderStream()).getReader(),
    new TextEncoderStream().readable.pipeTo(writable),
    new Response(readable).text(),
  ]
  expectTypeOf(programs).toBeFunction()
})

test('sockets of host.net are typed as those of node:net where programs look', () => {
  expectTypeOf<ReturnType<Net['connect']>>().toEqualTypeOf<NetSocket>()
  expectTypeOf(createNet).toBeCallableWith(createNetwork().host('a'))
  expectTypeOf<NetSocket['remotePort']>().toEqualTypeOf<number | undefined>()
  expectTypeOf(pair).toBeCallableWith({ network: { latency: '20ms', loss: 0.01 } })
})
