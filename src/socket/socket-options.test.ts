import { expect, test } from 'vitest'
import type { OptionValue } from './option-value.js'
import { connected, listening, now, octets, streamSocket, twoPrograms } from './two-programs.test-fixture.js'

function fresh(profile: 'linux' | 'freebsd' = 'linux') {
  const { client } = twoPrograms(profile)
  const fd = streamSocket(client)
  return {
    client,
    fd,
    set: (level: string, name: string, value: OptionValue, length?: number) => {
      const { result, errno } = client.calls.setsockopt(fd, level, name, value, length)
      return errno ?? result
    },
    get: (level: string, name: string) => {
      const { value, errno } = client.calls.getsockopt(fd, level, name)
      return errno ?? value
    },
  }
}

test('SO_SNDBUF and SO_RCVBUF: Linux doubles them and keeps them in bounds', () => {
  const { client, set, get } = fresh()
  set('SOL_SOCKET', 'SO_SNDBUF', 10_000)
  expect(get('SOL_SOCKET', 'SO_SNDBUF')).toBe(20_000)
  set('SOL_SOCKET', 'SO_SNDBUF', 1)
  expect(get('SOL_SOCKET', 'SO_SNDBUF')).toBe(4608)
  set('SOL_SOCKET', 'SO_RCVBUF', 1)
  expect(get('SOL_SOCKET', 'SO_RCVBUF')).toBe(2304)
  set('SOL_SOCKET', 'SO_RCVBUF', 2_000_000_000)
  expect(get('SOL_SOCKET', 'SO_RCVBUF')).toBe(client.host.settings.receiveBufferCap * 2)
})

test('SO_SNDBUF and SO_RCVBUF: FreeBSD takes them as they are, or not', () => {
  const { set, get } = fresh('freebsd')
  expect(set('SOL_SOCKET', 'SO_RCVBUF', 10_000)).toBe(0)
  expect(get('SOL_SOCKET', 'SO_RCVBUF')).toBe(10_000)
  expect(set('SOL_SOCKET', 'SO_RCVBUF', 0)).toBe('ENOBUFS')
  expect(set('SOL_SOCKET', 'SO_RCVBUF', 2_000_000_000)).toBe('ENOBUFS')
})

test('times in seconds, milliseconds and struct timeval', () => {
  const { set, get } = fresh()
  set('IPPROTO_TCP', 'TCP_KEEPIDLE', 60)
  expect(get('IPPROTO_TCP', 'TCP_KEEPIDLE')).toBe(60)
  expect(set('IPPROTO_TCP', 'TCP_KEEPIDLE', 0)).toBe('EINVAL')
  set('IPPROTO_TCP', 'TCP_USER_TIMEOUT', 1234)
  expect(get('IPPROTO_TCP', 'TCP_USER_TIMEOUT')).toBe(1234)
  set('SOL_SOCKET', 'SO_RCVTIMEO', { seconds: 1, microseconds: 250_000 })
  expect(get('SOL_SOCKET', 'SO_RCVTIMEO')).toEqual({ seconds: 1, microseconds: 250_000 })
  expect(set('SOL_SOCKET', 'SO_RCVTIMEO', { seconds: 1, microseconds: 1_000_000 })).toBe('EDOM')
  set('IPPROTO_TCP', 'TCP_DEFER_ACCEPT', 5)
  expect(get('IPPROTO_TCP', 'TCP_DEFER_ACCEPT')).toBe(7)
})

test('what a socket says of itself', () => {
  const { client, server } = twoPrograms()
  const { calls, n } = server
  const l = listening(server, 80)
  const get = (fd: number, name: string) => calls.getsockopt(fd, 'SOL_SOCKET', name).value
  expect(get(l, 'SO_ACCEPTCONN')).toBe(1)
  expect(get(l, 'SO_TYPE')).toBe(n.SOCK_STREAM)
  expect(get(l, 'SO_PROTOCOL')).toBe(n.IPPROTO_TCP)
  expect(get(l, 'SO_DOMAIN')).toBe(n.AF_INET)
  expect(client.calls.getsockopt(99, 'SOL_SOCKET', 'SO_TYPE').errno).toBe('EBADF')
})

