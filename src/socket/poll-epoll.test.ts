import { expect, test } from 'vitest'
import { Poll } from './open-file.js'
import {
  type Connected,
  connected,
  listening,
  now,
  octets,
  type Program,
  streamSocket,
  twoPrograms,
  watched,
} from './two-programs.test-fixture.js'

const { In, Out, HangUp, PeerHangUp, ReadNormal, WriteNormal } = Poll
const EVERYTHING = 0xffff

const pollNow = ({ calls }: Program, fd: number): number =>
  now(calls.poll([{ fd, events: EVERYTHING }], 0)).entries[0]!.revents

test('poll on Linux: a new socket, a listening one, one that connects, and one that is connected', () => {
  const both = twoPrograms()
  const { client, server, net } = both
  const fd = streamSocket(client, client.n.SOCK_NONBLOCK)
  expect(pollNow(client, fd)).toBe(Out | WriteNormal | HangUp)
  const l = listening(server, 80)
  expect(pollNow(server, l)).toBe(0)
  client.calls.connect(fd, both.at(80))
  expect(pollNow(client, fd)).toBe(0)
  net.advance(50)
  expect(pollNow(client, fd)).toBe(Out | WriteNormal)
  expect(pollNow(server, l)).toBe(In | ReadNormal)
})

test('poll on Linux: text, the half-closed peer, both halves closed', () => {
  const { client, server, net, c, s } = connected()
  const out = Out | WriteNormal
  client.calls.write(c, octets('x'))
  net.advance(50)
  expect(pollNow(server, s)).toBe(In | ReadNormal | out)
  now(server.calls.read(s, new Uint8Array(9)))
  expect(pollNow(server, s)).toBe(out)
  client.calls.shutdown(c, client.n.SHUT_WR!)
  net.advance(50)
  expect(pollNow(server, s)).toBe(In | ReadNormal | PeerHangUp | out)
  server.calls.shutdown(s, server.n.SHUT_WR!)
  expect(pollNow(server, s)).toBe(In | ReadNormal | PeerHangUp | HangUp | out)
})

test('poll on Linux: a connection that was reset has an error, and everything else at once', () => {
  const { client, server, net, c, s } = connected()
  server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 0 })
  server.calls.close(s)
  net.advance(50)
  const all = In | ReadNormal | PeerHangUp | HangUp | Out | WriteNormal
  expect(pollNow(client, c)).toBe(all | Poll.Error)
  client.calls.getsockopt(c, 'SOL_SOCKET', 'SO_ERROR')
  expect(pollNow(client, c)).toBe(all)
})

test('poll on FreeBSD: a new socket is not writable, an error is something to read and to write', () => {
  const both = twoPrograms('freebsd')
  const { client, net } = both
  const fd = streamSocket(client, client.n.SOCK_NONBLOCK)
  expect(pollNow(client, fd)).toBe(0)
  client.calls.connect(fd, both.at(81))
  net.advance(50)
  expect(pollNow(client, fd) & (In | Out | Poll.Error)).toBe(In | Out)
})

test('poll waits, for one of several, or for its time', () => {
  const { client, server, net, c, s, l } = connected()
  const started = net.now
  const entries = [
    { fd: l, events: In },
    { fd: s, events: In },
    { fd: -1, events: In },
  ]
  const first = watched(server.calls.poll(entries, 1000))
  client.calls.write(c, octets('x'))
  net.advance(50)
  expect(first.at).toBe(started + 10)
  expect(first.result?.result).toBe(1)
  expect(first.result?.entries.map(({ revents }) => revents)).toEqual([0, In, 0])
  const second = watched(server.calls.poll([{ fd: l, events: In }], 500))
  net.advance('1s')
  expect(second.result?.result).toBe(0)
  expect(now(server.calls.poll([{ fd: 77, events: In }], -1)).entries[0]?.revents).toBe(Poll.Invalid)
})

interface Watching extends Connected {
  readonly ep: number
  readonly ready: () => number[]
}

function watching(bits: string[]): Watching {
  const both = connected()
  const { calls, n } = both.server
  const ep = calls.epoll_create(1).result
  const events = bits.reduce((all, name) => (all | n[name]!) >>> 0, 0)
  calls.epoll_ctl(ep, n.EPOLL_CTL_ADD!, both.s, { events, data: 42 })
  const ready = () => now(calls.epoll_wait(ep, 10, 0)).events!.map((event) => event.events)
  return { ...both, ep, ready }
}

