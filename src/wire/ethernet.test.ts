import { expect, test } from 'vitest'
import {
  ARP_LENGTH,
  ARP_REQUEST,
  BROADCAST_MAC,
  ETHERTYPE_ARP,
  etherType,
  formatIpAddress,
  formatMac,
  frameIsFor,
  frameSource,
  internAddress,
  parseArp,
  parseIpAddress,
  parseMac,
  writeArp,
  writeEthernetHeader,
} from './index.js'

const ME = parseMac('02:00:00:00:00:01')

test('an ARP request in an Ethernet frame', () => {
  const bytes = new Uint8Array(14 + ARP_LENGTH)
  writeEthernetHeader(bytes, 0, BROADCAST_MAC, ME, ETHERTYPE_ARP)
  const request = {
    operation: ARP_REQUEST,
    senderMac: ME,
    senderAddress: parseIpAddress('192.0.2.1'),
    targetMac: new Uint8Array(6),
    targetAddress: parseIpAddress('192.0.2.2'),
  }
  writeArp(bytes, 14, request)
  expect(etherType(bytes, 0, bytes.length)).toBe(ETHERTYPE_ARP)
  expect(frameIsFor(bytes, 0, ME)).toBe(true)
  expect(formatMac(frameSource(bytes, 0))).toBe('02:00:00:00:00:01')
  expect(parseArp(bytes, 14, bytes.length)).toEqual(request)
  expect(parseArp(bytes, 14, bytes.length - 1)).toBeNull()
})

test('text that is no address is named in the error', () => {
  expect(() => parseMac('02:00')).toThrow("not a MAC address: '02:00'")
  expect(() => parseIpAddress('1.2.3')).toThrow("not an IP address: '1.2.3'")
})

test.each(['0.0.0.0', '192.0.2.255', '::', '::1', '2001:db8::1:0:0:1', '1:2:3:4:5:6:7:8', 'fe80::'])('%s', (text) => {
  expect(formatIpAddress(parseIpAddress(text))).toBe(text)
})

test('the same words give the same address object while it is remembered', () => {
  const a = internAddress(0, 0, 0xffff, 0x01020304)
  expect(internAddress(0, 0, 0xffff, 0x01020304)).toBe(a)
  for (let i = 0; i < 5000; i++) internAddress(i, 0, 0, i)
  expect(internAddress(0, 0, 0xffff, 0x01020304).toString()).toBe('1.2.3.4')
})