test('TCP_INFO: the state and what was agreed', () => {
  const { client, c, server, l } = connected()
  const info = client.calls.getsockopt(c, 'IPPROTO_TCP', 'TCP_INFO').value as Record<string, number>
  expect(info.tcpi_state).toBe(1)
  expect(info.tcpi_snd_mss).toBe(1448)
  const listener = server.calls.getsockopt(l, 'IPPROTO_TCP', 'TCP_INFO').value as Record<string, number>
  expect(listener.tcpi_state).toBe(10)
  const other = client.calls.getsockopt(streamSocket(client), 'IPPROTO_TCP', 'TCP_INFO').value
  expect((other as Record<string, number>).tcpi_state).toBe(7)
})

test('TCP_CONGESTION by name, TCP_MAXSEG in bounds, TCP_FASTOPEN_KEY of 16 or 32 octets', () => {
  const { set, get } = fresh()
  expect(get('IPPROTO_TCP', 'TCP_CONGESTION')).toBe('cubic')
  expect(set('IPPROTO_TCP', 'TCP_CONGESTION', 'reno')).toBe(0)
  expect(get('IPPROTO_TCP', 'TCP_CONGESTION')).toBe('reno')
  expect(set('IPPROTO_TCP', 'TCP_CONGESTION', 'nonesuch')).toBe('ENOENT')
  expect(set('IPPROTO_TCP', 'TCP_MAXSEG', 87)).toBe('EINVAL')
  expect(set('IPPROTO_TCP', 'TCP_MAXSEG', 1000)).toBe(0)
  expect(get('IPPROTO_TCP', 'TCP_MAXSEG')).toBe(1000)
  expect(set('IPPROTO_TCP', 'TCP_FASTOPEN_KEY', '', 3)).toBe('EINVAL')
  expect(set('IPPROTO_TCP', 'TCP_FASTOPEN_KEY', 'x'.repeat(16), 16)).toBe(0)
  expect(get('IPPROTO_TCP', 'TCP_FASTOPEN_KEY')).toEqual(new Uint8Array(16).fill(0x78))
})

test('options by number: the same one has another number on each system', () => {
  const linux = fresh()
  linux.client.calls.setsockopt(linux.fd, 1, 9, 1)
  expect(linux.get('SOL_SOCKET', 'SO_KEEPALIVE')).toBe(1)
  const freebsd = fresh('freebsd')
  freebsd.client.calls.setsockopt(freebsd.fd, 0xffff, 8, 1)
  expect(freebsd.get('SOL_SOCKET', 'SO_KEEPALIVE')).toBe(1)
  expect(freebsd.client.calls.setsockopt(freebsd.fd, 0xffff, 0x7777, 1).errno).toBe('ENOPROTOOPT')
  expect(linux.set('IPPROTO_TCP', 'TCP_NOPUSH', 1)).toBe('ENOPROTOOPT')
  expect(linux.set('IPPROTO_IPV6', 'IPV6_TCLASS', 1)).toBe('ENOPROTOOPT')
  expect(linux.set('SOL_SOCKET', 'SO_TYPE', 1)).toBe('ENOPROTOOPT')
})

test('FreeBSD: stacks by name, options of RACK, TCP options of a connection that is gone', () => {
  const { set, get } = fresh('freebsd')
  expect(set('IPPROTO_TCP', 'TCP_FUNCTION_BLK', { name: 'rack', sharers: 0 })).toBe(0)
  expect(get('IPPROTO_TCP', 'TCP_FUNCTION_BLK')).toEqual({ name: 'rack', sharers: 1 })
  expect(set('IPPROTO_TCP', 'TCP_FUNCTION_BLK', { name: 'nonesuch', sharers: 0 })).toBe('ENOENT')
  expect(set('IPPROTO_TCP', 'TCP_RACK_PACE_ALWAYS', 1)).toBe(0)
  const { client, server, net, c, s } = connected('freebsd')
  server.calls.setsockopt(s, 'SOL_SOCKET', 'SO_LINGER', { on: true, seconds: 0 })
  server.calls.close(s)
  net.advance(50)
  expect(client.calls.getsockopt(c, 'IPPROTO_TCP', 'TCP_MAXSEG').errno).toBe('ECONNRESET')
  expect(client.calls.getsockopt(c, 'SOL_SOCKET', 'SO_ERROR').value).toBe(client.n.ECONNRESET)
})