test('epoll, level triggered: ready as long as there is something', () => {
  const { client, server, net, c, s, ready } = watching(['EPOLLIN'])
  expect(ready()).toEqual([])
  client.calls.write(c, octets('ab'))
  net.advance(50)
  expect(ready()).toEqual([In])
  expect(ready()).toEqual([In])
  now(server.calls.read(s, new Uint8Array(2)))
  expect(ready()).toEqual([])
})

test('epoll, edge triggered: ready once for each time that something arrives', () => {
  const { client, net, c, ready } = watching(['EPOLLIN', 'EPOLLOUT', 'EPOLLET'])
  expect(ready()).toEqual([Out])
  expect(ready()).toEqual([])
  client.calls.write(c, octets('ab'))
  net.advance(50)
  expect(ready()).toEqual([In | Out])
  expect(ready()).toEqual([])
  client.calls.write(c, octets('cd'))
  net.advance(50)
  expect(ready()).toEqual([In | Out])
})

test('epoll, one shot: ready once until it is armed again', () => {
  const { client, server, net, c, s, ep, ready } = watching(['EPOLLIN', 'EPOLLONESHOT'])
  client.calls.write(c, octets('ab'))
  net.advance(50)
  expect(ready()).toEqual([In])
  client.calls.write(c, octets('cd'))
  net.advance(50)
  expect(ready()).toEqual([])
  const events = (server.n.EPOLLIN! | server.n.EPOLLONESHOT!) >>> 0
  server.calls.epoll_ctl(ep, server.n.EPOLL_CTL_MOD!, s, { events, data: 42 })
  expect(ready()).toEqual([In])
})

test('epoll: the peer that half-closes', () => {
  const { client, net, c, ready } = watching(['EPOLLRDHUP', 'EPOLLET'])
  client.calls.shutdown(c, client.n.SHUT_WR!)
  net.advance(50)
  expect(ready()).toEqual([PeerHangUp])
})

test('epoll_wait waits, and gives what the program put there', () => {
  const { client, server, net, c, ep } = watching(['EPOLLIN'])
  const waiting = watched(server.calls.epoll_wait(ep, 10, -1))
  client.calls.write(c, octets('x'))
  net.advance(50)
  expect(waiting.result).toEqual({ result: 1, events: [{ events: In, data: 42 }] })
})

test('epoll_ctl: what goes wrong', () => {
  const { server, s, ep } = watching(['EPOLLIN'])
  const { calls, n } = server
  const event = { events: 1, data: 0 }
  expect(calls.epoll_ctl(ep, n.EPOLL_CTL_ADD!, s, event).errno).toBe('EEXIST')
  expect(calls.epoll_ctl(ep, n.EPOLL_CTL_MOD!, 3, event).errno).toBe('ENOENT')
  expect(calls.epoll_ctl(ep, n.EPOLL_CTL_ADD!, 99, event).errno).toBe('EBADF')
  expect(calls.epoll_ctl(s, n.EPOLL_CTL_ADD!, 3, event).errno).toBe('EINVAL')
  expect(calls.epoll_ctl(ep, n.EPOLL_CTL_ADD!, ep, event).errno).toBe('EINVAL')
  expect(now(calls.epoll_wait(ep, 0, 0)).errno).toBe('EINVAL')
})

test('a closed descriptor is watched no longer', () => {
  const { client, server, net, c, s, ready } = watching(['EPOLLIN'])
  client.calls.write(c, octets('x'))
  net.advance(50)
  server.calls.close(s)
  expect(ready()).toEqual([])
})

test('poll wakes with an error when MSG_ZEROCOPY has something to tell', () => {
  const { client, net, c } = connected()
  const { calls, n } = client
  calls.setsockopt(c, 'SOL_SOCKET', 'SO_ZEROCOPY', 1)
  calls.send(c, octets('text'), n.MSG_ZEROCOPY)
  const waiting = watched(calls.poll([{ fd: c, events: 0 }], -1))
  net.advance('1s')
  expect(waiting.result?.entries[0]?.revents).toBe(Poll.Error)
})
