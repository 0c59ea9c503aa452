import { describe, expect, test } from 'vitest'
import { drill, type RunResult, runScript, runVariants } from './index.js'

const HANDSHAKE = `
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 32792 <mss 1000>
+0 > S. 0:0(0) ack 1 <...>
+.1 < . 1:1(0) ack 1 win 257
+0 accept(3, ..., ...) = 4
`
const LINES = HANDSHAKE.split('\n').length - 1

const run = (script: string): RunResult => runScript(HANDSHAKE + script, { profile: 'linux' })

/** What went wrong, as line and message. */
function failure(script: string): { line: number; message: string; detail: readonly string[] } {
  const { ok, error } = run(script)
  expect(ok, script).toBe(false)
  return { line: error!.line - LINES, message: error!.message, detail: error!.detail }
}

test(
  'a test can be a script',
  drill`
  0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
  +0...0.1 connect(3, ..., ...) = 0
  +0 > S 0:0(0) <...>
  +.1 < S. 0:0(0) ack 1 win 1000 <mss 1000>
  +0 > . 1:1(0) ack 1
  +0 write(3, ..., 500) = 500
  +0 > P. 1:501(500) ack 1
`,
)

test('a script as a test throws what failed, both packets printed', () => {
  const wrong = drill({ profile: 'freebsd' })`
0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0
+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)
+0 > S 0:0(0) win 65535 <mss 1000>
`
  expect(wrong).toThrow(/:5:4: expected an outgoing segment.*\n.*expected.*mss 1000>\n.*sent.*mss 1460/s)
})

describe('time', () => {
  test('a packet that comes too late fails where it is expected, and when it came is told', () => {
    const { line, message, detail } = failure('+0 write(4, ..., 100) = 100\n+.1 > P. 1:101(100) ack 1')
    expect(line).toBe(2)
    expect(message).toContain('too early')
    expect(detail[1]).toContain('0.100')
  })

  test('a packet that does not come fails, and the one that comes instead is told', () => {
    const { message, detail } = failure(
      '+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n+0 > P. 1:101(100) ack 1',
    )
    expect(message).toContain('none was sent in time')
    expect(detail.join('\n')).toMatch(/retransmitted after \d+ ms \((RTO|tail loss probe)\)|tail loss probe/)
  })

  test('any time is waited for', () => {
    expect(run('+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n* > P. 1:101(100) ack 1').error).toBeNull()
  })

  test('a blocking call returns when it is to, and not otherwise', () => {
    expect(run('+0...0.2 read(4, ..., 100) = 100\n+.2 < P. 1:101(100) ack 1 win 257').error).toBeNull()
    const { line, message } = failure('+0...0.1 read(4, ..., 100) = 100\n+.2 < P. 1:101(100) ack 1 win 257')
    expect(line).toBe(1)
    expect(message).toContain('too late')
  })

  test('a call that blocks though the script does not say so fails', () => {
    const { line, message } = failure('+0 read(4, ..., 100) = 100')
    expect(line).toBe(1)
    expect(message).toContain('read blocks')
  })

  test('a script must not end while a call is blocked', () => {
    expect(failure('+0...9 read(4, ..., 100) = 100').message).toContain('still blocked')
  })
})

describe('calls', () => {
  test('a result that is another fails at its line', () => {
    const { line, message } = failure('+0 write(4, ..., 100) = 99')
    expect(line).toBe(1)
    expect(message).toBe('expected write to return 99, returned 100')
  })

  test('an error that is another fails', () => {
    expect(failure('+0 connect(4, ..., ...) = -1 EPIPE (x)').message).toContain('EISCONN')
  })

  test('values behind pointers are compared', () => {
    expect(run('+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [0], [4]) = 0').error).toBeNull()
    expect(failure('+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0').message).toContain('it is [0]')
    expect(failure('+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1').message).toContain('POLLOUT')
  })

  test('unknown ones, unknown names and unknown descriptors are told', () => {
    expect(failure('+0 frobnicate(4) = 0').message).toContain('frobnicate')
    expect(failure('+0 shutdown(4, SHUT_SIDEWAYS) = 0').message).toContain('SHUT_SIDEWAYS')
    expect(failure('+0 close(7) = 0').message).toContain('7')
  })
})

