import { expect, test } from 'vitest'
import { applyFlags, DEFAULT_FLAGS, FlagError, flagsOf, isFlag, splitCommandLine } from './flags.js'
import { parseScript } from './parser.js'

test('without flags the defaults are those of packetdrill', () => {
  const flags = flagsOf(parseScript('a.pkt', '0 close(3) = 0'))
  expect(flags).toMatchObject({
    bindPort: 8080,
    connectPort: 8080,
    toleranceUsecs: 4000,
    tolerancePercent: 12.5,
    mtu: 1500,
  })
  expect(flags).toEqual(DEFAULT_FLAGS)
})

test('a script says its flags at its head', () => {
  const text = '--ip_version=ipv6 --mtu=9000 // large\n--non_fatal=packet\n--tcp_ts_ecr_scaled\n--local_ip=fd00::1'
  expect(flagsOf(parseScript('a.pkt', text))).toMatchObject({
    ipVersion: 'ipv6',
    mtu: 9000,
    nonFatal: { packet: true, syscall: false },
    tcpTsEcrScaled: true,
    localIp: 'fd00::1',
  })
})

test('the command line wins over the script', () => {
  const script = parseScript('a.pkt', '--mtu=9000\n--tolerance_usecs=5')
  expect(flagsOf(script, [{ name: 'mtu', value: '576' }])).toMatchObject({ mtu: 576, toleranceUsecs: 5 })
})

test.each([
  ['ip_version', 'ipv4-mapped-ipv6', { ipVersion: 'ipv4-mapped-ipv6' }],
  ['non_fatal', 'packet, syscall', { nonFatal: { packet: true, syscall: true } }],
  ['tolerance_percent', '2.5', { tolerancePercent: 2.5 }],
  ['init_scripts', 'a,b', { initScripts: ['a', 'b'] }],
  ['udp_encapsulation', 'tcp', { udpEncapsulation: 'tcp' }],
  ['udp_encaps', 'sctp', { udpEncapsulation: 'sctp' }],
  ['tcp_md5_secret', 'secret', { tcpMd5Secret: 'secret' }],
  ['mss', '1000', { mss: 1000 }],
  ['strict_segments', null, { strictSegments: true }],
  ['wire_server_ip', '1.2.3.4', { ignored: new Map([['wire_server_ip', '1.2.3.4']]) }],
  ['send_omit_free', null, { ignored: new Map([['send_omit_free', null]]) }],
  ['define', 'A=b=c', { definitions: new Map([['A', 'b=c']]) }],
])('--%s %s', (name, value, expected) => {
  expect(applyFlags(DEFAULT_FLAGS, [{ name, value }])).toMatchObject(expected)
})

test.each([
  ['bind_port', '0', `expected a number from 1 to 65535 for '--bind_port', found '0'`],
  ['mtu', 'large', `expected a number from 0 to 4294967295 for '--mtu', found 'large'`],
  ['non_fatal', 'all', `expected packet, syscall or both for '--non_fatal', found 'all'`],
  ['verbose', '1', `expected '--verbose' without a value, found '1'`],
  ['define', '5=6', `expected NAME=VALUE for '--define', found '5=6'`],
  ['constructor', 'x', `expected one of packetdrill's flags, found '--constructor'`],
])('--%s %s is refused', (name, value, message) => {
  expect(() => applyFlags(DEFAULT_FLAGS, [{ name, value }])).toThrow(new FlagError(message))
})

test('definitions add up', () => {
  const { settings } = splitCommandLine(['-D', 'A=1', '-DB=2', '--define=C=3'])
  expect([...applyFlags(DEFAULT_FLAGS, settings).definitions]).toEqual([
    ['A', '1'],
    ['B', '2'],
    ['C', '3'],
  ])
})

test('a command line is split into flags of packetdrill and the rest', () => {
  const words = ['--json', '--mtu', '1400', 'a.pkt', '-v', '--ip_version=ipv4', '--pcap', 'x.pcap', '--', '--mtu=1']
  expect(splitCommandLine(words)).toEqual({
    settings: [
      { name: 'mtu', value: '1400' },
      { name: 'verbose', value: null },
      { name: 'ip_version', value: 'ipv4' },
    ],
    rest: ['--json', 'a.pkt', '--pcap', 'x.pcap', '--', '--mtu=1'],
  })
})

test('a flag knows whether it is packetdrill’s', () => {
  expect([isFlag('mtu'), isFlag('json'), isFlag('toString')]).toEqual([true, false, false])
})