test('SO_MEMINFO and the queues: SIOCINQ, SIOCOUTQ, SIOCOUTQNSD', () => {
  const { client, server, net, c, s } = connected()
  client.calls.write(c, octets('0123456789'))
  expect(client.calls.ioctl(c, 'SIOCOUTQ').value).toBe(10)
  expect(client.calls.ioctl(c, 'SIOCOUTQNSD').value).toBe(0)
  net.advance(100)
  expect(client.calls.ioctl(c, 'SIOCOUTQ').value).toBe(0)
  expect(server.calls.ioctl(s, 'SIOCINQ').value).toBe(10)
  const memory = server.calls.getsockopt(s, 'SOL_SOCKET', 'SO_MEMINFO').value as number[]
  expect(memory[server.n.SK_MEMINFO_RCVBUF!]).toBe(server.calls.getsockopt(s, 'SOL_SOCKET', 'SO_RCVBUF').value)
  expect(memory[server.n.SK_MEMINFO_RMEM_ALLOC!]).toBeGreaterThan(0)
})

test('F_GETFL, F_SETFL and FIONBIO agree on O_NONBLOCK', () => {
  const { client, fd } = fresh()
  const { calls, n } = client
  expect(calls.fcntl(fd, n.F_GETFL!).result).toBe(n.O_RDWR)
  calls.fcntl(fd, n.F_SETFL!, n.O_RDWR! | n.O_NONBLOCK!)
  expect(calls.fcntl(fd, n.F_GETFL!).result).toBe(n.O_RDWR! | n.O_NONBLOCK!)
  calls.ioctl(fd, 'FIONBIO', 0)
  expect(calls.fcntl(fd, n.F_GETFL!).result).toBe(n.O_RDWR)
})

test('MSG_ZEROCOPY: completions come when the text is acknowledged, joined to ranges, and say that it was copied', () => {
  const { client, net, c } = connected()
  const { calls, n } = client
  const completion = () => now(calls.recvmsg(c, new Uint8Array(0), n.MSG_ERRQUEUE))
  calls.setsockopt(c, 'SOL_SOCKET', 'SO_ZEROCOPY', 1)
  calls.send(c, octets('one'), n.MSG_ZEROCOPY)
  calls.send(c, octets('two'), n.MSG_ZEROCOPY)
  expect(completion().errno).toBe('EAGAIN')
  net.advance('1s')
  const { flags, control } = completion()
  expect(flags).toBe(n.MSG_ERRQUEUE)
  expect(control).toEqual([
    {
      level: n.SOL_IP,
      type: n.IP_RECVERR,
      data: { ee_errno: 0, ee_origin: 5, ee_type: 0, ee_code: 1, ee_info: 0, ee_data: 1 },
    },
  ])
  expect(completion().errno).toBe('EAGAIN')
})

test('SO_TIMESTAMPING: when the last octet of a write was sent and acknowledged', () => {
  const { client, net, c } = connected()
  const { calls, n } = client
  const bits =
    n.SOF_TIMESTAMPING_TX_SOFTWARE! |
    n.SOF_TIMESTAMPING_TX_ACK! |
    n.SOF_TIMESTAMPING_SOFTWARE! |
    n.SOF_TIMESTAMPING_OPT_ID!
  calls.setsockopt(c, 'SOL_SOCKET', 'SO_TIMESTAMPING', bits)
  const sent = net.now
  calls.write(c, octets('0123456789'))
  net.advance(100)
  const stamp = () => {
    const { control = [] } = now(calls.recvmsg(c, new Uint8Array(0), n.MSG_ERRQUEUE))
    const [time, error] = control.map(({ data }) => data as Record<string, number>)
    const { scm_sec = 0, scm_nsec = 0 } = time!
    return { info: error!.ee_info, octet: error!.ee_data, at: scm_sec * 1000 + scm_nsec / 1e6 }
  }
  expect(stamp()).toEqual({ info: n.SCM_TSTAMP_SND, octet: 9, at: sent })
  expect(stamp().info).toBe(n.SCM_TSTAMP_ACK)
})