describe('commands', () => {
  test('set and show what the host is set to', () => {
    expect(run('+0 `sysctl -q net.ipv4.tcp_sack=0 && sysctl -n net.ipv4.tcp_sack | grep -q 0`').error).toBeNull()
    expect(run('+0 `cat /proc/sys/net/ipv4/tcp_sack | grep 1`').error).toBeNull()
  })

  test('list the sockets of the host', () => {
    expect(run('+0 `ss -tan | grep ESTAB | wc -l | grep -q 1`\n+0 `netstat -an | grep -q LISTEN`').error).toBeNull()
    expect(run('+0 `grep " 0A " /proc/net/tcp | grep -q ":1F90"`').error).toBeNull()
  })

  test('that fail end the script, and unknown ones say so', () => {
    const { line, message, detail } = failure('+0 `frobnicate`')
    expect(line).toBe(1)
    expect(message).toContain('127')
    expect(detail.join()).toContain('no such program')
  })

  test('the last one cleans up, and does not hide what failed before', () => {
    expect(failure('+0 close(4) = 1\n`false`').message).toContain('close')
    expect(failure('`false`').message).toContain('false')
  })
})

test('code sees what it saw when its line was reached, and runs when all is over', () => {
  const script = (state: string) => `+0 %{ assert tcpi_state == ${state}; print(tcpi_state) }%\n+0 close(4) = 0`
  const { error, output } = run(script('TCP_ESTABLISHED'))
  expect(error).toBeNull()
  expect(output).toEqual(['1'])
  expect(failure(script('TCP_CLOSE')).line).toBe(1)
})

test('the life of a connection is told, state by state', () => {
  const { connections } = run(
    '+0 < F. 1:1(0) ack 1 win 257\n* > . 1:1(0) ack 2\n+1 close(4) = 0\n+0 > F. 1:1(0) ack 2\n+.1 < . 2:2(0) ack 2 win 257',
  )
  const { local, remote, states } = connections.at(-1)!
  expect(local).toBe('192.168.0.1:8080')
  expect(remote).toMatch(/^192\.0\.2\.1:\d+$/)
  expect(states.map(({ state }) => state)).toEqual(['SYN-RECEIVED', 'ESTABLISHED', 'CLOSE-WAIT', 'LAST-ACK', 'CLOSED'])
  expect(states.map(({ at }) => at)).toEqual([0, 0.1, 0.1, expect.closeTo(1.14, 1), expect.closeTo(1.24, 1)])
})

test('variants are those that the name of the file and its flags leave', () => {
  const variants = (file: string, source: string, profile: 'linux' | 'freebsd' = 'linux') =>
    runVariants(source, { profile, file }).map(({ variant }) => variant)
  const script = '0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n'
  expect(variants('a.pkt', script)).toEqual(['ipv4', 'ipv6', 'ipv4-mapped-ipv6'])
  expect(variants('a-v4.pkt', script)).toEqual(['ipv4', 'ipv4-mapped-ipv6'])
  expect(variants('a-v6.pkt', script)).toEqual(['ipv6'])
  expect(variants('a.pkt', `--ip_version=ipv6\n${script}`)).toEqual(['ipv6'])
  expect(variants('a.pkt', `--local_ip=10.0.0.1\n${script}`)).toEqual(['ipv4', 'ipv4-mapped-ipv6'])
  expect(variants('a.pkt', script, 'freebsd')).toEqual(['ipv4'])
})

test('a file that is no script fails where it stops being one', () => {
  const { error } = runScript('0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 nonsense\n', { profile: 'linux' })
  expect(error).toMatchObject({ line: 2 })
})

test('the same seed gives the same run', () => {
  const bytes = (seed: number) =>
    JSON.stringify(runScript(HANDSHAKE, { profile: 'linux', events: true, packets: true, seed }).events)
  expect(bytes(7)).toBe(bytes(7))
  expect(bytes(7)).not.toBe(bytes(8))
})
